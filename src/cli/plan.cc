#include "cli/commands.h"

namespace leat::cli {

ExitCode Plan(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
