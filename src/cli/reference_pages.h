#pragma once

#include <string>
#include <vector>

namespace leat::cli {

/// A page of docs/reference.
struct ReferencePage {
  std::string file;  ///< `source.md`
  std::string text;  ///< Markdown
};

/// One page for each kind of file, from the declarations of its keys, and one for the commands, from theirs; an index
/// first.
std::vector<ReferencePage> ReferencePages();

}  // namespace leat::cli
