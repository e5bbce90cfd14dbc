#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "warehouse/postgres/definition.h"

namespace leat::warehouse {

struct ExistingColumn {
  std::string name;
  std::string type;  ///< as format_type() writes it
  bool not_null = false;
};

/// A table as the server has it.
struct ExistingTable {
  bool is_table = true;  ///< an ordinary or partitioned table; false: a view, a sequence …
  bool is_empty = false;
  std::vector<ExistingColumn> columns;
  std::string key_name;  ///< of the primary key's constraint; empty: none
  std::vector<std::string> primary_key;
  struct Reference {
    std::vector<std::string> columns;
    std::string referenced;  ///< quoted, with schema
    std::vector<std::string> referenced_columns;
    std::string name = {};  ///< of the constraint
  };
  std::vector<Reference> references;

  const ExistingColumn* Find(const std::string& name) const;
};

/// CREATE TABLE with columns and NOT NULL; keys follow once the rows are in, when an index is built in one go.
std::string CreateTableSql(const Definition& table);
/// ALTER TABLE … ADD PRIMARY KEY; empty for a table without a key.
std::string AddKeySql(const Definition& table);
/// An ALTER TABLE … ADD FOREIGN KEY for each of the table's foreign keys, each once.
std::vector<std::string> AddReferencesSql(const Definition& table);

/// Name of the constraint for a foreign key, by which leat knows its own again: keys that others made stay theirs.
std::string ReferenceName(const TableSpec& spec, const ForeignKey& key);
bool IsOurReference(std::string_view constraint);

/// A foreign key seen from the table that it refers to.
struct Referrer {
  std::string schema;
  std::string table;
  std::string name;        ///< of the constraint
  std::string definition;  ///< as pg_get_constraintdef() writes it
};

std::string DropSql(const Referrer& key);
std::string RemakeSql(const Referrer& key);
/// Whether `spec`, that of the key's own table, still asks for the key.
bool Wants(const TableSpec& spec, const Referrer& key);

enum class OldRows { kKept, kReplaced };

/// How an existing table of ours becomes what the definition says.
struct Alteration {
  std::vector<std::string> before;    ///< statements before rows are loaded
  std::vector<std::string> after;     ///< statements once all rows are in and old ones deleted
  std::vector<std::string> refusals;  ///< differences that leat does not bridge; others are void then
};

/// Columns are added, types widened, keys and references added, NOT NULL set and dropped; a reference that leat made
/// and the model no longer has is dropped; a column that the model no longer has stays and may be NULL. Where the old
/// rows go, a type may become any other and the key may change.
Alteration PlanAlteration(const Definition& wanted, const ExistingTable& existing, OldRows rows);

/// What tells the table from the definition, a line each; empty if nothing does.
std::vector<std::string> Differences(const Definition& wanted, const ExistingTable& existing);

}  // namespace leat::warehouse
