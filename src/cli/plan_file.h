#pragma once

#include <string>

#include "cli/json_document.h"
#include "config/project.h"
#include "pipeline/run.h"

namespace leat::cli {

/// A plan that `leat plan -o` has saved, for `leat run --apply`.
struct SavedPlan {
  std::string path;
  pipeline::RunOptions options;  ///< the selection it was made for
  Json data;                     ///< as PlanJson
};

/// The content of the file: `{"format": 1, …}` and a line end.
std::string FormatPlanFile(const Json& data);

/// Throws: Error(kConfig, LEAT0532) for what is no plan, or one of another project.
SavedPlan ReadPlanFile(const std::string& path, const config::Project& project);

/// Compare with the plan made just now. Expected rows and times, and what rows wait, may differ.
/// Throws: Error(kConfig, LEAT0530) naming the tables about which the two differ.
void RequireStillTrue(const SavedPlan& saved, const Json& now);

}  // namespace leat::cli
