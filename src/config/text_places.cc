#include "config/text_places.h"

#include <algorithm>

#include "core/text.h"

namespace leat::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kRestBytesMax = 400;

}  // namespace

TextPlaces::TextPlaces(std::string file, std::string_view text) : file_(std::move(file)), text_(text), line_starts_{0} {
  for (size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') line_starts_.push_back(i + 1);
  // Editors do not count a byte order mark as a character.
  if (text.starts_with(kByteOrderMark)) line_starts_[0] = kByteOrderMark.size();
}

size_t TextPlaces::LineOf(size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return after == line_starts_.begin() ? 0 : static_cast<size_t>(after - line_starts_.begin()) - 1;
}

size_t TextPlaces::LineEnd(size_t line) const {
  size_t end = line + 1 < line_starts_.size() ? line_starts_[line + 1] - 1 : text_.size();
  if (end > line_starts_[line] && text_[end - 1] == '\r') --end;
  return end;
}

int TextPlaces::ColumnOf(size_t line, size_t offset) const {
  const bool goes_on = counted_column_ > 0 && counted_line_ == line && counted_offset_ <= offset;
  const size_t from = goes_on ? counted_offset_ : line_starts_[line];
  counted_column_ = (goes_on ? counted_column_ : 1) + CharacterCount(text_.substr(from, offset - from));
  counted_line_ = line;
  counted_offset_ = offset;
  return counted_column_;
}

Place TextPlaces::At(size_t offset, size_t bytes) const {
  const size_t line = LineOf(std::min(offset, text_.size()));
  const size_t start = line_starts_[line];
  const size_t end = LineEnd(line);
  offset = std::clamp(offset, start, end);
  const size_t stop = std::min(end, offset + std::max<size_t>(bytes, 1));
  const int column = ColumnOf(line, offset);
  const int characters = std::max(1, CharacterCount(text_.substr(offset, stop - offset)));
  return {file_, static_cast<int>(line) + 1, column, column + characters};
}

Place TextPlaces::RestOfLine(size_t offset) const {
  const size_t line = LineOf(std::min(offset, text_.size()));
  std::string_view rest = text_.substr(std::min(offset, text_.size()));
  rest = rest.substr(0, LineEnd(line) > offset ? std::min(LineEnd(line) - offset, kRestBytesMax) : 0);
  rest = rest.substr(0, rest.find(" #"));
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\t')) rest.remove_suffix(1);
  return At(offset, rest.size());
}

}  // namespace leat::config
