#include "warehouse/postgres/column_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/text.h"

namespace leat::warehouse {
namespace {

/// A type's text taken apart: `numeric(10,2)[]` is name `numeric`, modifier `(10,2)`, suffix `[]`.
struct TypeText {
  std::string name;
  std::string modifier;
  std::string suffix;
};

constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"int", "integer"},
    {"int2", "smallint"},
    {"int4", "integer"},
    {"int8", "bigint"},
    {"smallserial", "smallint"},
    {"serial", "integer"},
    {"bigserial", "bigint"},
    {"float4", "real"},
    {"float8", "double precision"},
    {"float", "double precision"},
    {"double", "double precision"},
    {"decimal", "numeric"},
    {"bool", "boolean"},
    {"varchar", "character varying"},
    {"char", "character"},
    {"time", "time without time zone"},
    {"timetz", "time with time zone"},
    {"timestamp", "timestamp without time zone"},
    {"timestamptz", "timestamp with time zone"},
};

constexpr std::pair<std::string_view, std::string_view> kDefaults[] = {
    {"VARCHAR", "character varying"},
    {"BOOLEAN", "boolean"},
    {"TINYINT", "smallint"},
    {"SMALLINT", "smallint"},
    {"INTEGER", "integer"},
    {"BIGINT", "bigint"},
    {"HUGEINT", "numeric(38,0)"},
    {"UTINYINT", "smallint"},
    {"USMALLINT", "integer"},
    {"UINTEGER", "bigint"},
    {"UBIGINT", "numeric(20,0)"},
    {"FLOAT", "real"},
    {"DOUBLE", "double precision"},
    {"DATE", "date"},
    {"TIME", "time without time zone"},
    {"TIMESTAMP", "timestamp without time zone"},
    {"TIMESTAMP_S", "timestamp without time zone"},
    {"TIMESTAMP_MS", "timestamp without time zone"},
    {"TIMESTAMP WITH TIME ZONE", "timestamp with time zone"},
    {"UUID", "uuid"},
    {"BLOB", "bytea"},
    {"JSON", "jsonb"},
};

/// What COPY BINARY carries a PostgreSQL type as.
constexpr std::pair<std::string_view, std::string_view> kCarriers[] = {
    {"smallint", "SMALLINT"},
    {"integer", "INTEGER"},
    {"bigint", "BIGINT"},
    {"real", "FLOAT"},
    {"double precision", "DOUBLE"},
    {"boolean", "BOOLEAN"},
    {"date", "DATE"},
    {"time without time zone", "TIME"},
    {"timestamp without time zone", "TIMESTAMP"},
    {"timestamp with time zone", "TIMESTAMP WITH TIME ZONE"},
    {"uuid", "UUID"},
    {"bytea", "BLOB"},
    {"text", "VARCHAR"},
    {"character varying", "VARCHAR"},
    {"character", "VARCHAR"},
    {"bpchar", "VARCHAR"},
    {"json", "VARCHAR"},
    {"jsonb", "VARCHAR"},
};

/// PostgreSQL's own types that a column of the same type takes back from their text. Names of objects (regclass) and of
/// roles (aclitem) are left out: in another database they may name nothing.
constexpr std::string_view kRestorable[] = {
    "\"bit\"",
    "\"char\"",
    "bigint",
    "bit",
    "bit varying",
    "boolean",
    "box",
    "bpchar",
    "bytea",
    "character",
    "character varying",
    "cid",
    "cidr",
    "circle",
    "date",
    "datemultirange",
    "daterange",
    "double precision",
    "inet",
    "int2vector",
    "int4multirange",
    "int4range",
    "int8multirange",
    "int8range",
    "integer",
    "json",
    "jsonb",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oidvector",
    "path",
    "pg_lsn",
    "pg_snapshot",
    "point",
    "polygon",
    "real",
    "refcursor",
    "smallint",
    "text",
    "tid",
    "time with time zone",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "uuid",
    "xid",
    "xid8",
    "xml",
};

/// Types whose `=` holds for equal texts alone.
constexpr std::string_view kExact[] = {
    "bigint",
    "boolean",
    "bytea",
    "character",
    "character varying",
    "date",
    "integer",
    "numeric",
    "smallint",
    "text",
    "time without time zone",
    "timestamp with time zone",
    "timestamp without time zone",
    "uuid",
};

template <size_t n>
std::string_view Find(const std::pair<std::string_view, std::string_view> (&table)[n], std::string_view name) {
  for (const auto& [key, value] : table) {
    if (key == name) return value;
  }
  return {};
}

/// Lower case outside quotes, single spaces, none around brackets and commas.
std::string Normalise(std::string_view type) {
  std::string text;
  bool quoted = false;
  for (const char c : Trim(type)) {
    if (c == '"') quoted = !quoted;
    if (quoted || c == '"') {
      text += c;
    } else if (c == ' ' || c == '\t' || c == '\n') {
      if (!text.empty() && text.back() != ' ' && text.back() != '(' && text.back() != ',') text += ' ';
    } else {
      const bool tight = c == '(' || c == ')' || c == ',' || c == '[' || c == ']';
      if (tight && !text.empty() && text.back() == ' ') text.pop_back();
      text += tight ? std::string(1, c) : ToLower(std::string(1, c));
    }
  }
  return text;
}

TypeText TakeApart(std::string_view type) {
  TypeText parts{.name = Normalise(type)};
  if (const size_t at = parts.name.find('['); at != std::string::npos) {
    // format_type() writes an array of any dimensions and length as one pair.
    parts.suffix = "[]";
    parts.name.resize(at);
  }
  if (const size_t open = parts.name.find('('); open != std::string::npos) {
    const size_t close = parts.name.find(')', open);
    const size_t end = close == std::string::npos ? parts.name.size() : close + 1;
    parts.modifier = parts.name.substr(open, end - open);
    // `timestamp(3) with time zone`: the modifier stands inside the name.
    parts.name = parts.name.substr(0, open) + parts.name.substr(end);
  }
  return parts;
}

std::string Compose(const TypeText& type) {
  if (const size_t zone = type.name.find(" with"); zone != std::string::npos && !type.modifier.empty()) {
    return type.name.substr(0, zone) + type.modifier + type.name.substr(zone) + type.suffix;
  }
  return type.name + type.modifier + type.suffix;
}

TypeText Canonical(std::string_view type) {
  TypeText parts = TakeApart(type);
  if (const auto known = Find(kAliases, parts.name); !known.empty()) parts.name = known;
  if ((parts.name == "character" || parts.name == "bit") && parts.modifier.empty()) parts.modifier = "(1)";
  if (parts.name == "numeric" && !parts.modifier.empty() && parts.modifier.find(',') == std::string::npos) {
    parts.modifier.insert(parts.modifier.size() - 1, ",0");
  }
  return parts;
}

/// Whether the text can only be a type: a name, perhaps qualified or quoted, one modifier of digits, array brackets.
bool IsTypeText(std::string_view type) {
  int depth = 0;
  bool quoted = false;
  for (const char c : type) {
    if (c == '"') quoted = !quoted;
    if (quoted || c == '"') continue;
    if (c == '(' || c == '[') ++depth;
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == ' ';
    const bool closing = c == ')' || c == ']';
    if (depth > 0 ? !(digit || c == ',' || c == ' ' || closing || c == '(' || c == '[') : !(letter || digit))
      return false;
    if (closing) --depth;
    if (depth < 0 || depth > 1) return false;
  }
  return depth == 0 && !quoted && !Trim(type).empty();
}

struct Precision {
  int digits = 0;
  int scale = 0;
};

std::optional<Precision> PrecisionOf(std::string_view modifier) {
  const size_t comma = modifier.find(',');
  if (modifier.size() < 3 || comma == std::string_view::npos) return std::nullopt;
  Precision precision;
  const char* text = modifier.data();
  const auto first = std::from_chars(text + 1, text + comma, precision.digits);
  const auto second = std::from_chars(text + comma + 1, text + modifier.size() - 1, precision.scale);
  if (first.ec != std::errc() || second.ec != std::errc()) return std::nullopt;
  return precision;
}

bool StartsWith(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }
bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool IsNested(std::string_view duck) {
  return StartsWith(duck, "STRUCT(") || StartsWith(duck, "MAP(") || StartsWith(duck, "UNION(");
}

/// `INTEGER` of `INTEGER[]` and `INTEGER[3]`; nothing for a type that is no list.
std::optional<std::string_view> ElementOf(std::string_view duck) {
  if (!EndsWith(duck, "]")) return std::nullopt;
  return duck.substr(0, duck.rfind('['));
}

int DigitsOfInteger(std::string_view duck) {
  if (duck == "TINYINT" || duck == "UTINYINT") return 3;
  if (duck == "SMALLINT" || duck == "USMALLINT") return 5;
  if (duck == "INTEGER" || duck == "UINTEGER") return 10;
  if (duck == "BIGINT") return 19;
  if (duck == "UBIGINT") return 20;
  if (duck == "HUGEINT") return 38;
  return 0;
}

/// The PostgreSQL type of a DuckDB type; empty: none.
std::string DefaultType(std::string_view duck) {
  if (StartsWith(duck, "DECIMAL(")) return "numeric" + std::string(duck.substr(7));
  if (StartsWith(duck, "ENUM(")) return "character varying";
  if (IsNested(duck)) return "jsonb";
  if (const auto element = ElementOf(duck)) {
    // An array of arrays must be rectangular in PostgreSQL; a list of lists need not be.
    if (IsNested(*element) || ElementOf(*element)) return "jsonb";
    const std::string inner = DefaultType(*element);
    return inner.empty() || inner == "jsonb" ? inner : inner + "[]";
  }
  return std::string(Find(kDefaults, duck));
}

/// The DuckDB type whose bytes are those of `numeric` with this modifier; empty: there is none. A modifier that no
/// DECIMAL has (50 digits, a scale below zero) leaves the rounding to the server.
std::string DecimalCarrier(std::string_view modifier, std::string_view from) {
  if (const auto precision = PrecisionOf(modifier)) {
    const bool fits = precision->digits <= 38 && precision->scale >= 0 && precision->scale <= precision->digits;
    if (fits) return fmt::format("DECIMAL({},{})", precision->digits, precision->scale);
  }
  if (StartsWith(from, "DECIMAL(")) return std::string(from);
  if (const int digits = DigitsOfInteger(from)) return fmt::format("DECIMAL({},0)", digits);
  return {};
}

/// The DuckDB type whose values COPY sends into `type`; VARCHAR where the server has to parse a text.
std::string Carrier(const TypeText& type, std::string_view from) {
  std::string known;
  if (type.suffix.empty()) {
    known = type.name == "numeric" ? DecimalCarrier(type.modifier, from) : std::string(Find(kCarriers, type.name));
  }
  return known.empty() ? "VARCHAR" : known;
}

ColumnType::Via ViaOf(const TypeText& type, std::string_view from) {
  const bool is_list = ElementOf(from).has_value();
  if (!type.suffix.empty()) return is_list ? ColumnType::Via::kArrayLiteral : ColumnType::Via::kCast;
  const bool is_json = type.name == "json" || type.name == "jsonb";
  return is_json && (IsNested(from) || is_list) ? ColumnType::Via::kJson : ColumnType::Via::kCast;
}

bool IsRestorable(std::string_view name) {
  return std::ranges::find(kRestorable, name) != std::end(kRestorable) || name == "interval" ||
         StartsWith(name, "interval ");
}

/// Whether leat reads values of a source's type as this DuckDB type, if the project does not say otherwise.
bool IsReadAs(const TypeText& source, std::string_view duck) {
  if (!source.suffix.empty()) {
    const auto element = ElementOf(duck);
    return element ? IsReadAs({source.name, source.modifier, ""}, *element) : duck == "VARCHAR";
  }
  if (source.name == "smallint") return duck == "INTEGER";  // Iceberg has no smaller one
  if (source.name == "numeric") {
    const auto precision = PrecisionOf(source.modifier);
    return StartsWith(duck, "DECIMAL(") || (duck == "VARCHAR" && precision && precision->scale > 38);
  }
  const auto known = Find(kCarriers, source.name);
  return duck == (known.empty() ? "VARCHAR" : known);
}

/// The type that stands for the one of a stream's source; empty: the project has set another one.
std::string RestoredType(std::string_view source, std::string_view duck) {
  const TypeText type = Canonical(source);
  if (!IsReadAs(type, duck)) return {};
  if (IsRestorable(type.name)) return Compose(type);
  return EndsWith(source, "[]") ? "text[]" : "text";
}

Error NoDefault(const ColumnSpec& column) {
  return Error(kConfig, "LEAT0601", column.place,
               fmt::format("column \"{}\" has type {}, which has no default in a PostgreSQL warehouse", column.name,
                           column.duck_type))
      .Hint(fmt::format("set `warehouse: {{types: {{{}: text}}}}` in the model's head, or cast it", column.source));
}

}  // namespace

std::string CanonicalType(std::string_view type) { return Compose(Canonical(type)); }

ColumnType ResolveType(const ColumnSpec& column, bool is_record_id) {
  if (!column.type.empty() && !IsTypeText(column.type)) {
    throw Error(kConfig, "LEAT0601", column.place,
                fmt::format("\"{}\" of column \"{}\" is no PostgreSQL type; expected a name such as numeric(10,2)",
                            column.type, column.name));
  }
  std::string text = column.type;
  if (text.empty() && !column.source_type.empty()) text = RestoredType(column.source_type, column.duck_type);
  if (text.empty()) {
    text = is_record_id && DigitsOfInteger(column.duck_type) > 0 ? "integer" : DefaultType(column.duck_type);
  }
  if (text.empty()) throw NoDefault(column);
  const TypeText wanted = Canonical(text);
  return {
      .postgres = Compose(wanted), .duck = Carrier(wanted, column.duck_type), .via = ViaOf(wanted, column.duck_type)};
}

bool IsWidening(std::string_view from, std::string_view to) {
  const TypeText narrow = Canonical(from), wide = Canonical(to);
  if (narrow.suffix != wide.suffix) return false;
  const auto rank = [](std::string_view name) {
    return name == "smallint" ? 5 : name == "integer" ? 10 : name == "bigint" ? 19 : 0;
  };
  const auto is_text = [](std::string_view name) { return name == "text" || name == "character varying"; };
  if (const int digits = rank(narrow.name)) {
    if (rank(wide.name) >= digits) return true;
    const auto precision = PrecisionOf(wide.modifier);
    return wide.name == "numeric" && (!precision || precision->digits - precision->scale >= digits);
  }
  if (narrow.name == "real") return wide.name == "double precision";
  if (is_text(wide.name) && wide.modifier.empty()) return is_text(narrow.name) || narrow.name == "character";
  if (narrow.name != wide.name) return false;
  if (wide.modifier.empty() || narrow.modifier == wide.modifier) return true;
  if (narrow.modifier.empty()) return false;
  if (narrow.name == "numeric") {
    const auto less = PrecisionOf(narrow.modifier), more = PrecisionOf(wide.modifier);
    return less && more && more->scale >= less->scale && more->digits - more->scale >= less->digits - less->scale;
  }
  // One number, a length or the digits of a second: longer is wider. What pads would change its text.
  return narrow.name != "character" && narrow.name != "bit" &&
         (narrow.modifier.size() < wide.modifier.size() ||
          (narrow.modifier.size() == wide.modifier.size() && narrow.modifier < wide.modifier));
}

std::string ConvertExpression(std::string_view value, const ColumnType& to) {
  if (to.via == ColumnType::Via::kJson) return fmt::format("CAST(to_json({}) AS VARCHAR)", value);
  if (to.via == ColumnType::Via::kCast) return fmt::format("CAST({} AS {})", value, to.duck);
  // PostgreSQL's array input: every element in quotes but NULL; bytes in its hex form.
  const std::string element = to.postgres == "bytea[]" ? "'\\x' || lower(hex(e))" : "CAST(e AS VARCHAR)";
  const char delimiter = to.postgres == "box[]" ? ';' : ',';  // the one type that has another one
  return fmt::format(
      "'{{' || array_to_string(list_transform({}, lambda e: CASE WHEN e IS NULL THEN 'NULL' ELSE '\"' || "
      "replace(replace({}, '\\', '\\\\'), '\"', '\\\"') || '\"' END), '{}') || '}}'",
      value, element, delimiter);
}

bool ComparesAsText(std::string_view type) {
  const TypeText text = Canonical(type);
  return !text.suffix.empty() || std::ranges::find(kExact, text.name) == std::end(kExact);
}

}  // namespace leat::warehouse
