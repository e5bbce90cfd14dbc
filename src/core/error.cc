#include "core/error.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat {

std::string Place::ToString() const {
  if (line == 0) return file;
  if (column == 0) return fmt::format("{}:{}", file, line);
  return fmt::format("{}:{}:{}", file, line, column);
}

bool HasErrors(const std::vector<Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
}

Error::Error(ErrorKind kind, std::string_view code, Place place, std::string message) : kind_(kind) {
  diagnostic_.code = code;
  diagnostic_.place = std::move(place);
  diagnostic_.message = std::move(message);
  Compose();
}

Error::Error(ErrorKind kind, std::string_view code, std::string message)
    : Error(kind, code, Place{}, std::move(message)) {}

Error::Error(ErrorKind kind, Diagnostic diagnostic) : kind_(kind), diagnostic_(std::move(diagnostic)) { Compose(); }

Error&& Error::Hint(std::string hint) && {
  diagnostic_.help.push_back(std::move(hint));
  return std::move(*this);
}

Error&& Error::Note(std::string note) && {
  diagnostic_.notes.push_back(std::move(note));
  return std::move(*this);
}

Error&& Error::Label(std::string label) && {
  diagnostic_.label = std::move(label);
  return std::move(*this);
}

Error&& Error::Candidates(std::vector<std::string> candidates) && {
  if (!candidates.empty())
    diagnostic_.help.insert(diagnostic_.help.begin(), fmt::format("did you mean {}?", candidates.front()));
  diagnostic_.candidates = std::move(candidates);
  return std::move(*this);
}

void Error::SetPlace(const Place& place) {
  if (diagnostic_.place.known()) return;
  diagnostic_.place = place;
  Compose();
}

void Error::Compose() {
  what_ = diagnostic_.place.known() ? fmt::format("{}: {}", diagnostic_.place.ToString(), diagnostic_.message)
                                    : diagnostic_.message;
}

void SuggestNearest(Diagnostic& diagnostic, std::string_view word, const std::vector<std::string>& known) {
  diagnostic.candidates = NearestNames(word, known);
  if (diagnostic.candidates.empty()) return;
  diagnostic.help.insert(diagnostic.help.begin(), fmt::format("did you mean {}?", diagnostic.candidates.front()));
}

}  // namespace leat
