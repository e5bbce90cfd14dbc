#include "pipeline/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "pipeline/plan.h"
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
  if (plan.models.empty() && !Trim(select).empty())
    throw Error(kConfig, "LEAT0124", fmt::format("selection '{}' holds no model; only models are checked", select))
        .Hint(fmt::format("check what is made from it:  leat check {}+", select));
  CheckReport report;
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
  return report;
}

}  // namespace leat::pipeline
