#pragma once

#include "core/cancel.h"

namespace leat::cli {

/// Let the first SIGINT or SIGTERM set `cancel`, and the second end the process at once. SIGPIPE is ignored: a reader
/// that went away shows as a failed write. `cancel` must outlive the process's threads.
void InstallSignalHandlers(CancelFlag& cancel);

/// Take the numbers of standard streams that were closed before us (`leat run >&-`), or the next file that is opened
/// would be written to as if it were one. Reading and writing them fails as before.
void ReserveStandardStreams();

/// SIGINT or SIGTERM if one has come, else 0.
int ReceivedSignal();

}  // namespace leat::cli
