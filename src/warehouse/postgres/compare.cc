#include "warehouse/postgres/compare.h"

#include <fmt/format.h>

#include "clients/postgres/scan.h"
#include "clients/postgres/snapshot_pool.h"
#include "core/text.h"

namespace leat::warehouse {
namespace {

constexpr char kTypesSql[] =
    "SELECT a.attname, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, "
    "CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END, t.typtype, format_type(a.atttypid, a.atttypmod), "
    "CASE WHEN c.relkind = 'r' THEN pg_relation_size(c.oid) / 8192 ELSE 0 END, c.relkind = 'r', greatest(c.reltuples, "
    "0)::bigint "
    "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
    "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
    "JOIN pg_type AS t ON t.oid = a.atttypid WHERE n.nspname = $1 AND c.relname = $2";

/// The definition's columns as they are in the warehouse, with their names there.
postgres::ScanTable Describe(postgres::SnapshotPool& pool, const Definition& table) {
  const TableSpec& spec = table.spec();
  const auto rows = pool.Borrow()->Query(kTypesSql, {spec.schema, spec.table});
  postgres::ScanTable scan{.schema = spec.schema, .table = spec.table};
  for (int i = 0; i < rows.size(); ++i) {
    scan.blocks = rows.Int64(i, 5);
    scan.only = rows.At(i, 6) == "t";
    scan.rows_estimate = rows.Int64(i, 7);
    const postgres::CatalogType type{.oid = static_cast<uint32_t>(rows.Int64(i, 1)),
                                     .typmod = static_cast<int32_t>(rows.Int64(i, 2)),
                                     .typtype = rows.At(i, 3)[0],
                                     .formatted = rows.Text(i, 4)};
    for (const ColumnSpec& column : spec.columns) {
      if (column.name == rows.At(i, 0)) scan.columns.push_back({.name = column.name, .type = postgres::MapType(type)});
    }
  }
  return scan;
}

std::vector<std::string> Absent(const Definition& table, const ExistingTable& existing) {
  std::vector<std::string> absent = table.ColumnNames();
  std::erase_if(absent, [&](const std::string& name) { return existing.Find(name) != nullptr; });
  return absent;
}

void MakeScanKnown(duck::Connection& lake) {
  // A project may read no PostgreSQL but load into one; where it reads one, its source was first.
  if (lake.QueryInt64("SELECT count(*) FROM duckdb_functions() WHERE function_name = 'leat_postgres_scan'") == 0) {
    postgres::RegisterScan(lake);
  }
}

}  // namespace

Comparison::Comparison(duck::Connection& lake, const postgres::Connection& server, const Definition& table,
                       size_t ordinal, const ExistingTable& existing, const std::string& all_rows)
    : lake_(lake) {
  MakeScanKnown(lake);
  postgres::SnapshotPool pool(server.options(), server.cancel());
  const postgres::Scan scan(pool, Describe(pool, table));
  difference_ = CompareSql(table, ordinal, all_rows, scan.sql(), Absent(table, existing));
  try {
    lake.Execute(difference_.create_sql);
  } catch (const duck::QueryError&) {
    scan.ThrowIfFailed();
    throw;
  }
}

Comparison::~Comparison() {
  try {
    lake_.Execute(difference_.drop_sql);
  } catch (...) {
    // It is replaced by the next comparison, and ends with the connection.
  }
}

}  // namespace leat::warehouse
