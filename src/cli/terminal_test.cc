#include "cli/terminal.h"

#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

constexpr Terminal kWide{.width = 200, .escapes = true, .unicode = true};

TEST(TerminalTest, PaintsOnlyWhereEscapesAreWanted) {
  EXPECT_EQ(Paint(kWide, Tint::kRed, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(Paint(kNarrowAscii, Tint::kRed, "x"), "x");
  EXPECT_EQ(Paint(kPipe, Tint::kRed, "x"), "x");
}

TEST(TerminalTest, MeasuresWideAndCombiningCharacters) {
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("Zürich"), 6);
  EXPECT_EQ(DisplayWidth("東京"), 4);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2);
}

TEST(TerminalTest, CutsToColumnsWithAnEllipsis) {
  EXPECT_EQ(FitWidth(kWide, "abcdef", 6), "abcdef");
  EXPECT_EQ(FitWidth(kWide, "abcdefg", 6), "abcde…");
  EXPECT_EQ(FitWidth(kNarrowAscii, "abcdefg", 6), "abc...");
  EXPECT_EQ(FitWidth(kWide, "東京都", 4), "東…");
}

TEST(TerminalTest, GroupsDigitsForPeopleAlone) {
  EXPECT_EQ(FormatCount(kWide, 18402), "18\u202f402");
  EXPECT_EQ(FormatCount(kNarrowAscii, 18402), "18402");
  EXPECT_EQ(FormatCount(kPipe, 18402), "18402");
  EXPECT_EQ(FormatNumberOf(kPipe, 1, "table"), "1 table");
  EXPECT_EQ(FormatNumberOf(kPipe, 0, "table"), "0 tables");
}

TEST(TerminalTest, SeesThatAPipeIsNoTerminal) {
  const Terminal terminal = DetectTerminal(-1, EscapesWish::kAuto);
  EXPECT_FALSE(terminal.is_terminal());
  EXPECT_FALSE(terminal.escapes);
}

}  // namespace
}  // namespace leat::cli
