#include "config/http_source.h"

#include <algorithm>

namespace leat::config {
namespace {

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || (c >= '0' && c <= '9'); }

/// The end of the placeholder that begins at `begin`, behind its brace; npos: none begins there.
size_t PlaceholderEnd(std::string_view text, size_t begin) {
  if (text[begin] != '{' || begin + 1 >= text.size() || !IsNameStart(text[begin + 1])) return std::string_view::npos;
  size_t end = begin + 1;
  while (end < text.size() && IsNamePart(text[end])) ++end;
  return end < text.size() && text[end] == '}' ? end + 1 : std::string_view::npos;
}

/// Hand each stretch of plain text and each placeholder's name to one of two functions, in their order.
template <typename Plain, typename Placeholder>
void WalkTemplate(std::string_view text, Plain plain, Placeholder placeholder) {
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t end = PlaceholderEnd(text, i);
    if (end == std::string_view::npos) {
      ++i;
      continue;
    }
    plain(text.substr(begin, i - begin));
    placeholder(text.substr(i + 1, end - i - 2));
    begin = i = end;
  }
  plain(text.substr(begin));
}

}  // namespace

std::vector<std::string> PlaceholdersIn(std::string_view text) {
  std::vector<std::string> names;
  WalkTemplate(
      text, [](std::string_view) {},
      [&](std::string_view name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
      });
  return names;
}

std::string FillIn(std::string_view text, const std::map<std::string, std::string>& values) {
  std::string filled;
  WalkTemplate(
      text, [&](std::string_view plain) { filled += plain; },
      [&](std::string_view name) {
        const auto value = values.find(std::string(name));
        filled += value == values.end() ? "{" + std::string(name) + "}" : value->second;
      });
  return filled;
}

std::optional<std::vector<JsonStep>> ParseJsonPath(std::string_view text) {
  if (!text.starts_with('$')) return std::nullopt;
  text.remove_prefix(1);
  std::vector<JsonStep> steps;
  while (!text.empty()) {
    size_t end = std::string_view::npos;
    if (text.starts_with("[*]")) {
      steps.push_back({.each = true, .name = ""});
      end = 3;
    } else if (text.starts_with("['")) {
      const size_t quote = text.find("']", 2);
      if (quote == std::string_view::npos || quote == 2) return std::nullopt;
      steps.push_back({.each = false, .name = std::string(text.substr(2, quote - 2))});
      end = quote + 2;
    } else if (text.starts_with('.')) {
      end = std::min(text.find_first_of(".[", 1), text.size());
      if (end == 1) return std::nullopt;
      steps.push_back({.each = false, .name = std::string(text.substr(1, end - 1))});
    }
    if (end == std::string_view::npos) return std::nullopt;
    text.remove_prefix(end);
  }
  return steps;
}

std::map<std::string, std::string> HttpPartition::PlainValues(const std::string& partition_name) const {
  std::map<std::string, std::string> plain;
  for (const auto& [value_name, value] : values)
    if (!value.secret) plain[value_name] = value.text.value;
  if (!partition_name.empty()) plain[partition_name] = name.value;
  return plain;
}

Secret ResolveCredential(const Credential& credential, const HttpPartition& partition,
                         const std::string& partition_name) {
  if (credential.secret) return credential.secret->Resolve();
  std::map<std::string, std::string> values = partition.PlainValues(partition_name);
  for (const std::string& name : PlaceholdersIn(credential.text.value))
    if (const auto value = partition.values.find(name); value != partition.values.end() && value->second.secret)
      values[name] = value->second.secret->Resolve().Reveal();
  return Secret(FillIn(credential.text.value, values));
}

}  // namespace leat::config
