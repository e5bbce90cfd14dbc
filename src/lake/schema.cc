#include "lake/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "core/error.h"
#include "core/text.h"

namespace leat::lake {
namespace {

using Kind = Type::Kind;

int MaxId(const std::vector<Field>& fields) {
  int max_id = 0;
  for (const Field& field : fields) max_id = std::max({max_id, field.id, MaxId(field.type.fields)});
  return max_id;
}

Type Decimal(int precision, int scale) { return {.kind = Kind::kDecimal, .precision = precision, .scale = scale}; }

/// DuckDB's types without parameters, as SQL writes them, and what Iceberg keeps them as. A column of nothing but NULL
/// is what DuckDB itself makes of it: an integer.
const std::map<std::string, Type, std::less<>>& SimpleTypes() {
  static const std::map<std::string, Type, std::less<>> kTypes = {{"BOOLEAN", {Kind::kBoolean}},
                                                                  {"TINYINT", {Kind::kInt}},
                                                                  {"SMALLINT", {Kind::kInt}},
                                                                  {"INTEGER", {Kind::kInt}},
                                                                  {"UTINYINT", {Kind::kInt}},
                                                                  {"USMALLINT", {Kind::kInt}},
                                                                  {"NULL", {Kind::kInt}},
                                                                  {"UINTEGER", {Kind::kLong}},
                                                                  {"BIGINT", {Kind::kLong}},
                                                                  {"UBIGINT", Decimal(20, 0)},
                                                                  {"HUGEINT", Decimal(38, 0)},
                                                                  {"UHUGEINT", Decimal(38, 0)},
                                                                  {"FLOAT", {Kind::kFloat}},
                                                                  {"DOUBLE", {Kind::kDouble}},
                                                                  {"DATE", {Kind::kDate}},
                                                                  {"TIME", {Kind::kTime}},
                                                                  {"TIMESTAMP", {Kind::kTimestamp}},
                                                                  {"TIMESTAMP_S", {Kind::kTimestamp}},
                                                                  {"TIMESTAMP_MS", {Kind::kTimestamp}},
                                                                  {"TIMESTAMP WITH TIME ZONE", {Kind::kTimestampTz}},
                                                                  {"VARCHAR", {Kind::kString}},
                                                                  {"JSON", {Kind::kString}},
                                                                  {"ENUM", {Kind::kString}},
                                                                  {"BLOB", {Kind::kBinary}},
                                                                  {"UUID", {Kind::kUuid}}};
  return kTypes;
}

/// A type that Iceberg lacks; turned into an error once the column is known.
struct Unsupported {
  std::string type;
};

/// Reads a type as duck::FormatType or DESCRIBE writes it. Nested ids stay 0.
class TypeParser {
 public:
  explicit TypeParser(std::string_view text) : rest_(text) {}

  Type ParseAll() {
    Type type = Parse();
    if (!Trim(rest_).empty()) throw Unsupported{std::string(rest_)};
    return type;
  }

 private:
  Type Parse() {
    Type type = ParseBase();
    // `[]` is a list, `[3]` an array of fixed length, which Iceberg keeps as a list.
    while (Skip('[')) {
      rest_.remove_prefix(std::min(rest_.find(']'), rest_.size()));
      Expect(']');
      type = {.kind = Kind::kList, .fields = {{.name = "element", .type = std::move(type)}}};
    }
    return type;
  }

  Type ParseBase() {
    const std::string word = ReadWord();
    if (word == "DECIMAL") return ParseDecimal();
    if (word == "STRUCT") return ParseStruct();
    if (word == "MAP") return ParseMap();
    if (word == "ENUM") SkipParentheses();  // DESCRIBE lists the labels
    const auto it = SimpleTypes().find(word);
    if (it == SimpleTypes().end()) throw Unsupported{word};
    return it->second;
  }

  Type ParseDecimal() {
    Expect('(');
    const int precision = ReadNumber();
    Expect(',');
    const int scale = ReadNumber();
    Expect(')');
    return Decimal(precision, scale);
  }

  Type ParseStruct() {
    Type type{.kind = Kind::kStruct};
    Expect('(');
    do {
      Field field;
      field.name = ReadName();
      field.type = Parse();
      type.fields.push_back(std::move(field));
    } while (Skip(','));
    Expect(')');
    return type;
  }

  Type ParseMap() {
    Expect('(');
    Field key{.name = "key", .type = Parse(), .required = true};
    Expect(',');
    Field value{.name = "value", .type = Parse()};
    Expect(')');
    return {.kind = Kind::kMap, .fields = {std::move(key), std::move(value)}};
  }

  bool Skip(char c) {
    rest_ = rest_.substr(std::min(rest_.find_first_not_of(' '), rest_.size()));
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Expect(char c) {
    if (!Skip(c)) throw Unsupported{std::string(rest_)};
  }

  int ReadNumber() {
    Skip(' ');
    int number = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1))
      number = number * 10 + (rest_[0] - '0');
    return number;
  }

  /// A type's name, blanks inside included: `TIMESTAMP WITH TIME ZONE`.
  std::string ReadWord() {
    const size_t count = std::min(rest_.find_first_of("([,)"), rest_.size());
    const std::string word(Trim(rest_.substr(0, count)));
    rest_.remove_prefix(count);
    return word;
  }

  /// A name of a struct's field: `"a ""b"""` or `a`.
  std::string ReadName() {
    if (!Skip('"')) {
      const size_t count = std::min(rest_.find(' '), rest_.size());
      const std::string name(rest_.substr(0, count));
      rest_.remove_prefix(count);
      return name;
    }
    std::string name;
    while (!rest_.empty()) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == '"' && !rest_.starts_with('"')) return name;
      if (c == '"') rest_.remove_prefix(1);
      name.push_back(c);
    }
    throw Unsupported{name};
  }

  void SkipParentheses() {
    if (!Skip('(')) return;
    bool quoted = false;
    for (; !rest_.empty() && (quoted || rest_[0] != ')'); rest_.remove_prefix(1)) quoted = quoted != (rest_[0] == '\'');
    Expect(')');
  }

  std::string_view rest_;
};

/// The type to cast to where DuckDB's own cannot be kept.
std::string CastFor(const std::string& type) {
  if (type == "TIMESTAMP_NS") return "TIMESTAMP";
  if (type == "TIME WITH TIME ZONE") return "TIME";
  return "VARCHAR";
}

Type TypeOf(const duck::Column& column) {
  try {
    return TypeParser(column.type).ParseAll();
  } catch (const Unsupported& unsupported) {
    const std::string name = QuoteIdentifier(column.name);
    const std::string inside = unsupported.type == column.type ? "" : fmt::format(" with {} inside", unsupported.type);
    throw Error(
        kConfig, "LEAT0210",
        fmt::format("column {} has type {}{}, which a table of the lake cannot keep", name, column.type, inside))
        .Hint(fmt::format("write CAST({} AS {}) AS {}", name, CastFor(column.type), name));
  }
}

/// Columns are found by name when rows are written, and DuckDB compares names without case.
void RefuseDoubles(const std::vector<duck::Column>& columns) {
  std::set<std::string> seen;
  for (const duck::Column& column : columns)
    if (!seen.insert(ToLower(column.name)).second)
      throw Error(kConfig, "LEAT0210",
                  fmt::format("column {} is there twice; upper and lower case are one", QuoteIdentifier(column.name)))
          .Hint("give one of them another name with AS");
}

void AssignNestedIds(Type& type, int& last_id) {
  for (Field& field : type.fields) field.id = ++last_id;
  for (Field& field : type.fields) AssignNestedIds(field.type, last_id);
}

bool IsNested(const Type& type) { return !type.fields.empty(); }

bool IsWidening(const Type& from, const Type& to) {
  if (from.kind == Kind::kInt) return to.kind == Kind::kLong;
  if (from.kind == Kind::kFloat) return to.kind == Kind::kDouble;
  return from.kind == Kind::kDecimal && to.kind == Kind::kDecimal && from.scale == to.scale &&
         from.precision < to.precision;
}

/// Walks the old and the wanted schema together and notes what differs, nested fields by their path `address.city`.
class Evolver {
 public:
  explicit Evolver(int last_column_id) : last_id_(last_column_id) {}

  std::vector<Field> Fields(const std::vector<Field>& current, const std::vector<Field>& wanted,
                            const std::string& path) {
    std::vector<Field> fields;
    for (const Field& field : wanted) {
      const auto it =
          std::find_if(current.begin(), current.end(), [&](const Field& f) { return f.name == field.name; });
      fields.push_back(it == current.end() ? NewField(field, path) : KeptField(*it, field, path));
    }
    for (const Field& field : current)
      if (std::none_of(wanted.begin(), wanted.end(), [&](const Field& f) { return f.name == field.name; }))
        result.dropped.push_back(path + field.name);
    return fields;
  }

  Evolution result;

 private:
  /// Rows that exist already have no value for it, so it cannot be required.
  Field NewField(Field field, const std::string& path) {
    field.id = ++last_id_;
    field.required = false;
    AssignNestedIds(field.type, last_id_);
    result.added.push_back(path + field.name);
    return field;
  }

  Field KeptField(const Field& current, Field field, const std::string& path) {
    const std::string name = path + field.name;
    field.id = current.id;
    field.required = current.required && field.required;
    if (IsNested(field.type) && current.type.kind == field.type.kind)
      field.type.fields = Fields(current.type.fields, field.type.fields, name + ".");
    else if (IsWidening(current.type, field.type))
      result.widened.push_back(name);
    else if (field.type != current.type)
      Refuse(name, current.type, field.type);
    return field;
  }

  [[noreturn]] static void Refuse(const std::string& name, const Type& from, const Type& to) {
    throw Error(kConfig, "LEAT0211",
                fmt::format("column {} has type {} in the lake, its new rows have {}", QuoteIdentifier(name),
                            DuckType(from), DuckType(to)))
        .Hint(fmt::format("cast it to {} where its rows are made, or rebuild the table with --full-refresh",
                          DuckType(from)));
  }

  int last_id_;
};

}  // namespace

bool Type::operator==(const Type&) const = default;

const Field* Schema::Find(const std::string& name) const {
  for (const Field& field : fields)
    if (field.name == name) return &field;
  return nullptr;
}

std::vector<std::string> Schema::Names() const {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  return names;
}

int Schema::LastColumnId() const { return MaxId(fields); }

std::string DuckType(const Type& type) {
  switch (type.kind) {
    case Kind::kBoolean:
      return "BOOLEAN";
    case Kind::kInt:
      return "INTEGER";
    case Kind::kLong:
      return "BIGINT";
    case Kind::kFloat:
      return "FLOAT";
    case Kind::kDouble:
      return "DOUBLE";
    case Kind::kDecimal:
      return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case Kind::kDate:
      return "DATE";
    case Kind::kTime:
      return "TIME";
    case Kind::kTimestamp:
      return "TIMESTAMP";
    case Kind::kTimestampTz:
      return "TIMESTAMP WITH TIME ZONE";
    case Kind::kString:
      return "VARCHAR";
    case Kind::kUuid:
      return "UUID";
    case Kind::kBinary:
      return "BLOB";
    case Kind::kList:
      return DuckType(type.fields[0].type) + "[]";
    case Kind::kMap:
      return fmt::format("MAP({}, {})", DuckType(type.fields[0].type), DuckType(type.fields[1].type));
    case Kind::kStruct: {
      std::vector<std::string> fields;
      for (const Field& field : type.fields) fields.push_back(QuoteIdentifier(field.name) + " " + DuckType(field.type));
      return fmt::format("STRUCT({})", Join(fields, ", "));
    }
  }
  throw std::logic_error("a type of no kind");
}

Schema SchemaOf(const std::vector<duck::Column>& columns) {
  RefuseDoubles(columns);
  Schema schema;
  int last_id = 0;
  for (const duck::Column& column : columns)
    schema.fields.push_back({.id = ++last_id, .name = column.name, .type = TypeOf(column)});
  // After those of the columns, so that a column's id is its place in a table that never changed.
  for (Field& field : schema.fields) AssignNestedIds(field.type, last_id);
  return schema;
}

Evolution Evolve(const Schema& current, const Schema& wanted, int last_column_id) {
  Evolver evolver(last_column_id);
  std::vector<Field> fields = evolver.Fields(current.fields, wanted.fields, "");
  Evolution evolution = std::move(evolver.result);
  evolution.changed = fields != current.fields;
  evolution.schema = {.id = evolution.changed ? current.id + 1 : current.id, .fields = std::move(fields)};
  return evolution;
}

}  // namespace leat::lake
