#include "cli/commands.h"
#include "cli/config_report.h"

namespace leat::cli {

ExitCode Config(Session& session) {
  const config::Project project = session.OpenProject();
  const auto values = EffectiveValues(project, session.line().threads);
  const Origins origins = session.line().origin ? Origins::kShown : Origins::kHidden;
  session.Answer(FormatConfig(project, values, origins, session.out_terminal()), ConfigJson(project, values));
  return kAllDone;
}

}  // namespace leat::cli
