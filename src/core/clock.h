#pragma once

#include <chrono>
#include <string>

namespace leat {

/// A moment in UTC, to the microsecond.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// Where the time comes from; a test gives its own.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;
};

/// The machine's wall clock.
const Clock& SystemClock();

/// A clock that stands still until it is moved.
class FakeClock : public Clock {
 public:
  explicit FakeClock(Timestamp now) : now_(now) {}
  Timestamp Now() const override { return now_; }
  void Advance(std::chrono::microseconds by) { now_ += by; }

 private:
  Timestamp now_;
};

/// Format as RFC 3339 in UTC: `2024-11-21T14:05:02Z`, with `.123456` where there is a fraction.
std::string FormatTimestamp(Timestamp time);

/// Parse what FormatTimestamp writes.
/// Throws: Error(kData) for any other text.
Timestamp ParseTimestamp(const std::string& text);

/// Seconds with one digit and its unit, as people read them: `0.1 s`, `58 s`, `3 min 20 s`.
std::string FormatDuration(std::chrono::microseconds duration);

}  // namespace leat
