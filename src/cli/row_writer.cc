#include "cli/row_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "cli/cell.h"
#include "core/text.h"

namespace leat::cli {
namespace {

// A column is rather left out than cut below this: dates, times and most numbers stay whole.
constexpr int kColumnWidthMin = 12;
constexpr size_t kFlushBytes = 64 * 1024;

std::vector<std::string> ColumnNames(const duck::Result& result) {
  std::vector<std::string> names;
  for (idx_t column = 0; column < result.column_count(); ++column) names.push_back(result.ColumnName(column));
  return names;
}

std::vector<std::string> DistinctNames(const std::vector<std::string>& names) {
  std::set<std::string> taken(names.begin(), names.end());
  std::set<std::string> used;
  std::vector<std::string> distinct;
  for (const std::string& name : names) {
    std::string unique = name;
    for (int number = 1; used.contains(unique) || (number > 1 && taken.contains(unique)); ++number)
      unique = fmt::format("{}_{}", name, number);
    used.insert(unique);
    distinct.push_back(unique);
  }
  return distinct;
}

std::vector<CellReader> ReadersOf(const duck::Chunk& chunk, const std::vector<std::string>& names) {
  std::vector<CellReader> readers;
  for (idx_t column = 0; column < chunk.column_count(); ++column)
    readers.emplace_back(chunk.vector(column), names[column]);
  return readers;
}

/// Call `use(readers, chunk, row)` for the first rows and count the others.
template <typename Use>
RowsWritten ForEachRow(duck::Result& result, const RowLimit& limit, const Use& use) {
  const std::vector<std::string> names = ColumnNames(result);
  std::vector<CellReader> readers;
  RowsWritten written;
  while (const auto chunk = result.Next()) {
    if (readers.empty()) readers = ReadersOf(*chunk, names);
    for (idx_t row = 0; row < chunk->size(); ++row) {
      if (written.rows == limit.rows_max) {
        written.omitted += static_cast<int64_t>(chunk->size() - row);
        if (limit.rest == RowLimit::Rest::kLookOnce) return {.rows = written.rows, .omitted = 1};
        break;
      }
      use(readers, *chunk, row);
      ++written.rows;
    }
  }
  return written;
}

/// Hands text on in large pieces.
class Buffer {
 public:
  explicit Buffer(const TextSink& sink) : sink_(sink) {}
  std::string& text() { return text_; }
  void FlushIfFull() {
    if (text_.size() >= kFlushBytes) Flush();
  }
  void Flush() {
    if (!text_.empty()) sink_(text_);
    text_.clear();
  }

 private:
  const TextSink& sink_;
  std::string text_;
};

void AppendCsvField(std::string_view text, std::string& line) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) line += c == '"' ? std::string("\"\"") : std::string(1, c);
  line += '"';
}

RowsWritten WriteCsv(duck::Result& result, const RowLimit& limit, const TextSink& sink) {
  Buffer buffer(sink);
  const auto names = ColumnNames(result);
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) buffer.text() += ',';
    AppendCsvField(names[i], buffer.text());
  }
  buffer.text() += '\n';
  const RowsWritten written = ForEachRow(result, limit, [&](const auto& readers, const duck::Chunk& chunk, idx_t row) {
    for (idx_t column = 0; column < readers.size(); ++column) {
      if (column > 0) buffer.text() += ',';
      if (chunk.IsNull(column, row)) continue;
      AppendCsvField(readers[column].Text(chunk.vector(column), row), buffer.text());
    }
    buffer.text() += '\n';
    buffer.FlushIfFull();
  });
  buffer.Flush();
  return written;
}

RowsWritten WriteJson(duck::Result& result, const RowLimit& limit, const TextSink& sink) {
  Buffer buffer(sink);
  const auto names = DistinctNames(ColumnNames(result));
  const char* before = "\n";
  buffer.text() += '[';
  const RowsWritten written = ForEachRow(result, limit, [&](const auto& readers, const duck::Chunk& chunk, idx_t row) {
    buffer.text() += before;
    before = ",\n";
    for (idx_t column = 0; column < readers.size(); ++column) {
      buffer.text() += column == 0 ? '{' : ',';
      AppendJsonString(names[column], buffer.text());
      buffer.text() += ':';
      readers[column].AppendJson(chunk.vector(column), row, buffer.text());
    }
    buffer.text() += '}';
    buffer.FlushIfFull();
  });
  buffer.text() += written.rows > 0 ? "\n]\n" : "]\n";
  buffer.Flush();
  return written;
}

/// A value on one line, its control characters spelled out: data must not steer the terminal.
std::string OneLine(const std::string& text) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      line += "\\n";
    else if (c == '\r')
      line += "\\r";
    else if (c == '\t')
      line += "\\t";
    else
      line += byte < 32 || byte == 127 ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return line;
}

struct TableCell {
  std::string text;
  bool is_null = false;
};

/// The characters of a box: corners and crossings of its three lines, and its two strokes.
struct Frame {
  const char* top[3];
  const char* middle[3];
  const char* bottom[3];
  const char* across;
  const char* down;
};
constexpr Frame kUnicodeFrame = {{"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}, "─", "│"};
constexpr Frame kAsciiFrame = {{"+", "+", "+"}, {"+", "+", "+"}, {"+", "+", "+"}, "-", "|"};

/// A result held whole, drawn at the end.
class Table {
 public:
  Table(std::vector<std::string> names, const Terminal& terminal) : names_(std::move(names)), terminal_(terminal) {
    for (std::string& name : names_) name = OneLine(name);
    is_number_.resize(names_.size(), false);
  }

  void SetNumber(size_t column) { is_number_[column] = true; }
  void Add(std::vector<TableCell> row) { rows_.push_back(std::move(row)); }

  std::string Draw() {
    FitColumns();
    const Frame& frame = terminal_.unicode ? kUnicodeFrame : kAsciiFrame;
    std::vector<TableCell> header;
    for (const std::string& name : names_) header.push_back({name});
    std::string text = Rule(frame, frame.top) + Line(frame, header, Tint::kBold) + Rule(frame, frame.middle);
    for (const auto& row : rows_) text += Line(frame, row, Tint::kNone);
    text += Rule(frame, frame.bottom);
    if (shown_ < names_.size()) text += OmittedColumns();
    return text;
  }

 private:
  void FitColumns() {
    for (size_t column = 0; column < names_.size(); ++column) {
      int width = DisplayWidth(names_[column]);
      for (const auto& row : rows_) width = std::max(width, DisplayWidth(row[column].text));
      widths_.push_back(std::max(width, 1));
    }
    shown_ = widths_.size();
    if (!terminal_.is_terminal()) return;
    for (int& width : widths_) width = std::min(width, terminal_.width);
    while (shown_ > 1 && LeastWidth() > terminal_.width) --shown_;
    while (TotalWidth() > terminal_.width) {
      const auto widest = std::max_element(widths_.begin(), widths_.begin() + static_cast<std::ptrdiff_t>(shown_));
      if (*widest <= 1) return;
      --*widest;
    }
  }

  int LeastWidth() const {
    int width = 1;
    for (size_t column = 0; column < shown_; ++column) width += std::min(widths_[column], kColumnWidthMin) + 3;
    return width;
  }
  int TotalWidth() const {
    return std::accumulate(widths_.begin(), widths_.begin() + static_cast<std::ptrdiff_t>(shown_), 1,
                           [](int sum, int width) { return sum + width + 3; });
  }

  std::string Rule(const Frame& frame, const char* const (&ends)[3]) const {
    std::string line = ends[0];
    for (size_t column = 0; column < shown_; ++column) {
      if (column > 0) line += ends[1];
      for (int i = 0; i < widths_[column] + 2; ++i) line += frame.across;
    }
    return line + ends[2] + "\n";
  }

  std::string Line(const Frame& frame, const std::vector<TableCell>& cells, Tint tint) const {
    std::string line = frame.down;
    for (size_t column = 0; column < shown_; ++column) {
      const std::string fitted = FitWidth(terminal_, cells[column].text, widths_[column]);
      const std::string padded =
          is_number_[column] ? PadLeft(fitted, widths_[column]) : PadRight(fitted, widths_[column]);
      line += " " + Paint(terminal_, cells[column].is_null ? Tint::kDim : tint, padded) + " " + frame.down;
    }
    return line + "\n";
  }

  std::string OmittedColumns() const {
    const std::vector<std::string> omitted(names_.begin() + static_cast<std::ptrdiff_t>(shown_), names_.end());
    const std::string line = fmt::format("{} {}: {}", SignsOf(terminal_).ellipsis,
                                         FormatNumberOf(terminal_, static_cast<int64_t>(omitted.size()), "more column"),
                                         Join(omitted, ", "));
    return FitWidth(terminal_, line, terminal_.width) + "\n";
  }

  std::vector<std::string> names_;
  const Terminal& terminal_;
  std::vector<bool> is_number_;
  std::vector<std::vector<TableCell>> rows_;
  std::vector<int> widths_;
  size_t shown_ = 0;
};

RowsWritten WriteTable(duck::Result& result, const RowLimit& limit, const Terminal& terminal, const TextSink& sink) {
  Table table(ColumnNames(result), terminal);
  const RowsWritten written = ForEachRow(result, limit, [&](const auto& readers, const duck::Chunk& chunk, idx_t row) {
    std::vector<TableCell> cells;
    for (idx_t column = 0; column < readers.size(); ++column) {
      if (readers[column].is_number()) table.SetNumber(column);
      cells.push_back({OneLine(readers[column].Text(chunk.vector(column), row)), chunk.IsNull(column, row)});
    }
    table.Add(std::move(cells));
  });
  sink(table.Draw());
  return written;
}

}  // namespace

RowsWritten WriteRows(duck::Result& result, RowFormat format, const RowLimit& limit, const Terminal& terminal,
                      const TextSink& sink) {
  switch (format) {
    case RowFormat::kCsv:
      return WriteCsv(result, limit, sink);
    case RowFormat::kJson:
      return WriteJson(result, limit, sink);
    case RowFormat::kTable:
      break;
  }
  return WriteTable(result, limit, terminal, sink);
}

}  // namespace leat::cli
