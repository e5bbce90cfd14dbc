#include "cli/commands.h"

namespace leat::cli {

ExitCode Doctor(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
