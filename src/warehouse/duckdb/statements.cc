#include "warehouse/duckdb/statements.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "core/text.h"

namespace leat::warehouse::duckdb {
namespace {

// One of each at a time, so that the next table's replaces it.
constexpr std::string_view kStaged = "temp.main._leat_rows";
constexpr std::string_view kKept = "temp.main._leat_kept";
constexpr std::string_view kDifferent = "temp.main._leat_difference";

/// Columns are named by position: what the SELECT calls them does not matter.
std::string CastColumns(const Definition& table, const std::string& select, const std::vector<std::string>& columns) {
  std::vector<std::string> list;
  for (const std::string& name : columns) {
    const auto at = std::ranges::find(table.spec().columns, name, &ColumnSpec::name) - table.spec().columns.begin();
    list.push_back(fmt::format("CAST({0} AS {1}) AS {0}", QuoteIdentifier(name), table.type(static_cast<size_t>(at))));
  }
  return fmt::format("SELECT {} FROM ({}\n) AS lake_rows({})", Join(list, ", "), select, QuoteList(columns));
}

std::vector<std::string> NamesOf(const std::vector<ExistingColumn>& columns) {
  std::vector<std::string> names;
  for (const ExistingColumn& column : columns) names.push_back(column.name);
  return names;
}

std::vector<std::string> Both(std::vector<std::string> names, const std::vector<std::string>& others) {
  names.insert(names.end(), others.begin(), others.end());
  return names;
}

}  // namespace

std::string RowsSql(const Definition& table, const std::string& rows) {
  return CastColumns(table, rows, table.ColumnNames());
}

std::string KeepLeftoverSql(const Definition& table, const std::vector<ExistingColumn>& leftover) {
  return fmt::format("CREATE OR REPLACE TEMPORARY TABLE {} AS SELECT {} FROM {}", kKept,
                     QuoteList(Both(table.spec().primary_key, NamesOf(leftover))), table.QualifiedName());
}

std::string FillSql(const Definition& table, const std::string& rows, const std::vector<ExistingColumn>& kept) {
  const std::vector<std::string> names = table.ColumnNames();
  if (kept.empty())
    return fmt::format("INSERT INTO {} ({}) {}", table.QualifiedName(), QuoteList(names), RowsSql(table, rows));
  const std::vector<std::string> kept_names = NamesOf(kept);
  return fmt::format("INSERT INTO {} ({}) SELECT {}, {} FROM ({}) AS lake LEFT JOIN {} AS kept ON {}",
                     table.QualifiedName(), QuoteList(Both(names, kept_names)), Prefixed("lake", names),
                     Prefixed("kept", kept_names), RowsSql(table, rows), kKept,
                     EqualKeys(table.spec().primary_key, "kept", "lake"));
}

std::string CountVanishedSql(const Definition& table, const std::string& rows) {
  return fmt::format("SELECT count(*) FROM {} AS kept ANTI JOIN ({}) AS lake ON {}", table.QualifiedName(),
                     RowsSql(table, rows), EqualKeys(table.spec().primary_key, "kept", "lake"));
}

std::string AppendSql(const Definition& table, const std::string& rows) {
  const std::string id = QuoteIdentifier(table.spec().primary_key.front());
  return fmt::format("INSERT INTO {0} ({1}) SELECT {1} FROM ({2}) AS lake WHERE {3} > (SELECT max({3}) FROM {0})",
                     table.QualifiedName(), QuoteList(table.ColumnNames()), RowsSql(table, rows), id);
}

std::string StageSql(const Definition& table, const std::string& rows) {
  return fmt::format("CREATE OR REPLACE TEMPORARY TABLE {} AS {}", kStaged, RowsSql(table, rows));
}

std::string CountStagedSql() { return fmt::format("SELECT count(*) FROM {}", kStaged); }

std::string UpsertSql(const Definition& table) {
  const std::string insert =
      fmt::format("INSERT INTO {0} AS kept ({1}) SELECT {1} FROM {2} ON CONFLICT ({3})", table.QualifiedName(),
                  QuoteList(table.ColumnNames()), kStaged, QuoteList(table.spec().primary_key));
  const std::vector<std::string> values = table.ValueNames();
  if (values.empty()) return insert + " DO NOTHING";
  std::vector<std::string> settings;
  for (const std::string& column : values)
    settings.push_back(fmt::format("{0} = excluded.{0}", QuoteIdentifier(column)));
  return fmt::format("{} DO UPDATE SET {} WHERE ROW({}) IS DISTINCT FROM ROW({})", insert, Join(settings, ", "),
                     Prefixed("kept", values), Prefixed("excluded", values));
}

std::string DeleteSql(const Definition& table, const std::string& keys) {
  const std::vector<std::string>& key = table.spec().primary_key;
  return fmt::format(
      "DELETE FROM {} AS kept USING (SELECT {} FROM ({}) AS vanished ANTI JOIN {} AS sent ON {}) AS gone WHERE {}",
      table.QualifiedName(), Prefixed("vanished", key), CastColumns(table, keys, key), kStaged,
      EqualKeys(table.spec().primary_key, "vanished", "sent"), EqualKeys(table.spec().primary_key, "kept", "gone"));
}

Difference CompareSql(const Definition& table, const std::string& rows) {
  return CompareByKey(table.spec(), std::string(kDifferent), RowsSql(table, rows), table.QualifiedName());
}

}  // namespace leat::warehouse::duckdb
