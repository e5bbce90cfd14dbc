#include "pipeline/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "pipeline/freshness.h"
#include "pipeline/plan.h"
#include "pipeline/status.h"
#include "pipeline/workspace.h"

namespace leat::pipeline {
namespace {

/// The selected models whose rows are published; the others go to `never_built`.
std::set<std::string> PublishedOf(const Plan& plan, const Workspace& workspace, std::vector<std::string>& never_built) {
  std::set<std::string> published;
  for (const std::string& name : plan.models) {
    const config::Model& model = *plan.graph.Find(name)->model;
    if (workspace.tables().contains({model.name_space, model.table}))
      published.insert(name);
    else
      never_built.push_back(name);
  }
  return published;
}

bool IsSelected(const Plan& plan, const std::string& table) {
  return plan.models.contains(table) || plan.chosen_streams.contains(table);
}

/// Whether there is anything to judge: a model, or a stream with a rule or a promise.
bool HasSubject(const config::Project& project, const Plan& plan) {
  return !plan.models.empty() ||
         std::any_of(plan.chosen_streams.begin(), plan.chosen_streams.end(), [&](const std::string& name) {
           const config::StreamProperties* stream = project.FindStream(name);
           return (stream != nullptr && stream->CanFail()) || !project.FreshnessOf(name).empty();
         });
}

/// The rules of schema.yml about the selected streams; one that was never loaded has nothing to judge.
void JudgeStreams(const config::Project& project, const Plan& plan, Workspace& workspace, CheckReport& report) {
  for (const config::StreamProperties& stream : project.streams) {
    if (!plan.chosen_streams.contains(stream.name) || !stream.CanFail()) continue;
    if (!workspace.engine().Knows(stream.name)) {
      report.never_built.push_back(stream.name);
      continue;
    }
    models::StreamVerdict verdict = models::JudgeStream(workspace.engine(), project, stream);
    std::move(verdict.checks.begin(), verdict.checks.end(), std::back_inserter(report.checks));
    std::move(verdict.diagnostics.begin(), verdict.diagnostics.end(), std::back_inserter(report.diagnostics));
  }
}

/// How old the data of the selected tables is, where a promise is made and something was loaded.
void JudgeAges(const config::Project& project, const Plan& plan, CheckReport& report) {
  const Timestamp now = SystemClock().Now();
  for (const TableStatus& table : ReadStatus(project, now).tables) {
    if (!IsSelected(plan, table.name) || table.promise.empty() || !table.loaded) continue;
    models::CheckOutcome outcome{.table = table.name, .rule = "freshness"};
    outcome.diagnostic = JudgeFreshness(table.name, table.promise, table.data_to, now);
    if (outcome.diagnostic && outcome.diagnostic->severity == Severity::kWarning)
      outcome.severity = config::CheckSeverity::kWarn;
    if (outcome.diagnostic) report.diagnostics.push_back(*outcome.diagnostic);
    report.checks.push_back(std::move(outcome));
  }
}

void AddOnce(std::vector<Diagnostic>& diagnostics, const Diagnostic& diagnostic) {
  if (std::find(diagnostics.begin(), diagnostics.end(), diagnostic) == diagnostics.end())
    diagnostics.push_back(diagnostic);
}

}  // namespace

CheckReport Check(const config::Project& project, const std::string& select, const std::string& exclude,
                  const CancelFlag& cancel) {
  Workspace workspace(project, Workspace::Access::kRead, cancel);
  models::Macros macros(workspace.engine().connection(), project.macros);
  const Plan plan = MakePlanOfLake(project, {.select = select, .exclude = exclude}, workspace, macros);
  if (!HasSubject(project, plan) && !Trim(select).empty())
    throw Error(kConfig, "LEAT0124",
                fmt::format("selection '{}' holds no model, and no stream with a rule or a promise", select))
        .Hint(fmt::format("check what is made from it:  leat check {}+", select));
  CheckReport report;
  JudgeStreams(project, plan, workspace, report);
  models::Builder builder(workspace.engine(), workspace.writer(), project, plan.graph, macros,
                          {.run_time = SystemClock().Now(),
                           .selected = PublishedOf(plan, workspace, report.never_built),
                           .committed = workspace.tables()});
  models::Builder::Result result = builder.JudgePublished();
  for (models::Candidate& candidate : result.candidates) {
    for (const Diagnostic& diagnostic : candidate.diagnostics) AddOnce(report.diagnostics, diagnostic);
    std::move(candidate.checks.begin(), candidate.checks.end(), std::back_inserter(report.checks));
  }
  for (models::CheckOutcome& check : result.checks) {
    if (check.diagnostic) AddOnce(report.diagnostics, *check.diagnostic);
    report.checks.push_back(std::move(check));
  }
  JudgeAges(project, plan, report);
  return report;
}

}  // namespace leat::pipeline
