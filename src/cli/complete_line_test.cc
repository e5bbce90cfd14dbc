#include "cli/complete_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/text.h"

namespace leat::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

/// A project of two tables, two runs and one source; asked for another folder it has other tables.
std::vector<Candidate> FakeNames(const std::string& noun, const std::string& folder) {
  if (folder == "other") return {{"mart.elsewhere", ""}};
  if (noun == "TABLE") return {{"crm.customer", "stream"}, {"mart.dim_staff", "history"}};
  if (noun == "SELECT") return {{"crm.customer", "stream"}, {"mart.dim_staff", "history"}, {"source:crm", ""}};
  if (noun == "RUN") return {{"41", "failed"}, {"42", "succeeded"}};
  if (noun == "CODE") return {{"LEAT0203", "a column does not exist"}};
  return {};
}

std::vector<std::string> Completed(std::string_view line) {
  std::vector<std::string> words;
  for (const Candidate& candidate : CompleteLine(line, FakeNames).candidates) words.push_back(candidate.word);
  return words;
}

TEST(CompleteLineTest, OffersCommandsWithTheirSummaries) {
  EXPECT_THAT(Completed("leat "), Contains("run"));
  EXPECT_THAT(Completed("leat vali"), ElementsAre("validate"));
  EXPECT_EQ(CompleteLine("leat vali", FakeNames).candidates.front().text, "check every file, reading no row");
  EXPECT_THAT(Completed("leat help vali"), ElementsAre("validate"));
  EXPECT_THAT(Completed("leat -C demo --json vali"), ElementsAre("validate"));
}

TEST(CompleteLineTest, OffersFlagsOfTheCommandAndOfAll) {
  EXPECT_THAT(Completed("leat run --fu"), ElementsAre("--full-refresh"));
  EXPECT_THAT(Completed("leat status --fu"), IsEmpty());
  EXPECT_THAT(Completed("leat status --js"), ElementsAre("--json"));
}

TEST(CompleteLineTest, OffersTheWordsThatAFlagTakes) {
  EXPECT_THAT(Completed("leat query x --format "), ElementsAre("table", "csv", "json"));
  EXPECT_THAT(Completed("leat query x --format c"), ElementsAre("csv"));
  EXPECT_THAT(Completed("leat query x --format=c"), ElementsAre("--format=csv"));
  EXPECT_THAT(Completed("leat run --log-format j"), ElementsAre("json"));
  EXPECT_THAT(Completed("leat run -j "), IsEmpty());
}

TEST(CompleteLineTest, OffersWhatTheUsageSaysPlaceByPlace) {
  EXPECT_THAT(Completed("leat runs "), ElementsAre("list", "show", "logs", "41", "42"));
  EXPECT_THAT(Completed("leat runs logs "), ElementsAre("41", "42"));
  EXPECT_THAT(Completed("leat runs logs 41 "), IsEmpty());
  EXPECT_THAT(Completed("leat runs logs 41 --table m"), ElementsAre("mart.dim_staff"));
  EXPECT_THAT(Completed("leat state "), ElementsAre("show", "reset"));
  EXPECT_THAT(Completed("leat state reset m"), ElementsAre("mart.dim_staff"));
  EXPECT_THAT(Completed("leat state reset mart.dim_staff --confirm m"), ElementsAre("mart.dim_staff"));
  EXPECT_THAT(Completed("leat completion "), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(Completed("leat explain LEAT02"), ElementsAre("LEAT0203"));
  EXPECT_THAT(Completed("leat lineage cr"), ElementsAre("crm.customer"));
  EXPECT_THAT(Completed("leat query "), IsEmpty());
}

TEST(CompleteLineTest, OffersTermsOfASelectionAgainAndAgain) {
  EXPECT_THAT(Completed("leat run mart.dim_staff s"), ElementsAre("source:crm"));
  EXPECT_THAT(Completed("leat run -s sou"), ElementsAre("source:crm"));
  EXPECT_THAT(Completed("leat run +mart"), ElementsAre("+mart.dim_staff"));
  EXPECT_THAT(Completed("leat run 2+mart"), ElementsAre("2+mart.dim_staff"));
  EXPECT_THAT(Completed("leat run source:crm,+mart"), ElementsAre("source:crm,+mart.dim_staff"));
}

TEST(CompleteLineTest, LeavesNamesOfFilesToTheShell) {
  EXPECT_EQ(CompleteLine("leat preview m", FakeNames).paths, Completions::Paths::kFiles);
  EXPECT_THAT(Completed("leat preview m"), ElementsAre("mart.dim_staff"));
  EXPECT_EQ(CompleteLine("leat query x -o ", FakeNames).paths, Completions::Paths::kFiles);
  EXPECT_EQ(CompleteLine("leat -C ", FakeNames).paths, Completions::Paths::kFolders);
  EXPECT_EQ(CompleteLine("leat run m", FakeNames).paths, Completions::Paths::kNone);
}

TEST(CompleteLineTest, LooksIntoTheProjectThatTheLineNames) {
  EXPECT_THAT(Completed("leat -C other preview "), ElementsAre("mart.elsewhere"));
}

TEST(CompleteLineTest, OffersNothingAfterWhatIsNoCommand) {
  EXPECT_THAT(Completed("leat frobnicate "), IsEmpty());
  EXPECT_THAT(Completed("leat"), IsEmpty());
  EXPECT_THAT(Completed(""), IsEmpty());
}

TEST(CompleteLineTest, EveryCommandOffersItsFlagsAndNeverFails) {
  for (const Candidate& command : CompleteLine("leat ", FakeNames).candidates) {
    EXPECT_THAT(Completed("leat " + command.word + " --"), Contains("--json")) << command.word;
    Completed("leat " + command.word + " ");
  }
}

TEST(ShellWordsTest, PartsALineAsAShellDoes) {
  EXPECT_THAT(ShellWords("leat run "), ElementsAre("leat", "run", ""));
  EXPECT_THAT(ShellWords("leat  -C 'my shop' run"), ElementsAre("leat", "-C", "my shop", "run"));
  EXPECT_THAT(ShellWords("leat -C my\\ shop \"a b"), ElementsAre("leat", "-C", "my shop", "a b"));
}

}  // namespace
}  // namespace leat::cli
