#pragma once

#include <optional>
#include <set>
#include <vector>

#include "models/models.h"
#include "sources/source.h"
#include "state/state.h"
#include "warehouse/warehouse.h"

namespace leat::pipeline {

/// The record of one extract.
state::Step StepOf(const sources::StreamOutcome& outcome, int64_t run);

/// Fail a stream whose counts do not add up (LEAT0719): it must not be published, since a row may be lost. Returns
/// whether it did; files that it wrote are the caller's to remove.
bool FailUnequal(sources::StreamOutcome& outcome);

/// The record of judging the rules of a stream.
state::Step StepOf(const models::StreamVerdict& verdict, const std::string& stream, int64_t run, Timestamp started);

/// The record of building one model.
state::Step StepOf(const models::Candidate& candidate, int64_t run, Timestamp started);

/// The records of one model: its build and, where rules were judged, its checks. A check's rows_read counts rules,
/// its rows_written those that passed.
std::vector<state::Step> StepsOf(const models::Candidate& candidate, int64_t run, Timestamp started);

/// The record of loading one table.
state::Step StepOf(const warehouse::LoadOutcome& outcome, int64_t run, Timestamp started);

/// Tables by how they fared, each counted once, the worst of its steps.
struct TableCounts {
  int done = 0;
  int failed = 0;
  int skipped = 0;
};
TableCounts CountTables(const std::vector<state::Step>& steps);

/// Tables with a step that failed or was skipped, or that was warned of an error.
std::set<std::string> TablesUndone(const std::vector<state::Step>& steps);
/// Whether a read brought its rows and found an error all the same: up to when there is data cannot be told.
bool IsWarnedOfError(const state::Step& step);

/// The first error, else the first warning.
std::optional<Diagnostic> FirstOf(const std::vector<Diagnostic>& diagnostics);

}  // namespace leat::pipeline
