#pragma once

#include <string>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "config/project.h"
#include "pipeline/planned_changes.h"

namespace leat::cli {

enum class PlanDetail {
  kChanges,    ///< what would change
  kEverything  ///< also how each source is read where nothing would, and long differences of SQL in full
};

/// The answer of `leat plan`: a line per table that would change with what is different below it, the rest as one line,
/// what would happen to the warehouse's tables, and the counts. On a terminal lists are wrapped at its width.
/// `leat`: how the commands in it begin.
std::string FormatPlan(const config::Project& project, const pipeline::RunOptions& options,
                       const pipeline::PlannedChanges& changes, PlanDetail detail, const std::string& leat,
                       Timestamp now, const Terminal& terminal);

/// `data` of `leat plan --json`, and with `format` the file of `leat plan -o`.
Json PlanJson(const config::Project& project, const pipeline::RunOptions& options,
              const pipeline::PlannedChanges& changes);

}  // namespace leat::cli
