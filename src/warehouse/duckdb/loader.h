#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "duck/database.h"
#include "warehouse/duckdb/ddl.h"
#include "warehouse/duckdb/ledger.h"

namespace leat::warehouse::duckdb {

/// One table on its way into the file.
struct Job {
  const TableLoad* load = nullptr;
  std::optional<Definition> definition;  ///< nothing: a type of the spec is none; the outcome says so
  std::string fingerprint;
  std::optional<LedgerRow> ledger;
  LoadOutcome outcome;
  bool is_pending = false;  ///< to be brought to its snapshot by this transaction
};

/// Loads the pending jobs into the attached file in one transaction. DuckDB has no savepoints: where a table fails, all
/// is rolled back, and a new Loader is to go on without it.
class Loader {
 public:
  /// \param jobs  their outcomes are written
  Loader(duck::Connection& connection, const std::string& project, std::deque<Job>& jobs);

  /// Load and commit. Returns false if a table failed: it is marked, and nothing was loaded.
  /// Throws, nothing being loaded: Error(kConflict, LEAT0604, LEAT0613); Error(kConfig, LEAT0616) for a schema that
  /// cannot be made; duck::QueryError for what concerns all tables; Cancelled.
  bool Run();

 private:
  /// What is to be done for a table that is there.
  struct Survey {
    std::optional<ExistingTable> existing;
    bool is_replaced = false;  ///< all old rows go
    bool is_made_anew = false;
    std::optional<Delta> delta;  ///< since the loaded snapshot
  };

  void PrepareLedgers();
  bool TryAll();
  Survey SurveyTable(const Job& job);
  void LoadTable(Job& job);
  void MakeTable(Job& job, const Survey& survey);
  void RemakeIndexes(const Definition& table, const ExistingTable& existing);
  void SendDelta(Job& job, const Delta& delta);
  void AddToLedgers();

  duck::Connection& connection_;
  std::deque<Job>& jobs_;
  std::map<std::string, Ledger> ledgers_;  ///< by schema
};

}  // namespace leat::warehouse::duckdb
