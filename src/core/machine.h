#pragma once

#include <cstdint>
#include <string>

namespace leat {

/// How much memory a process may have.
struct Memory {
  int64_t bytes = 0;
  bool is_group_limit = false;  ///< a control group's, as of a container; else the machine's own
};

/// The memory of this machine, or the least limit of the control groups that this process is in.
Memory MachineMemory();

/// The least limit of control group `group` (`/system.slice/leat.service`) and those above it below `root`, version 2
/// (`memory.max`) or 1 (`memory.limit_in_bytes`); 0: none.
int64_t GroupMemoryLimit(const std::string& root, const std::string& group);

}  // namespace leat
