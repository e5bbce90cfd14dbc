#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "config/project.h"
#include "config/yaml.h"

namespace leat::cli {

/// A value of leat.yaml as it counts for this command, from flags to defaults and what libpq adds.
struct EffectiveValue {
  std::vector<std::string> path;  ///< {"connections", "totesys", "host"}
  std::string yaml;               ///< as it stands in a file; empty: a secret that the file does not name
  Json json;
  std::string origin;  ///< the place that gave it; of a secret the place that has it
};

/// \param threads  as a flag gives them; the project's limits have them already
std::vector<EffectiveValue> EffectiveValues(const config::Project& project, std::optional<int> threads);

enum class Origins { kHidden, kShown };

/// The answer of `leat config`: a leat.yaml that says the same, with each value's place behind it if they are shown.
std::string FormatConfig(const config::Project& project, const std::vector<EffectiveValue>& values, Origins origins,
                         const Terminal& terminal);
Json ConfigJson(const config::Project& project, const std::vector<EffectiveValue>& values);

}  // namespace leat::cli
