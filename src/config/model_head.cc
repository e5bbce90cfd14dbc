#include "config/model_head.h"

#include "config/text_places.h"
#include "core/text.h"

namespace leat::config {
namespace {

constexpr std::string_view kOpening = "/*";
constexpr std::string_view kDashes = "---";
constexpr std::string_view kClosing = "*/";

size_t SkipBlanks(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n')) ++at;
  return at;
}

/// One past the dashes of an opening at `at`; npos if there is none.
size_t AfterOpening(std::string_view text, size_t at) {
  if (!text.substr(at).starts_with(kOpening)) return std::string_view::npos;
  size_t dashes = at + kOpening.size();
  while (dashes < text.size() && text[dashes] == ' ') ++dashes;
  return text.substr(dashes).starts_with(kDashes) ? dashes + kDashes.size() : std::string_view::npos;
}

Error HeadError(const Place& place, std::string message, std::string help) {
  return Error(kConfig, "LEAT0119", place, std::move(message)).Hint(std::move(help));
}

/// A head below something else would be read as a comment, and its keys would silently not count.
void RefuseMisplacedHead(const TextPlaces& places) {
  const std::string_view text = places.text();
  for (size_t at = text.find(kOpening); at != std::string_view::npos; at = text.find(kOpening, at + 1)) {
    const bool starts_line = at == 0 || text[at - 1] == '\n';
    const size_t after = AfterOpening(text, at);
    if (!starts_line || after == std::string_view::npos || text.find("--- */", after) == std::string_view::npos)
      continue;
    throw HeadError(places.RestOfLine(at), "a head stands below other text; expected it at the start of the file",
                    "move it up, before comments and SQL");
  }
}

}  // namespace

std::optional<HeadRange> FindHead(const std::string& file, std::string_view text) {
  const TextPlaces places(file, text);
  const size_t start = SkipBlanks(text, text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
  const size_t begin = AfterOpening(text, start);
  if (begin == std::string_view::npos) {
    RefuseMisplacedHead(places);
    return std::nullopt;
  }
  const Place opening = places.RestOfLine(start);
  const size_t close = text.find(kClosing, begin);
  if (close == std::string_view::npos)
    throw HeadError(opening, "the head is not closed; expected '--- */' below it", "close it with  --- */");
  const size_t nested = text.substr(0, close).find(kOpening, begin);
  if (nested != std::string_view::npos) {
    throw HeadError(places.At(nested, kOpening.size()),
                    "the head holds '/*', which begins a comment inside this comment",
                    "write it otherwise, such as \"/\\x2a\" in double quotes");
  }
  const std::string_view inside = text.substr(begin, close - begin);
  const std::string_view trimmed = inside.substr(0, inside.find_last_not_of(" \t") + 1);
  if (!trimmed.ends_with(kDashes))
    throw HeadError(places.At(close, kClosing.size()), "the head is closed by '*/' alone; expected '--- */'",
                    "close it with  --- */");
  return HeadRange{begin, begin + trimmed.size() - kDashes.size()};
}

YamlPointer ReadHead(const std::string& file, std::string_view text, std::vector<Diagnostic>& diagnostics) {
  const auto head = FindHead(file, text);
  if (head) return ParseYaml(file, text, head->begin, head->end, diagnostics);
  return ParseYaml(file, text, 0, 0, diagnostics);
}

}  // namespace leat::config
