#pragma once

#include <vector>

#include "config/project.h"
#include "core/cancel.h"

namespace leat::pipeline {

struct Validation {
  std::vector<Diagnostic> diagnostics;
  bool unreachable = false;  ///< a source that had to be asked did not answer, so that not all was checked
  int sources = 0, streams = 0, models = 0, checks = 0;  ///< checks: rules of heads and files of checks/
};

/// Check a project's SQL: names, order, and each model prepared against empty tables. Columns of streams are those of
/// the last run, else looked up at the source; `connect_never` (`--fast`) leaves models of unknown streams unprepared.
enum class LookUp { kWhereUnknown, kNever };
Validation Validate(const config::Project& project, LookUp look_up, const CancelFlag& cancel);

}  // namespace leat::pipeline
