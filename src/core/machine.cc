#include "core/machine.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "core/text.h"

namespace leat {
namespace {

std::string ReadSmallFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return std::string(Trim(text.str()));
}

/// A number of bytes; 0 for `max` and for a file that is not there.
int64_t ReadBytes(const std::string& path) {
  const std::string text = ReadSmallFile(path);
  int64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  return error == std::errc() && end == text.data() + text.size() ? bytes : 0;
}

int64_t Least(int64_t a, int64_t b) { return a == 0 || (b != 0 && b < a) ? b : a; }

/// The smallest limit over all groups that /proc names: `0::/user.slice` (version 2), `7:memory:/docker/…` (1).
int64_t OwnGroupLimit() {
  int64_t least = 0;
  for (const std::string& line : Split(ReadSmallFile("/proc/self/cgroup"), '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) least = Least(least, GroupMemoryLimit("/sys/fs/cgroup", group));
    if (controllers.find("memory") != std::string::npos)
      least = Least(least, GroupMemoryLimit("/sys/fs/cgroup/memory", group));
  }
  return least;
}

}  // namespace

int64_t GroupMemoryLimit(const std::string& root, const std::string& group) {
  int64_t least = 0;
  // Inside a container the group may be named as it is called outside: then only the root is found.
  for (std::string path = group;; path = path.substr(0, path.rfind('/'))) {
    for (const char* file : {"/memory.max", "/memory.limit_in_bytes"})
      least = Least(least, ReadBytes(root + path + file));
    if (path.find('/') == std::string::npos) return least;
  }
}

Memory MachineMemory() {
  const int64_t physical = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  const int64_t limit = OwnGroupLimit();
  if (limit > 0 && limit < physical) return {limit, /*is_group_limit=*/true};
  return {physical, /*is_group_limit=*/false};
}

}  // namespace leat
