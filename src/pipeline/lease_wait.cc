#include "pipeline/lease_wait.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace leat::pipeline {
namespace {

constexpr std::chrono::milliseconds kTryInterval{200};
constexpr std::chrono::milliseconds kCancelInterval{20};

}  // namespace

void LeaseWait::Pause(const state::LeaseHolder& holder) {
  const auto now = Steady::now();
  if (!began_ && limit_.count() > 0) tell_(holder);
  if (!began_) began_ = now;
  const auto deadline = *began_ + limit_;
  if (now >= deadline) {
    Error held(kConflict, "LEAT0510",
               fmt::format("run {} ({}) holds {} since {}", holder.run, holder.holder, holder.name,
                           FormatTimestamp(std::chrono::floor<std::chrono::seconds>(holder.since))));
    if (limit_.count() > 0)
      throw std::move(held)
          .Note(fmt::format("waited for {}", FormatDuration(limit_)))
          .Hint("run again when it has ended, or wait longer");
    throw std::move(held).Hint("run again when it has ended, or wait for it:  --wait 5m");
  }
  const auto again = std::min(now + kTryInterval, deadline);
  while (Steady::now() < again) {
    cancel_.Check();
    std::this_thread::sleep_for(kCancelInterval);
  }
  cancel_.Check();
}

}  // namespace leat::pipeline
