#pragma once

#include <optional>
#include <string>

#include "core/error.h"
#include "state/state.h"

namespace leat::pipeline {

/// Told how a run goes on. Calls come one at a time, from several threads.
class RunObserver {
 public:
  virtual ~RunObserver() = default;

  /// Another run holds a lease that this one needs; it is waited for. Called at most once, before RunStarted.
  virtual void Waiting(const state::LeaseHolder& holder) = 0;
  /// The run has its number, its leases, and knows its tables.
  virtual void RunStarted(const state::Run& run, int tables, int threads) = 0;
  /// Work on a table began; `step` is extract, build or load.
  virtual void StepStarted(const std::string& table, const std::string& step) = 0;
  /// Rows so far of a step that goes on; about every 100 ms. `rows_expected` is an estimate, nothing if unknown.
  virtual void StepProgress(const std::string& table, const std::string& step, int64_t rows,
                            std::optional<int64_t> rows_expected) = 0;
  /// A step ended. `step.status`: done, unchanged, warned, failed, skipped. `fault`: why it failed, or the first
  /// warning.
  virtual void StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) = 0;
};

}  // namespace leat::pipeline
