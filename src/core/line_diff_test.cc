#include "core/line_diff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/text.h"

namespace leat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// `@3 -old +new`, a word per line.
std::string Diff(const std::string& before, const std::string& after) {
  const auto lines = [](std::string text) {
    std::replace(text.begin(), text.end(), ' ', '\n');
    return text;
  };
  std::vector<std::string> words;
  for (const Hunk& hunk : DiffLines(lines(before), lines(after))) {
    words.push_back("@" + std::to_string(hunk.line));
    for (const std::string& line : hunk.removed) words.push_back("-" + line);
    for (const std::string& line : hunk.added) words.push_back("+" + line);
  }
  return Join(words, " ");
}

/// Apply hunks to `before`, as a reader would.
std::vector<std::string> Apply(const std::vector<std::string>& before, const std::vector<Hunk>& hunks) {
  std::vector<std::string> after;
  size_t next = 0;
  for (const Hunk& hunk : hunks) {
    while (after.size() + 1 < static_cast<size_t>(hunk.line)) after.push_back(before.at(next++));
    for (const std::string& line : hunk.removed) EXPECT_EQ(before.at(next++), line);
    after.insert(after.end(), hunk.added.begin(), hunk.added.end());
  }
  after.insert(after.end(), before.begin() + static_cast<std::ptrdiff_t>(next), before.end());
  return after;
}

TEST(LineDiffTest, NamesTheLineInTheNewText) {
  EXPECT_EQ(Diff("a b c", "a b c"), "");
  EXPECT_EQ(Diff("a b c", "a x c"), "@2 -b +x");
  EXPECT_EQ(Diff("a b c", "a c"), "@2 -b");
  EXPECT_EQ(Diff("a c", "a b c d"), "@2 +b @4 +d");
  EXPECT_EQ(Diff("", "a b"), "@1 +a +b");
  EXPECT_EQ(Diff("a b", ""), "@1 -a -b");
}

TEST(LineDiffTest, TakesAsFewLinesAsPossible) {
  EXPECT_EQ(Diff("a b c a b b a", "c b a b a c"), "@1 -a -b @2 -a @3 +a @6 +c");  // five, as in the paper of Myers
  EXPECT_EQ(Diff("f g f h", "f g g f h"), "@3 +g");
}

TEST(LineDiffTest, BlanksAtTheEndDoNotCount) {
  EXPECT_THAT(DiffLines("SELECT 1  \r\nFROM t\n\n\n", "SELECT 1\nFROM t"), IsEmpty());
  EXPECT_THAT(DiffLines("  a", "a"), ElementsAre(Hunk{1, {"  a"}, {"a"}}));
}

TEST(LineDiffTest, WhatIsPrintedTurnsTheOldTextIntoTheNew) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> texts[2];
    for (auto& text : texts)
      for (size_t lines = random() % 12; lines > 0; --lines) text.push_back(std::string(1, "abcd"[random() % 4]));
    EXPECT_EQ(Apply(texts[0], DiffLines(Join(texts[0], "\n"), Join(texts[1], "\n"))), texts[1]);
  }
}

TEST(LineDiffTest, LongTextsThatShareNothingAreOneHunk) {
  std::string before, after;
  for (int i = 0; i < 2001; ++i) before += "a" + std::to_string(i) + "\n", after += "b" + std::to_string(i) + "\n";
  EXPECT_EQ(DiffLines("same\n" + before, "same\n" + after).size(), 1u);
  EXPECT_EQ(DiffLines("same\n" + before, "same\n" + after)[0].line, 2);
}

}  // namespace
}  // namespace leat
