#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "state/state.h"

namespace leat::pipeline {

/// A run as it is recorded.
struct RunRecord {
  state::Run run;
  std::vector<state::Step> steps;
};

/// The newest `limit` runs, newest first; none if the project never ran.
std::vector<RunRecord> ReadRuns(const config::Project& project, int64_t limit);

/// Run number `run`, or the last one. Throws: Error(kConfig, LEAT0517) if there is none.
RunRecord ReadRun(const config::Project& project, std::optional<int64_t> run);

/// Where the log of a run is: JSON lines beside the state database.
std::string RunLogPath(const config::Project& project, int64_t run);

/// At most once a day, remove runs and their logs that are older than `retention: {runs: …}`. Never throws: what was
/// run stays run.
void TrimHistory(const config::Project& project, state::Store& store, Timestamp now) noexcept;

/// The project's state, or null if it never ran.
std::unique_ptr<state::Store> OpenStateToRead(const config::Project& project);
/// Throws: Error(kConfig, LEAT0517).
state::Run RequireRun(state::Store& store, int64_t run);
[[noreturn]] void ThrowUnknownRun(std::optional<int64_t> run, const std::optional<state::Run>& last);

}  // namespace leat::pipeline
