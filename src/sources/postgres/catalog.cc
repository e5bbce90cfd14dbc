#include "sources/postgres/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"

namespace leat::sources {
namespace {

constexpr const char* kTables = R"(
SELECT c.oid, c.relname, c.relkind,
       c.relpages,
       CASE WHEN c.relkind IN ('r', 'm', 'p') THEN c.reltuples::bigint ELSE -1 END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
 ORDER BY c.relname)";

constexpr const char* kColumns = R"(
SELECT a.attrelid, a.attname,
       CASE WHEN t.typtype = 'd' THEN b.oid ELSE t.oid END,
       CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END,
       CASE WHEN t.typtype = 'd' THEN b.typtype ELSE t.typtype END,
       CASE WHEN t.typtype = 'd' THEN format_type(b.oid, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END,
       has_column_privilege(c.oid, a.attnum, 'SELECT')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_type b ON b.oid = t.typbasetype
 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum)";

constexpr const char* kPrimaryKeys = R"(
SELECT k.conrelid, a.attname
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL unnest(k.conkey) WITH ORDINALITY AS u (attnum, position)
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum
 WHERE n.nspname = $1 AND k.contype = 'p'
 ORDER BY k.conrelid, u.position)";

uint32_t Oid(const postgres::Rows& rows, int row, int column) { return static_cast<uint32_t>(rows.Int64(row, column)); }

// A label or a part may be deep inside: of a composite, in an array of a domain over it.
constexpr const char* kShapes = R"(
WITH RECURSIVE relations AS (
  SELECT c.oid, c.relrowsecurity FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition),
used (relation, type) AS (
  SELECT r.oid, a.atttypid FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid
    JOIN pg_type t ON t.oid = a.atttypid
   WHERE a.attnum > 0 AND NOT a.attisdropped AND (t.typtype <> 'b' OR t.typelem <> 0)
   UNION
  SELECT u.relation, inner_type.oid FROM used u JOIN pg_type t ON t.oid = u.type
   CROSS JOIN LATERAL (SELECT t.typbasetype UNION ALL SELECT t.typelem UNION ALL
                       SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid UNION ALL
                       SELECT atttypid FROM pg_attribute
                        WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped) inner_type (oid)
   WHERE inner_type.oid <> 0),
types AS (
  SELECT relation,
         string_agg(concat_ws(' ', type,
                              (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum
                                WHERE enumtypid = type),
                              (SELECT string_agg(attname || ' ' || atttypid, ',' ORDER BY attnum)
                                 FROM pg_type t JOIN pg_attribute ON attrelid = t.typrelid AND attnum > 0
                                WHERE t.oid = type)), '|' ORDER BY type) AS list
    FROM used GROUP BY relation)
SELECT r.oid, md5(concat_ws('|', r.relrowsecurity, types.list,
                            (SELECT string_agg(concat_ws(' ', attnum, attname, atttypid, atttypmod, attmissingval::text),
                                               '|' ORDER BY attnum)
                               FROM pg_attribute WHERE attrelid = r.oid AND attnum > 0 AND NOT attisdropped)))
  FROM relations r LEFT JOIN types ON types.relation = r.oid)";

// Partitions are asked of pg_inherits, since pg_partition_tree() would lock every one of them. One may have got a
// column with a default while it was detached. A role with rights on single columns may not ask for a row's
// transaction.
constexpr const char* kStorage = R"(
WITH RECURSIVE relations AS (
  SELECT c.oid, c.relkind, c.relam FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition),
tree (root, relid) AS (
  SELECT oid, oid FROM relations WHERE relkind = 'p'
   UNION ALL SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.relid),
heap AS (SELECT oid FROM pg_am WHERE amname = 'heap'),
leaves AS (
  SELECT tree.root,
         md5(string_agg(concat_ws(' ', tree.relid,
               (SELECT string_agg(concat_ws(' ', attnum, attmissingval::text), '|' ORDER BY attnum) FROM pg_attribute
                 WHERE attrelid = tree.relid AND (atthasmissing OR attisdropped))), ',' ORDER BY tree.relid)) AS digest,
         coalesce(bool_and(l.relkind = 'r' AND l.relam = (SELECT oid FROM heap)) FILTER (WHERE l.relkind <> 'p'), true)
           AS are_heaps
    FROM tree JOIN pg_class l ON l.oid = tree.relid GROUP BY tree.root)
SELECT r.oid, coalesce(leaves.digest, ''),
       CASE WHEN r.relkind = 'p' THEN leaves.are_heaps ELSE r.relkind = 'r' AND r.relam = (SELECT oid FROM heap) END
         AND has_column_privilege(r.oid, 'xmin', 'SELECT'),
       has_table_privilege(r.oid, 'SELECT') OR
         (r.relkind IN ('r', 'm') AND has_column_privilege(r.oid, 'ctid', 'SELECT'))
  FROM relations r LEFT JOIN leaves ON leaves.root = r.oid)";

constexpr const char* kUniqueKeys = R"(
SELECT i.indrelid, i.indexrelid, a.attname
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
 WHERE n.nspname = $1 AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
   AND u.place <= i.indnkeyatts
   AND NOT EXISTS (SELECT 1 FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
                     JOIN pg_attribute b ON b.attrelid = i.indrelid AND b.attnum = k.attnum
                    WHERE k.place <= i.indnkeyatts AND NOT b.attnotnull)
 ORDER BY i.indrelid, i.indexrelid)";

void RefuseUnknownSchema(postgres::Connection& connection, const std::string& schema, const Place& place) {
  const postgres::Rows rows = connection.Query("SELECT nspname FROM pg_namespace ORDER BY 1");
  std::vector<std::string> known;
  for (int row = 0; row < rows.size(); ++row) known.push_back(rows.Text(row, 0));
  if (std::find(known.begin(), known.end(), schema) != known.end()) return;
  Diagnostic fault{
      .code = "LEAT0405", .message = fmt::format("schema {} does not exist in the database", schema), .place = place};
  SuggestNearest(fault, schema, known);
  fault.help.push_back("set `schema:` in the source's file to one that the role can see");
  throw Error(kConfig, std::move(fault));
}

}  // namespace

const CatalogColumn* CatalogTable::Find(const std::string& column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const CatalogColumn& c) { return c.name == column; });
  return found == columns.end() ? nullptr : &*found;
}

std::vector<CatalogTable> ReadCatalog(postgres::Connection& connection, const std::string& schema,
                                      const Place& schema_place) {
  // Estimates of these queries are far too high, and compiling them takes a hundred times as long as running them.
  connection.Execute("SET LOCAL jit = off");
  std::vector<CatalogTable> tables;
  std::map<uint32_t, size_t> by_oid;
  const postgres::Rows relations = connection.Query(kTables, {schema});
  for (int row = 0; row < relations.size(); ++row) {
    by_oid[Oid(relations, row, 0)] = tables.size();
    tables.push_back({.oid = Oid(relations, row, 0),
                      .name = relations.Text(row, 1),
                      .kind = relations.At(row, 2)[0],
                      .pages_estimate = relations.Int64(row, 3),
                      .rows_estimate = relations.Int64(row, 4)});
  }
  if (tables.empty()) RefuseUnknownSchema(connection, schema, schema_place);
  const postgres::Rows columns = connection.Query(kColumns, {schema});
  for (int row = 0; row < columns.size(); ++row) {
    postgres::CatalogType type{.oid = Oid(columns, row, 2),
                               .typmod = static_cast<int32_t>(columns.Int64(row, 3)),
                               .typtype = columns.At(row, 4)[0],
                               .formatted = columns.Text(row, 5)};
    tables[by_oid.at(Oid(columns, row, 0))].columns.push_back(
        {.name = columns.Text(row, 1), .type = std::move(type), .readable = columns.At(row, 6) == "t"});
  }
  const postgres::Rows keys = connection.Query(kPrimaryKeys, {schema});
  for (int row = 0; row < keys.size(); ++row)
    if (const auto found = by_oid.find(Oid(keys, row, 0)); found != by_oid.end())
      tables[found->second].primary_key.push_back(keys.Text(row, 1));
  const postgres::Rows shapes = connection.Query(kShapes, {schema});
  for (int row = 0; row < shapes.size(); ++row)
    if (const auto found = by_oid.find(Oid(shapes, row, 0)); found != by_oid.end())
      tables[found->second].shape = shapes.Text(row, 1);
  const postgres::Rows storage = connection.Query(kStorage, {schema});
  for (int row = 0; row < storage.size(); ++row)
    if (const auto found = by_oid.find(Oid(storage, row, 0)); found != by_oid.end()) {
      tables[found->second].leaves = storage.Text(row, 1);
      tables[found->second].has_row_ids = storage.At(row, 2) == "t";
      tables[found->second].may_read_places = storage.At(row, 3) == "t";
    }
  std::map<uint32_t, std::pair<size_t, std::set<std::string>>> unique;  // by index
  const postgres::Rows unique_keys = connection.Query(kUniqueKeys, {schema});
  for (int row = 0; row < unique_keys.size(); ++row)
    if (const auto found = by_oid.find(Oid(unique_keys, row, 0)); found != by_oid.end()) {
      auto& [table, key] = unique[Oid(unique_keys, row, 1)];
      table = found->second;
      key.insert(unique_keys.Text(row, 2));
    }
  for (auto& [index, key] : unique) tables[key.first].unique_keys.push_back(std::move(key.second));
  connection.Execute("SET LOCAL jit TO DEFAULT");
  return tables;
}

}  // namespace leat::sources
