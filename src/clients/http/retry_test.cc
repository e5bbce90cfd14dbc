#include "clients/http/retry.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "clients/http/authenticate.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Milliseconds = std::chrono::milliseconds;

const Timestamp kNoon = ParseTimestamp("2026-10-21T12:00:00Z");

/// Time that passes by waiting only.
class FakePatience : public Patience {
 public:
  Timestamp Now() const override { return now_; }
  void Wait(Milliseconds duration, const CancelFlag* cancel) override {
    if (cancel != nullptr) cancel->Check();
    waits.push_back(duration);
    now_ += duration;
  }
  double Chance() override { return chance; }

  std::vector<Milliseconds> waits;
  double chance = 0.5;

 private:
  Timestamp now_ = kNoon;
};

Response Status(int status, Headers headers = {}) { return {.status = status, .headers = std::move(headers)}; }

/// A server that answers in this order.
class Script {
 public:
  explicit Script(std::deque<Response> responses) : responses_(std::move(responses)) {}
  Response operator()() {
    ++asked;
    Response response = responses_.front();
    if (responses_.size() > 1) responses_.pop_front();
    return response;
  }
  int asked = 0;

 private:
  std::deque<Response> responses_;
};

class RetryTest : public testing::Test {
 protected:
  Answer Send(std::deque<Response> responses) {
    script = Script(std::move(responses));
    return SendWithRetries([this] { return script(); }, policy, budget, nullptr, {}, patience);
  }

  RetryPolicy policy;
  RetryBudget budget;
  FakePatience patience;
  Script script{{}};
};

TEST_F(RetryTest, TakesTheFirstAnswerThatCounts) {
  EXPECT_EQ(Send({Status(200)}).attempts, 1);
  EXPECT_THAT(patience.waits, ElementsAre());
  EXPECT_EQ(Send({Status(404)}).response.status, 404);
  EXPECT_EQ(script.asked, 1);
  EXPECT_EQ(Send({Status(503), Status(429), Status(200)}).attempts, 3);
}

TEST_F(RetryTest, DoublesWithFullJitterUpToTheCap) {
  policy.attempts = 9;
  const Answer answer = Send({Status(503)});
  EXPECT_THAT(patience.waits, ElementsAre(500ms, 1s, 2s, 4s, 8s, 16s, 32s, 60s));
  EXPECT_EQ(answer.gave_up, "asked 9 times in 2 min 3 s");
  patience.waits.clear();
  patience.chance = 0;
  policy.attempts = 3;
  Send({Status(503)});
  EXPECT_THAT(patience.waits, ElementsAre(0ms, 0ms));
}

TEST_F(RetryTest, WaitsAsLongAsTheServerAsks) {
  std::vector<std::string> told;
  script = Script({Status(429, {{"Retry-After", "7"}}), Status(200)});
  SendWithRetries(
      [this] { return script(); }, policy, budget, nullptr,
      [&](const RetryWait& wait) {
        told.push_back(fmt::format("{} {} {} {}", wait.attempt, wait.reason, wait.duration.count(), wait.asked));
      },
      patience);
  EXPECT_THAT(patience.waits, ElementsAre(7s));
  EXPECT_THAT(told, ElementsAre("1 answered 429 7000 true"));
}

TEST_F(RetryTest, MeasuresADateByTheServersClock) {
  Send({Status(429, {{"Date", "Wed, 21 Oct 2026 07:28:00 GMT"}, {"Retry-After", "Wed, 21 Oct 2026 07:28:09 GMT"}}),
        Status(200)});
  EXPECT_THAT(patience.waits, ElementsAre(9s));
}

TEST_F(RetryTest, GivesUpRatherThanWaitLongerThanItMay) {
  const Answer answer = Send({Status(429, {{"Retry-After", "3600"}}), Status(200)});
  EXPECT_EQ(answer.gave_up, "the server asks to wait 60 min 0 s, and `wait_max` is 2 min 0 s");
  EXPECT_EQ(answer.response.status, 429);
  EXPECT_THAT(patience.waits, ElementsAre());
}

TEST_F(RetryTest, ReadsOddWaits) {
  const auto wait = [](std::string_view value) { return ParseRetryAfter(value, kNoon); };
  EXPECT_EQ(wait("120"), 120s);
  EXPECT_EQ(wait(" 5 "), 5s);
  EXPECT_EQ(wait("1.5"), 1500ms);
  EXPECT_EQ(wait("0.0001"), 1ms);
  EXPECT_EQ(wait("Wed, 21 Oct 2026 12:00:30 GMT"), 30s);
  EXPECT_EQ(wait("Wednesday, 21-Oct-26 12:00:30 GMT"), 30s);
  EXPECT_EQ(wait("Wed Oct 21 12:00:30 2026"), 30s);
  EXPECT_GT(wait("99999999999999999999999999"), 24h * 300);
  for (const char* nothing : {"", "0", "-1", "-5", "soon", "1e3", "0x10", "12s", ".", ".5", "1.2.3", "NaN", "inf",
                              "Wed, 21 Oct 2026 11:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"})
    EXPECT_EQ(wait(nothing), std::nullopt) << nothing;
}

TEST_F(RetryTest, TriesAgainAfterErrorsThatPass) {
  int asked = 0;
  const auto flaky = [&] {
    if (++asked < 3) throw Error(kConnection, "LEAT0325", "broken off");
    return Status(200);
  };
  EXPECT_EQ(SendWithRetries(flaky, policy, budget, nullptr, {}, patience).attempts, 3);
}

TEST_F(RetryTest, ThrowsTheLastErrorWithWhatItTried) {
  const auto down = []() -> Response { throw Error(kConnection, "LEAT0320", "nobody there"); };
  try {
    SendWithRetries(down, policy, budget, nullptr, {}, patience);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "nobody there");
    EXPECT_THAT(error.diagnostic().notes, ElementsAre("asked 5 times in 7.5 s"));
  }
}

TEST_F(RetryTest, ThrowsErrorsThatStayAtOnce) {
  for (const Error& fault :
       {Error(kConfig, "LEAT0323", "private"), Error(kData, "LEAT0324", "too large"),
        Error(kConnection, "LEAT0321", "bad certificate"), Error(kInternal, "LEAT9905", "memory")}) {
    int asked = 0;
    EXPECT_THROW(SendWithRetries(
                     [&]() -> Response {
                       ++asked;
                       throw fault;
                     },
                     policy, budget, nullptr, {}, patience),
                 Error);
    EXPECT_EQ(asked, 1) << fault.code();
  }
}

TEST_F(RetryTest, DoesNotMultiplyAnOutage) {
  int asked = 0;
  std::string last;
  for (int request = 0; request < 1000; ++request)
    last = SendWithRetries(
               [&] {
                 ++asked;
                 return Status(500);
               },
               policy, budget, nullptr, {}, patience)
               .gave_up;
  EXPECT_GE(asked, 1000 + 50);
  EXPECT_LE(asked, 1000 + 50 + 100);
  EXPECT_EQ(last, "not asked again, since too many requests of this source come to nothing");
}

TEST_F(RetryTest, TakesNothingOffTheBudgetForWaitsThatWereAsked) {
  RetryBudget empty(0);
  script = Script({Status(429, {{"Retry-After", "1"}}), Status(200)});
  EXPECT_EQ(SendWithRetries([this] { return script(); }, policy, empty, nullptr, {}, patience).response.status, 200);
}

TEST_F(RetryTest, StopsWaitingWhenCancelled) {
  CancelFlag cancel;
  script = Script({Status(503)});
  std::thread stopper([&] {
    std::this_thread::sleep_for(20ms);
    cancel.Set();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(RealPatience().Wait(1h, &cancel), Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 20ms + 100ms + 400ms);
  stopper.join();
  EXPECT_THROW(SendWithRetries([this] { return script(); }, policy, budget, &cancel, {}, patience), Cancelled);
}

TEST_F(RetryTest, TellsWhatAStatusMeans) {
  const Request request{.url = Url::Parse("https://a.example/v2/items?api=1"),
                        .credentials = QueryCredentials("k", Secret("canary"))};
  Answer answer{.response = {.status = 404, .body = "{\n  \"message\": \"no canary here\"\n}", .url = request.url}};
  const Error missing = StatusFault(request, answer);
  EXPECT_EQ(missing.what(), std::string("https://a.example/v2/items answered 404: { \"message\": \"no **** here\" }"));
  EXPECT_EQ(missing.kind(), kConfig);
  EXPECT_THAT(missing.diagnostic().help, ElementsAre("check `base_url` and `path`"));

  answer = {.response = {.status = 503, .url = request.url}, .gave_up = "asked 5 times in 12 s"};
  const Error down = StatusFault(request, answer);
  EXPECT_EQ(down.message(), "https://a.example/v2/items answered 503");
  EXPECT_EQ(down.kind(), kConnection);
  EXPECT_THAT(down.diagnostic().notes, ElementsAre("asked 5 times in 12 s"));
}

}  // namespace
}  // namespace leat::http
