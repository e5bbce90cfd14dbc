#pragma once

#include <string>
#include <vector>

#include "config/yaml.h"

namespace leat::config {

class Values;
struct Section;

/// A value of leat.yaml as it counts: with the target and the environment laid over, or by default. Its node knows
/// where it came from.
struct Setting {
  std::vector<std::string> path;  ///< {"connections", "totesys", "host"}
  YamlPointer value;              ///< a single value or a list; of a secret where it is, never the secret

  /// `connections.totesys.host`.
  std::string name() const;
};

/// List all values below a checked map, in the order in which its section declares them; maps of sections in the order
/// of the file.
std::vector<Setting> ListSettings(const Values& values, const Section& section);

}  // namespace leat::config
