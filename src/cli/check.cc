#include "pipeline/check.h"

#include <algorithm>

#include "cli/check_report.h"
#include "cli/commands.h"
#include "cli/junit.h"

namespace leat::cli {

ExitCode Check(Session& session) {
  return WithJunit(session, [&](JunitReport& junit) {
    const CommandLine& line = session.line();
    const config::Project project = session.OpenProject();
    const pipeline::CheckReport report = pipeline::Check(project, line.select, line.exclude, session.cancel());
    junit.Add(report);
    session.Answer(FormatChecks(report, session.out_terminal()), ChecksJson(report), report.diagnostics);
    return HasErrors(report.diagnostics) ? kSomeFailed : kAllDone;
  });
}

}  // namespace leat::cli
