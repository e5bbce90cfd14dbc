#pragma once

#include <chrono>
#include <functional>

#include "core/cancel.h"
#include "state/state.h"

namespace leat::pipeline {

/// Patience with another run that holds a lease.
class LeaseWait {
 public:
  /// `tell` is called once, when the waiting begins.
  LeaseWait(std::chrono::milliseconds limit, const CancelFlag& cancel,
            std::function<void(const state::LeaseHolder&)> tell)
      : limit_(limit), cancel_(cancel), tell_(std::move(tell)) {}

  /// After a refusal because of `holder`: wait a moment, so that the caller can try again.
  /// Throws: Error(kConflict, LEAT0510) once the limit is over, at once if it is 0; Cancelled.
  void Pause(const state::LeaseHolder& holder);

 private:
  using Steady = std::chrono::steady_clock;

  std::chrono::milliseconds limit_;
  const CancelFlag& cancel_;
  std::function<void(const state::LeaseHolder&)> tell_;
  std::optional<Steady::time_point> began_;
};

}  // namespace leat::pipeline
