#include "cli/status_report.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

using pipeline::ProjectStatus;
using pipeline::TableStatus;

const Timestamp kNow = ParseTimestamp("2024-11-21T15:00:00Z");
const Timestamp kLoaded = ParseTimestamp("2024-11-21T14:05:59Z");
const Timestamp kYesterday = ParseTimestamp("2024-11-20T14:00:00Z");

ProjectStatus Shop(int healthy) {
  ProjectStatus status;
  status.last_run = state::Run{.number = 42, .status = "partial", .started = kLoaded, .ended = kLoaded};
  status.tables.push_back(
      {.name = "mart.dim_staff",
       .kind = "table",
       .state = "failing",
       .data_to = kYesterday,
       .loaded = kYesterday,
       .rows = 20,
       .checks = 0,
       .checks_failed = 0,
       .reason = "run 42: LEAT0203 column \"department_nam\" does not exist in totesys.department"});
  status.tables.push_back({.name = "crm.customer",
                           .kind = "stream",
                           .state = "late",
                           .data_to = kYesterday,
                           .deletes_to = ParseTimestamp("2023-11-20T09:00:00Z"),
                           .promise = {std::chrono::minutes(20), std::chrono::minutes(30)},
                           .loaded = kLoaded,
                           .rows = 7,
                           .reason = "data is 25 h old; expected at most 30 min"});
  status.tables.push_back({.name = "mart.new", .kind = "table", .state = "never loaded"});
  for (int i = 0; i < healthy; ++i)
    status.tables.push_back({.name = fmt::format("mart.t{}", i),
                             .kind = "table",
                             .state = "healthy",
                             .data_to = kLoaded,
                             .loaded = kLoaded,
                             .rows = 18402,
                             .checks = 6,
                             .checks_failed = 0});
  return status;
}

TEST(StatusReportTest, ShowsTheWorstFirstAndFewHealthyOnes) {
  EXPECT_EQ(FormatStatus("shop", Shop(8), HealthyTables::kFew, kNow, kTerminal),
            "shop · default · last run 42 at 14:05 UTC, partial (1 failing, 1 late)\n"
            "  TABLE           STATE           DATA TO  LOADED  PROMISE    ROWS  CHECKS\n"
            "  mart.dim_staff  ✗ failing       20 Nov   20 Nov  –            20  –       run 42: LEAT0203 column "
            "\"department_nam\" do…\n"
            "  crm.customer    ◐ late          20 Nov   14:05   30 min        7  –       data is 25 h old; expected at "
            "most 30 min; …\n"
            "  mart.new        ○ never loaded  –        –       –             –  –\n"
            "  mart.t0         ● healthy       14:05    14:05   –        18\u202f402  6/6\n"
            "  mart.t1         ● healthy       14:05    14:05   –        18\u202f402  6/6\n"
            "  mart.t2         ● healthy       14:05    14:05   –        18\u202f402  6/6\n"
            "  mart.t3         ● healthy       14:05    14:05   –        18\u202f402  6/6\n"
            "  mart.t4         ● healthy       14:05    14:05   –        18\u202f402  6/6\n"
            "  … 3 more healthy (--all)\n");
}

TEST(StatusReportTest, CutsAndRoundsNothingInAPipe) {
  EXPECT_EQ(
      FormatStatus("shop", Shop(1), HealthyTables::kAll, kNow, kPipe),
      "shop · default · last run 42 at 2024-11-21T14:05:59Z, partial (1 failing, 1 late)\n"
      "  TABLE           STATE           DATA TO               LOADED                PROMISE   ROWS  CHECKS\n"
      "  mart.dim_staff  ✗ failing       2024-11-20T14:00:00Z  2024-11-20T14:00:00Z  –           20  –       run 42: "
      "LEAT0203 column \"department_nam\" does not exist in totesys.department\n"
      "  crm.customer    ◐ late          2024-11-20T14:00:00Z  2024-11-21T14:05:59Z  30 min       7  –       data is "
      "25 h old; expected at most 30 min; deletes as of 2023-11-20T09:00:00Z\n"
      "  mart.new        ○ never loaded  –                     –                     –            –  –\n"
      "  mart.t0         ● healthy       2024-11-21T14:05:59Z  2024-11-21T14:05:59Z  –        18402  6/6\n");
}

TEST(StatusReportTest, PutsReasonsBelowWhereTheTerminalIsNarrow) {
  EXPECT_EQ(FormatStatus("shop", Shop(1), HealthyTables::kFew, kNow, kNarrowAscii),
            "shop - default - last run 42 at 14:05 UTC, partial (1 failing, 1 late)\n"
            "  TABLE           STATE           LOADED   ROWS  CHECKS\n"
            "  mart.dim_staff  x failing       20 Nov     20  -\n"
            "      run 42: LEAT0203 column \"department_nam\" does not e...\n"
            "  crm.customer    ~ late          14:05       7  -\n"
            "      data is 25 h old; expected at most 30 min; deletes ...\n"
            "  mart.new        o never loaded  -           -  -\n"
            "  mart.t0         * healthy       14:05   18402  6/6\n");
}

TEST(StatusReportTest, SaysThatTheStateCannotBeRead) {
  ProjectStatus status{.target = "default"};
  status.fault = Diagnostic{.code = "LEAT0514", .message = "damaged"};
  status.tables.push_back({.name = "mart.a", .kind = "table", .state = "unknown", .reason = "LEAT0514 damaged"});
  EXPECT_EQ(FormatStatus("shop", status, HealthyTables::kFew, kNow, kPipe),
            "shop · default · the state cannot be read\n"
            "  TABLE   STATE      DATA TO  LOADED  PROMISE  ROWS  CHECKS\n"
            "  mart.a  ? unknown  –        –       –           –  –       LEAT0514 damaged\n");
}

TEST(StatusReportTest, SaysHowToStart) {
  ProjectStatus status = Shop(3);
  status.last_run.reset();
  EXPECT_EQ(FormatStatus("shop", status, HealthyTables::kFew, kNow, kPipe),
            "shop · default · 6 tables, never run\n  Start with  leat run\n");
}

TEST(StatusReportTest, NamesDaysOfOtherYears) {
  ProjectStatus status = Shop(0);
  status.last_run->ended = ParseTimestamp("2023-02-03T14:00:00Z");
  status.tables.clear();
  EXPECT_EQ(
      FormatStatus("shop", status, HealthyTables::kFew, kNow, kTerminal),
      "shop · default · last run 42 on 3 Feb 2023, partial\n  no tables yet: add a file to sources/ or models/\n");
}

TEST(StatusReportTest, GivesEverythingAsJson) {
  const Json json = StatusJson("shop", Shop(0));
  EXPECT_EQ(json["last_run"]["number"], 42);
  EXPECT_EQ(json["tables"][0]["table"], "mart.dim_staff");
  EXPECT_EQ(json["tables"][0]["loaded_at"], "2024-11-20T14:00:00Z");
  EXPECT_EQ(json["tables"][1]["deletes_to"], "2023-11-20T09:00:00Z");
  EXPECT_EQ(json["tables"][1]["error_after_s"], 1800.0);
  EXPECT_EQ(json["tables"][2]["rows"], nullptr);
  EXPECT_EQ(json["tables"][2]["error_after_s"], nullptr);
}

}  // namespace
}  // namespace leat::cli
