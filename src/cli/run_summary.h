#pragma once

#include <string>
#include <vector>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/run.h"

namespace leat::cli {

/// Rows of all streams that were read to their end, and where they went.
struct Reconciliation {
  int64_t read = 0;
  int64_t written = 0;
  int64_t repeated = 0;
  int64_t rejected = 0;
  std::vector<std::string>
      unequal;  ///< streams whose counts do not add up: `totesys.sales_order: read 10, accounted for 9`
  std::vector<std::string> rejecting;  ///< streams with rejected rows

  bool is_equal() const { return unequal.empty() && read == written + repeated + rejected; }
};

Reconciliation Reconcile(const pipeline::RunSummary& summary);

/// The answer of `leat run`: what was done, that the counts add up, what failed, and how to go on.
///
///     38 of 39 tables done in 58 s · read 3 118 436 = written 3 118 430 + rejected 6 (leat preview web.hits__rejects)
///     1 failed, 0 skipped; the failed table keeps its last good rows.  Fix it, then  leat retry
/// `leat`: how the commands in it begin.
std::string FormatRunSummary(const pipeline::RunSummary& summary, const Terminal& terminal,
                             const std::string& leat = "leat");

/// `data` of `leat run --json`.
Json RunSummaryJson(const pipeline::RunSummary& summary);

}  // namespace leat::cli
