#include "pipeline/freshness.h"

#include <gtest/gtest.h>

#include <map>

namespace leat::pipeline {
namespace {

using namespace std::chrono_literals;
using config::Freshness;

const Timestamp kNoon = ParseTimestamp("2024-11-21T12:00:00Z");

TEST(FreshnessTest, JudgesTheAgeOfDataByItsPromise) {
  const Freshness both{20min, 30min};
  EXPECT_EQ(JudgeAge(both, kNoon - 20min, kNoon), Age::kFresh) << "the limit itself is within";
  EXPECT_EQ(JudgeAge(both, kNoon - 20min - 1ms, kNoon), Age::kLate);
  EXPECT_EQ(JudgeAge(both, kNoon - 30min, kNoon), Age::kLate);
  EXPECT_EQ(JudgeAge(both, kNoon - 31min, kNoon), Age::kTooLate);
  EXPECT_EQ(JudgeAge(both, kNoon + 5min, kNoon), Age::kFresh) << "clocks differ";
  EXPECT_EQ(JudgeAge(both, kNoon + 6min, kNoon), Age::kUnknown) << "local time, taken for UTC";
  EXPECT_EQ(JudgeAge(both, std::nullopt, kNoon), Age::kUnknown);
  EXPECT_EQ(JudgeAge({}, std::nullopt, kNoon), Age::kFresh) << "nothing is promised";
  EXPECT_EQ(JudgeAge({std::nullopt, 30min}, kNoon - 31min, kNoon), Age::kTooLate);
  EXPECT_EQ(JudgeAge({20min, std::nullopt}, kNoon - 24h, kNoon), Age::kLate);
}

TEST(FreshnessTest, SaysWhatIsLateAndByWhichLimit) {
  const auto late = JudgeFreshness("mart.a", {20min, 30min}, kNoon - 25min, kNoon);
  ASSERT_TRUE(late);
  EXPECT_EQ(late->severity, Severity::kWarning);
  EXPECT_EQ(late->code, "LEAT0710");
  EXPECT_EQ(late->message, "mart.a is late: its data is 25 min old; expected at most 20 min");
  EXPECT_EQ(late->notes[0], "it has data up to 2024-11-21T11:35:00Z");
  const auto too_late = JudgeFreshness("mart.a", {20min, 30min}, kNoon - 50h, kNoon);
  EXPECT_EQ(too_late->severity, Severity::kError);
  EXPECT_EQ(too_late->message, "mart.a is late: its data is 2 days old; expected at most 30 min");
  EXPECT_EQ(JudgeFreshness("mart.a", {20min, 30min}, std::nullopt, kNoon)->code, "LEAT0711");
  EXPECT_FALSE(JudgeFreshness("mart.a", {20min, 30min}, kNoon, kNoon));
}

TEST(FreshnessTest, SaysThatAMomentLiesInTheFuture) {
  const auto unknown = JudgeFreshness("src.a", {20min, 30min}, kNoon + 2h, kNoon);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->code, "LEAT0711");
  EXPECT_EQ(unknown->message,
            "src.a promises fresh data, but 2024-11-21T14:00:00Z, up to which it has data, lies in the future: is it "
            "local time?");
}

TEST(FreshnessTest, KnowsWhatHasDataOfStreams) {
  config::Project project;
  project.sources = {{.name = "src"}};
  for (const char* name : {"mart.a", "mart.b", "mart.seeded", "mart.dates", "mart.new"})
    project.models.push_back({.name = name});
  project.models[3].kind = config::ModelKind::kDimDate;
  const std::map<std::string, std::vector<std::string>> inputs = {{"mart.a", {"seeds.iso", "src.staff__history"}},
                                                                  {"mart.b", {"mart.dates", "mart.a"}},
                                                                  {"mart.dates", {"mart.b"}},
                                                                  {"mart.seeded", {"seeds.iso", "mart.dates"}}};
  const auto has = [&](const std::string& table) {
    return HasStreams(project, table, [&](const std::string& model) {
      const auto found = inputs.find(model);
      return found == inputs.end() ? std::nullopt : std::optional(found->second);
    });
  };
  EXPECT_TRUE(has("src.staff") && has("mart.a") && has("mart.b"));
  EXPECT_FALSE(has("mart.seeded") || has("mart.dates") || has("seeds.iso"));
  EXPECT_TRUE(has("mart.new")) << "what it reads is not known";
}

TEST(FreshnessTest, TellsSpansInTheirGreatestUnit) {
  EXPECT_EQ(FormatSpan(90s), "90 s");
  EXPECT_EQ(FormatSpan(30min), "30 min");
  EXPECT_EQ(FormatSpan(26h), "26 h");
  EXPECT_EQ(FormatSpan(72h), "3 days");
}

}  // namespace
}  // namespace leat::pipeline
