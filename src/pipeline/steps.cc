#include "pipeline/steps.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/diagnostic_json.h"

namespace leat::pipeline {
namespace {

using models::Candidate;
using sources::StreamOutcome;
using warehouse::LoadOutcome;

std::string JsonOf(const std::optional<Diagnostic>& diagnostic) {
  return diagnostic ? FormatDiagnosticJson(*diagnostic) : "";
}

const char* StatusOf(const StreamOutcome& outcome) {
  switch (outcome.kind) {
    case StreamOutcome::Kind::kChanged:
      return outcome.diagnostic ? "warned" : "done";
    case StreamOutcome::Kind::kUnchanged:
      return outcome.diagnostic ? "warned" : "unchanged";
    case StreamOutcome::Kind::kFailed:
      return "failed";
  }
  return "failed";
}

const char* StatusOf(const Candidate& candidate) {
  switch (candidate.outcome) {
    case Candidate::Outcome::kUnchanged:
    case Candidate::Outcome::kSame:
      return candidate.diagnostics.empty() ? "unchanged" : "warned";
    case Candidate::Outcome::kBuilt:
      return candidate.diagnostics.empty() ? "done" : "warned";
    case Candidate::Outcome::kFailed:
      return "failed";
    case Candidate::Outcome::kSkipped:
      return "skipped";
  }
  return "failed";
}

const char* StatusOf(LoadOutcome::Kind kind) {
  switch (kind) {
    case LoadOutcome::Kind::kUnchanged:
      return "unchanged";
    case LoadOutcome::Kind::kLoaded:
      return "done";
    case LoadOutcome::Kind::kFailed:
      return "failed";
  }
  return "failed";
}

}  // namespace

state::Step StepOf(const StreamOutcome& outcome, int64_t run) {
  return {.run = run,
          .table = outcome.stream,
          .step = "extract",
          .status = StatusOf(outcome),
          .rows_read = outcome.rows_read,
          .rows_written = outcome.rows_written,
          .rows_repeated = outcome.rows_repeated,
          .rows_rejected = outcome.rows_rejected,
          .rows_deleted = outcome.rows_deleted,
          .rows_total = outcome.rows_total,
          .data_to = outcome.as_of,
          .started = outcome.started,
          .ended = outcome.ended,
          .diagnostic = JsonOf(outcome.diagnostic)};
}

bool FailUnequal(StreamOutcome& outcome) {
  const bool failed = outcome.kind == StreamOutcome::Kind::kFailed;
  const int64_t accounted = outcome.rows_written + outcome.rows_repeated + outcome.rows_rejected;
  if (failed || outcome.rows_read == accounted) return false;
  outcome.kind = StreamOutcome::Kind::kFailed;
  outcome.diagnostic =
      Diagnostic{.code = "LEAT0719",
                 .message = fmt::format(
                     "{}: read {} rows and accounted for {} (written {} + repeated {} + rejected {}); expected equal "
                     "counts",
                     outcome.stream, outcome.rows_read, accounted, outcome.rows_written, outcome.rows_repeated,
                     outcome.rows_rejected),
                 .help = {"leat retry  reads it once more; if the counts differ again, report it"},
                 .notes = {"nothing of this read was published, so that no row is lost"}};
  return true;
}

state::Step StepOf(const models::StreamVerdict& verdict, const std::string& stream, int64_t run, Timestamp started) {
  const auto broken = std::count_if(verdict.checks.begin(), verdict.checks.end(),
                                    [](const auto& check) { return check.diagnostic.has_value(); });
  const auto judged = static_cast<int64_t>(verdict.checks.size());
  return {.run = run,
          .table = stream,
          .step = "check",
          .status = !verdict.ok() ? "failed"
                    : broken > 0  ? "warned"
                                  : "done",
          .rows_read = judged,
          .rows_written = judged - broken,
          .started = started,
          .ended = SystemClock().Now(),
          .diagnostic = JsonOf(FirstOf(verdict.diagnostics))};
}

state::Step StepOf(const Candidate& candidate, int64_t run, Timestamp started) {
  return {.run = run,
          .table = candidate.model->name,
          .step = "build",
          .status = StatusOf(candidate),
          .rows_written = candidate.rows_written,
          .rows_rejected = candidate.rows_rejected,
          .rows_total = candidate.rows_total,
          .started = started,
          .ended = SystemClock().Now(),
          .diagnostic = JsonOf(FirstOf(candidate.diagnostics))};
}

std::vector<state::Step> StepsOf(const Candidate& candidate, int64_t run, Timestamp started) {
  std::vector<state::Step> steps = {StepOf(candidate, run, started)};
  if (candidate.checks.empty()) return steps;
  const auto failed = std::count_if(candidate.checks.begin(), candidate.checks.end(),
                                    [](const auto& check) { return check.diagnostic.has_value(); });
  const auto judged = static_cast<int64_t>(candidate.checks.size());
  state::Step checks = steps[0];
  checks.step = "check";
  checks.status = candidate.ok() ? (failed > 0 ? "warned" : "done") : steps[0].status;
  checks.rows_read = judged;
  checks.rows_written = judged - failed;
  checks.rows_rejected = 0;
  steps.push_back(checks);
  return steps;
}

state::Step StepOf(const LoadOutcome& outcome, int64_t run, Timestamp started) {
  return {.run = run,
          .table = outcome.model,
          .step = "load",
          .status = StatusOf(outcome.kind),
          .rows_written = outcome.rows_sent,
          .rows_deleted = outcome.rows_deleted,
          .started = started,
          .ended = SystemClock().Now(),
          .diagnostic = JsonOf(outcome.diagnostic)};
}

TableCounts CountTables(const std::vector<state::Step>& steps) {
  std::set<std::string> done, failed, skipped;
  for (const state::Step& step : steps)
    (step.status == "failed" ? failed : step.status == "skipped" ? skipped : done).insert(step.table);
  std::erase_if(skipped, [&](const std::string& table) { return failed.contains(table); });
  std::erase_if(done, [&](const std::string& table) { return failed.contains(table) || skipped.contains(table); });
  return {static_cast<int>(done.size()), static_cast<int>(failed.size()), static_cast<int>(skipped.size())};
}

std::set<std::string> TablesUndone(const std::vector<state::Step>& steps) {
  std::set<std::string> tables;
  for (const state::Step& step : steps)
    if (step.status == "failed" || step.status == "skipped" || IsWarnedOfError(step)) tables.insert(step.table);
  return tables;
}

bool IsWarnedOfError(const state::Step& step) {
  return step.step == "extract" && step.status == "warned" &&
         ParseDiagnosticJson(step.diagnostic).severity == Severity::kError;
}

std::optional<Diagnostic> FirstOf(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics)
    if (diagnostic.severity == Severity::kError) return diagnostic;
  if (diagnostics.empty()) return std::nullopt;
  return diagnostics.front();
}

}  // namespace leat::pipeline
