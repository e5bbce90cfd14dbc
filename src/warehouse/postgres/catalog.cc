#include "warehouse/postgres/catalog.h"

#include <fmt/format.h>

#include "core/text.h"

namespace leat::warehouse {
namespace {

constexpr char kColumnsSql[] =
    "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute "
    "WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum";

/// A row per column of each primary and foreign key, in the key's order.
constexpr char kKeysSql[] =
    "SELECT k.oid, k.contype, k.conname, own.attname, "
    "       CASE WHEN k.contype = 'f' THEN format('\"%s\".\"%s\"', replace(n.nspname, '\"', '\"\"'), "
    "                                                              replace(t.relname, '\"', '\"\"')) END, "
    "other.attname "
    "FROM pg_constraint AS k "
    "CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS part(own, other, ordinal) "
    "JOIN pg_attribute AS own ON own.attrelid = k.conrelid AND own.attnum = part.own "
    "LEFT JOIN pg_attribute AS other ON other.attrelid = k.confrelid AND other.attnum = part.other "
    "LEFT JOIN pg_class AS t ON t.oid = k.confrelid LEFT JOIN pg_namespace AS n ON n.oid = t.relnamespace "
    "WHERE k.conrelid = $1::oid AND k.contype IN ('p', 'f') ORDER BY k.oid, part.ordinal";

void ReadKeys(const postgres::Rows& rows, ExistingTable& table) {
  std::string last;
  for (int i = 0; i < rows.size(); ++i) {
    if (rows.At(i, 1) == "p") {
      table.key_name = rows.Text(i, 2);
      table.primary_key.push_back(rows.Text(i, 3));
      continue;
    }
    if (rows.At(i, 0) != last) {
      table.references.push_back(
          {.columns = {}, .referenced = rows.Text(i, 4), .referenced_columns = {}, .name = rows.Text(i, 2)});
    }
    last = rows.Text(i, 0);
    table.references.back().columns.push_back(rows.Text(i, 3));
    table.references.back().referenced_columns.push_back(rows.Text(i, 5));
  }
}

}  // namespace

std::optional<ExistingTable> Inspect(postgres::Connection& connection, const std::string& schema,
                                     const std::string& name) {
  const auto found = connection.Query(
      "SELECT c.oid, c.relkind IN ('r', 'p') FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
      "WHERE n.nspname = $1 AND c.relname = $2",
      {schema, name});
  if (found.size() == 0) return std::nullopt;
  const std::string oid = found.Text(0, 0);
  ExistingTable table{.is_table = found.At(0, 1) == "t"};
  const auto columns = connection.Query(kColumnsSql, {oid});
  for (int i = 0; i < columns.size(); ++i) {
    table.columns.push_back({columns.Text(i, 0), columns.Text(i, 1), columns.At(i, 2) == "t"});
  }
  ReadKeys(connection.Query(kKeysSql, {oid}), table);
  return table;
}

std::vector<Referrer> Referrers(postgres::Connection& connection, const std::string& schema, const std::string& table) {
  // Not those of partitions: they come and go with the key of the partitioned table.
  const auto rows = connection.Query(
      "SELECT n.nspname, t.relname, k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint AS k "
      "JOIN pg_class AS t ON t.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = t.relnamespace "
      "JOIN pg_class AS r ON r.oid = k.confrelid JOIN pg_namespace AS s ON s.oid = r.relnamespace "
      "WHERE k.contype = 'f' AND k.conparentid = 0 AND s.nspname = $1 AND r.relname = $2 ORDER BY 1, 2, 3",
      {schema, table});
  std::vector<Referrer> keys;
  for (int i = 0; i < rows.size(); ++i) {
    keys.push_back({rows.Text(i, 0), rows.Text(i, 1), rows.Text(i, 2), rows.Text(i, 3)});
  }
  return keys;
}

std::vector<std::string> MissingGrants(postgres::Connection& connection, const std::string& schema,
                                       const std::string& table) {
  const auto row = connection.Query(
      "SELECT current_user, current_database(), has_database_privilege(current_database(), 'CREATE'), "
      "has_database_privilege(current_database(), 'TEMPORARY'), n.oid IS NOT NULL, has_schema_privilege(n.oid, "
      "'USAGE'), "
      "has_schema_privilege(n.oid, 'CREATE'), c.oid IS NOT NULL, "
      "has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, "
      "'UPDATE') "
      "AND has_table_privilege(c.oid, 'DELETE'), pg_has_role(c.relowner, 'USAGE') "
      "FROM (SELECT) AS one LEFT JOIN pg_namespace AS n ON n.nspname = $1 "
      "LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $2",
      {schema, table});
  const std::string user = QuoteIdentifier(row.At(0, 0)), database = QuoteIdentifier(row.At(0, 1));
  const auto yes = [&](int column) { return row.At(0, column) == "t"; };
  std::vector<std::string> grants;
  if (!yes(3)) grants.push_back(fmt::format("GRANT TEMPORARY ON DATABASE {} TO {};", database, user));
  if (!yes(4)) {
    if (!yes(2)) grants.push_back(fmt::format("CREATE SCHEMA {} AUTHORIZATION {};", QuoteIdentifier(schema), user));
    return grants;
  }
  if (!yes(5) || !yes(6)) {
    grants.push_back(fmt::format("GRANT USAGE, CREATE ON SCHEMA {} TO {};", QuoteIdentifier(schema), user));
  }
  const std::string name = QuoteIdentifier(schema) + "." + QuoteIdentifier(table);
  if (yes(7) && !yes(8)) grants.push_back(fmt::format("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {};", name, user));
  if (yes(7) && yes(8) && !yes(9)) grants.push_back(fmt::format("ALTER TABLE {} OWNER TO {};", name, user));
  return grants;
}

}  // namespace leat::warehouse
