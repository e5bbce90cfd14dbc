#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "clients/http/message.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/error.h"

namespace leat::http {

/// When to ask again, and for how long.
struct RetryPolicy {
  int attempts = 5;  ///< the first one included
  std::set<int> statuses = {408, 429, 500, 502, 503, 504};
  std::chrono::milliseconds wait_max = std::chrono::minutes(2);  ///< the longest single wait
};

/// Retries that all requests of one source may still make: a token bucket that starts full, that each request fills a
/// little and that each retry empties by one. A server that is down is thus asked a tenth more than it would be anyway,
/// not five times as much. Waits that the server asked for cost nothing. Used by many threads.
class RetryBudget {
 public:
  /// \param size  retries that are free at the start and after a calm stretch
  explicit RetryBudget(double size = 50, double earned_per_request = 0.1);

  /// Count a request that was made for the first time.
  void Earn();
  /// Take one retry. Returns false if none is left.
  bool Spend();

 private:
  std::mutex mutex_;
  const double size_;
  const double earned_per_request_;
  double left_;
};

/// Time and chance as retries know them; a test gives its own.
class Patience {
 public:
  virtual ~Patience() = default;
  virtual Timestamp Now() const = 0;
  /// Throws: Cancelled, within 100 ms of the wish.
  virtual void Wait(std::chrono::milliseconds duration, const CancelFlag* cancel) = 0;
  /// A number of [0, 1), even over it.
  virtual double Chance() = 0;
};

/// The machine's clock, sleep and randomness. Used by many threads.
Patience& RealPatience();

/// Read a Retry-After header: seconds or an HTTP date. Nullopt for what is neither, negative, or past: it says nothing.
std::optional<std::chrono::milliseconds> ParseRetryAfter(std::string_view value, Timestamp now);

/// Whether the same request may well succeed later: nobody there, too slow, broken off. Not a bad certificate.
bool IsPassing(const Error& error);

/// One wait between two attempts.
struct RetryWait {
  int attempt = 0;     ///< the one that came to nothing, from 1
  std::string reason;  ///< `answered 429`, or the message of the error
  std::chrono::milliseconds duration{0};
  bool asked = false;  ///< the server said how long (Retry-After): it will refuse others until then, too
};

/// What the attempts came to.
struct Answer {
  Response response;
  int attempts = 1;
  /// Why a response of a status of the policy is the last one: `asked 5 times`, `the server asks to wait 1 h, and
  /// wait_max is 2 min`. Empty for any other status.
  std::string gave_up;
};

/// Call `attempt` until it brings an answer whose status is not among the policy's. It takes its turn at the rate
/// limit, asks the client and returns what came; an error of it that passes is a failed attempt, any other is thrown
/// on. Between attempts waits as long as Retry-After says, else for a random part of 1 s, 2 s, 4 s, … up to
/// `wait_max`; the only place that retries.
///
/// \param on_wait  told of each wait before it begins; may be empty
/// Throws: Cancelled; what `attempt` throws, of errors that pass the last one, with a note why it was the last.
Answer SendWithRetries(const std::function<Response()>& attempt, const RetryPolicy& policy, RetryBudget& budget,
                       const CancelFlag* cancel, const std::function<void(const RetryWait&)>& on_wait = {},
                       Patience& patience = RealPatience());

/// LEAT0329: an answer that is no success, with the beginning of what the server says. kConfig for what a person has to
/// change (400, 401, 403, 404 …), kConnection for 408, 429 and 5xx.
Error StatusFault(const Request& request, const Answer& answer);

}  // namespace leat::http
