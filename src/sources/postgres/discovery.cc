#include "sources/postgres/discovery.h"

#include <algorithm>
#include <map>

namespace leat::sources {
namespace {

// Sizes and estimates of a partitioned table are those of its leaves. They are found in pg_inherits, since
// pg_partition_tree() would lock every one of them.
constexpr const char* kAllTables = R"(
WITH RECURSIVE relations AS (
  SELECT c.oid, n.oid AS schema, n.nspname, c.relname, c.relkind, c.reltuples
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
     AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'),
tree (root, relid) AS (
  SELECT oid, oid FROM relations WHERE relkind = 'p'
   UNION ALL SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.relid
     AND NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false)),
leaves AS (
  SELECT tree.root, sum(pg_total_relation_size(l.oid)) AS bytes,
         CASE WHEN bool_and(l.reltuples >= 0) THEN sum(l.reltuples) ELSE -1 END AS rows
    FROM tree JOIN pg_class l ON l.oid = tree.relid WHERE l.relkind = 'r' GROUP BY tree.root)
SELECT r.oid, r.nspname, r.relname,
       CASE r.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view'
                      WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
       coalesce(CASE r.relkind WHEN 'p' THEN leaves.rows::bigint WHEN 'r' THEN r.reltuples::bigint
                               WHEN 'm' THEN r.reltuples::bigint END, -1),
       coalesce(CASE r.relkind WHEN 'p' THEN leaves.bytes::bigint WHEN 'r' THEN pg_total_relation_size(r.oid)
                               WHEN 'm' THEN pg_total_relation_size(r.oid) END, -1),
       has_schema_privilege(r.schema, 'USAGE')
  FROM relations r LEFT JOIN leaves ON leaves.root = r.oid
 ORDER BY r.nspname, r.relname)";

constexpr const char* kAllColumns = R"(
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), has_column_privilege(c.oid, a.attnum, 'SELECT')
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
   AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
 ORDER BY a.attrelid, a.attnum)";

constexpr const char* kAllKeys = R"(
SELECT k.conrelid, a.attname
  FROM pg_constraint k
 CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u (attnum, position)
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
 WHERE k.contype = 'p'
 ORDER BY k.conrelid, u.position)";

}  // namespace

std::vector<DiscoveredTable> DiscoverTables(postgres::Connection& connection) {
  std::vector<DiscoveredTable> tables;
  std::map<std::string, size_t> by_oid;
  // One moment for all three, or a table made in between would have columns and no name.
  connection.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL jit = off");
  const postgres::Rows relations = connection.Query(kAllTables);
  const postgres::Rows columns = connection.Query(kAllColumns);
  const postgres::Rows keys = connection.Query(kAllKeys);
  connection.Execute("COMMIT");
  for (int row = 0; row < relations.size(); ++row) {
    by_oid[relations.Text(row, 0)] = tables.size();
    tables.push_back({.schema = relations.Text(row, 1),
                      .name = relations.Text(row, 2),
                      .kind = relations.Text(row, 3),
                      .rows_estimate = relations.Int64(row, 4),
                      .size_bytes = relations.Int64(row, 5),
                      .readable = relations.At(row, 6) == "t"});
  }
  for (int row = 0; row < columns.size(); ++row) {
    DiscoveredTable& table = tables[by_oid.at(columns.Text(row, 0))];
    const bool readable = columns.At(row, 3) == "t";
    table.columns.push_back({columns.Text(row, 1), columns.Text(row, 2), readable});
    table.readable = table.readable && readable;
  }
  for (int row = 0; row < keys.size(); ++row)
    if (const auto found = by_oid.find(keys.Text(row, 0)); found != by_oid.end())
      tables[found->second].key.push_back(keys.Text(row, 1));
  return tables;
}

bool MayUseSchema(postgres::Connection& connection, const std::string& schema) {
  const postgres::Rows rows =
      connection.Query("SELECT has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1", {schema});
  return rows.size() == 0 || rows.At(0, 0) == "t";
}

}  // namespace leat::sources
