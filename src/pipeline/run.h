#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/cancel.h"
#include "models/models.h"
#include "pipeline/events.h"

namespace leat::pipeline {

struct RunOptions {
  std::string select;
  std::string exclude;
  bool full_refresh = false;
  bool from_landing = false;  ///< sources are read from what they once answered: those that keep it, and no others
  std::optional<std::set<std::string>> only;  ///< of the selection these tables alone; a source's name: all of it
  std::set<std::string> without;              ///< tables of the selection that are left out
  int64_t retry_of = 0;                       ///< the run that left these tables to this one
  std::chrono::milliseconds wait{0};          ///< how long another run that holds a lease is waited for
};

/// What a run came to.
struct RunSummary {
  state::Run run;                       ///< status: succeeded, partial, failed, cancelled; number 0: none was begun
  std::vector<state::Step> steps;       ///< in the order in which they ended
  std::vector<Diagnostic> diagnostics;  ///< errors and warnings of tables, in that order
  std::vector<models::CheckOutcome> checks;  ///< those that were judged, one by one
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t rows_repeated = 0;
  int64_t rows_rejected = 0;
  int64_t rows_deleted = 0;     ///< versions 'd'; they are not read
  int64_t rows_sorted_out = 0;  ///< rows of models that a check with `severity: reject` kept out
  int tables = 0;
  int tables_done = 0;
  int tables_failed = 0;
  int tables_skipped = 0;
  bool connection_lost_everywhere = false;  ///< no table could be worked on because no connection answered
};

/// Run the project once: read its sources, build its models, check them, load the warehouse. Each source is one commit,
/// all models are one commit, all loads are one transaction of the warehouse; a table that fails keeps its last good
/// rows. Throws: Error(kConfig) before anything is run, for an invalid selection or SQL that cannot be ordered (several
/// faults: InvalidProject); Error(kConflict, LEAT0510) naming the holder if another run holds a lease
/// for longer than `wait`. Never throws Cancelled: a cancelled run is a summary, and so is a retry that finds nothing
/// to do.
RunSummary Run(const config::Project& project, const RunOptions& options, RunObserver& observer,
               const CancelFlag& cancel);

/// Faults of a project's SQL that let nothing run.
struct InvalidProject {
  std::vector<Diagnostic> diagnostics;
};

}  // namespace leat::pipeline
