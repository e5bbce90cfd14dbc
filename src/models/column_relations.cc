#include "models/column_relations.h"

#include <algorithm>

namespace leat::models {
namespace {

NamedFlow* FindVisible(FromTables& side, const std::string& name) {
  for (FromTable& table : side.tables)
    for (NamedFlow& column : table.relation.columns)
      if (column.name == name && !column.hidden) return &column;
  return nullptr;
}

/// The column that USING says is there: of the one table that can hold it, else of nobody knows which.
NamedFlow& ColumnForUsing(FromTables& side, const std::string& name) {
  if (NamedFlow* known = FindVisible(side, name)) return *known;
  std::vector<FromTable*> open;
  for (FromTable& table : side.tables)
    if (table.relation.rest.MayHold(name)) open.push_back(&table);
  if (open.size() != 1) {
    side.tables.push_back({});
    side.tables.back().relation.columns.push_back({.name = name, .flow = Flow::Unknown()});
    return side.tables.back().relation.columns.back();
  }
  Relation& relation = open[0]->relation;
  relation.columns.push_back({.name = name, .flow = relation.rest.FlowOf(name)});
  relation.rest.without.insert(name);
  return relation.columns.back();
}

}  // namespace

void Append(Relation& result, NamedFlow column) {
  column.behind_rest = result.rest.MayHold(column.name);
  result.columns.push_back(std::move(column));
}

Relation Stacked(const Relation& top, const Relation& bottom) {
  Relation stacked = top;
  stacked.rows.Add(bottom.rows);
  const bool fits = top.complete() && bottom.complete() && top.columns.size() == bottom.columns.size();
  for (size_t i = 0; i < stacked.columns.size(); ++i)
    stacked.columns[i].flow.Add(fits ? bottom.columns[i].flow : Flow::Unknown());
  if (!top.complete()) stacked.rest = {.kind = Rest::Kind::kUnknown};
  return stacked;
}

Relation StackedByName(const Relation& top, const Relation& bottom) {
  Relation stacked = top;
  stacked.rows.Add(bottom.rows);
  for (NamedFlow& column : stacked.columns)
    for (const NamedFlow& below : bottom.columns)
      if (below.name == column.name) column.flow.Add(below.flow);
  for (NamedFlow& column : stacked.columns)
    if (!bottom.complete()) column.flow.Add(Flow::Unknown());
  for (const NamedFlow& below : bottom.columns) {
    const auto same = [&](const NamedFlow& column) { return column.name == below.name; };
    if (std::any_of(top.columns.begin(), top.columns.end(), same)) continue;
    stacked.columns.push_back(below);
    if (!top.complete()) stacked.columns.back().flow.Add(Flow::Unknown());
  }
  if (!top.complete() || !bottom.complete()) stacked.rest = {.kind = Rest::Kind::kUnknown};
  return stacked;
}

Relation AllColumns(const Scope& scope) {
  Relation all;
  if (scope.from == nullptr) return all;
  for (const FromTable& table : scope.from->tables) {
    for (const NamedFlow& column : table.relation.columns) {
      if (column.hidden) continue;
      Append(all, {.name = column.name, .flow = column.joined.value_or(column.flow)});
      all.columns.back().behind_rest |= column.behind_rest;
    }
    all.rest.Add(table.relation.rest);
  }
  return all;
}

Relation ColumnsOfTable(const Scope& scope, const std::string& name) {
  for (const Scope* level = &scope; level != nullptr; level = level->outer) {
    if (level->from == nullptr) continue;
    const auto tables = TablesNamed(*level->from, "", name);
    if (tables.size() > 1) break;
    if (tables.empty()) continue;
    Relation columns{.columns = {}, .rest = tables[0]->relation.rest, .rows = {}};
    for (const NamedFlow& column : tables[0]->relation.columns)
      columns.columns.push_back(
          {.name = column.name, .flow = column.flow, .behind_rest = column.behind_rest || !columns.complete()});
    return columns;
  }
  return {.columns = {},
          .rest = {.kind = Rest::Kind::kFlow, .flow = scope.Find({name}).value_or(Flow::Unknown())},
          .rows = {}};
}

void Put(Relation& columns, const std::string& name, const std::string& new_name, const std::optional<Flow>& flow) {
  bool found = false;
  for (NamedFlow& column : columns.columns) {
    if (column.name != name) continue;
    column.name = new_name;
    if (flow) column.flow = *flow;
    found = true;
  }
  if (found) return;
  columns.columns.push_back({.name = new_name, .flow = flow.value_or(columns.rest.FlowOf(name))});
  columns.rest.without.insert(name);
  columns.rest.without.insert(new_name);
}

std::vector<std::string> CommonNames(FromTables& left, FromTables& right) {
  std::vector<std::string> common;
  for (const FromTable& table : left.tables)
    for (const NamedFlow& column : table.relation.columns)
      if (!column.hidden && FindVisible(right, column.name) != nullptr &&
          std::find(common.begin(), common.end(), column.name) == common.end())
        common.push_back(column.name);
  const auto is_complete = [](const FromTable& table) { return table.relation.complete(); };
  for (FromTables* side : {&left, &right}) {
    if (std::all_of(side->tables.begin(), side->tables.end(), is_complete)) continue;
    left.rows.DecideBy(Flow::Unknown());
    for (FromTable& table : (side == &left ? right : left).tables)
      for (NamedFlow& column : table.relation.columns) column.joined = Flow::Unknown();
  }
  return common;
}

void Share(const std::string& name, const std::string& join_type, FromTables& left, FromTables& right) {
  NamedFlow& kept = ColumnForUsing(left, name);
  NamedFlow& other = ColumnForUsing(right, name);
  Flow joined = kept.joined.value_or(kept.flow);
  const Flow right_flow = other.joined.value_or(other.flow);
  left.rows.DecideBy(joined);
  left.rows.DecideBy(right_flow);
  if (join_type == "RIGHT") joined = right_flow;
  if (join_type == "OUTER" || join_type == "FULL") joined.Add(right_flow);
  kept.joined = joined;
  other.hidden = true;
}

}  // namespace leat::models
