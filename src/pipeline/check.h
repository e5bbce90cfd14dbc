#pragma once

#include <string>
#include <vector>

#include "config/project.h"
#include "core/cancel.h"
#include "models/models.h"

namespace leat::pipeline {

/// What the checks of published rows found.
struct CheckReport {
  std::vector<models::CheckOutcome> checks;  ///< of streams, of models in their order, of the files of checks/, and
                                             ///< whether data is fresh where that is promised
  std::vector<std::string> never_built;      ///< selected models without published rows
  std::vector<Diagnostic> diagnostics;       ///< of the checks that failed, and of those that cannot be judged
};

/// Judge every rule of the selected tables, and the files of checks/ that read one of their models or no model at all,
/// in full over the rows as published; and how old their data is. Builds and publishes nothing, takes no lease, asks no
/// source. Throws: InvalidProject; Error(kConfig, LEAT0120) for a selection that matches nothing, LEAT0124 for one of
/// streams without rule and promise; Cancelled.
CheckReport Check(const config::Project& project, const std::string& select, const std::string& exclude,
                  const CancelFlag& cancel);

}  // namespace leat::pipeline
