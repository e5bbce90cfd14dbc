#include "sources/http/pace.h"

#include <gtest/gtest.h>

#include <vector>

namespace leat::sources {
namespace {

using namespace std::chrono_literals;

/// Time that passes only where somebody waits.
class FakePatience : public http::Patience {
 public:
  Timestamp Now() const override { return now; }
  void Wait(std::chrono::milliseconds duration, const CancelFlag* cancel) override {
    cancel->Check();
    now += duration;
  }
  double Chance() override { return 0; }

  Timestamp now{1h};
};

class PaceTest : public testing::Test {
 protected:
  /// Milliseconds at which `count` requests begin that take no time.
  std::vector<int64_t> Begins(Pace& pace, int count) {
    std::vector<int64_t> begins;
    for (int i = 0; i < count; ++i) {
      const Pace::Turn turn = pace.Take(cancel_);
      begins.push_back((patience_.now - Timestamp(1h)) / 1ms);
    }
    return begins;
  }

  FakePatience patience_;
  CancelFlag cancel_;
};

TEST_F(PaceTest, LetsNoMoreRequestsBeginInAnyStretch) {
  Pace pace({.requests = 3, .per = 1000ms, .concurrent = 9}, patience_);
  EXPECT_EQ(Begins(pace, 2), (std::vector<int64_t>{0, 0}));
  patience_.now += 400ms;
  EXPECT_EQ(Begins(pace, 5), (std::vector<int64_t>{400, 1000, 1000, 1400, 2000}));
}

TEST_F(PaceTest, WaitsUntilTheServerTakesRequestsAgain) {
  Pace pace({.requests = 100, .per = 1000ms, .concurrent = 9}, patience_);
  pace.HoldUntil(patience_.now + 30s);
  pace.HoldUntil(patience_.now + 10s);
  EXPECT_EQ(Begins(pace, 2), (std::vector<int64_t>{30000, 30000}));
}

TEST_F(PaceTest, LetsNoMoreRequestsRunAtOnce) {
  Pace pace({.requests = 100, .per = 1000ms, .concurrent = 2}, patience_);
  const Pace::Turn first = pace.Take(cancel_);
  {
    const Pace::Turn second = pace.Take(cancel_);
    cancel_.Set();
    EXPECT_THROW(pace.Take(cancel_), Cancelled);
  }
  CancelFlag other;
  EXPECT_EQ(patience_.now, Timestamp(1h));
  const Pace::Turn third = pace.Take(other);
}

}  // namespace
}  // namespace leat::sources
