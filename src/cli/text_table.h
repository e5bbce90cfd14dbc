#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace leat::cli {

/// Rows of cells for people, each column as wide as its widest cell, indented by two.
class TextTable {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
    int leaves = 0;  ///< rank at which a terminal that is too narrow goes without it, 1 first; 0: it stays
  };
  struct Cell {
    std::string text;
    Tint tint = Tint::kNone;
  };

  /// `note_title` stands above the notes.
  explicit TextTable(std::vector<Column> columns, std::string note_title = "");

  /// Add a row, a cell for each column. `note` is free text behind them, below them where there is no room.
  void Add(std::vector<Cell> cells, std::string note = "");

  std::string Format(const Terminal& terminal) const;

 private:
  struct Row {
    std::vector<Cell> cells;
    std::string note;
  };
  std::vector<int> Widths(const Terminal& terminal) const;
  std::string FormatRow(const Row& row, const std::vector<int>& widths, const Terminal& terminal) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;  ///< the titles first
};

}  // namespace leat::cli
