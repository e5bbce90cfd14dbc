#include "pipeline/lease_wait.h"

#include <gtest/gtest.h>

namespace leat::pipeline {
namespace {

using namespace std::chrono_literals;

const state::LeaseHolder kHolder{
    .name = "source:crm", .run = 41, .holder = "here, process 4711", .since = ParseTimestamp("2024-11-21T14:05:02Z")};

class LeaseWaitTest : public testing::Test {
 protected:
  LeaseWait Wait(std::chrono::milliseconds limit) {
    return {limit, cancel_, [this](const state::LeaseHolder&) { ++told_; }};
  }
  CancelFlag cancel_;
  int told_ = 0;
};

std::string RefusalOf(LeaseWait& wait) {
  for (;;) {
    try {
      wait.Pause(kHolder);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kConflict);
      const Diagnostic& fault = error.diagnostic();
      return fault.code + " " + fault.message + (fault.notes.empty() ? "" : " (" + fault.notes[0] + ")");
    }
  }
}

TEST_F(LeaseWaitTest, RefusesAtOnceWithoutPatience) {
  LeaseWait wait = Wait(0ms);
  EXPECT_EQ(RefusalOf(wait), "LEAT0510 run 41 (here, process 4711) holds source:crm since 2024-11-21T14:05:02Z");
  EXPECT_EQ(told_, 0);
}

TEST_F(LeaseWaitTest, TellsOnceAndRefusesWhenTheTimeIsOver) {
  LeaseWait wait = Wait(300ms);
  EXPECT_EQ(RefusalOf(wait),
            "LEAT0510 run 41 (here, process 4711) holds source:crm since 2024-11-21T14:05:02Z (waited for 0.3 s)");
  EXPECT_EQ(told_, 1);
}

TEST_F(LeaseWaitTest, EndsAtOnceWhenAsked) {
  LeaseWait wait = Wait(1h);
  cancel_.Set();
  EXPECT_THROW(wait.Pause(kHolder), Cancelled);
}

}  // namespace
}  // namespace leat::pipeline
