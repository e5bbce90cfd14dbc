#include "config/redact.h"

#include <algorithm>
#include <cctype>

#include "config/fields.h"
#include "core/error.h"
#include "core/file_system.h"
#include "core/text.h"

namespace leat::config {
namespace {

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

/// Replace each character, which may be several bytes, by one star.
std::string Stars(std::string_view hidden) { return std::string(static_cast<size_t>(CharacterCount(hidden)), '*'); }

/// What stands after a secret's key in one line.
struct SecretValue {
  size_t begin = 0;
  size_t end = 0;
  bool open = false;  ///< the value may go on in the next lines
};

/// Keep `${NAME}` with its quotes; hide the rest of the line otherwise.
SecretValue ValueAt(std::string_view line, size_t begin) {
  while (begin < line.size() && std::string_view("\"': \t").find(line[begin]) != std::string_view::npos) ++begin;
  const std::string_view rest = line.substr(begin);
  if (rest.empty() || rest[0] == '#') return {begin, begin, true};
  if (rest.starts_with("${")) {
    const size_t close = rest.find('}');
    const std::string_view after = close == std::string_view::npos ? rest : rest.substr(close + 1);
    if (close != std::string_view::npos &&
        (after.empty() || std::string_view("\"' \t,}\r").find(after[0]) != std::string_view::npos))
      return {begin, begin, false};
  }
  // A quote that is not closed, a block text or a flow map may go on below.
  return {begin, line.size(), true};
}

/// Whether the word from `begin` to `end` can be a key: one stands at the beginning of a line or of an entry of a flow
/// map, where its colon may be forgotten, or has a colon.
bool IsKeyPlace(std::string_view line, size_t begin, size_t end) {
  const size_t after = line.find_first_not_of("\"' \t", end);
  const char next = after == std::string_view::npos ? '\0' : line[after];
  if (next == ':' || next == '=') return true;
  const size_t before = line.substr(0, begin).find_last_not_of("\"' \t-");
  return (before == std::string_view::npos || line[before] == '{' || line[before] == ',') && next != ',' &&
         next != ']' && next != '}';
}

/// The first secret's value in a line that is a key's; nullopt if there is none.
/// \param users_too  users are keys of an API
std::optional<SecretValue> FindSecret(std::string_view line, bool users_too) {
  for (size_t i = 0; i < line.size();) {
    if (!IsWordCharacter(line[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < line.size() && IsWordCharacter(line[end])) ++end;
    const std::string_view word = line.substr(i, end - i);
    const bool is_secret = end - i <= 64 && (NamesSecret(word) || (users_too && word == "user"));
    if (is_secret && IsKeyPlace(line, i, end)) {
      const SecretValue value = ValueAt(line, end);
      if (value.open) return value;
    }
    i = end;
  }
  return std::nullopt;
}

size_t Indentation(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t");
  return first == std::string_view::npos ? line.size() : first;
}

}  // namespace

std::string RedactSecrets(std::string_view yaml) {
  std::string shown;
  // Lines below a secret's key that are indented more belong to its value; one that follows an empty value does in any
  // case.
  std::optional<size_t> key_indentation;
  bool value_awaited = false;
  const bool users_too = yaml.find("type: basic") != std::string_view::npos;
  for (const std::string& line : Split(yaml, '\n')) {
    const bool blank = Trim(line).empty();
    const bool inside = key_indentation && (value_awaited || Indentation(line) > *key_indentation);
    if (blank) {
      shown += line;
    } else if (inside) {
      shown += line.substr(0, Indentation(line)) + Stars(Trim(line));
      value_awaited = false;
    } else {
      const auto secret = FindSecret(line, users_too);
      key_indentation = secret ? std::optional(Indentation(line)) : std::nullopt;
      value_awaited = secret && secret->begin == secret->end;
      shown += secret ? RedactUrls(line.substr(0, secret->begin)) + Stars(std::string_view(line).substr(secret->begin))
                      : RedactUrls(line);
    }
    shown += '\n';
  }
  shown.pop_back();
  return shown;
}

std::string RedactUrls(std::string_view text) {
  std::string shown(text);
  for (size_t scheme = shown.find("://"); scheme != std::string::npos; scheme = shown.find("://", scheme + 3)) {
    const size_t begin = scheme + 3;
    const size_t end = std::min(shown.find_first_of("/ \t\"'\n", begin), shown.size());
    const size_t at = shown.rfind('@', end);
    const size_t colon = shown.find(':', begin);
    if (at == std::string::npos || at < begin || colon == std::string::npos || colon > at) continue;
    shown.replace(colon + 1, at - colon - 1, Stars(std::string_view(shown).substr(colon + 1, at - colon - 1)));
  }
  return shown;
}

std::optional<std::string> TextForDisplay(const std::string& project_folder, const std::string& file) {
  try {
    std::string text = ReadFile(JoinPath(project_folder, file));
    if (file.ends_with(".yaml") || file.ends_with(".yml")) return RedactSecrets(text);
    return text;
  } catch (const Error&) {
    // A window is a courtesy; the diagnostic stands without it.
    return std::nullopt;
  }
}

}  // namespace leat::config
