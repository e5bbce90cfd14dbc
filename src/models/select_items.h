#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/syntax_tree.h"

namespace leat::models {

/// An expression of a select list as it was written.
struct SelectItem {
  std::string text;  ///< without its alias; blanks and comments are one blank
  size_t begin = 0;  ///< bytes of the statement's text
  size_t length = 0;
};

/// The items of the outermost select list, one for each entry of `select`'s. Empty where the statement is more than one
/// SELECT (a set operation), since a column then has several expressions.
std::vector<SelectItem> SelectItemsOf(std::string_view sql, const Json& select);

}  // namespace leat::models
