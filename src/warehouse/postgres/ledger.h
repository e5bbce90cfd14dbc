#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "warehouse/ledger_row.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// `_leat_loads` of one schema: which snapshot of which project each table of it holds. Each transaction that loads
/// tables adds one row per table under one load id, and never changes a row. Every method may throw
/// postgres::ServerError, which SchemaFault() turns into what a person is told.
class Ledger {
 public:
  Ledger(postgres::Connection& connection, std::string schema, std::string project);

  /// The newest rows of `tables`, in one statement; nullopt if there is no ledger yet.
  std::optional<std::map<std::string, LedgerRow>> Read(const std::vector<std::string>& tables);

  /// Make the schema and the ledger where they are missing. Inside a transaction.
  void Create();

  /// Lock the newest rows of `tables` until the transaction ends, and read them.
  std::map<std::string, LedgerRow> Lock(const std::vector<std::string>& tables);

  /// Forget all loads of a table that another lake has made: its numbers say nothing about ours.
  void Forget(const std::string& table);

  void Add(const std::string& load_id, const TableLoad& load, const std::string& definition);
  bool Holds(const std::string& load_id);

 private:
  void AddColumns();
  std::string NewestRowsSql(const char* columns, const char* lock) const;
  std::vector<std::optional<std::string>> Parameters(const std::vector<std::string>& tables) const;
  std::map<std::string, LedgerRow> Take(const postgres::Rows& rows) const;

  postgres::Connection& connection_;
  std::string schema_;
  std::string project_;
  std::string name_;  ///< quoted
};

}  // namespace leat::warehouse
