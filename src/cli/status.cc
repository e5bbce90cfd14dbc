#include "pipeline/status.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/status_report.h"

namespace leat::cli {

ExitCode Status(Session& session) {
  const config::Project project = session.OpenProject();
  const Timestamp now = SystemClock().Now();
  const pipeline::ProjectStatus status = pipeline::ReadStatus(project, now);
  const auto healthy = session.line().all ? HealthyTables::kAll : HealthyTables::kFew;
  std::vector<Diagnostic> faults;
  if (status.fault) faults.push_back(*status.fault);
  session.Answer(FormatStatus(project.name, status, healthy, now, session.out_terminal()),
                 StatusJson(project.name, status), faults);
  if (status.fault) return kSomeFailed;
  const bool needs_attention = std::any_of(
      status.tables.begin(), status.tables.end(),
      [](const pipeline::TableStatus& table) { return table.state != "healthy" && table.state != "never loaded"; });
  return session.line().exit_code && needs_attention ? kSomeFailed : kAllDone;
}

}  // namespace leat::cli
