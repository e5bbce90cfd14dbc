#include "clients/postgres/types.h"

#include <fmt/format.h>

#include <algorithm>

#include "clients/postgres/decode.h"
#include "clients/postgres/wire.h"
#include "core/text.h"

namespace leat::postgres {
namespace {

struct TypeRow {
  uint32_t oid;
  duckdb_type id;
  const char* duck_type;
  DecodeCell decode;
};

/// The types that travel in their own binary form; what is not here travels as text.
constexpr TypeRow kTypes[] = {
    {oid::kBool, DUCKDB_TYPE_BOOLEAN, "BOOLEAN", &DecodeBool},
    {oid::kInt2, DUCKDB_TYPE_SMALLINT, "SMALLINT", &DecodeInt2},
    {oid::kInt4, DUCKDB_TYPE_INTEGER, "INTEGER", &DecodeInt4},
    {oid::kInt8, DUCKDB_TYPE_BIGINT, "BIGINT", &DecodeInt8},
    {oid::kFloat4, DUCKDB_TYPE_FLOAT, "FLOAT", &DecodeInt4},
    {oid::kFloat8, DUCKDB_TYPE_DOUBLE, "DOUBLE", &DecodeInt8},
    {oid::kText, DUCKDB_TYPE_VARCHAR, "VARCHAR", &DecodeBytes},
    {oid::kVarchar, DUCKDB_TYPE_VARCHAR, "VARCHAR", &DecodeBytes},
    {oid::kBpchar, DUCKDB_TYPE_VARCHAR, "VARCHAR",
     &DecodeBytes},  // padded, as the column shows it; `::text` would cut it
    {oid::kName, DUCKDB_TYPE_VARCHAR, "VARCHAR", &DecodeBytes},
    {oid::kJson, DUCKDB_TYPE_VARCHAR, "VARCHAR", &DecodeBytes},
    {oid::kJsonb, DUCKDB_TYPE_VARCHAR, "VARCHAR", &DecodeJsonb},
    {oid::kBytea, DUCKDB_TYPE_BLOB, "BLOB", &DecodeBytes},
    {oid::kUuid, DUCKDB_TYPE_UUID, "UUID", &DecodeUuid},
    {oid::kDate, DUCKDB_TYPE_DATE, "DATE", &DecodeDate},
    {oid::kTime, DUCKDB_TYPE_TIME, "TIME", &DecodeInt8},
    {oid::kTimestamp, DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP", &DecodeTimestamp},
    {oid::kTimestamptz, DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE", &DecodeTimestamp},
};

constexpr int kDecimalWidthMax = 38;
constexpr int kBareNumericScale = 9;

struct Decimal {
  int width;
  int scale;
};

/// The DECIMAL that takes a numeric of this typmod; width 0 if no DECIMAL has that many decimals.
/// Source: PostgreSQL src/backend/utils/adt/numeric.c, make_numeric_typmod(): precision in the upper 16 bits, scale as
/// a signed number of 11 bits (since version 15 it may be negative or exceed the precision), the sum moved by 4.
Decimal DecimalOf(int32_t typmod) {
  if (typmod < 4) return {kDecimalWidthMax, kBareNumericScale};
  const int raw = typmod - 4;
  const int precision = (raw >> 16) & 0xFFFF;
  const int scale = ((raw & 0x7FF) ^ 1024) - 1024;
  if (scale > kDecimalWidthMax) return {0, 0};
  const int digits = scale < 0 ? precision - scale : std::max(precision, scale);
  return {std::min(digits, kDecimalWidthMax), std::max(scale, 0)};
}

void SetText(TypeMapping& mapping, TypeMapping::Select select) {
  mapping.select = select;
  mapping.id = DUCKDB_TYPE_VARCHAR;
  mapping.duck_type = "VARCHAR";
  mapping.decode = &DecodeBytes;
}

void SetDecimal(TypeMapping& mapping, const Decimal& decimal) {
  mapping.select = TypeMapping::Select::kColumn;
  mapping.id = DUCKDB_TYPE_DECIMAL;
  mapping.width = decimal.width;
  mapping.scale = decimal.scale;
  mapping.duck_type = fmt::format("DECIMAL({},{})", decimal.width, decimal.scale);
  mapping.decode = DecimalDecoder(decimal.width);
}

}  // namespace

std::string TypeMapping::SelectExpression(std::string_view column) const {
  return select == Select::kColumn ? QuoteIdentifier(column) : QuoteIdentifier(column) + "::text";
}

duckdb_logical_type TypeMapping::LogicalType() const {
  return id == DUCKDB_TYPE_DECIMAL
             ? duckdb_create_decimal_type(static_cast<uint8_t>(width), static_cast<uint8_t>(scale))
             : duckdb_create_logical_type(id);
}

TypeMapping MapType(const CatalogType& type) {
  TypeMapping mapping;
  mapping.source_type = type.formatted;
  SetText(mapping, TypeMapping::Select::kText);
  if (type.oid == oid::kNumeric) {
    if (const Decimal decimal = DecimalOf(type.typmod); decimal.width > 0) SetDecimal(mapping, decimal);
    return mapping;
  }
  if (type.typtype == 'e') {
    // The binary form of an enum is its label.
    SetText(mapping, TypeMapping::Select::kColumn);
    return mapping;
  }
  const TypeRow* row = std::ranges::find(kTypes, type.oid, &TypeRow::oid);
  if (row == std::end(kTypes)) return mapping;
  mapping.select = TypeMapping::Select::kColumn;
  mapping.id = row->id;
  mapping.duck_type = row->duck_type;
  mapping.decode = row->decode;
  return mapping;
}

}  // namespace leat::postgres
