#include "cli/explain_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::cli {
namespace {

TEST(ExplainPagesTest, TakesEveryWayToWriteACode) {
  for (const char* code : {"LEAT0203", "leat0203", "0203", "203", " LEAT203 "}) {
    const ExplainPage page = FindExplainPage(code);
    EXPECT_EQ(page.code, "LEAT0203") << code;
    EXPECT_THAT(std::string(page.text), testing::StartsWith("# LEAT0203: " + page.title + "\n")) << code;
  }
}

TEST(ExplainPagesTest, TakesLettersThatLookLikeDigitsForASlip) {
  for (const char* code : {"LEAT02O3", "leat02o3", "2O3"}) {
    try {
      FindExplainPage(code);
      FAIL() << code;
    } catch (const Error& error) {
      EXPECT_EQ(error.diagnostic().candidates.front(), "LEAT0203") << code;
      EXPECT_THAT(error.diagnostic().help.front(), testing::HasSubstr("did you mean LEAT0203?")) << code;
    }
  }
}

TEST(ExplainPagesTest, NamesTheNearestForAnUnknownCode) {
  try {
    FindExplainPage("LEAT0299");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0196");
    EXPECT_EQ(error.message(), "there is no code 'LEAT0299'");
    EXPECT_EQ(error.diagnostic().candidates.size(), 3u);
  }
  EXPECT_THROW(FindExplainPage("nonsense"), Error);
}

}  // namespace
}  // namespace leat::cli
