#pragma once

#include <span>

#include "core/error.h"
#include "pipeline/run.h"

namespace leat::cli {

/// What the shell is told. 130 and 143 are 128 + the number of the signal.
enum ExitCode : int {
  kAllDone = 0,
  kSomeFailed = 1,      ///< it ran, but a table, check or count failed
  kNothingRun = 2,      ///< wrong usage or invalid project
  kNoConnection = 3,    ///< no connection answered, so no table could be worked on
  kChangesPending = 4,  ///< of a plan with --exit-code
  kLeaseHeld = 5,       ///< another run is at work
  kInternalError = 70,
};

/// What a code tells, for help and the manual.
struct ExitCodeMeaning {
  int code;
  const char* meaning;
};
std::span<const ExitCodeMeaning> ExitCodeMeanings();

/// The code for an error that ended a command.
ExitCode ExitCodeOf(const Error& error);

/// The code for a run that came to its end. Counts that do not add up are a failure, whatever its status says.
ExitCode ExitCodeOf(const pipeline::RunSummary& summary);

}  // namespace leat::cli
