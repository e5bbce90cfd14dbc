#pragma once

#include <string>
#include <vector>

#include "config/yaml.h"

namespace leat::config {

/// Report what of a schema.yml is dbt's and not leat's, each time with what leat has instead, and take it out: LEAT0130
/// keys, LEAT0131 tests, LEAT0132 Jinja.
YamlPointer WithoutForeign(const YamlPointer& root, std::vector<Diagnostic>& diagnostics);

/// `ref('dim_design')` or `source('totesys', 'payment')`, which are names here.
struct DbtCall {
  std::string function;
  std::vector<std::string> arguments;
};

/// Parse such a call; an empty function for any other text.
DbtCall ParseDbtCall(const std::string& text);

}  // namespace leat::config
