#pragma once

#include <string>
#include <vector>

#include "models/syntax_tree.h"

namespace leat::models {

/// One CREATE MACRO of the project.
struct Macro {
  std::string name;    ///< `shop.pence`, lower case
  std::string schema;  ///< empty: unqualified
  const config::MacroFile* file = nullptr;
  size_t begin = 0;  ///< of its statement in the file's text
  size_t word = 0;   ///< of the word MACRO in it
  size_t end = 0;
  std::vector<Json> bodies;  ///< of each overload; a scalar one as the SELECT of its expression
};

}  // namespace leat::models
