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
SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, has_column_privilege(c.oid, a.attnum, 'SELECT')
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY a.attrelid, a.attnum)";

// Each type in use down to what it is based on: domains, which may be over domains, and elements of arrays, which may
// be domains again. The modifier of an array is that of its elements. int2vector and oidvector look like arrays, but no
// type has them as its array.
constexpr const char* kTypes = R"(
WITH RECURSIVE step (type, modifier, oid, typmod, in_array) AS (
  SELECT DISTINCT a.atttypid, a.atttypmod, a.atttypid, a.atttypmod, false
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
     AND a.attnum > 0 AND NOT a.attisdropped
   UNION ALL
  SELECT s.type, s.modifier, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END,
         CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE s.typmod END, s.in_array OR t.typtype <> 'd'
    FROM step s JOIN pg_type t ON t.oid = s.oid LEFT JOIN pg_type e ON e.oid = t.typelem
   WHERE t.typtype = 'd' OR (e.typarray = t.oid AND NOT s.in_array))
SELECT s.type, s.modifier, s.oid, s.typmod, t.typtype, format_type(s.oid, s.typmod)
  FROM step s JOIN pg_type t ON t.oid = s.oid WHERE t.typtype <> 'd' ORDER BY s.type, s.modifier, s.in_array)";

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

// Partitions are asked of pg_inherits, since pg_partition_tree() would lock every one of them. One whose DETACH …
// CONCURRENTLY has begun (from version 14) is shown by no SELECT any more, even if it never ends. One may have got a
// column with a default while it was detached. A role with rights on single columns may not ask for a row's
// transaction.
constexpr const char* kStorage = R"(
WITH RECURSIVE relations AS (
  SELECT c.oid, c.relkind, c.relam FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition),
tree (root, relid) AS (
  SELECT oid, oid FROM relations WHERE relkind = 'p'
   UNION ALL SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.relid
     AND NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false)),
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

// A right on the parent is none on its partitions, and the parent's policies of rows do not hold for them.
constexpr const char* kPartitions = R"(
WITH RECURSIVE tree (root, relid) AS (
  SELECT c.oid, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relkind = 'p' AND NOT c.relispartition
   UNION ALL SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.relid
     AND NOT coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false))
SELECT root, relid, n.nspname, c.relname, c.relpages
  FROM tree JOIN pg_class c ON c.oid = tree.relid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind <> 'p'
   AND root NOT IN (SELECT root FROM tree JOIN pg_class c ON c.oid = tree.relid
                     WHERE c.relrowsecurity OR NOT has_schema_privilege(c.relnamespace, 'USAGE')
                        OR (c.relkind <> 'p' AND NOT has_table_privilege(c.oid, 'SELECT')))
 ORDER BY root, c.relpages DESC, relid)";

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

/// The types that columns of a schema have, by oid and modifier.
using TypesInUse = std::map<std::pair<uint32_t, int64_t>, postgres::CatalogType>;

TypesInUse ReadTypes(postgres::Connection& connection, const std::string& schema) {
  TypesInUse types;
  const postgres::Rows rows = connection.Query(kTypes, {schema});
  for (int row = 0; row < rows.size(); ++row) {
    postgres::CatalogType type{.oid = Oid(rows, row, 2),
                               .typmod = static_cast<int32_t>(rows.Int64(row, 3)),
                               .typtype = rows.At(row, 4)[0],
                               .formatted = rows.Text(row, 5)};
    const auto [known, is_new] = types.try_emplace({Oid(rows, row, 0), rows.Int64(row, 1)}, type);
    if (!is_new) known->second.element = {std::move(type)};
  }
  return types;
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
  const TypesInUse types = ReadTypes(connection, schema);
  const postgres::Rows columns = connection.Query(kColumns, {schema});
  for (int row = 0; row < columns.size(); ++row)
    tables[by_oid.at(Oid(columns, row, 0))].columns.push_back(
        {.name = columns.Text(row, 1),
         .type = types.at({Oid(columns, row, 2), columns.Int64(row, 3)}),
         .readable = columns.At(row, 4) == "t"});
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
  const postgres::Rows partitions = connection.Query(kPartitions, {schema});
  for (int row = 0; row < partitions.size(); ++row)
    if (const auto found = by_oid.find(Oid(partitions, row, 0)); found != by_oid.end()) {
      tables[found->second].partitions.push_back(
          {.oid = Oid(partitions, row, 1), .schema = partitions.Text(row, 2), .name = partitions.Text(row, 3)});
      tables[found->second].pages_estimate += partitions.Int64(row, 4);
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
