#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/runs_report.h"
#include "core/file_system.h"
#include "pipeline/history.h"

namespace leat::cli {
namespace {

ExitCode ListRuns(Session& session, const config::Project& project) {
  const auto runs = pipeline::ReadRuns(project, session.line().rows);
  session.Answer(FormatRuns(runs, SystemClock().Now(), session.out_terminal()), RunsJson(runs));
  return kAllDone;
}

ExitCode ShowRun(Session& session, const config::Project& project) {
  const pipeline::RunRecord record = pipeline::ReadRun(project, session.line().run);
  session.Answer(FormatRunRecord(record, SystemClock().Now(), session.out_terminal()), RunRecordJson(record));
  return kAllDone;
}

ExitCode ShowLog(Session& session, const config::Project& project) {
  const int64_t run = pipeline::ReadRun(project, session.line().run).run.number;
  const std::string path = pipeline::RunLogPath(project, run);
  if (!PathExists(path))
    throw Error(kInternal, "LEAT0519", fmt::format("run {} left no log: {} is absent", run, path))
        .Hint(fmt::format("its steps are recorded:  leat runs show {}", run));
  // Each line is a document of its own, so --json wraps nothing around them.
  session.out().Write(
      FormatLog(ReadFile(path), session.line().table, session.line().json ? LogFormat::kJson : LogFormat::kText));
  return kAllDone;
}

}  // namespace

ExitCode Runs(Session& session) {
  const config::Project project = session.OpenProject();
  if (session.line().action == "list") return ListRuns(session, project);
  if (session.line().action == "show") return ShowRun(session, project);
  return ShowLog(session, project);
}

}  // namespace leat::cli
