#include "pipeline/steps.h"

#include <gtest/gtest.h>

namespace leat::pipeline {
namespace {

using sources::StreamOutcome;

StreamOutcome Read(int64_t read, int64_t written, int64_t repeated) {
  StreamOutcome outcome{.stream = "crm.customer", .kind = StreamOutcome::Kind::kChanged};
  outcome.rows_read = read;
  outcome.rows_written = written;
  outcome.rows_repeated = repeated;
  return outcome;
}

TEST(StepsTest, FailsAStreamWhoseCountsDoNotAddUpSoThatRetryFindsIt) {
  StreamOutcome lost = Read(10, 7, 2);
  ASSERT_TRUE(FailUnequal(lost));
  EXPECT_EQ(lost.diagnostic->code, "LEAT0719");
  EXPECT_EQ(lost.diagnostic->message,
            "crm.customer: read 10 rows and accounted for 9 (written 7 + repeated 2 + rejected 0); expected equal counts");
  const state::Step step = StepOf(lost, /*run=*/4);
  EXPECT_EQ(step.status, "failed");
  EXPECT_EQ(TablesUndone({step}), std::set<std::string>{"crm.customer"});
}

TEST(StepsTest, LeavesEqualCountsAndFailedStreamsAlone) {
  StreamOutcome equal = Read(10, 7, 3);
  EXPECT_FALSE(FailUnequal(equal));
  EXPECT_FALSE(equal.diagnostic);
  StreamOutcome broken = Read(10, 0, 0);
  broken.kind = StreamOutcome::Kind::kFailed;
  EXPECT_FALSE(FailUnequal(broken)) << "it broke off, and has its own diagnostic";
}

TEST(StepsTest, CountsTheRulesOfAStreamThatPassed) {
  models::StreamVerdict verdict;
  verdict.checks.resize(3);
  verdict.checks[1].diagnostic = Diagnostic{.severity = Severity::kWarning, .code = "LEAT0701"};
  verdict.diagnostics.push_back(*verdict.checks[1].diagnostic);
  const state::Step warned = StepOf(verdict, "crm.customer", 1, {});
  EXPECT_EQ(warned.status, "warned");
  EXPECT_EQ(warned.rows_read, 3);
  EXPECT_EQ(warned.rows_written, 2);
  verdict.diagnostics.push_back({.code = "LEAT0702"});
  EXPECT_EQ(StepOf(verdict, "crm.customer", 1, {}).status, "failed");
}

}  // namespace
}  // namespace leat::pipeline
