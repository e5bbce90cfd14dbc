#include "cli/commands.h"

namespace leat::cli {

ExitCode Schema(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
