#pragma once

#include <optional>

#include "config/project.h"
#include "pipeline/lease_wait.h"
#include "pipeline/run.h"

namespace leat::pipeline {

/// One run, and how to do what it left undone.
struct Retry {
  state::Run run;
  /// For Run(): the tables that failed or were skipped; of a run that crashed, was cancelled or broke off its selection
  /// without what it finished. `only` is an empty set if nothing is left, as far as that can be known without asking a
  /// source.
  RunOptions options;
};

/// Look at run number `run`, or at the last one. One that is still at work is waited for, as `wait` says. Returns
/// nothing if the project never ran. Throws: Error(kConfig, LEAT0517) for a run that is not recorded; Error(kConflict,
/// LEAT0510), it is at work; Cancelled.
std::optional<Retry> PlanRetry(const config::Project& project, std::optional<int64_t> run, LeaseWait& wait);

}  // namespace leat::pipeline
