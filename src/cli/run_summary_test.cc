#include "cli/run_summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.h"
#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

using pipeline::RunSummary;

state::Step Extract(const std::string& table, int64_t read, int64_t written, int64_t repeated = 0,
                    int64_t rejected = 0) {
  const bool changed = written + rejected > 0;
  return {.table = table,
          .step = "extract",
          .status = changed ? "done" : "unchanged",
          .rows_read = read,
          .rows_written = written,
          .rows_repeated = repeated,
          .rows_rejected = rejected};
}

RunSummary Summary(std::vector<state::Step> steps, const std::string& status = "succeeded") {
  const Timestamp started = ParseTimestamp("2024-11-21T14:05:01Z");
  RunSummary summary{
      .run = {.number = 42, .status = status, .started = started, .ended = started + std::chrono::seconds(58)},
      .steps = std::move(steps)};
  summary.tables = summary.tables_done = static_cast<int>(summary.steps.size());
  return summary;
}

TEST(RunSummaryTest, AccountsForEveryRow) {
  const RunSummary summary = Summary({Extract("web.hits", 3118036, 3118030, 0, 6), Extract("t.a", 400, 0, 400)});
  EXPECT_EQ(FormatRunSummary(summary, kPipe),
            "2 tables done in 58 s · read 3118436 = written 3118030 + repeated 400 + rejected 6 (leat preview "
            "web.hits__rejects)\n");
  EXPECT_EQ(FormatRunSummary(summary, kTerminal),
            "2 tables done in 58 s · read 3\u202f118\u202f436 = written 3\u202f118\u202f030 + repeated 400 + rejected "
            "6 (leat preview "
            "web.hits__rejects)\n");
  EXPECT_EQ(FormatRunSummary(Summary({Extract("t.a", 5, 5)}), kAsciiPipe),
            "1 table done in 58 s - read 5 = written 5\n");
  EXPECT_EQ(ExitCodeOf(summary), kAllDone);
}

TEST(RunSummaryTest, SaysThatNothingChanged) {
  EXPECT_EQ(FormatRunSummary(Summary({Extract("t.a", 400, 0, 400)}), kPipe),
            "1 table done in 58 s, nothing changed · read 400 = repeated 400\n");
}

TEST(RunSummaryTest, ShowsCountsThatDoNotAddUpAndFails) {
  const RunSummary summary = Summary({Extract("t.a", 10, 9), Extract("t.b", 9, 10)});
  EXPECT_EQ(FormatRunSummary(summary, kPipe),
            "2 tables done in 58 s · read 19 ≠ written 19\n"
            "counts do not add up: t.a: read 10, accounted for 9\n"
            "counts do not add up: t.b: read 9, accounted for 10\n");
  EXPECT_EQ(ExitCodeOf(summary), kSomeFailed);
}

TEST(RunSummaryTest, SaysWhatFailedAndHowToGoOn) {
  RunSummary summary = Summary({Extract("t.a", 400, 0, 400)}, "partial");
  summary.tables = 39;
  summary.tables_done = 38;
  summary.tables_failed = 1;
  EXPECT_EQ(FormatRunSummary(summary, kPipe),
            "38 of 39 tables done in 58 s · read 400 = repeated 400\n"
            "1 failed, 0 skipped; the failed table keeps its last good rows.  Fix it, then  leat retry\n");
  EXPECT_EQ(ExitCodeOf(summary), kSomeFailed);
  summary.tables_skipped = 2;
  summary.run.selection = "mart.*";
  EXPECT_THAT(FormatRunSummary(summary, kPipe),
              testing::EndsWith(
                  "1 failed, 2 skipped; these tables keep their last good rows.  Fix what failed, then  leat retry\n"));
  summary.connection_lost_everywhere = true;
  EXPECT_EQ(ExitCodeOf(summary), kNoConnection);
}

TEST(RunSummaryTest, LeavesOutWhatABrokenStreamHadRead) {
  state::Step broken = Extract("t.b", 7, 0);
  broken.status = "failed";
  EXPECT_TRUE(Reconcile(Summary({Extract("t.a", 5, 5), broken}, "partial")).is_equal());
}

TEST(RunSummaryTest, TellsRowsThatChecksRejected) {
  state::Step check{.table = "mart.fact", .step = "check", .status = "warned", .rows_rejected = 1};
  EXPECT_EQ(FormatRunSummary(Summary({Extract("t.a", 5, 5), check}), kPipe),
            "2 tables done in 58 s · read 5 = written 5 · checks rejected 1 (leat preview mart.fact__rejects)\n");
}

TEST(RunSummaryTest, SaysHowToGoOnAfterAStop) {
  RunSummary summary = Summary({Extract("t.a", 5, 5)}, "cancelled");
  summary.tables = 3;
  EXPECT_EQ(FormatRunSummary(summary, kPipe),
            "1 of 3 tables done in 58 s · read 5 = written 5\n"
            "Stopped as asked. What was done is published, the other tables are as they were; lake and positions are "
            "consistent.\n"
            "Go on with  leat retry\n");
  summary.run.number = 0;  // before it had one
  summary.run.selection = "mart.* --exclude mart.a";
  EXPECT_THAT(FormatRunSummary(summary, kPipe), testing::EndsWith("Go on with  leat run 'mart.*' --exclude mart.a\n"));
}

TEST(RunSummaryTest, SaysThatARetryReadAtANewMoment) {
  RunSummary summary = Summary({Extract("t.a", 5, 5)});
  summary.run.selection = "retry of run 41";
  EXPECT_EQ(FormatRunSummary(summary, kPipe),
            "1 table done in 58 s · read 5 = written 5\n"
            "This was the retry of run 41; what it read is of a new moment.\n");
}

TEST(ExitCodeTest, FollowsFromTheKindOfError) {
  EXPECT_EQ(ExitCodeOf(Error(kConfig, "LEAT0101", "x")), kNothingRun);
  EXPECT_EQ(ExitCodeOf(Error(kConnection, "LEAT0301", "x")), kNoConnection);
  EXPECT_EQ(ExitCodeOf(Error(kConflict, "LEAT0510", "x")), kLeaseHeld);
  EXPECT_EQ(ExitCodeOf(Error(kConflict, "LEAT0512", "x")), kSomeFailed);
  EXPECT_EQ(ExitCodeOf(Error(kData, "LEAT0401", "x")), kSomeFailed);
  EXPECT_EQ(ExitCodeOf(Error(kInternal, "LEAT0502", "x")), kSomeFailed);
  EXPECT_EQ(ExitCodeOf(Error(kInternal, "LEAT9903", "x")), kInternalError);
}

}  // namespace
}  // namespace leat::cli
