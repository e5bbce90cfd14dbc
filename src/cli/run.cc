#include "pipeline/run.h"

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/run_summary.h"
#include "cli/signals.h"

namespace leat::cli {
namespace {

ProgressContext ContextOf(Session& session) {
  return {.terminal = session.err_terminal(),
          .write = [&err = session.err()](std::string_view text) { err.Write(text); },
          .cancel = &session.cancel(),
          .loudness = session.line().loudness,
          .log_format = session.line().log_format,
          .logged = &session.logged()};
}

}  // namespace

ExitCode Run(Session& session) {
  const CommandLine& line = session.line();
  const config::Project project = session.OpenProject();
  const pipeline::RunOptions options{.select = line.select, .exclude = line.exclude, .full_refresh = line.full_refresh};
  const std::unique_ptr<Progress> progress = MakeProgress(ContextOf(session));
  const auto run = [&] {
    const ProgressTicker ticker(*progress);
    return pipeline::Run(project, options, *progress, session.cancel());
  };
  const pipeline::RunSummary summary = run();
  session.Answer(FormatRunSummary(summary, session.out_terminal()), RunSummaryJson(summary), summary.diagnostics);
  if (summary.run.status == "cancelled") return static_cast<ExitCode>(128 + ReceivedSignal());
  return ExitCodeOf(summary);
}

}  // namespace leat::cli
