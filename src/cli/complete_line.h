#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace leat::cli {

/// A word that may stand where the cursor is.
struct Candidate {
  std::string word;
  std::string text;  ///< a few words about it; may be empty
  bool operator==(const Candidate&) const = default;
};

/// What a shell is told.
struct Completions {
  std::vector<Candidate> candidates;
  enum class Paths { kNone, kFiles, kFolders } paths = Paths::kNone;  ///< names that the shell adds
};

/// Gives the names of one kind, by the noun that stands for them in a line of usage: `TABLE`, `RUN`, `CODE`. `folder`
/// is that of -C, or empty.
using NamesOf = std::function<std::vector<Candidate>(const std::string& noun, const std::string& folder)>;

/// Complete the last word of a line that was typed up to the cursor, the program's name in front. What fits follows
/// from the declarations of commands and flags: words in lower case stand there themselves, nouns ask `names_of`.
Completions CompleteLine(std::string_view line, const NamesOf& names_of);

/// The words of a line as a shell parts them, without quotes and backslashes; the last is the one at the cursor, empty
/// after a blank.
std::vector<std::string> ShellWords(std::string_view line);

}  // namespace leat::cli
