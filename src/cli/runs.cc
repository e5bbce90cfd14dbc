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

[[noreturn]] void ThrowNotInLog(int64_t run, const std::string& table, const std::vector<std::string>& tables) {
  Diagnostic fault{.code = "LEAT0535", .message = fmt::format("the log of run {} has no line about '{}'", run, table)};
  SuggestNearest(fault, table, tables);
  if (fault.help.empty()) fault.help.push_back(fmt::format("leat runs show {}  lists the tables it worked on", run));
  throw Error(kConfig, std::move(fault));
}

ExitCode ShowLog(Session& session, const config::Project& project) {
  const int64_t run = pipeline::ReadRun(project, session.line().run).run.number;
  const std::string path = pipeline::RunLogPath(project, run);
  if (!PathExists(path))
    throw Error(kInternal, "LEAT0519", fmt::format("run {} left no log: {} is absent", run, path))
        .Hint(fmt::format("its steps are recorded:  leat runs show {}", run));
  const std::string log = ReadFile(path);
  const std::string& table = session.line().table;
  const std::string text = FormatLog(log, table, session.line().json ? LogFormat::kJson : LogFormat::kText);
  if (text.empty() && !table.empty()) ThrowNotInLog(run, table, TablesInLog(log));
  // Each line is a document of its own, so --json wraps nothing around them.
  session.out().Write(text);
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
