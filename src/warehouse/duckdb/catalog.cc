#include "warehouse/duckdb/catalog.h"

#include <fmt/format.h>

#include "core/text.h"
#include "warehouse/duckdb/attachment.h"

namespace leat::warehouse::duckdb {
namespace {

/// Conditions for DuckDB's own lists of things; names differ in more than case.
std::string IsIn(const std::string& schema) {
  return fmt::format("database_name = '{}' AND lower(schema_name) = lower({})", Attachment::kCatalog,
                     QuoteLiteral(schema));
}

std::string IsTable(const std::string& schema, const std::string& table) {
  return fmt::format("{} AND lower(table_name) = lower({})", IsIn(schema), QuoteLiteral(table));
}

}  // namespace

std::string InFile(std::string_view quoted_name) { return fmt::format("{}.{}", Attachment::kCatalog, quoted_name); }

std::set<std::string> NamesIn(duck::Connection& connection, const std::string& schema) {
  const auto names =
      connection.QueryTexts(fmt::format("SELECT lower(table_name) FROM duckdb_tables() WHERE {0} "
                                        "UNION ALL SELECT lower(view_name) FROM duckdb_views() WHERE {0}",
                                        IsIn(schema)));
  return {names.begin(), names.end()};
}

bool HasSchema(duck::Connection& connection, const std::string& schema) {
  return connection.QueryInt64(fmt::format("SELECT count(*) FROM duckdb_schemas() WHERE {}", IsIn(schema))) > 0;
}

std::optional<ExistingTable> Inspect(duck::Connection& connection, const std::string& schema,
                                     const std::string& table) {
  if (!NamesIn(connection, schema).contains(ToLower(table))) return std::nullopt;
  const std::string is_it = IsTable(schema, table);
  ExistingTable existing;
  existing.is_table = connection.QueryInt64("SELECT count(*) FROM duckdb_tables() WHERE " + is_it) > 0;
  // A view may name columns that are gone, and then has none.
  if (!existing.is_table) return existing;
  for (const auto& row :
       connection.QueryRows("SELECT column_name, data_type, NOT is_nullable FROM duckdb_columns() WHERE " + is_it +
                            " ORDER BY column_index"))
    existing.columns.push_back({row[0], row[1], row[2] == "true"});
  existing.primary_key = connection.QueryTexts(
      "SELECT unnest(constraint_column_names) FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY' AND " +
      is_it);
  existing.indexes = connection.QueryTexts("SELECT sql FROM duckdb_indexes() WHERE " + is_it + " ORDER BY index_name");
  return existing;
}

}  // namespace leat::warehouse::duckdb
