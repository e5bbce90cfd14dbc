#include "warehouse/ledger_row.h"

#include <fmt/format.h>

namespace leat::warehouse {

bool IsForeign(const LedgerRow& row, const TableLoad& load) {
  return !row.lake_table.empty() && row.lake_table != load.lake_table;
}

bool IsBehind(const LedgerRow& row, const TableLoad& load) {
  return load.snapshot_id != 0 && row.snapshot_id != load.snapshot_id;
}

void CheckNotAhead(const LedgerRow& row, const TableLoad& load) {
  if (IsForeign(row, load)) {
    if (load.is_full || !row.is_there) return;
    throw Error(kConflict, "LEAT0613", load.spec.place,
                fmt::format("warehouse table {}.{} was loaded from another lake, or from another table of this one",
                            load.spec.schema, load.spec.table))
        .Hint("if this lake is to have its tables from now on:  leat run --full-refresh")
        .Note("two lakes that load one table would undo each other's rows; a lake that was made anew is another one");
  }
  const bool has_later_commit = load.commit_number != 0 && row.commit_number > load.commit_number;
  const bool has_later_epoch = load.epoch != 0 && row.epoch > load.epoch;
  if (!has_later_commit && !has_later_epoch) return;
  throw Error(
      kConflict, "LEAT0604", load.spec.place,
      fmt::format(
          "warehouse table {}.{} holds commit {} (epoch {}), which is later than this run's commit {} (epoch {})",
          load.spec.schema, load.spec.table, row.commit_number, row.epoch, load.commit_number, load.epoch))
      .Note("another run has loaded it since, or the state database is an older copy");
}

}  // namespace leat::warehouse
