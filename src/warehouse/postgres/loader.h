#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "warehouse/postgres/compare.h"
#include "warehouse/postgres/ddl.h"
#include "warehouse/postgres/ledger.h"
#include "warehouse/postgres/statements.h"

namespace leat::warehouse {

/// What one try to load a table has found out and left to do; void when all is rolled back.
struct Attempt {
  std::optional<ExistingTable> existing;
  Alteration alteration;
  bool is_replaced = false;                ///< all old rows go
  std::optional<Delta> delta;              ///< since the loaded snapshot
  std::unique_ptr<Comparison> comparison;  ///< where that is gone
  std::string staged_keys;                 ///< of rows to delete; empty: none
  std::string staged_rows;                 ///< that were inserted or updated
  std::vector<Referrer> referrers;         ///< that were dropped to replace the rows, and are to be made again
};

/// One table on its way into the warehouse.
struct Job {
  const TableLoad* load = nullptr;
  std::optional<Definition> definition;  ///< nothing: a type of the spec is none; the outcome says so
  std::string fingerprint;
  std::optional<LedgerRow> ledger;
  LoadOutcome outcome;
  bool is_pending = false;  ///< to be brought to its snapshot by this transaction
  Attempt attempt;
};

/// Loads the pending jobs in one transaction: rows of referenced tables before those that reference them, deletes the
/// other way round, then what is left of constraints, the ledger, COMMIT. A savepoint per table lets one fail alone.
class Loader {
 public:
  /// \param jobs  in dependency order; their outcomes are written
  Loader(postgres::Connection& server, duck::Connection& lake, const std::string& project, std::deque<Job>& jobs);

  /// Do all but the COMMIT. Returns false if a table failed when others had been built on its rows: all is rolled back,
  /// the table is marked, and a new Loader is to go on without it.
  ///
  /// Throws: Error(kConflict, LEAT0604, LEAT0606), Error(kConfig, LEAT0603) for a missing right on a schema or its
  /// ledger, Error(kConnection) for a lost server; the connection must be closed then, which rolls back.
  bool Prepare();

  /// Whether the ledger, read through `server`, holds this load.
  bool IsInLedger(postgres::Connection& server) const;

 private:
  void PrepareLedger(const std::string& schema, Ledger& ledger);
  bool BlockByFailed(Job& job);
  template <typename Work>
  bool Try(Job& job, Work work);
  void Survey(Job& job);
  void LoadTable(Job& job);
  void CreateTable(Job& job);
  void ReplaceRows(Job& job);
  void DropReferrers(Job& job);
  bool IsWanted(const Referrer& key) const;
  std::vector<std::string> LastStatements(const Job& job) const;
  void MergeRows(Job& job);
  void SendDelta(Job& job, const std::string& upserts, const std::string& deletes);
  void AppendRows(Job& job);
  void FillTable(Job& job);
  void DeleteRows(Job& job);
  bool GiveUp();
  /// Send the rows of a SELECT of these `columns` into `target`: the table, or a staging table with types of it.
  int64_t Copy(const Definition& table, const std::string& sql, const std::string& target,
               const std::vector<std::string>& columns);
  size_t OrdinalOf(const Job& job) const;

  postgres::Connection& server_;
  duck::Connection& lake_;
  std::string project_;
  std::deque<Job>& jobs_;
  std::map<std::string, Ledger> ledgers_;  ///< by schema
  std::string load_id_;
};

}  // namespace leat::warehouse
