#include "models/column_scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace leat::models {
namespace {

constexpr std::array<std::string_view, 9> kValueFunctions = {"current_date",    "current_time",   "current_timestamp",
                                                             "localtime",       "localtimestamp", "current_role",
                                                             "current_catalog", "current_schema", "current_database"};

/// What one level says about a name. A relation whose columns are not all known can only say perhaps.
struct Finding {
  std::optional<Flow> sure;
  std::optional<Flow> perhaps;
};

/// A name without its table, among the columns of a FROM.
Finding FindInTables(const FromTables& from, const std::string& name) {
  std::vector<Flow> sure, perhaps;
  for (const FromTable& table : from.tables) {
    const size_t found = sure.size();
    for (const NamedFlow& column : table.relation.columns)
      if (column.name == name && !column.hidden)
        sure.push_back(column.behind_rest ? Flow::Unknown() : column.joined.value_or(column.flow));
    if (sure.size() == found && table.relation.rest.MayHold(name)) perhaps.push_back(table.relation.rest.FlowOf(name));
  }
  // Two tables that surely hold a name make the statement ambiguous, so a table that perhaps holds it does not.
  if (!sure.empty()) return {.sure = sure.size() == 1 ? sure[0] : Flow::Unknown()};
  if (perhaps.empty()) return {};
  return {.perhaps = perhaps.size() == 1 ? perhaps[0] : Flow::Unknown()};
}

std::optional<Flow> FindIn(const std::map<std::string, Flow>* names, const std::string& name) {
  if (names == nullptr) return std::nullopt;
  const auto found = names->find(name);
  return found == names->end() ? std::nullopt : std::optional(found->second);
}

Finding FindAtLevel(const Scope& level, const std::string& name) {
  if (const auto first = FindIn(level.first, name)) return {.sure = first};
  Finding finding = level.from != nullptr ? FindInTables(*level.from, name) : Finding();
  if (finding.sure) return finding;
  const auto alias = FindIn(level.aliases, name);
  if (!alias) return finding;
  if (finding.perhaps) return {.sure = Flow::Unknown()};  // a column goes before an alias
  return {.sure = alias};
}

std::optional<Flow> FindSingle(const Scope& scope, const std::string& name) {
  std::optional<Flow> perhaps;
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    const Finding finding = FindAtLevel(*level, name);
    if (finding.sure) return perhaps ? Flow::Unknown() : finding.sure;
    if (finding.perhaps) perhaps = perhaps ? Flow::Unknown() : *finding.perhaps;
  }
  return perhaps;
}

std::optional<Flow> FindColumn(const Relation& relation, const std::string& name) {
  for (const NamedFlow& column : relation.columns)
    if (column.name == name) return column.behind_rest ? Flow::Unknown() : column.flow;
  if (relation.rest.MayHold(name)) return relation.rest.FlowOf(name);
  return std::nullopt;
}

/// `table.column` or `schema.table.column`, at one level.
std::optional<Flow> FindQualified(const FromTables& from, const std::vector<std::string>& names) {
  std::vector<Flow> found;
  const auto look_in = [&](const std::vector<const FromTable*>& tables, const std::string& column) {
    for (const FromTable* table : tables)
      if (const auto flow = FindColumn(table->relation, column)) found.push_back(*flow);
  };
  look_in(TablesNamed(from, "", names[0]), names[1]);
  if (found.empty() && names.size() > 2) look_in(TablesNamed(from, names[0], names[1]), names[2]);
  if (found.empty()) return std::nullopt;
  return found.size() == 1 ? found[0] : Flow::Unknown();
}

/// The name of a table alone is its row as a struct.
std::optional<Flow> FindRow(const Scope& scope, const std::string& name) {
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    if (level->from == nullptr) continue;
    const auto tables = TablesNamed(*level->from, "", name);
    if (!tables.empty()) return tables.size() == 1 ? tables[0]->relation.Row() : Flow::Unknown();
  }
  return std::nullopt;
}

}  // namespace

void Origins::Add(const Origins& other) {
  columns.insert(other.columns.begin(), other.columns.end());
  complete = complete && other.complete;
}

Flow Flow::Unknown() { return {.values = {.complete = false}, .decides = {.complete = false}}; }

void Flow::Add(const Flow& other) {
  values.Add(other.values);
  decides.Add(other.decides);
}

void Flow::DecideBy(const Flow& other) {
  decides.Add(other.values);
  decides.Add(other.decides);
}

bool Rest::MayHold(const std::string& name) const {
  return kind != Kind::kNone && !without.contains(name) && !IsValueFunction(name);
}

Flow Rest::FlowOf(const std::string& name) const {
  if (kind == Kind::kTable) return Flow::Of({table, name});
  return kind == Kind::kFlow ? flow : Flow::Unknown();
}

void Rest::Add(const Rest& other) {
  if (other.kind == Kind::kNone) return;
  if (kind == Kind::kNone) {
    *this = other;
  } else {
    *this = {.kind = Kind::kUnknown};
  }
}

void Relation::Rename(const std::vector<std::string>& names) {
  // Where a name is unknown, nobody can say which column is the third.
  if (!names.empty() && !complete()) {
    columns.clear();
    rest = {.kind = Rest::Kind::kUnknown};
    return;
  }
  std::map<std::string, int> seen;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string& name = columns[i].name;
    if (i < names.size()) name = names[i];
    if (const int earlier = seen[name]++; earlier > 0) name = fmt::format("{}_{}", name, earlier);
  }
}

Flow Relation::Row() const {
  Flow row;
  for (const NamedFlow& column : columns) row.Add(column.flow);
  if (rest.kind == Rest::Kind::kFlow) row.Add(rest.flow);
  if (rest.kind == Rest::Kind::kTable || rest.kind == Rest::Kind::kUnknown) row.Add(Flow::Unknown());
  return row;
}

bool IsValueFunction(const std::string& name) {
  return std::find(kValueFunctions.begin(), kValueFunctions.end(), name) != kValueFunctions.end();
}

std::vector<const FromTable*> TablesNamed(const FromTables& from, const std::string& schema, const std::string& alias) {
  std::vector<const FromTable*> named;
  for (const FromTable& table : from.tables)
    if (table.alias == alias && (schema.empty() || table.schema == schema)) named.push_back(&table);
  return named;
}

std::optional<Flow> Scope::FindParameter(const std::string& name) const {
  for (const Scope* level = this; level != nullptr; level = level->outer)
    if (auto flow = FindIn(level->parameters, name)) return flow;
  return std::nullopt;
}

std::optional<Flow> Scope::Find(const std::vector<std::string>& names) const {
  if (auto parameter = FindParameter(names[0])) return parameter;
  std::optional<Flow> field;  // of a struct, if the column is one: then it goes before tables of outer levels
  for (const Scope* level = this; names.size() > 1 && level != nullptr; level = level->outer) {
    if (level->from == nullptr) continue;
    if (auto flow = FindQualified(*level->from, names)) return field ? Flow::Unknown() : flow;
    if (!field) field = FindInTables(*level->from, names[0]).sure;
  }
  if (field) return field;
  if (auto flow = FindSingle(*this, names[0])) return flow;
  return names.size() == 1 ? FindRow(*this, names[0]) : std::nullopt;
}

}  // namespace leat::models
