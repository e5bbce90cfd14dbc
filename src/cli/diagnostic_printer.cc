#include "cli/diagnostic_printer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "core/text.h"

namespace leat::cli {
namespace {

constexpr size_t kDiagnosticLinesMax = 20;
constexpr size_t kDiagnosticsMax = 20;
constexpr int kWindowLinesMax = 5;
constexpr int kLinesBefore = 2;
constexpr int kSourceCharactersMax = 100;
constexpr int kLabelCharactersMax = 80;
/// Messages, help and notes are whole sentences; only a value pasted into them could make them this long.
constexpr int kTextCharactersMax = 500;

constexpr const char* kRed = "\x1b[1;31m";
constexpr const char* kYellow = "\x1b[1;33m";
constexpr const char* kBlue = "\x1b[34m";
constexpr const char* kBold = "\x1b[1m";
constexpr const char* kReset = "\x1b[0m";

/// The signs of the frame.
struct FrameSigns {
  std::string_view corner, bar, ellipsis;
};
constexpr FrameSigns kUtf8Signs{"┌─", "│", "…"};
constexpr FrameSigns kAsciiSigns{"-->", "|", "..."};

const FrameSigns& FrameSignsOf(Drawing drawing) { return drawing == Drawing::kUtf8 ? kUtf8Signs : kAsciiSigns; }

/// The characters of a line as they are drawn; one of the file may be several on the screen.
std::vector<std::string> Drawn(std::string_view line) {
  std::vector<std::string> drawn;
  if (!IsValidUtf8(line)) {
    for (const char c : line) drawn.emplace_back(c >= 0x20 && c < 0x7F ? std::string(1, c) : c == '\t' ? "    " : "?");
    return drawn;
  }
  for (const char c : line) {
    const auto byte = static_cast<uint8_t>(c);
    if ((byte & 0xC0) == 0x80)
      drawn.back() += c;
    else if (c == '\t')
      drawn.emplace_back("    ");
    else
      drawn.emplace_back(byte < 0x20 || byte == 0x7F ? "?" : std::string(1, c));
  }
  // U+0080 … U+009F are control characters too.
  for (std::string& character : drawn)
    if (character.size() == 2 && character[0] == '\xC2' && static_cast<uint8_t>(character[1]) < 0xA0) character = "?";
  return drawn;
}

std::string Concat(const std::vector<std::string>& characters, size_t begin, size_t end) {
  std::string text;
  for (size_t i = begin; i < end; ++i) text += characters[i];
  return text;
}

/// Text from outside, made fit for one line of a terminal.
std::string Clean(std::string_view text, int characters_max) {
  std::string flat(text);
  std::replace(flat.begin(), flat.end(), '\n', ' ');
  const auto drawn = Drawn(flat);
  return Shorten(Concat(drawn, 0, drawn.size()), characters_max);
}

/// Which characters of a wide line are shown: those around the span.
struct Slice {
  size_t begin, end;
};

Slice SliceFor(size_t characters, int column) {
  constexpr auto kMax = static_cast<size_t>(kSourceCharactersMax);
  if (characters <= kMax) return {0, characters};
  const size_t middle = column > 0 ? static_cast<size_t>(column) - 1 : 0;
  const size_t begin = std::min(middle > kMax / 2 ? middle - kMax / 2 : 0, characters - kMax);
  return {begin, begin + kMax};
}

std::string ShownLine(const std::vector<std::string>& drawn, Slice slice, const FrameSigns& signs) {
  return fmt::format("{}{}{}", slice.begin > 0 ? signs.ellipsis : "", Concat(drawn, slice.begin, slice.end),
                     slice.end < drawn.size() ? signs.ellipsis : "");
}

/// Blanks up to the span, then its carets.
std::string CaretLine(const std::vector<std::string>& drawn, Slice slice, const Place& place, const FrameSigns& signs) {
  const size_t start = std::max<size_t>(static_cast<size_t>(std::max(1, place.column)) - 1, slice.begin);
  const size_t stop = std::max(start + 1, static_cast<size_t>(std::max(0, place.end_column - 1)));
  const auto width = [&](size_t begin, size_t end) {
    int characters = 0;
    for (size_t i = begin; i < end; ++i) characters += i < drawn.size() ? CharacterCount(drawn[i]) : 1;
    return static_cast<size_t>(characters);
  };
  const size_t ahead = slice.begin > 0 ? static_cast<size_t>(CharacterCount(signs.ellipsis)) : 0;
  const size_t last = std::min(stop, std::max(slice.end, start + 1));
  return std::string(ahead + width(slice.begin, start), ' ') + std::string(width(start, last), '^');
}

void TrimEnd(std::string& line) {
  while (line.ends_with(' ')) line.pop_back();
}

/// `= help: first` and the other lines of the same kind below it, indented like the first.
void AddRemarks(std::vector<std::string>& lines, std::string_view kind, const std::vector<std::string>& remarks) {
  for (const std::string& remark : remarks) {
    for (const std::string& line : Split(remark, '\n')) {
      const bool first = &remark == &remarks.front() && lines.empty();
      lines.push_back(first ? fmt::format("= {}: {}", kind, Clean(line, kTextCharactersMax))
                            : std::string(kind.size() + 4, ' ') + Clean(line, kTextCharactersMax));
    }
  }
}

std::vector<std::string> Remarks(std::string_view kind, const std::vector<std::string>& remarks) {
  std::vector<std::string> lines;
  AddRemarks(lines, kind, remarks);
  return lines;
}

/// Places looked in, as many on a line as fit.
std::vector<std::string> LookedIn(const std::vector<std::string>& places, const FrameSigns& signs) {
  constexpr int kLineCharactersMax = 90;
  const std::string_view separator = signs.bar == "│" ? " ·" : ",";
  std::vector<std::string> lines;
  for (size_t i = 0; i < places.size(); ++i) {
    const std::string place =
        Clean(places[i], 2 * kLabelCharactersMax) + (i + 1 < places.size() ? std::string(separator) : "");
    if (lines.empty())
      lines.push_back("= looked in: " + place);
    else if (CharacterCount(lines.back()) + CharacterCount(place) < kLineCharactersMax)
      lines.back() += " " + place;
    else
      lines.push_back(std::string(13, ' ') + place);
  }
  return lines;
}

/// Cut the longest blocks that may be cut until all fit; help goes last, since it is what a person needs.
void FitInto(size_t lines_max, const std::vector<std::vector<std::string>*>& blocks, const FrameSigns& signs) {
  size_t lines = 0;
  for (const auto* block : blocks) lines += block->size();
  for (auto* block : blocks) {
    if (lines <= lines_max) return;
    const size_t over = lines - lines_max;
    const size_t kept = block->size() > over + 1 ? block->size() - over - 1 : 0;
    lines -= block->size();
    if (kept < block->size()) {
      block->resize(kept);
      if (kept > 0) block->push_back("  " + std::string(signs.ellipsis));
    }
    lines += block->size();
  }
}

}  // namespace

std::string DiagnosticPrinter::Paint(const char* escape, const std::string& text) const {
  return color_ == Color::kOn ? escape + text + kReset : text;
}

/// The lines around a place and its carets; only the file's name if its text cannot be had.
std::vector<std::string> DiagnosticPrinter::Window(const Place& place, const std::string& label) const {
  const FrameSigns& signs = FrameSignsOf(drawing_);
  const auto text = place.line > 0 && source_ ? source_(place.file) : std::nullopt;
  const auto source = text ? Split(*text, '\n') : std::vector<std::string>{};
  const bool shown = place.line > 0 && static_cast<size_t>(place.line) <= source.size();
  const size_t gutter = std::max<size_t>(1, shown ? std::to_string(place.line).size() : 1);
  const std::string margin(gutter + 1, ' ');
  std::vector<std::string> lines{margin + Paint(kBlue, std::string(signs.corner)) + " " +
                                 Clean(place.ToString(), kTextCharactersMax)};
  if (!shown) return lines;
  std::vector<std::string> drawn;
  Slice slice{0, 0};
  for (int line = std::max(1, place.line - kLinesBefore); line <= place.line; ++line) {
    std::string_view written = source[static_cast<size_t>(line) - 1];
    if (written.ends_with('\r')) written.remove_suffix(1);
    drawn = Drawn(written);
    slice = SliceFor(drawn.size(), place.column);
    slice.begin = std::min(slice.begin, drawn.size());
    std::string content = " " + ShownLine(drawn, slice, signs);
    TrimEnd(content);
    lines.push_back(Paint(kBlue, fmt::format("{:>{}} {}", line, gutter, signs.bar)) + content);
  }
  if (place.column == 0) return lines;
  std::string carets = CaretLine(drawn, slice, place, signs);
  if (!label.empty()) carets += " " + Clean(label, kLabelCharactersMax);
  const size_t blanks = carets.find('^');
  lines.push_back(margin + Paint(kBlue, std::string(signs.bar)) + " " + carets.substr(0, blanks) +
                  Paint(kRed, carets.substr(blanks)));
  return lines;
}

std::string DiagnosticPrinter::Format(const Diagnostic& diagnostic) const {
  const bool error = diagnostic.severity == Severity::kError;
  const FrameSigns& signs = FrameSignsOf(drawing_);
  const std::string name = fmt::format("{}[{}]", error ? "error" : "warning", diagnostic.code);
  std::string text =
      Paint(error ? kRed : kYellow, name) + Paint(kBold, ": " + Clean(diagnostic.message, kTextCharactersMax)) + "\n";
  const auto window =
      diagnostic.place.known() ? Window(diagnostic.place, diagnostic.label) : std::vector<std::string>{};
  for (const std::string& line : window) text += line + "\n";
  auto looked_in = LookedIn(diagnostic.looked_in, signs);
  auto help = Remarks("help", diagnostic.help);
  auto notes = Remarks("note", diagnostic.notes);
  const auto more = Remarks("more", {fmt::format("leat explain {}", diagnostic.code)});
  FitInto(kDiagnosticLinesMax - 1 - window.size() - more.size(), {&notes, &looked_in, &help}, signs);
  // Remarks begin below the bar of the window.
  const std::string margin = window.empty() ? "  " : std::string(window.front().find_first_not_of(' '), ' ');
  for (const std::vector<std::string>* block :
       std::initializer_list<const std::vector<std::string>*>{&looked_in, &help, &notes, &more})
    for (const std::string& line : *block) text += margin + line + "\n";
  return text;
}

std::string DiagnosticPrinter::FormatList(const std::vector<Diagnostic>& diagnostics, Show show) const {
  const size_t count = show == Show::kAll ? diagnostics.size() : std::min(diagnostics.size(), kDiagnosticsMax);
  std::string text;
  for (size_t i = 0; i < count; ++i) text += (i == 0 ? "" : "\n") + Format(diagnostics[i]);
  if (count < diagnostics.size())
    text += fmt::format("\n{} and {} more (--all)\n", FrameSignsOf(drawing_).ellipsis, diagnostics.size() - count);
  return text;
}

}  // namespace leat::cli
