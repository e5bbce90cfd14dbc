#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace leat::state {

/// One process among all machines, told apart from a later one of the same number.
struct Process {
  std::string host;     ///< for people
  std::string machine;  ///< boot id and process-number space: where `pid` means something
  int64_t pid = 0;
  int64_t started = 0;  ///< clock ticks from the boot to its start, as in /proc/<pid>/stat

  bool operator==(const Process&) const = default;
};

/// Look up this process. Fields that the system does not tell stay empty.
const Process& ThisProcess();

/// Whether `process` lives, as seen from this one; nullopt if it belongs to another machine or boot, where nobody can
/// look.
std::optional<bool> IsAlive(const Process& process);

}  // namespace leat::state
