#pragma once

#include <cstdint>
#include <string>

#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// What the newest row of a table in `_leat_loads` says.
struct LedgerRow {
  int64_t commit_number = 0;
  int64_t epoch = 0;
  int64_t snapshot_id = 0;
  std::string definition;  ///< fingerprint of the table's definition then
  std::string lake_table;  ///< UUID of the table in the lake that it was loaded from
  bool is_there = true;    ///< whether something still stands under the table's name
};

/// Whether the row was written for a table of another lake.
bool IsForeign(const LedgerRow& row, const TableLoad& load);

/// Whether the table holds other rows than the published ones.
bool IsBehind(const LedgerRow& row, const TableLoad& load);

/// A commit number or an epoch of 0 is not known yet and passes.
/// Throws: Error(kConflict, LEAT0613) for a foreign row, unless `load` takes the table over; Error(kConflict, LEAT0604)
/// if the row is of a later commit or epoch than `load`.
void CheckNotAhead(const LedgerRow& row, const TableLoad& load);

}  // namespace leat::warehouse
