#pragma once

#include <deque>
#include <mutex>

#include "clients/http/retry.h"
#include "config/http_source.h"

namespace leat::sources {

/// The rate limit of one partition, shared by all its streams: in any stretch of `per` at most `requests` begin, and
/// at most `concurrent` are under way. Threads: safe.
class Pace {
 public:
  explicit Pace(const config::HttpRateLimit& limit, http::Patience& patience = http::RealPatience())
      : limit_(limit), patience_(patience) {}

  /// The right to have one request under way, until it is destroyed.
  class Turn {
   public:
    explicit Turn(Pace& pace) : pace_(pace) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() { pace_.GiveBack(); }

   private:
    Pace& pace_;
  };

  /// Wait until a request may begin. Throws: Cancelled.
  Turn Take(const CancelFlag& cancel);
  /// Let no request begin before `moment`: the server said so.
  void HoldUntil(Timestamp moment);

 private:
  std::chrono::milliseconds WaitOrTake();
  void GiveBack();

  const config::HttpRateLimit limit_;
  http::Patience& patience_;
  std::mutex mutex_;
  std::deque<Timestamp> begun_;  ///< the last `requests` ones, oldest first
  Timestamp held_until_;
  int64_t under_way_ = 0;
};

}  // namespace leat::sources
