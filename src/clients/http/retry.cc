#include "clients/http/retry.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

#include "core/text.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;
using Milliseconds = std::chrono::milliseconds;

constexpr auto kSlice = 50ms;
constexpr Milliseconds kFirstWait = 1s;
constexpr int kTextShown = 300;  // characters of an answer

class Machine : public Patience {
 public:
  Timestamp Now() const override { return SystemClock().Now(); }

  void Wait(Milliseconds duration, const CancelFlag* cancel) override {
    const auto end = std::chrono::steady_clock::now() + duration;
    while (true) {
      if (cancel != nullptr) cancel->Check();
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= 0s) return;
      std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kSlice));
    }
  }

  double Chance() override {
    thread_local std::mt19937_64 engine{std::random_device{}()};
    return std::uniform_real_distribution<double>(0, 1)(engine);
  }
};

std::optional<Timestamp> ParseHttpDate(std::string_view text) {
  const time_t seconds = curl_getdate(std::string(text).c_str(), nullptr);
  if (seconds == -1) return std::nullopt;
  return Timestamp(std::chrono::seconds(seconds));
}

/// `120`, and `1.5` that some servers send; a number without end is a very long time.
std::optional<Milliseconds> ParseSeconds(std::string_view text) {
  constexpr double kYear = 366.0 * 24 * 3600;
  const size_t point = std::min(text.find('.'), text.size());
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (point == 0 || !std::ranges::all_of(text.substr(0, point), is_digit)) return std::nullopt;
  if (point < text.size() && !std::ranges::all_of(text.substr(point + 1), is_digit)) return std::nullopt;
  const double seconds = std::min(std::strtod(std::string(text).c_str(), nullptr), kYear);
  return Milliseconds(std::llround(std::ceil(seconds * 1000)));
}

/// How long the server asks to wait. A date is measured by the server's own clock where it tells it.
std::optional<Milliseconds> AskedWait(const Response& response, const Patience& patience) {
  const auto value = FindHeader(response.headers, "retry-after");
  if (!value) return std::nullopt;
  const auto date = FindHeader(response.headers, "date");
  const auto server_now = date ? ParseHttpDate(*date) : std::nullopt;
  return ParseRetryAfter(*value, server_now.value_or(patience.Now()));
}

/// A random part of 1 s, 2 s, 4 s … after attempt 1, 2, 3 …: requests that failed together do not come back together.
Milliseconds JitteredWait(int attempt, const RetryPolicy& policy, Patience& patience) {
  const double most = std::min(std::ldexp(static_cast<double>(kFirstWait.count()), attempt - 1),
                               static_cast<double>(policy.wait_max.count()));
  return Milliseconds(std::llround(most * patience.Chance()));
}

/// Why no attempt follows after `wait`; empty if one does, and then it is paid for.
std::string WhyLast(const RetryWait& wait, const RetryPolicy& policy, RetryBudget& budget,
                    std::chrono::microseconds spent) {
  if (wait.attempt >= policy.attempts)
    return fmt::format("asked {} time{} in {}", wait.attempt, wait.attempt == 1 ? "" : "s", FormatDuration(spent));
  if (wait.duration > policy.wait_max)
    return fmt::format("the server asks to wait {}, and `wait_max` is {}", FormatDuration(wait.duration),
                       FormatDuration(policy.wait_max));
  if (!wait.asked && !budget.Spend()) return "not asked again, since too many requests of this source come to nothing";
  return "";
}

/// The beginning of what a server says, on one line.
std::string ShownBody(const Response& response, const Credentials& credentials) {
  std::string text = MaskSecrets(response.body.substr(0, 4 * kTextShown), credentials.Values());
  // A character that was cut in the middle is no reason to show nothing.
  for (int i = 0; i < 3 && !text.empty() && !IsValidUtf8(text); ++i) text.pop_back();
  if (!IsValidUtf8(text)) return "";
  std::string line;
  for (const char c : text) {
    const bool is_space = static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    if (!is_space)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  return Shorten(Trim(line), kTextShown);
}

bool MayPass(int status) { return status == 408 || status == 429 || status >= 500; }

const char* HintFor(int status) {
  switch (status) {
    case 401:
    case 403:
      return "check `auth`, and that its key may read this";
    case 404:
      return "check `base_url` and `path`";
    case 429:
      return "ask less often: `rate_limit`";
    default:
      return status >= 500 ? "leat retry  once the server is well again"
                           : "check what is asked: `path`, `params`, `method`";
  }
}

}  // namespace

RetryBudget::RetryBudget(double size, double earned_per_request)
    : size_(size), earned_per_request_(earned_per_request), left_(size) {}

void RetryBudget::Earn() {
  const std::lock_guard lock(mutex_);
  left_ = std::min(size_, left_ + earned_per_request_);
}

bool RetryBudget::Spend() {
  const std::lock_guard lock(mutex_);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

Patience& RealPatience() {
  static Machine machine;
  return machine;
}

std::optional<Milliseconds> ParseRetryAfter(std::string_view value, Timestamp now) {
  const std::string_view text = Trim(value);
  std::optional<Milliseconds> wait = ParseSeconds(text);
  // A date begins with the name of a day; libcurl would also make one of `-5`.
  if (!wait && !text.empty() && std::isalpha(static_cast<unsigned char>(text.front())) != 0)
    if (const auto date = ParseHttpDate(text)) wait = std::chrono::ceil<Milliseconds>(*date - now);
  return wait && *wait > 0ms ? wait : std::nullopt;
}

bool IsPassing(const Error& error) { return error.kind() == kConnection && error.code() != "LEAT0321"; }

Answer SendWithRetries(const std::function<Response()>& attempt, const RetryPolicy& policy, RetryBudget& budget,
                       const CancelFlag* cancel, const std::function<void(const RetryWait&)>& on_wait,
                       Patience& patience) {
  const Timestamp start = patience.Now();
  budget.Earn();
  for (RetryWait wait{.attempt = 1};; ++wait.attempt) {
    Answer answer{.attempts = wait.attempt};
    std::optional<Error> error;
    std::optional<Milliseconds> asked;
    try {
      answer.response = attempt();
      if (!policy.statuses.contains(answer.response.status)) return answer;
      wait.reason = fmt::format("answered {}", answer.response.status);
      asked = AskedWait(answer.response, patience);
    } catch (const Error& thrown) {
      if (!IsPassing(thrown)) throw;
      error = thrown;
      wait.reason = thrown.message();
    }
    wait.asked = asked.has_value();
    wait.duration = asked ? *asked : JitteredWait(wait.attempt, policy, patience);
    answer.gave_up = WhyLast(wait, policy, budget, patience.Now() - start);
    if (!answer.gave_up.empty()) {
      if (error) throw std::move(*error).Note(answer.gave_up);
      return answer;
    }
    if (on_wait) on_wait(wait);
    patience.Wait(wait.duration, cancel);
  }
}

Error StatusFault(const Request& request, const Answer& answer) {
  const Response& response = answer.response;
  const std::string text = ShownBody(response, request.credentials);
  const Url& url = response.url.empty() ? request.url : response.url;
  Error error(MayPass(response.status) ? kConnection : kConfig, "LEAT0329",
              fmt::format("{} answered {}{}", url.ForMessages(), response.status, text.empty() ? "" : ": " + text));
  std::move(error).Hint(HintFor(response.status));
  if (!answer.gave_up.empty()) std::move(error).Note(answer.gave_up);
  return error;
}

}  // namespace leat::http
