#include "core/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(EditDistanceTest, CountsASwapAsOneEditAndIgnoresCase) {
  EXPECT_EQ(EditDistance("streams", "streams"), 0);
  EXPECT_EQ(EditDistance("sterams", "streams"), 1);
  EXPECT_EQ(EditDistance("STREAM", "streams"), 1);
  EXPECT_EQ(EditDistance("", "abc"), 3);
}

TEST(NearestNamesTest, GivesAtMostThreeNamesWithinAThirdOfTheWord) {
  EXPECT_THAT(NearestNames("department_nam", {"location", "department_name", "department_id"}),
              ElementsAre("department_name", "department_id"));
  EXPECT_THAT(NearestNames("aaaaaa", {"aaaaab", "aaaaac", "aaaaad", "aaaaae"}).size(), 3u);
  EXPECT_THAT(NearestNames("zebra", {"currency"}), IsEmpty());
}

TEST(QuoteTest, DoublesTheMarkAndRefusesWhatQuotingCannotMakeSafe) {
  EXPECT_EQ(QuoteIdentifier("we\"ird"), "\"we\"\"ird\"");
  EXPECT_EQ(QuoteLiteral("O'Keefe"), "'O''Keefe'");
  EXPECT_EQ(QuoteList({"a", "b"}), "\"a\", \"b\"");
  EXPECT_THROW(QuoteIdentifier(std::string_view("a\0b", 3)), Error);
  EXPECT_THROW(QuoteIdentifier("\xC0\x27"), Error);
}

TEST(CleanNameTest, KeepsLettersAndDigitsAndJoinsTheRest) {
  EXPECT_EQ(CleanName("Order Lines"), "order_lines");
  EXPECT_EQ(CleanName("a__b--c"), "a_b_c");
  EXPECT_EQ(CleanName("2024"), "_2024");
  EXPECT_EQ(CleanName("é"), "_");
  EXPECT_EQ(CleanName(""), "_");
}

TEST(CleanNameTest, StaysWithinTheLengthOfAName) {
  EXPECT_EQ(CleanName(std::string(63, 'N')), std::string(63, 'n'));
  EXPECT_EQ(CleanName("1" + std::string(62, 'n')), "_1" + std::string(61, 'n'));
}

TEST(YamlNameTest, QuotesWhatWouldMeanSomethingElse) {
  EXPECT_EQ(YamlName("Id_2"), "Id_2");
  EXPECT_EQ(YamlName("2nd"), "\"2nd\"");
  EXPECT_EQ(YamlName("Yes"), "\"Yes\"");
  EXPECT_EQ(YamlName("null"), "\"null\"");
  EXPECT_EQ(YamlName("a \"b\"\\"), "\"a \\\"b\\\"\\\\\"");
  EXPECT_EQ(YamlName("a\nb"), "\"a\\x0Ab\"");
  EXPECT_EQ(YamlName("größe"), "\"größe\"");
  EXPECT_EQ(YamlName(""), "\"\"");
}

TEST(IsValidNameTest, ReservesDoubleUnderscoresAndOurPrefix) {
  EXPECT_TRUE(IsValidName("sales_order"));
  EXPECT_TRUE(IsValidName("_prisma_migrations"));
  EXPECT_FALSE(IsValidName("sales__order"));
  EXPECT_FALSE(IsValidName("_leat_seq"));
  EXPECT_FALSE(IsValidName("Sales"));
  EXPECT_FALSE(IsValidName(std::string(64, 'a')));
}

TEST(Utf8Test, RefusesOverlongFormsAndSurrogates) {
  EXPECT_TRUE(IsValidUtf8("Zürich → 日本 😀"));
  EXPECT_FALSE(IsValidUtf8("\xC0\xAF"));
  EXPECT_FALSE(IsValidUtf8("\xED\xA0\x80"));
  EXPECT_FALSE(IsValidUtf8("\xE2\x82"));
  EXPECT_EQ(CharacterCount("Zürich"), 6);
}

TEST(MatchesGlobTest, TakesStarsAnywhere) {
  EXPECT_TRUE(MatchesGlob("*", "anything"));
  EXPECT_TRUE(MatchesGlob("log_*", "log_2024"));
  EXPECT_TRUE(MatchesGlob("*_log_*x", "a_log_b_log_x"));
  EXPECT_FALSE(MatchesGlob("log_*", "dialog_"));
  EXPECT_TRUE(MatchesGlob("a?c", "abc"));
}

TEST(ShortenTest, CutsAtCharactersNotBytes) {
  EXPECT_EQ(Shorten("Zürich", 6), "Zürich");
  EXPECT_EQ(Shorten("Zürich am See", 4), "Zür…");
}

TEST(GroupDigitsTest, PartsThousands) {
  EXPECT_EQ(GroupDigits(999), "999");
  EXPECT_EQ(GroupDigits(3118436), "3\u202f118\u202f436");
  EXPECT_EQ(GroupDigits(-1000), "-1\u202f000");
}

TEST(TextTest, ShowsBytesInTheUnitThatFits) {
  EXPECT_EQ(FormatBytes(0), "0 bytes");
  EXPECT_EQ(FormatBytes(999), "999 bytes");
  EXPECT_EQ(FormatBytes(1000), "1.0 kB");
  EXPECT_EQ(FormatBytes(999'960), "1.0 MB");
  EXPECT_EQ(FormatBytes(1'500'000'000), "1.5 GB");
  EXPECT_EQ(FormatBytes(12'000'000'000'000'000), "12000.0 TB");
}

}  // namespace
}  // namespace leat
