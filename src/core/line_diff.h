#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace leat {

/// Lines of a text that went and came at one place.
struct Hunk {
  int line = 0;  ///< of the new text, from 1: the first of `added`, or the one before which `removed` stood
  std::vector<std::string> removed;
  std::vector<std::string> added;

  bool operator==(const Hunk&) const = default;
};

/// What turns `before` into `after`, in as few lines as possible; blanks at the end of a line do not count, nor do
/// empty lines at the end of a text. Texts of more than 2000 differing lines each are one hunk.
std::vector<Hunk> DiffLines(std::string_view before, std::string_view after);

}  // namespace leat
