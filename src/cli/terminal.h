#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace leat::cli {

/// What one stream can show. Decided per stream: `leat run 2>log` still has a colourful answer.
struct Terminal {
  int width = 0;         ///< columns; 0: no terminal, so nothing is cut, grouped or coloured
  int height = 0;        ///< lines; 0: unknown, or no terminal
  bool escapes = false;  ///< colour and redrawing are understood and wanted
  bool unicode = false;  ///< the locale is UTF-8; else only ASCII is drawn (values of users stay as they are)

  bool is_terminal() const { return width > 0; }
};

enum class EscapesWish { kAuto, kNever };

/// Look at stream `fd` and at NO_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG.
Terminal DetectTerminal(int fd, EscapesWish wish);

enum class Tint { kNone, kBold, kDim, kRed, kGreen, kAmber, kBlue };

/// `text` in a colour, or as it is where there are none.
std::string Paint(const Terminal& terminal, Tint tint, std::string_view text);

/// Signs and drawing characters, in Unicode or plain ASCII.
struct Signs {
  const char* done;       ///< ✓
  const char* failed;     ///< ✗
  const char* warned;     ///< !
  const char* skipped;    ///< ·
  const char* unchanged;  ///< =
  const char* dot;        ///< · between parts of a sentence
  const char* ellipsis;   ///< …
  const char* minus;      ///< −
  const char* unequal;    ///< ≠
  const char* dash;       ///< – for nothing
  const char* bar_full;   ///< █
  const char* bar_empty;  ///< ░
  const char* spinner[10];
};

const Signs& SignsOf(const Terminal& terminal);

/// Columns that `text` takes on a terminal: wide East Asian characters and emoji two, combining marks none.
int DisplayWidth(std::string_view text);

/// Cut to `width` columns, ending in an ellipsis if something was cut. Escape sequences are not understood.
std::string FitWidth(const Terminal& terminal, std::string_view text, int width);

std::string PadRight(std::string_view text, int width);
std::string PadLeft(std::string_view text, int width);

/// A count for people: in groups of three on a terminal that shows the thin space, else plain digits.
std::string FormatCount(const Terminal& terminal, int64_t count);

/// `1 table`, `3 tables`.
std::string FormatNumberOf(const Terminal& terminal, int64_t count, std::string_view noun);

}  // namespace leat::cli
