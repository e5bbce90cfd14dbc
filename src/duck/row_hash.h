#pragma once

#include <string>
#include <utility>
#include <vector>

#include "duck/database.h"

namespace leat::duck {

/// Make three scalar functions known to all connections of `database`:
///
/// - `leat_hash(field_id, value, field_id, value, …)` UUID: 128 bits over the canonical bytes of the values that are
/// not NULL,
///   in the order given (docs/formats/row-hash.md). Field ids are constants. Types without canonical bytes (INTERVAL,
///   TIMETZ, UHUGEINT, BIT, UNION, timestamps that do not count microseconds, …) are refused when the statement is
///   bound.
/// - `leat_hash_high(UUID)`, `leat_hash_low(UUID)` UBIGINT: its first and its last 16 digits.
///
/// Throws: Error(kInternal) if DuckDB refuses them.
void RegisterRowHash(Database& database);

/// A column's Iceberg field id and the SQL expression of its value.
using HashedColumn = std::pair<int, std::string>;

/// `leat_hash(1, "id", 2, "name")`.
std::string RowHashSql(const std::vector<HashedColumn>& columns);

/// A SELECT of one row: `row_count` BIGINT, and `hash_low` and `hash_high` VARCHAR, the sums of the halves of all row
/// hashes as decimal numbers ('0' without rows). The order of rows does not matter, equal rows count each time, and
/// sums of parts add up.
///
/// \param from  what may stand behind FROM: a quoted table name, a subquery in brackets, a table function
std::string TableHashSql(const std::vector<HashedColumn>& columns, const std::string& from);

}  // namespace leat::duck
