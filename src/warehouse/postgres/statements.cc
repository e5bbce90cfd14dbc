#include "warehouse/postgres/statements.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::warehouse {
namespace {

/// Columns are named by position: what the SELECT calls them does not matter.
std::string Named(const std::string& select, const std::vector<std::string>& names) {
  return fmt::format("({}\n) AS lake_rows({})", select, QuoteList(names));
}

size_t IndexOf(const Definition& table, const std::string& column) {
  const auto& columns = table.spec().columns;
  return static_cast<size_t>(std::ranges::find(columns, column, &ColumnSpec::name) - columns.begin());
}

std::string CastColumn(const Definition& table, const std::string& column) {
  const size_t index = IndexOf(table, column);
  return fmt::format("{} AS {}", ConvertExpression(QuoteIdentifier(column), table.type(index)),
                     QuoteIdentifier(column));
}

std::vector<std::string> CastColumns(const Definition& table, const std::vector<std::string>& columns) {
  std::vector<std::string> list;
  for (const std::string& column : columns) list.push_back(CastColumn(table, column));
  return list;
}

Staging Stage(const Definition& table, const std::vector<std::string>& columns, const std::string& name) {
  Staging staging{.name = "pg_temp." + QuoteIdentifier(name)};
  std::vector<std::string> list;
  for (const std::string& column : columns) {
    list.push_back(QuoteIdentifier(column) + " " + table.type(IndexOf(table, column)).postgres);
  }
  staging.create_sql = fmt::format("CREATE TEMPORARY TABLE {} ({}) ON COMMIT DROP", staging.name, Join(list, ", "));
  return staging;
}

bool IsComparedAsText(const Definition& table, const std::string& column) {
  return ComparesAsText(table.type(IndexOf(table, column)).postgres);
}

/// Columns that may differ in a row of the same key: a key's too, where equal keys may be written differently.
std::vector<std::string> ColumnsToUpdate(const Definition& table) {
  std::vector<std::string> columns = table.ColumnNames();
  std::erase_if(columns,
                [&](const std::string& column) { return table.IsKey(column) && !IsComparedAsText(table, column); });
  return columns;
}

/// A row of values to compare.
std::string Comparable(const Definition& table, std::string_view prefix, const std::vector<std::string>& columns) {
  std::vector<std::string> list;
  for (const std::string& column : columns) {
    const bool as_text = IsComparedAsText(table, column);
    list.push_back(fmt::format("{}.{}{}", prefix, QuoteIdentifier(column), as_text ? "::text" : ""));
  }
  return fmt::format("ROW({})", Join(list, ", "));
}

/// The warehouse's rows as COPY would write them; a value that no longer fits is no equal one.
std::string AsCopied(const Definition& table, const std::vector<std::string>& absent) {
  std::vector<std::string> list;
  for (size_t i = 0; i < table.column_count(); ++i) {
    const std::string& column = table.column(i).name;
    const bool missing = std::ranges::find(absent, column) != absent.end();
    const ColumnType& type = table.type(i);
    const bool is_list = type.via == ColumnType::Via::kArrayLiteral;
    const std::string value = fmt::format("TRY_CAST({} AS {})", missing ? "NULL" : QuoteIdentifier(column),
                                          is_list ? table.column(i).duck_type : type.duck);
    list.push_back(fmt::format("{} AS {}", is_list ? ConvertExpression(value, type) : value, QuoteIdentifier(column)));
  }
  return Join(list, ", ");
}

}  // namespace

std::string RowsSql(const Definition& table, const std::string& rows) {
  const std::vector<std::string> names = table.ColumnNames();
  return fmt::format("SELECT {} FROM {}", Join(CastColumns(table, names), ", "), Named(rows, names));
}

std::string KeysSql(const Definition& table, const std::string& keys) {
  const std::vector<std::string>& names = table.spec().primary_key;
  return fmt::format("SELECT {} FROM {}", Join(CastColumns(table, names), ", "), Named(keys, names));
}

std::string RowsAboveSql(const Definition& table, const std::string& rows, const std::string& id_max) {
  const std::vector<std::string> names = table.ColumnNames();
  return fmt::format("SELECT {} FROM {} WHERE {} > {}", QuoteList(names), Named(rows, names),
                     QuoteIdentifier(table.spec().primary_key.front()), id_max);
}

Staging StageRows(const Definition& table, size_t ordinal) {
  return Stage(table, table.ColumnNames(), fmt::format("_leat_rows_{}", ordinal));
}

Staging StageKeys(const Definition& table, size_t ordinal) {
  return Stage(table, table.spec().primary_key, fmt::format("_leat_keys_{}", ordinal));
}

std::string UpsertSql(const Definition& table, const std::string& staging) {
  const std::vector<std::string> names = table.ColumnNames();
  const std::string conflict =
      fmt::format("INSERT INTO {} AS kept ({}) SELECT {} FROM {} AS staged ON CONFLICT ({})", table.QuotedName(),
                  QuoteList(names), Prefixed("staged", names), staging, QuoteList(table.spec().primary_key));
  const std::vector<std::string> values = ColumnsToUpdate(table);
  if (values.empty()) return conflict + " DO NOTHING";
  std::vector<std::string> settings;
  for (const std::string& column : values)
    settings.push_back(fmt::format("{0} = excluded.{0}", QuoteIdentifier(column)));
  return fmt::format("{} DO UPDATE SET {} WHERE {} IS DISTINCT FROM {}", conflict, Join(settings, ", "),
                     Comparable(table, "kept", values), Comparable(table, "excluded", values));
}

std::string DeleteKeysSql(const Definition& table, const std::string& staged_keys, const std::string& staged_rows) {
  return fmt::format(
      "DELETE FROM {} AS kept USING {} AS staged WHERE {} AND NOT EXISTS (SELECT FROM {} AS sent WHERE {})",
      table.QuotedName(), staged_keys, EqualKeys(table.spec().primary_key, "kept", "staged"), staged_rows,
      EqualKeys(table.spec().primary_key, "kept", "sent"));
}

Difference CompareSql(const Definition& table, size_t ordinal, const std::string& rows,
                      const std::string& warehouse_rows, const std::vector<std::string>& absent) {
  return CompareByKey(table.spec(), fmt::format("temp.main.\"_leat_difference_{}\"", ordinal), RowsSql(table, rows),
                      fmt::format("(SELECT {} FROM {})", AsCopied(table, absent), warehouse_rows));
}

}  // namespace leat::warehouse
