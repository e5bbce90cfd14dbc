#include "pipeline/run.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/junit.h"
#include "cli/plan.h"
#include "cli/plan_file.h"
#include "cli/plan_report.h"
#include "cli/progress.h"
#include "cli/run_log_file.h"
#include "cli/run_summary.h"
#include "cli/signals.h"
#include "pipeline/retry.h"

namespace leat::cli {
namespace {

ExitCode AnswerRun(Session& session, const pipeline::RunSummary& summary, const std::optional<Diagnostic>& log_loss) {
  std::vector<Diagnostic> diagnostics = summary.diagnostics;
  if (log_loss) diagnostics.push_back(*log_loss);
  Json data = RunSummaryJson(summary);
  data["target"] = session.target();
  session.Answer(FormatRunSummary(summary, session.out_terminal(), session.Invocation()), data, diagnostics);
  if (summary.run.status == "cancelled") return static_cast<ExitCode>(128 + ReceivedSignal());
  return ExitCodeOf(summary);
}

/// Run with progress on the terminal and a log beside the state database. Nothing: a retry had nothing to do.
std::optional<ExitCode> CarryOutRun(Session& session, const config::Project& project,
                                    const pipeline::RunOptions& options, JunitReport* junit) {
  RunLogFile log(project, session.cancel());
  const auto run = [&] {
    const std::unique_ptr<Progress> shown = MakeProgress(ContextOf(session));
    ProgressTee progress(*shown, log);
    const ProgressTicker ticker(progress);
    return pipeline::Run(project, options, progress, session.cancel());
  };
  try {
    const pipeline::RunSummary summary = run();
    if (summary.run.number == 0 && summary.run.status == "succeeded") return std::nullopt;
    log.End(summary);
    if (junit != nullptr) junit->Add(summary);
    return AnswerRun(session, summary, log.loss());
  } catch (const Error& error) {
    log.BreakOff(error.diagnostic());
    throw;
  }
}

/// The selection of the plan that is to be applied, if it still says what a run would change.
pipeline::RunOptions OptionsOfPlan(Session& session, const config::Project& project) {
  SavedPlan saved = ReadPlanFile(session.line().apply, project);
  saved.options.wait = session.line().wait;
  const auto changes = pipeline::PlanChanges(project, saved.options, session.cancel());
  RequireStillTrue(saved, PlanJson(project, saved.options, changes));
  return saved.options;
}

ExitCode AnswerNothingToRetry(Session& session, const std::optional<state::Run>& run) {
  std::string why = "this project never ran";
  if (run && run->status == "succeeded") why = fmt::format("run {} succeeded", run->number);
  if (run && run->status != "succeeded") why = fmt::format("no table of run {} failed or was skipped", run->number);
  session.Answer(fmt::format("Nothing to retry: {}.\n", why), {{"run", nullptr}, {"nothing_to_retry", why}});
  return kAllDone;
}

}  // namespace

ExitCode Run(Session& session) {
  return WithJunit(session, [&](JunitReport& junit) {
    const CommandLine& line = session.line();
    const config::Project project = session.OpenProject();
    pipeline::RunOptions options = line.apply.empty() ? pipeline::RunOptions{.select = line.select,
                                                                             .exclude = line.exclude,
                                                                             .full_refresh = line.full_refresh,
                                                                             .from_landing = line.from_landing}
                                                      : OptionsOfPlan(session, project);
    options.wait = line.wait;
    if (line.dry_run) return AnswerPlan(session, project, options);
    return *CarryOutRun(session, project, options, &junit);
  });
}

ExitCode Retry(Session& session) {
  const config::Project project = session.OpenProject();
  const std::unique_ptr<Progress> progress = MakeProgress(ContextOf(session));
  pipeline::LeaseWait wait(session.line().wait, session.cancel(),
                           [&](const state::LeaseHolder& holder) { progress->Waiting(holder); });
  std::optional<pipeline::Retry> retry = pipeline::PlanRetry(project, session.line().run, wait);
  if (!retry) return AnswerNothingToRetry(session, std::nullopt);
  if (retry->options.only && retry->options.only->empty()) return AnswerNothingToRetry(session, retry->run);
  retry->options.wait = session.line().wait;
  const auto done = CarryOutRun(session, project, retry->options, /*junit=*/nullptr);
  return done ? *done : AnswerNothingToRetry(session, retry->run);
}

}  // namespace leat::cli
