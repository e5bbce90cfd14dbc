#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leat {

/// Who has to act on an error.
enum class ErrorKind {
  kConfig,      ///< the project's author: change a file, a flag or a right
  kData,        ///< whoever sent the data
  kConnection,  ///< nobody at once: wait or mend the network; a retry helps
  kConflict,    ///< somebody else was first
  kInternal,    ///< us, or this machine's disk and memory
};
using enum ErrorKind;

/// A span in a text file of the project. Lines and columns count from 1, columns in Unicode characters; 0 means
/// unknown.
struct Place {
  std::string file;  ///< relative to the project's folder; empty: no place
  int line = 0;
  int column = 0;
  int end_column = 0;  ///< one past the last character, on the same line; 0: unknown

  bool known() const { return !file.empty(); }
  /// Format as `file:line:column`, leaving out what is unknown.
  std::string ToString() const;
  bool operator==(const Place&) const = default;
};

enum class Severity { kError, kWarning };

/// What a person is told about one fault. The printer in `cli/` draws it; `--json` and the run log store it.
struct Diagnostic {
  Severity severity = Severity::kError;
  std::string code;     ///< `LEAT0203`, never reused; `leat explain` has a page for each
  std::string message;  ///< stands alone: what, with real values and units, and what was expected
  Place place;
  std::string label;                    ///< short text under the caret; may be empty
  std::vector<std::string> looked_in;   ///< places searched, in order
  std::vector<std::string> help;        ///< what to do: commands or text to paste
  std::vector<std::string> notes;       ///< facts
  std::vector<std::string> candidates;  ///< nearest known names, best first

  bool operator==(const Diagnostic&) const = default;
};

/// Whether any of them is an error, not just a warning.
bool HasErrors(const std::vector<Diagnostic>& diagnostics);

/// The one exception type of leat; thrown by value.
///
///     throw Error(kConfig, "LEAT0117", place, "cursor column 'note' has type text; expected an integer or timestamp")
///         .Hint("set `cursor` to a column that only grows");
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string_view code, Place place, std::string message);
  /// An error that has no place in a file.
  Error(ErrorKind kind, std::string_view code, std::string message);
  /// An error that carries a finished diagnostic.
  Error(ErrorKind kind, Diagnostic diagnostic);

  /// Add one line of `= help:`.
  Error&& Hint(std::string hint) &&;
  /// Add one line of `= note:`.
  Error&& Note(std::string note) &&;
  /// Set the text under the caret.
  Error&& Label(std::string label) &&;
  /// Add names the author may have meant, best first; the first becomes a hint.
  Error&& Candidates(std::vector<std::string> candidates) &&;

  /// Give the error a place unless it has one.
  void SetPlace(const Place& place);

  ErrorKind kind() const { return kind_; }
  const std::string& code() const { return diagnostic_.code; }
  const std::string& message() const { return diagnostic_.message; }
  const Place& place() const { return diagnostic_.place; }
  const Diagnostic& diagnostic() const { return diagnostic_; }
  /// `place: message`, for logs and tests.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  void Compose();

  ErrorKind kind_;
  Diagnostic diagnostic_;
  std::string what_;
};

/// Fill `candidates` and a "did you mean" line of help from the nearest of `known`.
void SuggestNearest(Diagnostic& diagnostic, std::string_view word, const std::vector<std::string>& known);

}  // namespace leat
