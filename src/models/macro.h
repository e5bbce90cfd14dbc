#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/syntax_tree.h"

namespace leat::models {

struct MacroParameter {
  std::string name;                      ///< lower case
  std::optional<Json> value_if_omitted;  ///< an expression
};

/// One form of a macro: `(parameters) AS …`.
struct MacroBody {
  std::vector<MacroParameter> parameters;
  bool is_table = false;
  Json query;  ///< of a scalar one the SELECT of its expression
};

/// One CREATE MACRO of the project.
struct Macro {
  std::string name;    ///< `shop.pence`, lower case
  std::string schema;  ///< empty: unqualified
  const config::MacroFile* file = nullptr;
  size_t begin = 0;  ///< of its statement in the file's text
  size_t word = 0;   ///< of the word MACRO in it
  size_t end = 0;
  std::vector<MacroBody> bodies;  ///< of each overload
};

}  // namespace leat::models
