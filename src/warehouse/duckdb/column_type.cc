#include "warehouse/duckdb/column_type.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "core/text.h"

namespace leat::warehouse::duckdb {
namespace {

/// An integer type by the bits of its greatest value: 31 of INTEGER, 32 of UINTEGER.
struct IntegerType {
  std::string_view name;
  int bits;
  bool is_signed;
  int digits;
};

constexpr IntegerType kIntegerTypes[] = {
    {"TINYINT", 7, true, 3},    {"SMALLINT", 15, true, 5},   {"INTEGER", 31, true, 10},   {"BIGINT", 63, true, 19},
    {"HUGEINT", 127, true, 39}, {"UTINYINT", 8, false, 3},   {"USMALLINT", 16, false, 5}, {"UINTEGER", 32, false, 10},
    {"UBIGINT", 64, false, 20}, {"UHUGEINT", 128, false, 39}};

const IntegerType* FindInteger(std::string_view name) {
  for (const IntegerType& type : kIntegerTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

struct DecimalType {
  int digits = 0;
  int scale = 0;
  int whole() const { return digits - scale; }
};

/// Of `DECIMAL(10,2)`.
std::optional<DecimalType> ParseDecimal(std::string_view type) {
  constexpr std::string_view kPrefix = "DECIMAL(";
  if (!type.starts_with(kPrefix)) return std::nullopt;
  DecimalType decimal;
  const char* end = type.data() + type.size();
  const auto digits = std::from_chars(type.data() + kPrefix.size(), end, decimal.digits);
  if (digits.ec != std::errc() || digits.ptr == end) return std::nullopt;
  if (std::from_chars(digits.ptr + 1, end, decimal.scale).ec != std::errc()) return std::nullopt;
  return decimal;
}

/// A type as DuckDB writes it; nothing for a text that is none.
std::optional<std::string> TypeOf(duck::Connection& connection, const std::string& text) {
  try {
    return connection.QueryText(fmt::format("SELECT typeof(CAST(NULL AS {}))", text));
  } catch (const duck::QueryError&) {
    return std::nullopt;
  }
}

}  // namespace

std::string ResolveType(duck::Connection& connection, const ColumnSpec& column) {
  const bool is_given = !column.type.empty();
  // The lake quotes each field of a struct, DuckDB only where it must; all other types of the lake are in DuckDB's
  // form.
  if (!is_given && column.duck_type.find('"') == std::string::npos) return column.duck_type;
  if (const auto type = TypeOf(connection, is_given ? column.type : column.duck_type)) return *type;
  throw Error(kConfig, "LEAT0601", column.place,
              fmt::format("\"{}\" of column \"{}\" is no DuckDB type; expected a name such as DECIMAL(10,2)",
                          is_given ? column.type : column.duck_type, column.name));
}

bool IsWidening(std::string_view from, std::string_view to) {
  if (from == to) return true;
  const auto wide_decimal = ParseDecimal(to);
  if (const IntegerType* narrow = FindInteger(from)) {
    if (wide_decimal) return wide_decimal->whole() >= narrow->digits;
    const IntegerType* wide = FindInteger(to);
    return wide != nullptr && wide->bits >= narrow->bits && (wide->is_signed || !narrow->is_signed);
  }
  if (const auto narrow = ParseDecimal(from))
    return wide_decimal && wide_decimal->scale >= narrow->scale && wide_decimal->whole() >= narrow->whole();
  if (from.starts_with("ENUM(")) return to == "VARCHAR";
  return from == "FLOAT" && to == "DOUBLE";
}

}  // namespace leat::warehouse::duckdb
