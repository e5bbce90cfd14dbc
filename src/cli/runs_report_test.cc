#include "cli/runs_report.h"

#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"
#include "core/diagnostic_json.h"

namespace leat::cli {
namespace {

using pipeline::RunRecord;

const Timestamp kToday = ParseTimestamp("2024-11-21T15:00:00Z");

state::Step Recorded(const std::string& table, const std::string& step, const std::string& status, int64_t read = 0,
                     int64_t written = 0) {
  return {.run = 42,
          .table = table,
          .step = step,
          .status = status,
          .rows_read = read,
          .rows_written = written,
          .started = kToday,
          .ended = kToday + std::chrono::milliseconds(1200)};
}

RunRecord Partial() {
  RunRecord record{
      .run = {.number = 42,
              .status = "partial",
              .selection = "source:crm+ --exclude tag:monthly",
              .started = ParseTimestamp("2024-11-21T14:05:01.250000Z"),
              .ended = ParseTimestamp("2024-11-21T14:05:59.250000Z")},
      .steps = {Recorded("crm.customer", "extract", "done", 3118436, 412),
                Recorded("mart.dim_staff", "build", "failed"), Recorded("mart.below", "build", "skipped"),
                Recorded("mart.fact", "build", "done", 0, 7), Recorded("mart.fact", "check", "warned", 6, 5),
                Recorded("mart.fact", "load", "done", 0, 7)}};
  record.steps[1].diagnostic =
      FormatDiagnosticJson({.code = "LEAT0203", .message = "column \"nam\" does not exist in crm.department"});
  return record;
}

RunRecord Crashed() {
  return {.run = {.number = 41,
                  .status = "crashed",
                  .started = ParseTimestamp("2023-11-20T14:00:00Z"),
                  .ended = ParseTimestamp("2023-11-20T14:00:10Z")},
          .steps = {}};
}

TEST(RunsReportTest, ListsRuns) {
  EXPECT_EQ(FormatRuns({Partial(), Crashed()}, kToday, kTerminal),
            "  RUN  STATUS   STARTED            DURATION  DONE  FAILED  SKIPPED  ROWS READ  SELECTION\n"
            "   42  partial  14:05                  58 s     2       1        1  3\u202f118\u202f436  source:crm+ "
            "--exclude tag:monthly\n"
            "   41  crashed  20 Nov 2023 14:00      10 s     –       –        –          –\n");
  EXPECT_EQ(FormatRuns({Partial()}, kToday, kPipe),
            "  RUN  STATUS   STARTED               DURATION  DONE  FAILED  SKIPPED  ROWS READ  SELECTION\n"
            "   42  partial  2024-11-21T14:05:01Z      58 s     2       1        1    3118436  source:crm+ --exclude "
            "tag:monthly\n");
  EXPECT_EQ(FormatRuns({}, kToday, kPipe), "no runs yet\n  Start with  leat run\n");
}

TEST(RunsReportTest, GoesWithoutColumnsOnANarrowTerminal) {
  EXPECT_EQ(FormatRuns({Crashed()}, kToday, kNarrowAscii),
            "  RUN  STATUS   STARTED            DONE  FAILED  ROWS READ\n"
            "      SELECTION\n"
            "   41  crashed  20 Nov 2023 14:00     -       -          -\n");
}

TEST(RunsReportTest, ShowsTheStepsOfARun) {
  EXPECT_EQ(FormatRunRecord(Partial(), kToday, kTerminal),
            "Run 42 · partial · started 14:05 UTC, 58 s · source:crm+ --exclude tag:monthly\n"
            "  TABLE           STEP     STATUS   ROWS  DURATION\n"
            "  crm.customer    extract  done      412     1.2 s\n"
            "  mart.dim_staff  build    failed      –     1.2 s  LEAT0203 column \"nam\" does not exist in "
            "crm.department\n"
            "  mart.below      build    skipped     –     1.2 s\n"
            "  mart.fact       build    done        7     1.2 s\n"
            "  mart.fact       check    warned    5/6     1.2 s\n"
            "  mart.fact       load     done        7     1.2 s\n"
            "  What is left of it:  leat retry 42\n");
  EXPECT_EQ(FormatRunRecord(Crashed(), kToday, kPipe),
            "Run 41 · crashed · started 2023-11-20T14:00:00Z, 10 s\n"
            "  no step is recorded\n"
            "  What is left of it:  leat retry 41\n");
}

TEST(RunsReportTest, CountsTablesInJson) {
  const Json json = RunsJson({Partial()});
  EXPECT_EQ(DumpLine(json),
            R"({"runs":[{"number":42,"status":"partial","selection":"source:crm+ --exclude tag:monthly",)"
            R"("started_at":"2024-11-21T14:05:01.250000Z","ended_at":"2024-11-21T14:05:59.250000Z","dur_s":58.0,)"
            R"("tables_done":2,"tables_failed":1,"tables_skipped":1,"rows_read":3118436}]})");
  const Json steps = RunRecordJson(Partial())["steps"];
  EXPECT_EQ(steps[1]["diagnostic"]["code"], "LEAT0203");
  EXPECT_TRUE(steps[0]["diagnostic"].is_null());
}

TEST(RunsReportTest, TellsALogAsItWasTold) {
  const std::string log =
      R"({"time":"2024-11-21T14:05:02.123456Z","run":42,"event":"run_started","tables":39})"
      "\n"
      R"({"time":"2024-11-21T14:05:50Z","run":42,"event":"table_failed","table":"mart.a","code":"LEAT0203","msg":"no x","diagnostic":{"code":"LEAT0203"}})"
      "\n"
      R"({"time":"2024-11-21T14:05:51Z","run":4)";
  EXPECT_EQ(FormatLog(log, "", LogFormat::kText),
            "2024-11-21T14:05:02Z run=42 event=run_started tables=39\n"
            "2024-11-21T14:05:50Z run=42 event=table_failed table=mart.a code=LEAT0203 msg=\"no x\"\n");
  EXPECT_EQ(
      FormatLog(log, "mart.a", LogFormat::kJson),
      R"({"time":"2024-11-21T14:05:50Z","run":42,"event":"table_failed","table":"mart.a","code":"LEAT0203","msg":"no x","diagnostic":{"code":"LEAT0203"}})"
      "\n");
  EXPECT_EQ(FormatLog(log, "mart.b", LogFormat::kText), "");
  EXPECT_EQ(TablesInLog(log), std::vector<std::string>{"mart.a"});
}

}  // namespace
}  // namespace leat::cli
