#pragma once

#include "cli/json_document.h"
#include "config/yaml.h"

namespace leat::cli {

/// A value of a YAML file as JSON, by YAML's core schema: plain `true`, `false`, `null` and whole numbers are what they
/// look like, everything else is text.
Json ToJson(const config::YamlNode& node);

/// The same for a value as it stands in a file: `[a, "b"]`, `{x: 1}`, `5m`.
Json YamlTextToJson(std::string_view text);

}  // namespace leat::cli
