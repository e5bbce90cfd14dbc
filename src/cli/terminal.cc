#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "core/text.h"

namespace leat::cli {
namespace {

constexpr int kWidthDefault = 80;
constexpr int kWidthMin = 20;

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The locale as setlocale() would choose it, without paying for loading it.
bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = ToLower(Variable(name));
    if (!value.empty()) return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
  }
  return false;
}

int TerminalWidth(int fd) {
  const std::string columns = Variable("COLUMNS");
  if (!columns.empty() && columns.size() < 6 && columns.find_first_not_of("0123456789") == std::string::npos) {
    const int width = std::stoi(columns);
    if (width > 0) return std::max(width, kWidthMin);
  }
  winsize size{};
  if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return std::max<int>(size.ws_col, kWidthMin);
  return kWidthDefault;
}

int TerminalHeight(int fd) {
  winsize size{};
  return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

const char* CodeOf(Tint tint) {
  switch (tint) {
    case Tint::kBold:
      return "1";
    case Tint::kDim:
      return "2";
    case Tint::kRed:
      return "31";
    case Tint::kGreen:
      return "32";
    case Tint::kAmber:
      return "33";
    case Tint::kBlue:
      return "34";
    case Tint::kNone:
      break;
  }
  return "0";
}

/// Take one character off the front of valid UTF-8; a broken byte counts as itself.
char32_t TakeCharacter(std::string_view& text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  size_t length = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (!IsValidUtf8(text.substr(0, length))) length = 1;
  char32_t code = length == 1 ? lead : lead & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<uint8_t>(text[i]) & 0x3FU);
  text.remove_prefix(length);
  return code;
}

bool InRanges(char32_t code, const auto& ranges) {
  for (const auto& [first, last] : ranges)
    if (code >= first && code <= last) return true;
  return false;
}

// Blocks of Unicode's EastAsianWidth.txt (W and F) and of combining marks, as far as tables of a business hold them.
constexpr std::array<std::pair<char32_t, char32_t>, 11> kWide = {{{0x1100, 0x115F},
                                                                  {0x2E80, 0x303E},
                                                                  {0x3041, 0x33FF},
                                                                  {0x3400, 0x4DBF},
                                                                  {0x4E00, 0x9FFF},
                                                                  {0xA000, 0xA4CF},
                                                                  {0xAC00, 0xD7A3},
                                                                  {0xF900, 0xFAFF},
                                                                  {0xFE30, 0xFE6F},
                                                                  {0xFF00, 0xFF60},
                                                                  {0x1F300, 0x3FFFD}}};
constexpr std::array<std::pair<char32_t, char32_t>, 5> kCombining = {
    {{0x0300, 0x036F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}};

int WidthOf(char32_t code) {
  if (code < 0x300) return 1;
  return InRanges(code, kCombining) ? 0 : InRanges(code, kWide) ? 2 : 1;
}

}  // namespace

Terminal DetectTerminal(int fd, EscapesWish wish) {
  Terminal terminal;
  terminal.unicode = LocaleIsUtf8();
  if (isatty(fd) == 0) return terminal;
  terminal.width = TerminalWidth(fd);
  terminal.height = TerminalHeight(fd);
  const std::string term = Variable("TERM");
  terminal.escapes = !term.empty() && term != "dumb" && wish == EscapesWish::kAuto && Variable("NO_COLOR").empty();
  return terminal;
}

std::string Paint(const Terminal& terminal, Tint tint, std::string_view text) {
  if (!terminal.escapes || tint == Tint::kNone || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", CodeOf(tint), text);
}

const Signs& SignsOf(const Terminal& terminal) {
  static constexpr Signs kUnicode = {
      "✓", "✗", "!", "·", "=", "·", "…", "−", "≠", "–", "█", "░", {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}};
  static constexpr Signs kAscii = {"ok",
                                   "x",
                                   "!",
                                   "-",
                                   "=",
                                   "-",
                                   "...",
                                   "-",
                                   "!=",
                                   "-",
                                   "#",
                                   ".",
                                   {"|", "/", "-", "\\", "|", "/", "-", "\\", "|", "/"}};
  return terminal.unicode ? kUnicode : kAscii;
}

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) width += WidthOf(TakeCharacter(text));
  return width;
}

std::string FitWidth(const Terminal& terminal, std::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  const std::string ellipsis = SignsOf(terminal).ellipsis;
  int left = width - DisplayWidth(ellipsis);
  std::string_view rest = text;
  size_t kept = 0;
  while (!rest.empty()) {
    left -= WidthOf(TakeCharacter(rest));
    if (left < 0) break;
    kept = text.size() - rest.size();
  }
  return std::string(text.substr(0, kept)) + ellipsis;
}

std::string PadRight(std::string_view text, int width) {
  return std::string(text) + std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ');
}

std::string PadLeft(std::string_view text, int width) {
  return std::string(static_cast<size_t>(std::max(0, width - DisplayWidth(text))), ' ') + std::string(text);
}

std::string FormatCount(const Terminal& terminal, int64_t count) {
  return terminal.is_terminal() && terminal.unicode ? GroupDigits(count) : std::to_string(count);
}

std::string FormatNumberOf(const Terminal& terminal, int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", FormatCount(terminal, count), noun, count == 1 ? "" : "s");
}

}  // namespace leat::cli
