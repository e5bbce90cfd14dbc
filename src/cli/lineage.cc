#include "pipeline/lineage.h"

#include "cli/commands.h"
#include "cli/lineage_report.h"

namespace leat::cli {

ExitCode Lineage(Session& session) {
  const config::Project project = session.OpenProject();
  const pipeline::LineageGraph lineage = pipeline::ReadLineage(project, session.line().subject, session.cancel());
  session.Answer(session.line().dot ? LineageDot(lineage) : FormatLineage(lineage, session.out_terminal()),
                 LineageJson(lineage));
  return kAllDone;
}

}  // namespace leat::cli
