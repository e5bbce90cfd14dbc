#pragma once

#include <string>
#include <vector>

#include "warehouse/by_key.h"
#include "warehouse/duckdb/ddl.h"

namespace leat::warehouse::duckdb {

/// `rows` (a SELECT in the spec's column order) in the table's types, named as in the warehouse.
std::string RowsSql(const Definition& table, const std::string& rows);

/// Values of leftover columns, kept by key in a temporary table while their table is made anew.
std::string KeepLeftoverSql(const Definition& table, const std::vector<ExistingColumn>& leftover);
/// INSERT of all `rows` into an empty table; kept values come back to the rows of their keys.
std::string FillSql(const Definition& table, const std::string& rows, const std::vector<ExistingColumn>& kept);
/// SELECT of how many rows of the table have keys that `rows` have not.
std::string CountVanishedSql(const Definition& table, const std::string& rows);

/// INSERT of those of `rows` whose record id is above all that are there.
std::string AppendSql(const Definition& table, const std::string& rows);

/// CREATE of the temporary table that stands between the lake and the two statements below.
std::string StageSql(const Definition& table, const std::string& rows);
std::string CountStagedSql();
/// INSERT … ON CONFLICT of the staged rows: a row that is there is updated where it differs.
std::string UpsertSql(const Definition& table);
/// DELETE of the rows of `keys` (a SELECT in primary key order) but for the staged ones: two values of the lake may be
/// one in the type that the project has set.
std::string DeleteSql(const Definition& table, const std::string& keys);

/// What tells the lake's rows from the table's, found by key.
Difference CompareSql(const Definition& table, const std::string& rows);

}  // namespace leat::warehouse::duckdb
