#include "core/line_diff.h"

#include <algorithm>
#include <cstdint>

#include "core/text.h"

namespace leat {
namespace {

constexpr size_t kLinesMax = 2000;

using Lines = std::vector<std::string>;

Lines LinesOf(std::string_view text) {
  Lines lines = Split(text, '\n');
  for (std::string& line : lines) line.erase(line.find_last_not_of(" \t\r") + 1);
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

/// For each pair of lines, how many lines the rests of both texts have in common, in order.
class CommonLines {
 public:
  CommonLines(const Lines& before, const Lines& after)
      : width_(after.size() + 1), counts_((before.size() + 1) * width_) {
    for (size_t i = before.size(); i-- > 0;)
      for (size_t j = after.size(); j-- > 0;)
        counts_[i * width_ + j] = before[i] == after[j] ? static_cast<uint16_t>(From(i + 1, j + 1) + 1)
                                                        : std::max(From(i + 1, j), From(i, j + 1));
  }

  uint16_t From(size_t i, size_t j) const { return counts_[i * width_ + j]; }

 private:
  size_t width_;
  std::vector<uint16_t> counts_;
};

}  // namespace

std::vector<Hunk> DiffLines(std::string_view before, std::string_view after) {
  Lines old_lines = LinesOf(before), new_lines = LinesOf(after);
  const auto [old_begin, new_begin] =
      std::mismatch(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end());
  const auto same = static_cast<size_t>(new_begin - new_lines.begin());
  old_lines.erase(old_lines.begin(), old_begin);
  new_lines.erase(new_lines.begin(), new_begin);
  while (!old_lines.empty() && !new_lines.empty() && old_lines.back() == new_lines.back())
    old_lines.pop_back(), new_lines.pop_back();
  if (std::max(old_lines.size(), new_lines.size()) > kLinesMax)
    return {{.line = static_cast<int>(same) + 1, .removed = old_lines, .added = new_lines}};

  const CommonLines common(old_lines, new_lines);
  std::vector<Hunk> hunks;
  bool is_apart = true;  // an equal line parts two hunks
  size_t i = 0, j = 0;
  const auto hunk = [&]() -> Hunk& {
    if (!hunks.empty() && !is_apart) return hunks.back();
    is_apart = false;
    return hunks.emplace_back(Hunk{.line = static_cast<int>(same + j) + 1, .removed = {}, .added = {}});
  };
  while (i < old_lines.size() || j < new_lines.size()) {
    const bool has_both = i < old_lines.size() && j < new_lines.size();
    if (has_both && old_lines[i] == new_lines[j]) {
      ++i, ++j;
      is_apart = true;
    } else if (j == new_lines.size() || (has_both && common.From(i + 1, j) >= common.From(i, j + 1))) {
      hunk().removed.push_back(old_lines[i++]);
    } else {
      hunk().added.push_back(new_lines[j++]);
    }
  }
  return hunks;
}

}  // namespace leat
