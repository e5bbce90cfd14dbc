#include "cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/text.h"

namespace leat::cli {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::Le;
using testing::StartsWith;

CommandLine Parse(const std::string& words) {
  return ParseCommandLine(words.empty() ? std::vector<std::string>{} : Split(words, ' '));
}

std::string LineRefusal(const std::string& words) {
  try {
    Parse(words);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0190");
    EXPECT_EQ(error.kind(), kConfig);
    EXPECT_FALSE(error.diagnostic().help.empty());
    return error.message();
  }
  return "accepted";
}

TEST(CommandLineTest, TakesGlobalFlagsAnywhere) {
  for (const char* words : {"-C demo --json -j 3 run", "run -C demo --json -j 3", "-C demo run --threads 3 --json"}) {
    const CommandLine line = Parse(words);
    EXPECT_EQ(line.command, "run") << words;
    EXPECT_EQ(line.folder, "demo") << words;
    EXPECT_EQ(line.threads, 3) << words;
    EXPECT_TRUE(line.json) << words;
  }
}

TEST(CommandLineTest, JoinsSelectionsFromArgumentsAndFlags) {
  EXPECT_EQ(Parse("run mart.a mart.b").select, "mart.a mart.b");
  EXPECT_EQ(Parse("run -s source:crm+ mart.a --exclude tag:x --exclude tag:y").select, "mart.a source:crm+");
  EXPECT_EQ(Parse("run -s source:crm+ mart.a --exclude tag:x --exclude tag:y").exclude, "tag:x tag:y");
  EXPECT_EQ(Parse("run status").select, "status");
}

TEST(CommandLineTest, ReadsEachCommand) {
  EXPECT_EQ(Parse("init shop --template shop --source u").source_url, "u");
  EXPECT_EQ(Parse("init --template empty").directory, ".");
  EXPECT_TRUE(Parse("validate --fast").fast);
  EXPECT_TRUE(Parse("run --full-refresh").full_refresh);
  EXPECT_TRUE(Parse("status --all").all);
  EXPECT_EQ(Parse("preview mart.a -n 5").rows, 5);
  EXPECT_EQ(Parse("preview mart.a").rows, 20);
  EXPECT_EQ(Parse("query - --format csv -o x.csv").subject, "-");
  EXPECT_EQ(Parse("explain run").subject, "run");
  EXPECT_EQ(Parse("run -q").loudness, Loudness::kQuiet);
  EXPECT_EQ(Parse("run --log-format json").log_format, LogFormat::kJson);
}

TEST(CommandLineTest, TakesSqlThatBeginsWithAComment) {
  EXPECT_EQ(ParseCommandLine({"query", "-- all\nSELECT 1"}).subject, "-- all\nSELECT 1");
}

TEST(CommandLineTest, NamesTheNearestCommandOrFlag) {
  EXPECT_EQ(LineRefusal("vaildate"), "unknown command 'vaildate'; did you mean validate?");
  EXPECT_EQ(LineRefusal("frobnicate"), "unknown command 'frobnicate'");
  EXPECT_EQ(LineRefusal("run --ful-refresh"), "unknown flag '--ful-refresh' of leat run; did you mean --full-refresh?");
  EXPECT_EQ(LineRefusal("--jsn status"), "unknown flag '--jsn' of leat status; did you mean --json?");
  EXPECT_EQ(LineRefusal("status --full-refresh"), "unknown flag '--full-refresh' of leat status");
  EXPECT_EQ(LineRefusal("run -x"), "unknown flag '-x' of leat run");
}

TEST(CommandLineTest, NamesTheNearestCommandToWhoAsksForHelp) {
  EXPECT_EQ(LineRefusal("help rnu"), "unknown command 'rnu'; did you mean run?");
  EXPECT_EQ(LineRefusal("rnu --help"), "unknown command 'rnu'; did you mean run?");
  EXPECT_TRUE(Parse("--help").help);
  EXPECT_TRUE(Parse("run --help mart.a").help);
}

TEST(CommandLineTest, SaysWhatIsMissingOrWrong) {
  EXPECT_EQ(LineRefusal(""), "no command was given");
  EXPECT_EQ(LineRefusal("init"), "leat init needs --template; expected shop, billing or empty");
  EXPECT_EQ(LineRefusal("init --template shopp"), "--template is 'shopp'; expected shop or billing or empty; did you mean shop?");
  EXPECT_EQ(LineRefusal("preview"), "leat preview needs a table or a file");
  EXPECT_EQ(LineRefusal("preview a b"), "leat preview does not take 'b'");
  EXPECT_EQ(LineRefusal("preview a -n many"), "--rows is 'many'; expected a number from 1 to 1000000000");
  EXPECT_EQ(LineRefusal("query SELECT --format xml"), "--format is 'xml'; expected table or csv or json");
  EXPECT_EQ(LineRefusal("run -j 0"), "--threads is '0'; expected a number from 1 to 256");
  EXPECT_EQ(LineRefusal("run --exclude"), "--exclude needs a value");
  EXPECT_EQ(LineRefusal("status -s mart.a"), "leat status takes no selection");
  EXPECT_EQ(LineRefusal("run -q -v"), "-q and -v exclude each other");
}

TEST(CommandLineTest, TakesARunAndWhatToDoWithIt) {
  EXPECT_EQ(Parse("runs").action, "list");
  EXPECT_EQ(Parse("runs -n 5").rows, 5);
  EXPECT_EQ(Parse("runs 42").action, "show");
  EXPECT_EQ(Parse("runs 42").run, 42);
  EXPECT_EQ(Parse("runs show").run, std::nullopt);
  EXPECT_EQ(Parse("runs logs 42 --table mart.a").table, "mart.a");
  EXPECT_EQ(Parse("retry").run, std::nullopt);
  EXPECT_EQ(Parse("retry 41").run, 41);
  EXPECT_EQ(LineRefusal("runs shwo"),
            "leat runs does not know 'shwo'; expected list or show or logs; did you mean show?");
  EXPECT_EQ(LineRefusal("runs list 42"), "leat runs list takes no run");
  EXPECT_EQ(LineRefusal("runs show 42 43"), "leat runs does not take '43'");
  EXPECT_EQ(LineRefusal("runs 42 --table mart.a"), "leat runs show takes no --table");
  EXPECT_EQ(LineRefusal("retry mart.a"), "RUN is 'mart.a'; expected a number from 1 to 2147483647");
}

TEST(CommandLineTest, TakesATableAndItsConfirmation) {
  EXPECT_EQ(Parse("state show").subject, "");
  EXPECT_EQ(Parse("state show crm.a").subject, "crm.a");
  EXPECT_EQ(Parse("state reset crm.a --confirm crm.a").confirm, "crm.a");
  EXPECT_EQ(LineRefusal("state"), "leat state needs show or reset");
  EXPECT_EQ(LineRefusal("state rest crm.a"),
            "leat state does not know 'rest'; expected show or reset; did you mean reset?");
  EXPECT_EQ(LineRefusal("state reset"), "leat state reset needs a table");
  EXPECT_EQ(LineRefusal("state show a b"), "leat state show does not take 'b'");
}

TEST(CommandLineTest, TakesTheTimeToWait) {
  EXPECT_EQ(Parse("run").wait.count(), 0);
  EXPECT_EQ(Parse("run --wait 500ms").wait.count(), 500);
  EXPECT_EQ(Parse("--wait 5m retry").wait.count(), 300'000);
  EXPECT_EQ(LineRefusal("run --wait soon"), "--wait is 'soon'; expected a duration such as 30s, 5m or 2h");
  EXPECT_EQ(Parse("check tag:monthly --exclude mart.a").select, "tag:monthly");
}

TEST(CommandLineTest, AsksForNothingWhenHelpIsWanted) {
  EXPECT_TRUE(Parse("--help").help);
  EXPECT_TRUE(Parse("init -h").help);
  EXPECT_EQ(Parse("help run").command, "run");
  EXPECT_TRUE(Parse("help run").help);
  EXPECT_TRUE(Parse("--version").version);
}

TEST(HelpTextTest, StartsWithExamplesAndKeepsWithin80Columns) {
  for (const char* command :
       {"", "init", "validate", "run", "retry", "check", "status", "runs", "state", "preview", "query", "explain"}) {
    const std::string help = HelpText(command);
    EXPECT_LT(help.find("Examples\n"), help.find("Usage\n")) << command;
    EXPECT_THAT(help, HasSubstr(std::string_view(command).empty() ? "--log-format" : "leat --help")) << command;
    std::vector<int> widths;
    for (const std::string& text_line : Split(help, '\n')) widths.push_back(CharacterCount(text_line));
    EXPECT_THAT(widths, Each(Le(80))) << help;
  }
}

TEST(HelpTextTest, IsWrittenAsPinned) {
  EXPECT_THAT(HelpText("preview"),
              StartsWith("the first rows of a table or a query's file\n"
                         "\n"
                         "Examples\n"
                         "  leat preview mart.dim_staff\n"
                         "  leat preview models/mart/dim_staff.sql -n 5\n"
                         "  leat preview mart.dim_staff -n 100000 -o staff.csv\n"
                         "\n"
                         "Usage\n"
                         "  leat preview TABLE|FILE.sql [-n 20] [--format F] [-o FILE]\n"
                         "\n"
                         "Flags\n"
                         "  -n, --rows N              how many rows (default: 20)\n"
                         "      --format F            table, csv or json (default: by the ending of FILE;\n"
                         "                            else a table on a terminal, csv in a pipe)\n"
                         "  -o, --output FILE         write to a file; - is standard output\n"
                         "\n"
                         "Flags of every command, as -C DIR, --json, -q and -v:  leat --help\n"));
}

}  // namespace
}  // namespace leat::cli
