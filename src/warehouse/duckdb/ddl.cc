#include "warehouse/duckdb/ddl.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "warehouse/advice.h"
#include "warehouse/duckdb/column_type.h"

namespace leat::warehouse::duckdb {
namespace {

/// `("a", "b")`, or `none`.
std::string DescribeKey(const std::vector<std::string>& key) {
  return key.empty() ? "none" : fmt::format("({})", QuoteList(key));
}

bool HasColumn(const Definition& table, const std::string& name) {
  return std::ranges::any_of(table.spec().columns,
                             [&](const ColumnSpec& column) { return ToLower(column.name) == ToLower(name); });
}

}  // namespace

const ExistingColumn* ExistingTable::Find(const std::string& name) const {
  const auto found = std::ranges::find_if(
      columns, [&](const ExistingColumn& column) { return ToLower(column.name) == ToLower(name); });
  return found == columns.end() ? nullptr : &*found;
}

Alteration PlanAlteration(const Definition& wanted, const ExistingTable& existing, OldRows rows) {
  Alteration plan;
  for (size_t i = 0; i < wanted.column_count(); ++i) {
    const ExistingColumn* column = existing.Find(wanted.column(i).name);
    if (column == nullptr || column->name != wanted.column(i).name || column->not_null != wanted.IsNotNull(i) ||
        column->type != wanted.type(i))
      plan.is_needed = true;
    if (column != nullptr && rows == OldRows::kKept && !IsWidening(column->type, wanted.type(i)))
      plan.refusals.push_back(
          fmt::format("column \"{}\" is {}; {} is no wider type", column->name, column->type, wanted.type(i)));
  }
  if (std::ranges::any_of(Leftover(wanted, existing), &ExistingColumn::not_null)) plan.is_needed = true;
  if (existing.primary_key != wanted.spec().primary_key) {
    plan.is_needed = true;
    if (rows == OldRows::kKept && !existing.primary_key.empty())
      plan.refusals.push_back(fmt::format("the primary key is {}; the {}'s is {}", DescribeKey(existing.primary_key),
                                          Maker(wanted.spec()), DescribeKey(wanted.spec().primary_key)));
  }
  return plan;
}

std::vector<std::string> Differences(const Definition& wanted, const ExistingTable& existing) {
  std::vector<std::string> lines;
  const char* maker = Maker(wanted.spec());
  for (size_t i = 0; i < wanted.column_count(); ++i) {
    const std::string& name = wanted.column(i).name;
    const ExistingColumn* column = existing.Find(name);
    if (column == nullptr) {
      lines.push_back(fmt::format("column \"{}\" {}: missing there", name, wanted.type(i)));
    } else if (column->type != wanted.type(i)) {
      lines.push_back(fmt::format("column \"{}\": {} there, {} in the {}", name, column->type, wanted.type(i), maker));
    } else if (column->not_null != wanted.IsNotNull(i)) {
      lines.push_back(fmt::format("column \"{}\": {} there, {} in the {}", name,
                                  column->not_null ? "NOT NULL" : "may be NULL",
                                  column->not_null ? "may be NULL" : "NOT NULL", maker));
    }
  }
  for (const ExistingColumn& column : Leftover(wanted, existing))
    lines.push_back(fmt::format("column \"{}\" {}: not in the {}", column.name, column.type, maker));
  if (existing.primary_key != wanted.spec().primary_key) {
    lines.push_back(fmt::format("primary key: {} there, {} in the {}", DescribeKey(existing.primary_key),
                                DescribeKey(wanted.spec().primary_key), maker));
  }
  return lines;
}

std::vector<ExistingColumn> Leftover(const Definition& wanted, const ExistingTable& existing) {
  std::vector<ExistingColumn> columns = existing.columns;
  std::erase_if(columns, [&](const ExistingColumn& column) { return HasColumn(wanted, column.name); });
  return columns;
}

std::string CreateTableSql(const Definition& table, const ExistingTable* existing, const std::string& name) {
  std::vector<std::string> lines;
  for (size_t i = 0; i < table.column_count(); ++i) {
    lines.push_back(fmt::format("{} {}{}", QuoteIdentifier(table.column(i).name), table.type(i),
                                table.IsNotNull(i) ? " NOT NULL" : ""));
  }
  if (existing != nullptr) {
    for (const ExistingColumn& column : Leftover(table, *existing))
      lines.push_back(fmt::format("{} {}", QuoteIdentifier(column.name), column.type));
  }
  if (table.has_key()) lines.push_back(fmt::format("PRIMARY KEY ({})", QuoteList(table.spec().primary_key)));
  return fmt::format("CREATE {}TABLE {} (\n  {}\n)", existing != nullptr ? "OR REPLACE " : "", name,
                     Join(lines, ",\n  "));
}

}  // namespace leat::warehouse::duckdb
