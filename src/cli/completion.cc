#include "cli/commands.h"

namespace leat::cli {

ExitCode Completion(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
