#include "cli/plan.h"

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/plan_file.h"
#include "cli/plan_report.h"

namespace leat::cli {

ExitCode AnswerPlan(Session& session, const config::Project& project, const pipeline::RunOptions& options) {
  const CommandLine& line = session.line();
  const pipeline::PlannedChanges changes = pipeline::PlanChanges(project, options, session.cancel());
  const Json data = PlanJson(project, options, changes);
  const bool is_answer = line.output == "-";
  if (is_answer) session.out().Write(FormatPlanFile(data));
  if (!line.output.empty() && !is_answer) {
    OutputFile file(line.output);
    file.Write(FormatPlanFile(data));
    file.Finish();
  }
  const auto detail = line.all || line.loudness == Loudness::kVerbose ? PlanDetail::kEverything : PlanDetail::kChanges;
  if (is_answer)
    session.PrintDiagnostics(changes.diagnostics);
  else
    session.Answer(FormatPlan(project, options, changes, detail, session.Invocation(), SystemClock().Now(),
                              session.out_terminal()),
                   data, changes.diagnostics);
  if (HasErrors(changes.diagnostics) || changes.Count(pipeline::PlannedTable::Change::kRefused) > 0) return kSomeFailed;
  return line.exit_code && !changes.IsEmpty() ? kChangesPending : kAllDone;
}

ExitCode Plan(Session& session) {
  const CommandLine& line = session.line();
  const config::Project project = session.OpenProject();
  return AnswerPlan(
      session, project,
      {.select = line.select, .exclude = line.exclude, .full_refresh = line.full_refresh, .wait = line.wait});
}

}  // namespace leat::cli
