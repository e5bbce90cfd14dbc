#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/run_lines.h"
#include "cli/run_log.h"
#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

using namespace std::chrono_literals;

/// A run told in a few words; `shown` is what a person or a log has got so far.
class RunProgressTest : public testing::Test {
 protected:
  ProgressContext Context(const Terminal& terminal) {
    return {.terminal = terminal,
            .write = [this](std::string_view text) { shown_ += text; },
            .clock = &clock_,
            .cancel = &cancel_};
  }
  state::Step Step(const std::string& table, const std::string& step, const std::string& status,
                   std::chrono::microseconds duration, int64_t read = 0, int64_t written = 0, int64_t total = 0) const {
    return {.run = 42,
            .table = table,
            .step = step,
            .status = status,
            .rows_read = read,
            .rows_written = written,
            .rows_repeated = read > written ? read - written : 0,
            .rows_total = total,
            .started = clock_.Now() - duration,
            .ended = clock_.Now()};
  }
  std::string Take() { return std::exchange(shown_, ""); }

  FakeClock clock_{ParseTimestamp("2024-11-21T14:05:02Z")};
  CancelFlag cancel_;
  std::string shown_;
  const state::Run run_{.number = 42, .status = "running"};
  const Diagnostic fault_{.code = "LEAT0203",
                          .message = "column \"department_nam\" does not exist in totesys.department",
                          .place = {"models/mart/dim_staff.sql", 7, 10, 24}};
};

constexpr Terminal kColour{.width = 100, .escapes = true, .unicode = true};
constexpr Terminal kUnicode{.width = 100, .unicode = true};

TEST_F(RunProgressTest, KeepsOneLinePerFinishedTable) {
  RunLines lines(Context(kUnicode));
  lines.RunStarted(run_, 39, 4);
  lines.StepStarted("totesys.currency", "extract");
  lines.StepFinished(Step("totesys.currency", "extract", "done", 100ms, 3, 3, 3), std::nullopt);
  lines.StepFinished(Step("totesys.sales_order", "extract", "done", 200ms, 18402, 412, 18402), std::nullopt);
  state::Step deleted = Step("totesys.payment", "extract", "done", 65s, 7000, 0, 7000);
  deleted.rows_deleted = 3;
  lines.StepFinished(deleted, std::nullopt);
  lines.StepFinished(Step("mart.dim_staff", "build", "failed", 100ms), fault_);
  lines.StepFinished(Step("mart.report", "build", "skipped", 0ms), std::nullopt);
  lines.StepFinished(Step("mart.dim_design", "check", "warned", 10ms, 0, 0, 249), std::nullopt);
  lines.Close();
  EXPECT_EQ(shown_,
            "Run 42 · target default · 39 tables · 4 threads\n"
            "  ✓ totesys.currency                     3 rows                  0.1 s\n"
            "  ✓ totesys.sales_order             18\u202f402 rows  +412            0.2 s\n"
            "  ✓ totesys.payment                  7\u202f000 rows  +0 −3           65 s\n"
            "  ✗ mart.dim_staff            failed in build                    0.1 s\n"
            "  · mart.report               skipped\n"
            "  ! mart.dim_design                    249 rows                  warned in check  0.0 s\n");
}

TEST_F(RunProgressTest, FoldsUnchangedTablesAndLoads) {
  RunLines lines(Context(kUnicode));
  for (const char* table : {"t.a", "t.b", "t.c"})
    lines.StepFinished(Step(table, "extract", "unchanged", 10ms), std::nullopt);
  lines.StepFinished(Step("t.c", "load", "done", 100ms, 0, 5, 5), std::nullopt);
  lines.StepFinished(Step("t.d", "load", "done", 200ms, 0, 4000, 4000), std::nullopt);
  lines.Close();
  EXPECT_EQ(shown_,
            "  ✓ 2 tables to the warehouse         4\u202f005 rows                  0.2 s\n"
            "  = 2 tables unchanged\n");
}

TEST_F(RunProgressTest, NamesASingleUnchangedTable) {
  RunLines lines(Context(kNarrowAscii));
  lines.StepFinished(Step("t.a", "extract", "unchanged", 10ms), std::nullopt);
  lines.Close();
  EXPECT_EQ(shown_, "  = t.a unchanged\n");
}

TEST_F(RunProgressTest, RedrawsLiveLinesInPlace) {
  RunLines lines(Context(kColour));
  lines.StepStarted("web.hits", "extract");
  lines.StepStarted("mart.fact", "build");
  clock_.Advance(10s);
  lines.StepProgress("web.hits", "extract", 410'000, 1'000'000);
  lines.Tick();
  EXPECT_EQ(Take(),
            "  ⠙ web.hits                       410\u202f000 rows  ██████░░░░░░░░░░ 41 %   41 k rows/s   ~14 s left\n"
            "  ⠙ mart.fact                 building\n");
  lines.StepFinished(Step("mart.fact", "build", "done", 10s, 0, 7, 7), std::nullopt);
  lines.StepProgress("web.hits", "extract", 500'000, std::nullopt);
  lines.Tick();
  EXPECT_EQ(Take(),
            "\x1b[2A\x1b[J"
            "  \x1b[32m✓\x1b[0m mart.fact                            7 rows                  10 s\n"
            "  ⠹ web.hits                       500\u202f000 rows   50 k rows/s\n");
  lines.Close();
  EXPECT_EQ(Take(), "\x1b[1A\x1b[J");
}

TEST_F(RunProgressTest, DrawsAsciiWithinNarrowTerminals) {
  Terminal narrow = kNarrowAscii;
  narrow.escapes = true;
  RunLines lines(Context(narrow));
  lines.StepStarted("web.hits", "extract");
  clock_.Advance(10s);
  lines.StepProgress("web.hits", "extract", 410'000, 1'000'000);
  lines.Tick();
  EXPECT_EQ(Take(), "  / web.hits                    410000 rows  41 %   41 k...\n");
}

TEST_F(RunProgressTest, NeverDrawsMoreLiveLinesThanSix) {
  RunLines lines(Context(kColour));
  for (int i = 0; i < 9; ++i) lines.StepStarted(fmt::format("t.t{}", i), "build");
  lines.Tick();
  EXPECT_EQ(std::count(shown_.begin(), shown_.end(), '\n'), 7);
  EXPECT_THAT(shown_, testing::EndsWith("  … and 3 more\n"));
}

TEST_F(RunProgressTest, SaysAtOnceThatItStops) {
  RunLines lines(Context(kUnicode));
  RunLog log(Context({}));
  cancel_.Set();
  lines.Tick();
  lines.Tick();
  EXPECT_EQ(Take(), "  stopping; what is published stays (Ctrl-C again ends at once)\n");
  log.Tick();
  log.Tick();
  EXPECT_EQ(Take(), "2024-11-21T14:05:02Z run=0 event=run_stopping\n");
}

TEST_F(RunProgressTest, LogsOneWholeLinePerStep) {
  RunLog log(Context({}));
  log.RunStarted(run_, 39, 4);
  log.StepStarted("totesys.sales_order", "extract");
  log.StepFinished(Step("totesys.sales_order", "extract", "done", 200ms, 412, 412, 18402), std::nullopt);
  log.StepFinished(Step("totesys.payment", "extract", "done", 500ms, 500, 3, 500), std::nullopt);
  log.StepFinished(Step("totesys.currency", "extract", "unchanged", 12ms), std::nullopt);
  log.StepFinished(Step("mart.dim_staff", "build", "failed", 100ms), fault_);
  log.Close();
  EXPECT_EQ(
      shown_,
      "2024-11-21T14:05:02Z run=42 event=run_started tables=39 threads=4 target=default\n"
      "2024-11-21T14:05:02Z run=42 event=table_done table=totesys.sales_order step=extract rows=412 rows_per_s=2060 "
      "dur_s=0.2\n"
      "2024-11-21T14:05:02Z run=42 event=table_done table=totesys.payment step=extract rows=500 rows_written=3 "
      "rows_repeated=497 rows_per_s=1000 dur_s=0.5\n"
      "2024-11-21T14:05:02Z run=42 event=table_unchanged table=totesys.currency step=extract dur_s=0.012\n"
      "2024-11-21T14:05:02Z run=42 event=table_failed table=mart.dim_staff step=build code=LEAT0203 "
      "at=models/mart/dim_staff.sql:7:10 msg=\"column \\\"department_nam\\\" does not exist in totesys.department\"\n"
      "2024-11-21T14:05:02Z run=42 event=run_ended\n");
}

TEST_F(RunProgressTest, LogsJsonWhenAsked) {
  ProgressContext context = Context({});
  context.log_format = LogFormat::kJson;
  RunLog log(context);
  log.StepFinished(Step("t.a", "extract", "done", 200ms, 412, 412, 18402), std::nullopt);
  EXPECT_EQ(
      shown_,
      R"({"time":"2024-11-21T14:05:02Z","run":0,"event":"table_done","table":"t.a","step":"extract","rows":412,"rows_per_s":2060,"dur_s":0.2})"
      "\n");
}

TEST_F(RunProgressTest, SaysWhomItWaitsFor) {
  const state::LeaseHolder holder{.name = "source:crm", .run = 41, .holder = "here, process 4711"};
  RunLines lines(Context(kUnicode));
  lines.Waiting(holder);
  EXPECT_EQ(Take(), "  waiting for run 41 (here, process 4711), which holds source:crm (Ctrl-C ends the wait)\n");
  RunLog log(Context({}));
  log.Waiting(holder);
  EXPECT_EQ(Take(),
            "2024-11-21T14:05:02Z run=0 event=waiting for_run=41 holder=\"here, process 4711\" holds=source:crm\n");
}

TEST_F(RunProgressTest, SaysThatARetryReadsAtANewMoment) {
  const state::Run retry{.number = 43, .status = "running", .selection = "retry of run 42"};
  RunLines lines(Context(kUnicode));
  lines.RunStarted(retry, 2, 4);
  EXPECT_EQ(Take(), "Run 43 · target default · 2 tables · 4 threads · retry of run 42, reads at a new moment\n");
  RunLog log(Context({}));
  log.RunStarted(retry, 2, 4);
  EXPECT_EQ(Take(),
            "2024-11-21T14:05:02Z run=43 event=run_started tables=2 threads=4 target=default selection=\"retry of run "
            "42\"\n");
}

TEST_F(RunProgressTest, LogsAHeartbeatEveryHalfMinute) {
  RunLog log(Context({}));
  log.RunStarted(run_, 1, 1);
  log.StepStarted("web.hits", "extract");
  Take();
  clock_.Advance(29s);
  log.Tick();
  EXPECT_EQ(Take(), "");
  clock_.Advance(1s);
  log.StepProgress("web.hits", "extract", 1'320'000, 3'142'857);
  log.Tick();
  log.Tick();
  EXPECT_EQ(Take(),
            "2024-11-21T14:05:32Z run=42 event=progress table=web.hits step=extract rows=1320000 rows_per_s=44000 "
            "pct=42 eta_s=41\n");
  clock_.Advance(30s);
  log.StepProgress("web.hits", "extract", 1'500'000, std::nullopt);
  log.Tick();
  EXPECT_EQ(Take(),
            "2024-11-21T14:06:02Z run=42 event=progress table=web.hits step=extract rows=1500000 rows_per_s=25000\n");
}

}  // namespace
}  // namespace leat::cli
