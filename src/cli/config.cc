#include "cli/commands.h"

namespace leat::cli {

ExitCode Config(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
