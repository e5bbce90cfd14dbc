#include "cli/exit_code.h"

#include "cli/run_summary.h"

namespace leat::cli {
namespace {

constexpr ExitCodeMeaning kMeanings[] = {
    {kAllDone, "all done; there may be warnings"},
    {kSomeFailed, "a table, check or count failed; the others are done"},
    {kNothingRun, "wrong usage or invalid project; nothing was run"},
    {kNoConnection, "a connection did not answer, and no table could be worked on"},
    {4, "plan --exit-code: changes are pending"},
    {kLeaseHeld, "another run is at work, and --wait is over"},
    {kInternalError, "internal error; the message names the file to send"},
    {130, "interrupted (Ctrl-C); lake and positions are consistent"},
    {143, "terminated; lake and positions are consistent"},
};

}  // namespace

std::span<const ExitCodeMeaning> ExitCodeMeanings() { return kMeanings; }

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
