#include "cli/explain_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/embedded.h"
#include "core/error.h"
#include "core/text.h"

namespace leat::cli {
namespace {

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// `203` as `LEAT0203`; what is no code stays as it is.
std::string FullCode(const std::string& typed) {
  const std::string lower = ToLower(Trim(typed));
  const std::string digits = lower.starts_with("leat") ? lower.substr(4) : lower;
  return IsNumber(digits) && digits.size() <= 4 ? fmt::format("LEAT{:0>4}", digits) : typed;
}

std::vector<std::string> CodesOf(const std::vector<EmbeddedFile>& pages) {
  std::vector<std::string> codes;
  for (const EmbeddedFile& page : pages) codes.emplace_back(page.path.substr(0, page.path.find('.')));
  return codes;
}

/// `02O3` as `0203`: letters that look like digits.
std::string WithDigits(std::string text) {
  for (char& c : text) {
    if (c == 'O' || c == 'o') c = '0';
    if (c == 'I' || c == 'l') c = '1';
  }
  return text;
}

/// Codes whose number is nearest: after a typing error, those of the same hundred.
std::vector<std::string> NearestCodes(const std::string& typed, const std::vector<EmbeddedFile>& pages) {
  const std::string word(Trim(typed));
  const std::string code = FullCode(WithDigits(ToLower(word).starts_with("leat") ? word.substr(4) : word));
  if (!code.starts_with("LEAT")) return {};
  const int number = std::stoi(code.substr(4));
  std::vector<std::pair<int, std::string>> by_distance;
  for (const std::string& known : CodesOf(pages))
    by_distance.emplace_back(std::abs(std::stoi(known.substr(4)) - number), known);
  std::sort(by_distance.begin(), by_distance.end());
  std::vector<std::string> nearest;
  for (size_t i = 0; i < by_distance.size() && i < 3; ++i) nearest.push_back(by_distance[i].second);
  return nearest;
}

/// `# LEAT0203: a name …` without its mark and code.
std::string TitleOf(std::string_view text) {
  const std::string_view heading = text.substr(0, text.find('\n'));
  const size_t colon = heading.find(": ");
  return std::string(colon == std::string_view::npos ? heading : heading.substr(colon + 2));
}

}  // namespace

ExplainPage FindExplainPage(const std::string& code) {
  const std::string full = FullCode(code);
  const std::vector<EmbeddedFile> pages = ExplainPages();
  for (const EmbeddedFile& page : pages)
    if (page.path == full + ".md") return {full, TitleOf(page.bytes), page.bytes};
  throw Error(kConfig, "LEAT0196", fmt::format("there is no code '{}'", code))
      .Candidates(NearestCodes(code, pages))
      .Hint("codes look like LEAT0203 and stand behind `error` or `warning` in a message");
}

}  // namespace leat::cli
