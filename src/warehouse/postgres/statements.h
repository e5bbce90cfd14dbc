#pragma once

#include <string>
#include <vector>

#include "warehouse/by_key.h"
#include "warehouse/postgres/definition.h"

namespace leat::warehouse {

/// DuckDB: `rows` (a SELECT in the spec's column order) as COPY writes them, named as in the warehouse.
std::string RowsSql(const Definition& table, const std::string& rows);
/// DuckDB: `keys` (a SELECT in primary key order) likewise.
std::string KeysSql(const Definition& table, const std::string& keys);
/// DuckDB: those of `rows` whose record id is above `id_max`.
std::string RowsAboveSql(const Definition& table, const std::string& rows, const std::string& id_max);

/// A temporary table that COPY fills and the end of the transaction drops.
struct Staging {
  std::string name;  ///< quoted, with pg_temp
  std::string create_sql;
};
Staging StageRows(const Definition& table, size_t ordinal);
Staging StageKeys(const Definition& table, size_t ordinal);

/// INSERT … SELECT … ON CONFLICT: a row whose key is there is updated where it differs, and left alone where it does
/// not.
std::string UpsertSql(const Definition& table, const std::string& staging);
/// DELETE … USING the staged keys, but for those of the staged rows: two texts of one value, such as `10.0.0.1` and
/// `10.0.0.1/32`, differ in DuckDB only.
std::string DeleteKeysSql(const Definition& table, const std::string& staged_keys, const std::string& staged_rows);

/// `warehouse_rows`: SQL for FROM with the table's columns under their names in the warehouse; those in `absent` are
/// not there yet and count as NULL. `ordinal` tells the temporary tables of several tables apart.
Difference CompareSql(const Definition& table, size_t ordinal, const std::string& rows,
                      const std::string& warehouse_rows, const std::vector<std::string>& absent);

}  // namespace leat::warehouse
