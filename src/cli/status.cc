#include "pipeline/status.h"

#include "cli/commands.h"
#include "cli/status_report.h"

namespace leat::cli {

ExitCode Status(Session& session) {
  const config::Project project = session.OpenProject();
  const pipeline::ProjectStatus status = pipeline::ReadStatus(project);
  const auto healthy = session.line().all ? HealthyTables::kAll : HealthyTables::kFew;
  session.Answer(FormatStatus(project.name, status, healthy, SystemClock().Now(), session.out_terminal()),
                 StatusJson(project.name, status));
  return kAllDone;
}

}  // namespace leat::cli
