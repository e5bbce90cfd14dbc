#include "clients/postgres/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <limits>
#include <utility>

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
    {oid::kChar, DUCKDB_TYPE_VARCHAR, "VARCHAR", &DecodeChar},
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
    {oid::kTime, DUCKDB_TYPE_TIME, "TIME", &DecodeTime},
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

const TypeRow* FindRow(uint32_t oid) {
  const TypeRow* row = std::ranges::find(kTypes, oid, &TypeRow::oid);
  return row == std::end(kTypes) ? nullptr : row;
}

/// \param cast  empty where the type's binary form is its text
TypeMapping Text(std::string source_type, std::string cast) {
  return {.source_type = std::move(source_type),
          .duck_type = "VARCHAR",
          .cast = std::move(cast),
          .id = DUCKDB_TYPE_VARCHAR,
          .decode = &DecodeBytes};
}

TypeMapping OfRow(const TypeRow& row, std::string source_type, std::string cast) {
  return {.source_type = std::move(source_type),
          .duck_type = row.duck_type,
          .cast = std::move(cast),
          .id = row.id,
          .decode = row.decode};
}

TypeMapping OfDecimal(const Decimal& decimal, std::string source_type, std::string cast) {
  return {.source_type = std::move(source_type),
          .duck_type = fmt::format("DECIMAL({},{})", decimal.width, decimal.scale),
          .cast = std::move(cast),
          .id = DUCKDB_TYPE_DECIMAL,
          .width = decimal.width,
          .scale = decimal.scale,
          .decode = DecimalDecoder(decimal.width)};
}

/// A LIST whose elements travel as they would outside of an array; a cast of all of them is one of the array.
TypeMapping OfElement(TypeMapping element, std::string source_type) {
  return {.source_type = std::move(source_type),
          .duck_type = element.duck_type + "[]",
          .cast = element.cast.empty() ? "" : element.cast + "[]",
          .id = DUCKDB_TYPE_LIST,
          .decode = &DecodeArray,
          .element = {std::move(element)}};
}

/// `DECIMAL(18,2)`; nullopt for anything else, or where no DECIMAL has as many digits.
std::optional<Decimal> ParseDecimal(std::string_view duck_type) {
  Decimal decimal{};
  if (std::sscanf(std::string(duck_type).c_str(), "DECIMAL(%d,%d)", &decimal.width, &decimal.scale) != 2) return {};
  const bool fits = duck_type.ends_with(')') && decimal.width >= 1 && decimal.width <= kDecimalWidthMax &&
                    decimal.scale >= 0 && decimal.scale <= decimal.width;
  return fits ? std::optional(decimal) : std::nullopt;
}

/// Numbers as another type of numbers that holds all their values or refuses one that it does not hold. DOUBLE alone
/// takes the nearest.
std::optional<TypeMapping> Widen(uint32_t from, std::string_view duck_type) {
  const bool is_small = from == oid::kInt2 || from == oid::kInt4;
  const bool is_exact = is_small || from == oid::kInt8 || from == oid::kNumeric;
  if (const auto decimal = ParseDecimal(duck_type); decimal && is_exact)
    return OfDecimal(*decimal, fmt::format("numeric({},{})", decimal->width, decimal->scale), "numeric");
  if (duck_type == "DOUBLE" && (is_exact || from == oid::kFloat4))
    return OfRow(*FindRow(oid::kFloat8), "double precision", "float8");
  if (duck_type == "BIGINT" && is_small) return OfRow(*FindRow(oid::kInt8), "bigint", "int8");
  if (duck_type == "INTEGER" && from == oid::kInt2) return OfRow(*FindRow(oid::kInt4), "integer", "int4");
  return std::nullopt;
}

}  // namespace

std::string TypeMapping::SelectExpression(std::string_view column) const {
  return QuoteIdentifier(column) + (cast.empty() ? "" : "::" + cast);
}

duckdb_logical_type TypeMapping::LogicalType() const {
  if (id == DUCKDB_TYPE_DECIMAL)
    return duckdb_create_decimal_type(static_cast<uint8_t>(width), static_cast<uint8_t>(scale));
  if (id != DUCKDB_TYPE_LIST) return duckdb_create_logical_type(id);
  duckdb_logical_type inner = element[0].LogicalType();
  const duckdb_logical_type list = duckdb_create_list_type(inner);
  duckdb_destroy_logical_type(&inner);
  return list;
}

TypeMapping MapType(const CatalogType& type) {
  if (!type.element.empty()) return OfElement(MapType(type.element[0]), type.formatted);
  if (type.oid == oid::kNumeric)
    if (const Decimal decimal = DecimalOf(type.typmod); decimal.width > 0)
      return OfDecimal(decimal, type.formatted, "");
  // The binary form of an enum is its label.
  if (type.typtype == 'e') return Text(type.formatted, "");
  if (const TypeRow* row = FindRow(type.oid)) return OfRow(*row, type.formatted, "");
  return Text(type.formatted, "text");
}

std::optional<TypeMapping> MapTypeAs(const CatalogType& type, std::string_view duck_type) {
  if (TypeMapping own = MapType(type); own.duck_type == duck_type) return own;
  if (duck_type == "VARCHAR") return Text("text", "text");
  if (type.element.empty()) return Widen(type.oid, duck_type);
  if (!duck_type.ends_with("[]")) return std::nullopt;
  std::optional<TypeMapping> element = MapTypeAs(type.element[0], duck_type.substr(0, duck_type.size() - 2));
  if (!element) return std::nullopt;
  const std::string source_type = element->source_type + "[]";
  return OfElement(std::move(*element), source_type);
}

bool KeepsApart(const CatalogType& type, const TypeMapping& mapping) {
  if (mapping.id == DUCKDB_TYPE_LIST) return KeepsApart(type.element[0], mapping.element[0]);
  if (mapping.id != DUCKDB_TYPE_DOUBLE) return true;
  const TypeMapping own = MapType(type);
  if (own.id == DUCKDB_TYPE_DECIMAL) return own.width <= std::numeric_limits<double>::digits10;
  return own.id != DUCKDB_TYPE_BIGINT && own.id != DUCKDB_TYPE_VARCHAR;
}

}  // namespace leat::postgres
