#include "pipeline/scope.h"

#include <fmt/format.h>

#include <charconv>

#include "core/text.h"

namespace leat::pipeline {
namespace {

constexpr std::string_view kRetryOf = "retry of run ";
constexpr std::string_view kExclude = "--exclude";
constexpr std::string_view kFullRefresh = "--full-refresh";
constexpr std::string_view kFromLanding = "--from-landing";

void AddWord(std::string& text, std::string_view word) {
  if (!text.empty()) text += ' ';
  text += word;
}

}  // namespace

std::string FormatScope(const Scope& scope) {
  if (scope.retry_of != 0) return fmt::format("{}{}", kRetryOf, scope.retry_of);
  std::string text;
  for (const std::string& word : Split(scope.select, ' '))
    if (!word.empty()) AddWord(text, word);
  for (const std::string& word : Split(scope.exclude, ' '))
    if (!word.empty()) AddWord(text, fmt::format("{} {}", kExclude, word));
  if (scope.full_refresh) AddWord(text, kFullRefresh);
  if (scope.from_landing) AddWord(text, kFromLanding);
  return text;
}

Scope ParseScope(const std::string& text) {
  Scope scope;
  if (text.starts_with(kRetryOf)) {
    std::from_chars(text.data() + kRetryOf.size(), text.data() + text.size(), scope.retry_of);
    return scope;
  }
  bool is_excluded = false;
  for (const std::string& word : Split(text, ' ')) {
    if (word == kFullRefresh)
      scope.full_refresh = true;
    else if (word == kFromLanding)
      scope.from_landing = true;
    else if (word != kExclude && !word.empty())
      AddWord(is_excluded ? scope.exclude : scope.select, word);
    is_excluded = word == kExclude;
  }
  return scope;
}

}  // namespace leat::pipeline
