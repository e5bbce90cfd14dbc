#include "sources/nested/nested_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/hash.h"
#include "core/text.h"
#include "engine/engine.h"

namespace leat::sources {
namespace {

using config::ColumnRules;
using config::Located;
using Form = ValueType::Form;

constexpr size_t kNameMax = 63;
constexpr size_t kColumnsMax = 1'000;
/// What tables beside a stream are called already.
constexpr std::string_view kTakenTables[] = {"history", "rejects", "at"};

FieldPath ParsePath(const std::string& text) {
  return text.empty() ? FieldPath() : nlohmann::json::parse(text).get<FieldPath>();
}

FieldPath Extended(FieldPath path, const std::string& name) {
  path.push_back(name);
  return path;
}

/// All parts of a path as one name; a long one keeps its beginning and gets a mark that tells it from others.
std::string NameOfPath(const FieldPath& path) {
  constexpr size_t kMarkSize = 8;
  std::string name = CleanName(Join(path, "_"), std::string::npos);
  if (name.starts_with("_leat")) name.insert(0, "x");
  if (name.size() <= kNameMax) return name;
  name = name.substr(0, kNameMax - 1 - kMarkSize);
  if (!name.ends_with('_')) name += '_';
  return name + HashOfText(nlohmann::json(path).dump()).substr(0, kMarkSize);
}

/// `name`, or with the least number behind it that makes it free; then it is taken.
std::string TakeName(const std::string& name, std::set<std::string>& taken) {
  std::string free = name;
  for (int number = 2; taken.contains(free); ++number) {
    const std::string suffix = fmt::format("_{}", number);
    free = name.substr(0, kNameMax - suffix.size());
    free += free.ends_with('_') ? suffix.substr(1) : suffix;
  }
  taken.insert(free);
  return free;
}

/// A column that the lake has for a path.
struct KnownColumn {
  FieldPath path;
  std::string name;
  std::optional<ValueType> type;
};

std::vector<KnownColumn> KnownColumns(const std::optional<lake::Table>& table) {
  std::vector<KnownColumn> known;
  if (!table) return known;
  for (const lake::Field& field : table->schema().fields)
    if (!field.path.empty())
      known.push_back({ParsePath(field.path), field.name, ValueTypeOf(field.type, field.source_type)});
  return known;
}

bool IsBelow(const FieldPath& path, const FieldPath& above) {
  return path.size() > above.size() && std::equal(above.begin(), above.end(), path.begin());
}

class TablePlanner {
 public:
  TablePlanner(const NestedStream& stream, const PublishedTables& published, duck::Connection& connection, bool rebuild)
      : stream_(stream), published_(published), connection_(connection), rebuild_(rebuild) {
    for (const auto& [column, type] : stream.rule.columns.types) types_.emplace(column, ParseType(column, type));
  }

  NestedTable Plan(const Shape& shape) {
    NestedTable table{.name = stream_.info.name};
    std::set<std::string> reserved(stream_.given_columns.begin(), stream_.given_columns.end());
    Fill(table, shape, published_.stream, reserved, 3);
    return table;
  }

 private:
  ValueType ParseType(const std::string& column, const Located<std::string>& text) {
    try {
      const auto described = connection_.Describe(fmt::format("SELECT CAST(NULL AS {}) AS c", text.value));
      if (auto type =
              ValueTypeOf(lake::SchemaOf(described).fields.at(0).type, described.at(0).type == "JSON" ? "json" : "")) {
        type->reads_text = true;
        return *type;
      }
    } catch (const Error&) {
      // A text that is no type at all is refused like a type that does not fit.
    }
    throw Error(kConfig, "LEAT0443", text.place,
                fmt::format("{}: column {} cannot have the type {}; expected BOOLEAN, INTEGER, BIGINT, DECIMAL(p,s), "
                            "DOUBLE, VARCHAR, JSON, DATE, TIMESTAMP, TIMESTAMPTZ or a list of one",
                            stream_.info.name, column, text.value))
        .Hint("take VARCHAR and cast it in a model");
  }

  void Fill(NestedTable& table, const Shape& shape, const std::optional<lake::Table>& published,
            std::set<std::string> reserved, int lists) {
    is_new_ = !published || rebuild_;
    const std::vector<KnownColumn> known = KnownColumns(published);
    if (!rebuild_)
      for (const KnownColumn& column : known) {
        table.columns.push_back({column.path, column.name, TypeOfKnown(column)});
        table.missing.push_back(column.name);
      }
    table.fields = RoutesOf(table, shape, table.list, static_cast<int>(stream_.rule.http.flatten) + 1, lists);
    AddUnseenChildren(table);
    if (table.columns.size() > kColumnsMax)
      throw Error(kData, "LEAT0444", stream_.rule.pattern.place,
                  fmt::format("{}: the records have {} fields; a table may have {} columns", table.name,
                              GroupDigits(static_cast<int64_t>(table.columns.size())), GroupDigits(kColumnsMax)))
          .Hint("keep objects whose names are data as JSON text by  flatten: 0")
          .Hint("or leave fields out by  columns: {exclude: [\"name*\"]}");
    // A rebuild gives a column its new name, so that the former one is free.
    for (const KnownColumn& column : known)
      if (!rebuild_ || !Renamed(column.path)) reserved.insert(column.name);
    NameNew(table, known, std::move(reserved));
    for (NestedTable& child : table.children) FillChild(table, child, lists - 1);
  }

  /// A list of the lake that no record has any more: rows that lost it have changed.
  void AddUnseenChildren(NestedTable& table) {
    if (rebuild_) return;
    for (const lake::Table& published : published_.children) {
      const FieldPath list = ParsePath(published.Property("leat.list").value_or(""));
      const auto is_on_the_way = [&](const lake::Table& other) {
        const FieldPath between = ParsePath(other.Property("leat.list").value_or(""));
        return IsBelow(list, between) && IsBelow(between, table.list);
      };
      if (!IsBelow(list, table.list) ||
          std::any_of(published_.children.begin(), published_.children.end(), is_on_the_way) ||
          std::any_of(table.children.begin(), table.children.end(),
                      [&](const NestedTable& child) { return child.list == list; }))
        continue;
      table.children.push_back({.list = list});
    }
  }

  void FillChild(const NestedTable& parent, NestedTable& child, int lists) {
    std::optional<lake::Table> published;
    if (const lake::Table* found = published_.Child(child.list)) published = *found;
    const std::string stream = engine::ParseName(stream_.info.name).second;
    std::set<std::string> reserved;
    for (const std::string& key : stream_.info.key) {
      const bool is_given =
          std::find(stream_.given_columns.begin(), stream_.given_columns.end(), key) != stream_.given_columns.end();
      child.parent_key.push_back(is_given ? key : NameOfPath({stream, key}));
    }
    reserved.insert(child.parent_key.begin(), child.parent_key.end());
    if (!parent.list.empty()) {
      child.positions = parent.positions;  // its own is still to come
      child.positions.push_back(TakeName(NameOfPath({parent.list.back(), "position"}), reserved));
    }
    reserved.insert(child.positions.begin(), child.positions.end());
    const auto position = published ? published->Property("leat.position") : std::nullopt;
    if (position) reserved.insert(*position);
    const Shape nothing;
    const auto shape = shapes_.find(child.list);
    Fill(child, shape != shapes_.end() ? *shape->second : nothing, published, reserved, lists);
    for (const NestedColumn& column : child.columns) reserved.insert(column.name);
    child.positions.push_back(position ? *position : TakeName("position", reserved));
  }

  ValueType TypeOfKnown(const KnownColumn& column) const {
    ValueType type = column.type.value_or(ValueType{});
    if (const ValueType* fixed = FixedType(column.path)) type = *fixed;
    type.unit = Unit();
    type.reads_text = type.reads_text || IsCsv();
    return type;
  }

  std::vector<Route> RoutesOf(NestedTable& table, const Shape& shape, const FieldPath& path, int flatten, int lists) {
    std::vector<Route> routes;
    for (const auto& field : shape.fields) {
      Route route = RouteOf(table, *field, Extended(path, field->name), flatten - 1, lists);
      route.name = field->name;
      routes.push_back(std::move(route));
    }
    return routes;
  }

  Route RouteOf(NestedTable& table, const Shape& shape, const FieldPath& path, int flatten, int lists) {
    using Use = Route::Use;
    if (!IsIncluded(path, table)) return {};
    for (size_t i = 0; i < table.columns.size(); ++i)
      if (table.columns[i].path == path) {
        std::erase(table.missing, table.columns[i].name);
        RefuseOtherTime(table.columns[i], shape);
        return {.use = Use::kColumn, .index = i};
      }
    const bool has_columns_below = std::any_of(table.columns.begin(), table.columns.end(),
                                               [&](const NestedColumn& column) { return IsBelow(column.path, path); });
    if (has_columns_below) return FieldsOf(table, shape, path, flatten, lists);
    if (published_.Child(path) != nullptr && (!rebuild_ || StaysList(shape, path, lists)))
      return RowsOf(table, shape, path);
    if (const ValueType* fixed = FixedType(path)) return AddColumn(table, path, *fixed);
    const uint32_t kinds = shape.seen & ~kSeenNull;
    if (kinds == kSeenObject && flatten > 0) return FieldsOf(table, shape, path, flatten, lists);
    if (kinds == kSeenList && IsChild(*shape.element, path, lists))
      return TakesNew(path) ? RowsOf(table, shape, path) : Route{};
    const auto type = TypeOf(shape, path);
    return type ? AddColumn(table, path, *type) : Route{};
  }

  /// A list of the lake is one after a rebuild too, though some odd record has something else there.
  bool StaysList(const Shape& shape, const FieldPath& path, int lists) const {
    return (shape.seen & kSeenList) != 0 && FixedType(path) == nullptr && IsChild(*shape.element, path, lists);
  }

  Route FieldsOf(NestedTable& table, const Shape& shape, const FieldPath& path, int flatten, int lists) {
    Route route{.use = Route::Use::kFields};
    route.fields = RoutesOf(table, shape, path, flatten, lists);
    return route;
  }

  /// Whether something that the lake does not have yet comes in.
  bool TakesNew(const FieldPath& path) const {
    if (is_new_ || stream_.rule.columns.on_new == ColumnRules::New::kAdd) return true;
    if (stream_.rule.columns.on_new == ColumnRules::New::kIgnore) return false;
    throw Error(kConfig, "LEAT0414", stream_.rule.pattern.place,
                fmt::format("{}: column {} is new at the source, and the project stops at new ones", stream_.info.name,
                            FormatPath(path)))
        .Hint(fmt::format("take it over by  columns: {{new: add}}, or leave it out by  columns: {{exclude: [{}]}}",
                          YamlName(FormatPath(path))));
  }

  Route RowsOf(NestedTable& table, const Shape& shape, const FieldPath& path) {
    NestedTable child{.list = path};
    if (shape.element != nullptr) shapes_[path] = shape.element.get();
    table.children.push_back(std::move(child));
    return {.use = Route::Use::kRows, .index = table.children.size() - 1};
  }

  Route AddColumn(NestedTable& table, const FieldPath& path, const ValueType& type) {
    if (!TakesNew(path)) return {};
    table.columns.push_back({path, "", type});
    return {.use = Route::Use::kColumn, .index = table.columns.size() - 1};
  }

  bool IsChild(const Shape& element, const FieldPath& path, int lists) const {
    if (lists == 0 || stream_.info.key.empty() || (element.seen & ~kSeenNull) != kSeenObject) return false;
    if (stream_.rule.http.finds_children) return true;
    const auto& named = stream_.rule.http.children;
    return std::any_of(named.begin(), named.end(), [&](const Located<std::string>& child) {
      return child.value == FormatPath(path) || child.value == Join(path, "__") || child.value == path.back();
    });
  }

  /// Nothing: no record says what kind of value stands there.
  std::optional<ValueType> TypeOf(const Shape& shape, const FieldPath& path) const {
    const uint32_t kinds = shape.seen & ~kSeenNull;
    ValueType type{.form = Form::kJson};
    if (kinds == 0) {
      if (!IsCsv()) return std::nullopt;
      type.form = Form::kText;
    } else if ((kinds & ~kSeenScalar) == 0) {
      type = TimeType(path, kinds).value_or(ScalarType(kinds));
    } else if (kinds == kSeenList) {
      const auto list = ListType(*shape.element);
      if (!list) return std::nullopt;
      type = *list;
    }
    type.unit = Unit();
    type.reads_text = IsCsv();
    return type;
  }

  static std::optional<ValueType> ListType(const Shape& element) {
    const uint32_t kinds = element.seen & ~kSeenNull;
    if (kinds == 0) return std::nullopt;
    std::optional<ValueType> type;
    if (kinds == kSeenList) {
      type = ListType(*element.element);
      if (type && type->form != Form::kJson) ++type->lists;
      return type;
    }
    const bool is_plain = kinds == kSeenBoolean || kinds == kSeenText || (kinds & ~kSeenNumber) == 0;
    if (!is_plain) return ValueType{.form = Form::kJson};
    type = ScalarType(kinds);
    type->lists = 1;
    return type;
  }

  /// What `timestamps` makes of a field.
  std::optional<ValueType> TimeType(const FieldPath& path, uint32_t kinds) const {
    const auto& globs = stream_.rule.http.timestamps;
    const std::string name = NameOfPath(path);
    if (std::none_of(globs.begin(), globs.end(), [&](const Located<std::string>& glob) {
          return MatchesGlob(glob.value, path.back()) || MatchesGlob(glob.value, name);
        }))
      return std::nullopt;
    const bool is_text = Unit() == config::TimeUnit::kIso || Unit() == config::TimeUnit::kDate;
    if ((kinds & (is_text ? kSeenText | kSeenDate : kSeenNumber)) == 0) return std::nullopt;
    return ValueType{.form = Unit() == config::TimeUnit::kDate ? Form::kDate : Form::kTimestampTz};
  }

  config::TimeUnit Unit() const {
    const config::HttpRules& http = stream_.rule.http;
    if (http.timestamps_unit) return *http.timestamps_unit;
    return http.position ? http.position->unit : config::TimeUnit::kIso;
  }

  bool IsCsv() const { return stream_.rule.http.format == config::RecordFormat::kCsv; }

  void RefuseOtherTime(const NestedColumn& column, const Shape& shape) const {
    const auto wanted = FixedType(column.path) != nullptr ? std::nullopt : TimeType(column.path, shape.seen);
    if (!wanted || wanted->form == column.type.form) return;
    throw Error(kConfig, "LEAT0443", stream_.rule.pattern.place,
                fmt::format("{}: column {} is {} in the lake, and `timestamps` makes it {}", stream_.info.name,
                            column.name, column.type.DuckType(), wanted->DuckType()))
        .Hint("make the tables anew from what was landed:  leat run --from-landing -s " + stream_.info.name);
  }

  const ValueType* FixedType(const FieldPath& path) const {
    for (const std::string& name : {FormatPath(path), NameOfPath(path)})
      if (const auto type = types_.find(name); type != types_.end()) return &type->second;
    return nullptr;
  }

  /// The globs are said of a field, of what it is part of, or of the column it becomes.
  static bool Matches(const std::vector<Located<std::string>>& globs, const FieldPath& path) {
    return std::any_of(globs.begin(), globs.end(), [&](const Located<std::string>& glob) {
      if (MatchesGlob(glob.value, NameOfPath(path))) return true;
      for (FieldPath part = path; !part.empty(); part.pop_back())
        if (MatchesGlob(glob.value, FormatPath(part))) return true;
      return false;
    });
  }

  bool IsIncluded(const FieldPath& path, const NestedTable& table) const {
    const ColumnRules& rules = stream_.rule.columns;
    if (table.list.empty() && IsNeeded(path)) return true;
    if (Matches(rules.exclude, path)) return false;
    if (rules.include.empty() || Matches(rules.include, path)) return true;
    // `billing_address.city` takes in a part of what is not taken in as a whole.
    return std::any_of(rules.include.begin(), rules.include.end(), [&](const Located<std::string>& glob) {
      return glob.value.starts_with(FormatPath(path) + ".") || glob.value.starts_with(NameOfPath(path) + "_");
    });
  }

  /// Without them no version could be told from another.
  bool IsNeeded(const FieldPath& path) const {
    const std::string text = FormatPath(path), name = NameOfPath(path);
    const auto is_it = [&](const std::string& wanted) { return wanted == text || wanted == name; };
    const config::StreamRule& rule = stream_.rule;
    return std::any_of(stream_.info.key.begin(), stream_.info.key.end(), is_it) ||
           (rule.version && is_it(rule.version->value)) || (rule.version_time && is_it(rule.version_time->value)) ||
           (rule.http.deleted && is_it(rule.http.deleted->first.value));
  }

  std::optional<std::string> Renamed(const FieldPath& path) const {
    for (const std::string& name : {FormatPath(path), NameOfPath(path)})
      if (const auto renamed = stream_.rule.rename.find(name); renamed != stream_.rule.rename.end())
        return renamed->second.value;
    return std::nullopt;
  }

  /// Give names to the columns without one: those that the lake has for their paths, then those that the project says,
  /// then those of short paths.
  void NameNew(NestedTable& table, const std::vector<KnownColumn>& known, std::set<std::string> taken) const {
    std::vector<NestedColumn*> unnamed;
    for (NestedColumn& column : table.columns) {
      const auto before =
          std::find_if(known.begin(), known.end(), [&](const KnownColumn& k) { return k.path == column.path; });
      const auto renamed = Renamed(column.path);
      if (before != known.end() && renamed && !rebuild_) RefuseOtherName(*before, *renamed);
      if (before != known.end() && (!renamed || !rebuild_))
        column.name = before->name;
      else if (renamed)
        column.name = TakeName(*renamed, taken);
      else
        unnamed.push_back(&column);
    }
    std::sort(unnamed.begin(), unnamed.end(), [](const NestedColumn* a, const NestedColumn* b) {
      return std::pair(a->path.size(), a->path) < std::pair(b->path.size(), b->path);
    });
    for (NestedColumn* column : unnamed) {
      const FieldPath own(column->path.begin() + static_cast<std::ptrdiff_t>(table.list.size()), column->path.end());
      column->name = TakeName(NameOfPath(own), taken);
    }
    NameChildren(table);
  }

  void RefuseOtherName(const KnownColumn& column, const std::string& name) const {
    if (column.name == name) return;
    throw Error(kConfig, "LEAT0443", stream_.rule.pattern.place,
                fmt::format("{}: {} is column {} in the lake, and `rename` calls it {}", stream_.info.name,
                            FormatPath(column.path), column.name, name))
        .Hint("make the tables anew from what was landed:  leat run --from-landing -s " + stream_.info.name);
  }

  void NameChildren(NestedTable& table) const {
    std::set<std::string> taken(std::begin(kTakenTables), std::end(kTakenTables));
    std::vector<NestedTable*> unnamed;
    for (NestedTable& child : table.children) {
      if (const lake::Table* published = published_.Child(child.list)) {
        const std::string versions = published->name().first + "." + published->name().second;
        child.name = versions.substr(0, versions.size() - engine::kHistorySuffix.size());
        taken.insert(child.name.substr(table.name.size() + 2));
      } else {
        unnamed.push_back(&child);
      }
    }
    std::sort(unnamed.begin(), unnamed.end(), [](const NestedTable* a, const NestedTable* b) {
      return std::pair(a->list.size(), a->list) < std::pair(b->list.size(), b->list);
    });
    for (NestedTable* child : unnamed) {
      const FieldPath own(child->list.begin() + static_cast<std::ptrdiff_t>(table.list.size()), child->list.end());
      child->name = fmt::format("{}__{}", table.name, TakeName(NameOfList(own), taken));
    }
  }

  /// Without a `_` in front: a run of them is to end where the parent's name does.
  static std::string NameOfList(const FieldPath& path) {
    const std::string name = NameOfPath(path);
    const size_t begin = name.find_first_not_of('_');
    return begin == std::string::npos ? "list" : name.substr(begin);
  }

  const NestedStream& stream_;
  const PublishedTables& published_;
  duck::Connection& connection_;
  const bool rebuild_;
  std::map<std::string, ValueType> types_;
  std::map<FieldPath, const Shape*> shapes_;  ///< of the entries of lists that became children
  bool is_new_ = true;  ///< the table at work has no columns yet that a new one could be compared with
};

}  // namespace

std::string FormatPath(const FieldPath& path) { return Join(path, "."); }

const NestedColumn* NestedTable::Find(const std::string& column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const NestedColumn& known) { return known.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

const lake::Table* PublishedTables::Child(const FieldPath& list) const {
  const std::string path = nlohmann::json(list).dump();
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const lake::Table& child) { return child.Property("leat.list") == path; });
  return found == children.end() ? nullptr : &*found;
}

NestedTable PlanTables(const NestedStream& stream, const Shape& shape, const PublishedTables& published,
                       duck::Connection& connection, bool rebuild) {
  return TablePlanner(stream, published, connection, rebuild).Plan(shape);
}

lake::Schema SchemaOfTable(const NestedStream& stream, const NestedTable& stream_table, const NestedTable& table,
                           const std::optional<lake::Table>& published, bool rebuild) {
  std::vector<duck::Column> columns;
  if (table.list.empty())
    for (const std::string& given : stream.given_columns) columns.push_back({given, "VARCHAR"});
  for (size_t i = 0; i < table.parent_key.size(); ++i) {
    const NestedColumn* key = stream_table.Find(stream.info.key[i]);
    columns.push_back({table.parent_key[i], key == nullptr ? "VARCHAR" : key->type.DuckType()});
  }
  for (const std::string& position : table.positions) columns.push_back({position, "BIGINT"});
  const size_t first = columns.size();
  for (const NestedColumn& column : table.columns) columns.push_back({column.name, column.type.DuckType()});
  columns.insert(columns.end(), VersionColumns().begin(), VersionColumns().end());
  if (!stream.info.key.empty()) columns.push_back({lake::kSupersededColumn, "BOOLEAN"});
  lake::Schema schema = lake::SchemaOf(columns);
  for (size_t i = 0; i < table.columns.size(); ++i) {
    schema.fields[first + i].path = nlohmann::json(table.columns[i].path).dump();
    schema.fields[first + i].source_type = table.columns[i].type.SourceType();
  }
  if (!published) return schema;
  lake::Schema current = published->schema();
  // All rows are written anew, so that a column of another type may be one of another id; one of another name takes the
  // place of the former.
  if (rebuild)
    std::erase_if(current.fields, [&](const lake::Field& field) {
      if (const lake::Field* now = schema.Find(field.name))
        return lake::DuckType(now->type) != lake::DuckType(field.type);
      return !field.path.empty() &&
             std::ranges::any_of(schema.fields, [&](const lake::Field& now) { return now.path == field.path; });
    });
  try {
    return lake::Evolve(current, schema, published->last_column_id()).schema;
  } catch (const Error& error) {
    throw Error(kConfig, "LEAT0443", stream.rule.pattern.place,
                fmt::format("{}: {}", stream.info.name, error.message()))
        .Hint("make the tables anew from what was landed:  leat run --from-landing -s " + stream.info.name);
  }
}

}  // namespace leat::sources
