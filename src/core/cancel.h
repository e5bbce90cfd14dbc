#pragma once

#include <atomic>

#include "core/error.h"

namespace leat {

/// A wish to stop, set by a signal handler or another thread and looked at between pieces of work.
class CancelFlag {
 public:
  void Set() noexcept { set_.store(true, std::memory_order_relaxed); }
  bool is_set() const noexcept { return set_.load(std::memory_order_relaxed); }
  /// Throws: Cancelled, if the wish was expressed.
  void Check() const;

 private:
  std::atomic<bool> set_{false};
};

/// What unwinds a cancelled run. No `Error`: nothing went wrong.
struct Cancelled {};

inline void CancelFlag::Check() const {
  if (is_set()) throw Cancelled{};
}

}  // namespace leat
