#include "sources/postgres/catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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
  return tables;
}

}  // namespace leat::sources
