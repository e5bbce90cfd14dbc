#include "cli/exit_code.h"

#include "cli/run_summary.h"

namespace leat::cli {

ExitCode ExitCodeOf(const Error& error) {
  switch (error.kind()) {
    case kConfig:
      return kNothingRun;
    case kConnection:
      return kNoConnection;
    case kConflict:
      return error.code() == "LEAT0510" ? kLeaseHeld : kSomeFailed;
    case kData:
      return kSomeFailed;
    case kInternal:
      break;
  }
  // A full or broken disk is nobody's bug; the 99xx codes are ours.
  return error.code().starts_with("LEAT99") ? kInternalError : kSomeFailed;
}

ExitCode ExitCodeOf(const pipeline::RunSummary& summary) {
  if (summary.connection_lost_everywhere) return kNoConnection;
  return summary.run.status == "succeeded" && Reconcile(summary).is_equal() ? kAllDone : kSomeFailed;
}

}  // namespace leat::cli
