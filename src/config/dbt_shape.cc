#include "config/dbt_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "config/check_fields.h"
#include "config/fields.h"
#include "core/text.h"

namespace leat::config {
namespace {

/// A word of dbt's, and what leat has instead.
struct ForeignWord {
  std::string_view word;
  std::string_view instead;
};

constexpr ForeignWord kForeignKeys[] = {
    {"snapshots", "`kind: history` in a model's head keeps every version of a row"},
    {"seeds", "seeds/NAME.csv is the table seeds.NAME; seeds/NAME.yaml gives types"},
    {"macros", "a file in macros/ holds CREATE MACRO statements"},
    {"unit_tests", "a file in checks/ is a query that must return no rows"},
    {"analyses", "keep the query in a file of any folder and run it with  leat preview FILE.sql"},
    {"metrics", "compute it in a model of its own"},
    {"semantic_models", "compute it in a model of its own"},
    {"saved_queries", "compute it in a model of its own"},
    {"groups", "name who to ask by  meta: {owner: …}"},
    {"group", "name who to ask by  meta: {owner: …}"},
    {"access", "every model may read every other; leave it out"},
    {"constraints", "write them as tests: not_null, unique, relationships"},
    {"contract", "`data_type` of a column is held to always; leave it out"},
    {"versions", "give each version a model of its own"},
    {"latest_version", "give each version a model of its own"},
    {"deprecation_date", "say it in the description"},
    {"time_spine", "a model of  kind: dim_date  is the calendar"},
    {"docs", "write the description here; leave the rest out"},
    {"database", "the file in sources/ names a connection, and leat.yaml says where that is"},
    {"schema", "`schema` stands in the file in sources/; a model's is its folder"},
    {"identifier", "`rename` in the file in sources/ gives a stream its name"},
    {"loader", "leat reads the source itself; leave it out"},
    {"quoting", "names are always quoted; leave it out"},
    {"overrides", "leave it out; a project has one schema.yml for a table"},
    {"external", "a file in sources/ says what is read"},
    {"loaded_at_query", "name a column by `loaded_at_field`"},
    {"filter", "leave it out; `loaded_at_field` is looked at in all rows"},
    {"materialized", "`kind` in the model's head: table or history"},
    {"alias", "`warehouse: {table: …}` in the model's head names it in the warehouse"},
    {"unique_key", "`key` in the model's head"},
    {"incremental_strategy", "leave it out; leat builds what changed"},
    {"on_schema_change", "leave it out; columns follow the SELECT"},
    {"enabled", "remove the file, or set  skip: true  for a stream in sources/"},
    {"pre_hook", "leave it out; a model is one SELECT"},
    {"post_hook", "leave it out; a model is one SELECT"},
    {"pre-hook", "leave it out; a model is one SELECT"},
    {"post-hook", "leave it out; a model is one SELECT"},
    {"grants", "grant rights in the warehouse itself"},
    {"persist_docs", "leave it out"},
    {"store_failures", "`severity: reject` of a check in the model's head keeps rows in NAME__rejects"},
    {"error_if", "`severity: error` or `warn`; to count rows write a file in checks/"},
    {"warn_if", "`severity: error` or `warn`; to count rows write a file in checks/"},
    {"fail_calc", "write a file in checks/: a query that must return no rows"},
    {"limit", "leave it out; three rows are shown in any case"},
    {"test_name", "begin the entry with the test itself:  - not_null: {name: …}"},
    {"event_time", "leave it out"},
};

constexpr std::string_view kAsCheckQuery = "write a file in checks/: a query that must return no rows";
constexpr ForeignWord kForeignTests[] = {
    {"unique_combination_of_columns", "in the model's head:  checks: [unique: [a, b]]"},
    {"accepted_range", "in the model's head:  checks: [range: {column: {min: 0, max: 9}}]"},
    {"expect_column_values_to_be_between", "in the model's head:  checks: [range: {column: {min: 0, max: 9}}]"},
    {"expect_column_values_to_not_be_null", "use  not_null"},
    {"expect_column_values_to_be_unique", "use  unique"},
    {"expect_column_values_to_be_in_set", "use  accepted_values: {values: […]}"},
    {"expect_compound_columns_to_be_unique", "in the model's head:  checks: [unique: [a, b]]"},
    {"expect_table_row_count_to_be_between", "in the model's head:  checks: [rows: {min: 1, max: 9}]"},
    {"relationships_where", "use  relationships  with  config: {where: …}"},
    {"not_empty_string", "use  accepted_values, or a file in checks/"},
    {"recency", "use  freshness: {warn_after: {count: 1, period: day}}  and  loaded_at_field"},
};

template <size_t kSize>
std::optional<std::string_view> InsteadOf(const ForeignWord (&words)[kSize], std::string_view word) {
  for (const ForeignWord& known : words)
    if (known.word == word) return known.instead;
  return std::nullopt;
}

bool HasJinja(const std::string& text) {
  return text.find("{{") != std::string::npos || text.find("{%") != std::string::npos;
}

class ForeignFinder {
 public:
  explicit ForeignFinder(std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {}

  /// The map without what is foreign in it.
  YamlPointer StripMap(const YamlPointer& map, const Section& section) {
    if (map->kind != YamlNode::Kind::kMap) return map;
    auto stripped = std::make_shared<YamlNode>(*map);
    stripped->entries.clear();
    for (const YamlEntry& entry : map->entries) {
      const Field* field = section.Find(entry.key);
      if (field == nullptr && IsForeign(entry.key, entry.key_place, section)) continue;
      YamlPointer value = field == nullptr ? entry.value : StripValue(entry.value, *field);
      if (value != nullptr) stripped->entries.push_back({entry.key, entry.key_place, std::move(value)});
    }
    return stripped;
  }

 private:
  bool IsForeign(const std::string& key, const Place& place, const Section& section) {
    if (&section == &kDbtTestSection) {
      ReportTest(key, place);
      return true;
    }
    const auto instead = section.open ? std::nullopt : InsteadOf(kForeignKeys, key);
    if (instead)
      diagnostics_.push_back(MakeFault("LEAT0130", place, fmt::format("'{}' is of dbt and not of leat", key),
                                       fmt::format("leat has instead: {}", *instead)));
    return instead.has_value();
  }

  void ReportTest(const std::string& test, const Place& place) {
    std::vector<std::string> known;
    for (const Field* field : kDbtTestSection.AllFields()) known.emplace_back(field->name);
    const auto instead = InsteadOf(kForeignTests, test.substr(test.find('.') + 1));
    const auto near = instead ? std::vector<std::string>{} : NearestNames(test, known);
    std::string message = fmt::format("test '{}' is none of leat's: {}", Shorten(test, 80), Join(known, ", "));
    if (!near.empty()) message += fmt::format("; did you mean {}?", near.front());
    diagnostics_.push_back(MakeFault("LEAT0131", place, std::move(message),
                                     fmt::format("leat has instead: {}", instead.value_or(kAsCheckQuery))));
    diagnostics_.back().candidates = near;
  }

  /// nullptr: nothing is left of it.
  YamlPointer StripValue(const YamlPointer& value, const Field& field) {
    if (value->kind == YamlNode::Kind::kScalar) return StripScalar(value, field);
    if (value->kind == YamlNode::Kind::kList) return StripList(value, field);
    return field.section == nullptr ? value : StripMap(value, *field.section);
  }

  YamlPointer StripScalar(const YamlPointer& scalar, const Field& field) {
    if (HasJinja(scalar->text)) {
      diagnostics_.push_back(
          MakeFault("LEAT0132", scalar->place,
                    fmt::format("'{}' is Jinja, which leat does not fill in; expected the value itself",
                                Shorten(scalar->text, 80)),
                    "write what it stands for; ref('x') and source('a', 'b') stand without {{ }}"));
      return nullptr;
    }
    const bool is_test = field.key_alone && field.section->Find(scalar->text) == nullptr;
    return is_test && IsForeign(scalar->text, scalar->place, *field.section) ? nullptr : scalar;
  }

  YamlPointer StripList(const YamlPointer& list, const Field& field) {
    auto stripped = std::make_shared<YamlNode>(*list);
    stripped->items.clear();
    for (const YamlPointer& item : list->items)
      if (YamlPointer left = StripValue(item, field)) stripped->items.push_back(std::move(left));
    return stripped;
  }

  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace

YamlPointer WithoutForeign(const YamlPointer& root, std::vector<Diagnostic>& diagnostics) {
  return ForeignFinder(diagnostics).StripMap(root, kSchemaYmlSection);
}

DbtCall ParseDbtCall(const std::string& text) {
  const std::string_view trimmed = Trim(text);
  const size_t open = trimmed.find('(');
  if (open == std::string_view::npos || !trimmed.ends_with(')')) return {};
  DbtCall call{.function = std::string(Trim(trimmed.substr(0, open))), .arguments = {}};
  for (const std::string& part : Split(trimmed.substr(open + 1, trimmed.size() - open - 2), ',')) {
    const std::string_view argument = Trim(part);
    const bool quoted = argument.size() > 2 && (argument[0] == '\'' || argument[0] == '"') &&
                        argument.find(argument[0], 1) == argument.size() - 1;
    if (!quoted) return {};
    call.arguments.emplace_back(argument.substr(1, argument.size() - 2));
  }
  return call;
}

}  // namespace leat::config
