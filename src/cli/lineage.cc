#include "cli/commands.h"

namespace leat::cli {

ExitCode Lineage(Session& session) {
  session.out().Write("");
  return kAllDone;
}

}  // namespace leat::cli
