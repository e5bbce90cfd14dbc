#include "sources/http/pace.h"

#include <algorithm>

namespace leat::sources {
namespace {

using namespace std::chrono_literals;

/// How soon a request that waits for another one to end looks again.
constexpr auto kLookAgain = 5ms;

}  // namespace

Pace::Turn Pace::Take(const CancelFlag& cancel) {
  for (;;) {
    cancel.Check();
    const auto wait = WaitOrTake();
    if (wait == 0ms) return Turn(*this);
    patience_.Wait(wait, &cancel);
  }
}

void Pace::HoldUntil(Timestamp moment) {
  const std::lock_guard lock(mutex_);
  held_until_ = std::max(held_until_, moment);
}

/// Take a turn and return 0, or tell how long to wait before asking again.
std::chrono::milliseconds Pace::WaitOrTake() {
  const std::lock_guard lock(mutex_);
  if (under_way_ >= limit_.concurrent) return kLookAgain;
  const Timestamp now = patience_.Now();
  Timestamp from = held_until_;
  if (static_cast<int64_t>(begun_.size()) >= limit_.requests) from = std::max(from, begun_.front() + limit_.per);
  if (from > now) return std::max(1ms, std::chrono::ceil<std::chrono::milliseconds>(from - now));
  if (static_cast<int64_t>(begun_.size()) >= limit_.requests) begun_.pop_front();
  begun_.push_back(now);
  ++under_way_;
  return 0ms;
}

void Pace::GiveBack() {
  const std::lock_guard lock(mutex_);
  --under_way_;
}

}  // namespace leat::sources
