#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace leat::config {

/// Turns byte offsets in a text file into places. Keeps a view of the text, which must outlive it. Used by one thread.
class TextPlaces {
 public:
  TextPlaces(std::string file, std::string_view text);

  /// The place of `bytes` bytes from `offset`; what lies past the line's end is cut off, so the span is never empty
  /// unless the line is.
  Place At(size_t offset, size_t bytes) const;
  /// The place of what stands from `offset` to the end of its line, without blanks and comment (`#`) at its end; at
  /// most 400 bytes of it.
  Place RestOfLine(size_t offset) const;

  std::string_view text() const { return text_; }

 private:
  size_t LineOf(size_t offset) const;
  size_t LineEnd(size_t line) const;
  int ColumnOf(size_t line, size_t offset) const;

  std::string file_;
  std::string_view text_;
  std::vector<size_t> line_starts_;
  // The last column counted. Places are asked for mostly in the order of the text, and a line may be a megabyte long.
  mutable size_t counted_line_ = 0;
  mutable size_t counted_offset_ = 0;
  mutable int counted_column_ = 0;
};

}  // namespace leat::config
