#include "pipeline/comparison.h"

#include <algorithm>

namespace leat::pipeline {
namespace {

const duck::Column* FindIn(const std::vector<duck::Column>& columns, const std::string& name) {
  const auto found = std::ranges::find(columns, name, &duck::Column::name);
  return found == columns.end() ? nullptr : &*found;
}

void CompareTexts(const std::string& part, const models::Recipe::Texts& before, const models::Recipe::Texts& after,
                  std::vector<SettingChange>& changes) {
  for (const auto& [name, text] : before) {
    const auto now = after.find(name);
    if (now == after.end())
      changes.push_back({part, name, text, std::nullopt});
    else if (now->second != text)
      changes.push_back({part, name, text, now->second});
  }
  for (const auto& [name, text] : after)
    if (!before.contains(name)) changes.push_back({part, name, std::nullopt, text});
}

}  // namespace

std::vector<ColumnChange> CompareColumns(const std::vector<duck::Column>& before,
                                         const std::vector<duck::Column>& after) {
  using Kind = ColumnChange::Kind;
  std::vector<ColumnChange> changes;
  for (const duck::Column& column : after) {
    const duck::Column* known = FindIn(before, column.name);
    if (known == nullptr)
      changes.push_back({Kind::kAdded, column.name, "", column.type});
    else if (known->type != column.type)
      changes.push_back({Kind::kWidened, column.name, known->type, column.type});
  }
  for (const duck::Column& column : before)
    if (FindIn(after, column.name) == nullptr) changes.push_back({Kind::kDropped, column.name, column.type, ""});
  return changes;
}

std::vector<SettingChange> CompareSettings(const models::Recipe& before, const models::Recipe& after) {
  std::vector<SettingChange> changes;
  CompareTexts("head", before.settings, after.settings, changes);
  CompareTexts("checks", before.checks, after.checks, changes);
  CompareTexts("macros", before.macros, after.macros, changes);
  CompareTexts("warehouse", before.warehouse, after.warehouse, changes);
  return changes;
}

std::vector<duck::Column> ColumnsOf(const lake::Schema& schema) {
  std::vector<duck::Column> columns;
  for (const lake::Field& field : schema.fields)
    if (!engine::IsOwnColumn(field.name)) columns.push_back({field.name, lake::DuckType(field.type)});
  return columns;
}

}  // namespace leat::pipeline
