#include "cli/commands.h"

namespace leat::cli {

ExitCode Man(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
