#pragma once

#include <string>
#include <vector>

#include "warehouse/duckdb/definition.h"

namespace leat::warehouse::duckdb {

struct ExistingColumn {
  std::string name;
  std::string type;  ///< as DuckDB writes it
  bool not_null = false;
};

/// A table as the file has it.
struct ExistingTable {
  bool is_table = true;  ///< false: a view
  std::vector<ExistingColumn> columns;
  std::vector<std::string> primary_key;
  std::vector<std::string> indexes;  ///< CREATE INDEX of those that others made, without the name of the database

  /// By name, in which DuckDB does not tell cases apart.
  const ExistingColumn* Find(const std::string& name) const;
};

enum class OldRows { kKept, kReplaced };

/// How an existing table of ours becomes what the definition says. DuckDB alters no column of a key, takes no changes
/// of rows and columns in one transaction, and adds no column that must hold a value: so a table that is to change is
/// made anew, in the transaction that loads it.
struct Alteration {
  bool is_needed = false;
  std::vector<std::string> refusals;  ///< differences that leat does not bridge
};

/// A type may widen, any column may come, NOT NULL may come and go; a column that the model no longer has stays and may
/// be NULL. Where the old rows go, a type may become any other and the key may change.
Alteration PlanAlteration(const Definition& wanted, const ExistingTable& existing, OldRows rows);

/// What tells the table from the definition, a line each; empty if nothing does.
std::vector<std::string> Differences(const Definition& wanted, const ExistingTable& existing);

/// Columns of the existing table that the definition lacks.
std::vector<ExistingColumn> Leftover(const Definition& wanted, const ExistingTable& existing);

/// CREATE TABLE, or CREATE OR REPLACE TABLE with `existing`, whose leftover columns come last. `name` is quoted.
std::string CreateTableSql(const Definition& table, const ExistingTable* existing, const std::string& name);

}  // namespace leat::warehouse::duckdb
