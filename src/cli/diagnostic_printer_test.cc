#include "cli/diagnostic_printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/text.h"

namespace leat::cli {
namespace {

constexpr const char* kModel =
    "SELECT\n  s.staff_id,\n  s.first_name,\n  d.department_nam\nFROM totesys.staff s\n\tJOIN x\n";

/// Draws diagnostics about one file, `a.sql`.
class DiagnosticPrinterTest : public testing::Test {
 protected:
  std::string Format(const Diagnostic& diagnostic, Color color = Color::kOff, Drawing drawing = Drawing::kUtf8) {
    return "\n" + Printer(color, drawing).Format(diagnostic);
  }
  DiagnosticPrinter Printer(Color color = Color::kOff, Drawing drawing = Drawing::kUtf8) {
    return {[this](const std::string& file) { return file == "a.sql" ? std::optional(text) : std::nullopt; }, color,
            drawing};
  }
  static Diagnostic UnknownColumn() {
    return {.code = "LEAT0203",
            .message = "column \"department_nam\" does not exist in totesys.department",
            .place = {"a.sql", 4, 5, 19},
            .label = "not in totesys.department",
            .help = {"did you mean department_name?"},
            .notes = {"totesys.department has 6 columns"}};
  }

  std::string text = kModel;
};

TEST_F(DiagnosticPrinterTest, DrawsTheLinesBeforeAndTheSpan) {
  EXPECT_EQ(Format(UnknownColumn()), R"(
error[LEAT0203]: column "department_nam" does not exist in totesys.department
  ┌─ a.sql:4:5
2 │   s.staff_id,
3 │   s.first_name,
4 │   d.department_nam
  │     ^^^^^^^^^^^^^^ not in totesys.department
  = help: did you mean department_name?
  = note: totesys.department has 6 columns
  = more: leat explain LEAT0203
)");
}

TEST_F(DiagnosticPrinterTest, DrawsInAsciiWhereTheLocaleIsNotUtf8) {
  EXPECT_EQ(Format(UnknownColumn(), Color::kOff, Drawing::kAscii), R"(
error[LEAT0203]: column "department_nam" does not exist in totesys.department
  --> a.sql:4:5
2 |   s.staff_id,
3 |   s.first_name,
4 |   d.department_nam
  |     ^^^^^^^^^^^^^^ not in totesys.department
  = help: did you mean department_name?
  = note: totesys.department has 6 columns
  = more: leat explain LEAT0203
)");
}

TEST_F(DiagnosticPrinterTest, ColoursWithoutChangingTheText) {
  std::string coloured = Format(UnknownColumn(), Color::kOn);
  EXPECT_THAT(coloured, testing::HasSubstr("\x1b[1;31merror[LEAT0203]\x1b[0m"));
  for (size_t escape; (escape = coloured.find('\x1b')) != std::string::npos;)
    coloured.erase(escape, coloured.find('m', escape) - escape + 1);
  EXPECT_EQ(coloured, Format(UnknownColumn()));
}

TEST_F(DiagnosticPrinterTest, DrawsATabAsFourAndCountsItAsOne) {
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.place = {"a.sql", 6, 2, 6};
  diagnostic.label = "";
  EXPECT_THAT(Format(diagnostic), testing::HasSubstr("6 │     JOIN x\n  │     ^^^^\n"));
}

TEST_F(DiagnosticPrinterTest, CountsColumnsInCharacters) {
  text = "SELECT 'Zürich', bad\n";
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.place = {"a.sql", 1, 18, 21};
  diagnostic.label = "here";
  EXPECT_THAT(Format(diagnostic), testing::HasSubstr("1 │ SELECT 'Zürich', bad\n  │                  ^^^ here\n"));
}

TEST_F(DiagnosticPrinterTest, AlignsTheFrameWithLongLineNumbers) {
  text.clear();
  for (int i = 1; i <= 12; ++i) text += "line\n";
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.place = {"a.sql", 10, 1, 5};
  EXPECT_THAT(Format(diagnostic),
              testing::HasSubstr("   ┌─ a.sql:10:1\n 8 │ line\n 9 │ line\n10 │ line\n   │ ^^^^ not"));
}

TEST_F(DiagnosticPrinterTest, MarksOneCharacterWhereTheEndIsUnknown) {
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.place.end_column = 0;
  diagnostic.label = "";
  EXPECT_THAT(Format(diagnostic), testing::HasSubstr("\n  │     ^\n"));
}

TEST_F(DiagnosticPrinterTest, LeavesTheWindowOutWhereThereIsNoText) {
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.place = {"gone.sql", 4, 5, 19};
  EXPECT_THAT(Format(diagnostic), testing::HasSubstr("\n  ┌─ gone.sql:4:5\n  = help:"));
  diagnostic.place = {};
  EXPECT_THAT(Format(diagnostic), testing::HasSubstr("totesys.department\n  = help:"));
  diagnostic.place = {"a.sql", 400, 5, 19};
  EXPECT_THAT(Format(diagnostic), testing::HasSubstr("\n  ┌─ a.sql:400:5\n  = help:"));
}

TEST_F(DiagnosticPrinterTest, ListsWhereItLookedAndWhatToPaste) {
  const Diagnostic diagnostic{
      .severity = Severity::kWarning,
      .code = "LEAT0310",
      .message = "connection \"totesys\" has no password",
      .looked_in = {"LEAT_CONNECTIONS_TOTESYS_PASSWORD (not set)", "$CREDENTIALS_DIRECTORY/totesys.password (absent)",
                    "PGPASSWORD (not set)", "~/.pgpass (no line for db.internal:5432:totesys:reader)"},
      .help = {"add this line to ~/.pgpass, then  chmod 600 ~/.pgpass", "db.internal:5432:totesys:reader:<password>"}};
  EXPECT_EQ(Format(diagnostic), R"(
warning[LEAT0310]: connection "totesys" has no password
  = looked in: LEAT_CONNECTIONS_TOTESYS_PASSWORD (not set) ·
               $CREDENTIALS_DIRECTORY/totesys.password (absent) · PGPASSWORD (not set) ·
               ~/.pgpass (no line for db.internal:5432:totesys:reader)
  = help: add this line to ~/.pgpass, then  chmod 600 ~/.pgpass
          db.internal:5432:totesys:reader:<password>
  = more: leat explain LEAT0310
)");
}

TEST_F(DiagnosticPrinterTest, ShowsThePartOfAWideLineAroundTheSpan) {
  text = std::string(300, 'a') + "BAD" + std::string(300, 'b') + "\n";
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.place = {"a.sql", 1, 301, 304};
  diagnostic.label = "";
  const auto lines = Split(Format(diagnostic), '\n');
  EXPECT_LE(CharacterCount(lines[3]), 110);
  EXPECT_EQ(CharacterCount(lines[3].substr(0, lines[3].find("BAD"))),
            CharacterCount(lines[4].substr(0, lines[4].find('^'))));
  EXPECT_THAT(lines[4], testing::EndsWith(" ^^^"));
}

TEST_F(DiagnosticPrinterTest, TakesAtMostTwentyLines) {
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.help = std::vector<std::string>(30, "do this");
  diagnostic.notes = std::vector<std::string>(30, "a fact");
  diagnostic.looked_in = std::vector<std::string>(30, std::string(80, 'x'));
  const std::string printed = Format(diagnostic).substr(1);
  EXPECT_LE(std::count(printed.begin(), printed.end(), '\n'), 20);
  EXPECT_THAT(printed, testing::HasSubstr("= help: do this\n"));
  EXPECT_THAT(printed, testing::EndsWith("= more: leat explain LEAT0203\n"));
}

TEST_F(DiagnosticPrinterTest, LetsNoFileWriteToTheTerminal) {
  text = "a \x1b[2J \xC2\x9B b\r\nnext \xFF\n";
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.message = "bad \x1b[31m\nname";
  diagnostic.place = {"a.sql", 2, 1, 2};
  const std::string printed = Format(diagnostic);
  EXPECT_EQ(printed.find('\x1b'), std::string::npos);
  EXPECT_EQ(printed.find('\r'), std::string::npos);
  EXPECT_THAT(printed, testing::HasSubstr("bad ?[31m name\n"));
  EXPECT_THAT(printed, testing::HasSubstr("1 │ a ?[2J ? b\n2 │ next ?\n"));
}

TEST_F(DiagnosticPrinterTest, PrintsTwentyOfAListAndCountsTheRest) {
  Diagnostic diagnostic = UnknownColumn();
  diagnostic.place = {};
  const std::vector<Diagnostic> many(33, diagnostic);
  const std::string some = Printer().FormatList(many, Show::kFirst);
  EXPECT_THAT(some, testing::EndsWith("\n\n… and 13 more (--all)\n"));
  EXPECT_THAT(Printer().FormatList(many, Show::kAll), testing::Not(testing::HasSubstr("--all")));
  EXPECT_EQ(Printer().FormatList({diagnostic}, Show::kFirst), Printer().Format(diagnostic));
}

}  // namespace
}  // namespace leat::cli
