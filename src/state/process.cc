#include "state/process.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "core/text.h"

namespace leat::state {
namespace {

/// What stands in a small file of /proc; empty if it cannot be read.
std::string ReadProc(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return std::string(Trim(text.str()));
}

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "";
}

/// Containers of one machine share its boot id but count their processes apart.
std::string Machine() {
  std::array<char, 64> space{};
  if (readlink("/proc/self/ns/pid", space.data(), space.size() - 1) < 0) space[0] = '\0';
  return fmt::format("{} {}", ReadProc("/proc/sys/kernel/random/boot_id"), space.data());
}

struct Stat {
  char state = '?';
  int64_t started = 0;
};

/// Fields 3 and 22 of /proc/<pid>/stat (proc(5)). The second is a program's name in brackets and may hold anything.
std::optional<Stat> ReadStat(int64_t pid) {
  const std::string text = ReadProc(fmt::format("/proc/{}/stat", pid));
  const size_t bracket = text.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  std::istringstream fields(text.substr(bracket + 1));
  Stat stat;
  fields >> stat.state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) fields >> skipped;
  fields >> stat.started;
  if (!fields) return std::nullopt;
  return stat;
}

Process Look() {
  const auto stat = ReadStat(getpid());
  return {HostName(), Machine(), getpid(), stat ? stat->started : 0};
}

}  // namespace

const Process& ThisProcess() {
  static Process process = Look();
  if (process.pid != getpid()) process = Look();  // a fork copied its parent's
  return process;
}

std::optional<bool> IsAlive(const Process& process) {
  if (process.machine != ThisProcess().machine) return std::nullopt;
  if (kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH) return false;
  const auto stat = ReadStat(process.pid);
  // Some systems hide the processes of other users: something has this number, so it counts as alive.
  if (!stat) return true;
  // A zombie waits for its parent alone; it will never write again.
  return stat->started == process.started && stat->state != 'Z' && stat->state != 'X';
}

}  // namespace leat::state
