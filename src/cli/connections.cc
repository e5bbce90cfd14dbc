#include "cli/commands.h"

namespace leat::cli {

ExitCode Connections(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
