#include "cli/text_table.h"

#include <algorithm>
#include <numeric>

namespace leat::cli {
namespace {

constexpr int kNoteWidthMin = 40;  // narrower, a note stands below its row

/// A width of 0 is that of a column that is left out.
int TotalWidth(const std::vector<int>& widths) {
  return std::accumulate(widths.begin(), widths.end(), 0,
                         [](int sum, int width) { return sum + (width > 0 ? width + 2 : 0); });
}

std::string WithoutTrailingBlanks(const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1); }

}  // namespace

TextTable::TextTable(std::vector<Column> columns, std::string note_title) : columns_(std::move(columns)) {
  Row titles{.cells = {}, .note = std::move(note_title)};
  for (const Column& column : columns_) titles.cells.push_back({column.title});
  rows_.push_back(std::move(titles));
}

void TextTable::Add(std::vector<Cell> cells, std::string note) { rows_.push_back({std::move(cells), std::move(note)}); }

std::vector<int> TextTable::Widths(const Terminal& terminal) const {
  std::vector<int> widths(columns_.size());
  for (size_t column = 0; column < widths.size(); ++column)
    for (const Row& row : rows_) widths[column] = std::max(widths[column], DisplayWidth(row.cells[column].text));
  for (int rank = 1; rank <= static_cast<int>(columns_.size()); ++rank)
    for (size_t column = 0; column < widths.size(); ++column)
      if (columns_[column].leaves == rank && terminal.is_terminal() && TotalWidth(widths) > terminal.width)
        widths[column] = 0;
  return widths;
}

std::string TextTable::FormatRow(const Row& row, const std::vector<int>& widths, const Terminal& terminal) const {
  std::string line;
  for (size_t column = 0; column < widths.size(); ++column) {
    if (widths[column] == 0) continue;
    const Cell& cell = row.cells[column];
    const std::string padded = columns_[column].align == Align::kRight ? PadLeft(cell.text, widths[column])
                                                                       : PadRight(cell.text, widths[column]);
    line += "  " + Paint(terminal, cell.tint, padded);
  }
  if (row.note.empty()) return WithoutTrailingBlanks(line) + "\n";
  if (!terminal.is_terminal()) return line + "  " + row.note + "\n";
  const int left = terminal.width - TotalWidth(widths) - 2;
  if (left >= std::min(kNoteWidthMin, DisplayWidth(row.note)))
    return line + "  " + FitWidth(terminal, row.note, left) + "\n";
  return WithoutTrailingBlanks(line) + "\n" + FitWidth(terminal, "      " + row.note, terminal.width) + "\n";
}

std::string TextTable::Format(const Terminal& terminal) const {
  const std::vector<int> widths = Widths(terminal);
  std::string text;
  for (const Row& row : rows_) text += FormatRow(row, widths, terminal);
  return text;
}

}  // namespace leat::cli
