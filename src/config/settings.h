#pragma once

#include <string>
#include <string_view>
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

/// The place that gave a value: `leat.yaml:4:1`, `target prod leat.yaml:31:9`, `variable LEAT_LAKE`, `default`.
std::string OriginText(const YamlNode& value, std::string_view target);

/// List all values below a checked map, in the order in which its section declares them; maps of sections in the order
/// of the file.
std::vector<Setting> ListSettings(const Values& values, const Section& section);

}  // namespace leat::config
