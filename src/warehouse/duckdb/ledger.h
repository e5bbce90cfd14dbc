#pragma once

#include <map>
#include <string>
#include <vector>

#include "duck/database.h"
#include "warehouse/ledger_row.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse::duckdb {

/// `_leat_loads` of one schema of the attached file: which snapshot of which project each table of it holds. Each
/// transaction that loads tables adds one row per table under one load id, and never changes a row. Nobody else can
/// write to the file meanwhile, so that there is nothing to lock.
class Ledger {
 public:
  Ledger(duck::Connection& connection, std::string schema, std::string project);

  /// The newest row of each table; none if there is no ledger yet.
  std::map<std::string, LedgerRow> Read();

  /// Make the schema and the ledger where they are missing.
  void Create();

  /// Forget all loads of a table that another lake has made: its numbers say nothing about ours.
  void Forget(const std::string& table);

  void Add(const std::string& load_id, const TableLoad& load, const std::string& definition);

 private:
  duck::Connection& connection_;
  std::string schema_;
  std::string project_;
  std::string name_;  ///< qualified
};

}  // namespace leat::warehouse::duckdb
