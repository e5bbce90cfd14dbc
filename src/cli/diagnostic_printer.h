#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace leat::cli {

/// Gives the text of a file that a place names; nullopt if it cannot be had: then the window is left out.
using SourceText = std::function<std::optional<std::string>(const std::string& file)>;

enum class Color { kOff, kOn };
enum class Drawing { kAscii, kUtf8 };
enum class Show {
  kFirst,  ///< the first 20 diagnostics, then how many more there are
  kAll
};

/// Draws diagnostics for people, YAML and SQL alike:
///
///     error[LEAT0203]: column "department_nam" does not exist in totesys.department
///       ┌─ models/mart/dim_staff.sql:7:10
///     6 │        s.first_name,
///     7 │        d.department_nam
///       │          ^^^^^^^^^^^^^^ not in totesys.department
///       = help: did you mean department_name?
///       = more: leat explain LEAT0203
///
/// One diagnostic takes at most 20 lines: what is too much of its help, notes and places looked in is cut, notes first.
/// Source lines are shown up to 100 characters, around the span; tabs are drawn as four blanks, other control
/// characters as `?`, so that a file cannot write to the terminal.
class DiagnosticPrinter {
 public:
  DiagnosticPrinter(SourceText source, Color color, Drawing drawing)
      : source_(std::move(source)), color_(color), drawing_(drawing) {}

  /// Format one diagnostic; its lines end in '\n'.
  std::string Format(const Diagnostic& diagnostic) const;

  /// Format a list, with an empty line between two of them.
  std::string FormatList(const std::vector<Diagnostic>& diagnostics, Show show) const;

 private:
  std::vector<std::string> Window(const Place& place, const std::string& label) const;
  std::string Paint(const char* escape, const std::string& text) const;

  SourceText source_;
  Color color_;
  Drawing drawing_;
};

}  // namespace leat::cli
