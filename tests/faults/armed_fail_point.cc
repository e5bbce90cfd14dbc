// The fail points of `leat-faults`, a program for tests. What they do is told by the environment:
//
//   LEAT_FAIL=<name>[:<hit>][:kill|error]   at the hit-th time (1) that the point is passed: SIGKILL, or throw an error
//   LEAT_FAIL_LOG=<file>                    add a line `<name> <hit>` for each point that is passed

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/fail_point.h"
#include "core/text.h"

namespace leat {
namespace {

std::string Setting(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

class Faults {
 public:
  Faults() : log_(Setting("LEAT_FAIL_LOG")) {
    const std::vector<std::string> words = Split(Setting("LEAT_FAIL"), ':');
    if (!words.empty()) point_ = words.front();
    for (size_t i = 1; i < words.size(); ++i) {
      if (words[i] == "kill" || words[i] == "error")
        throws_ = words[i] == "error";
      else
        hit_ = std::atoi(words[i].c_str());
    }
  }

  void Pass(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const int hit = ++hits_[name];
    if (!log_.empty()) Note(fmt::format("{} {}\n", name, hit));
    if (name != point_ || hit != hit_) return;
    if (throws_) throw Error(kInternal, "LEAT0502", fmt::format("the fail point {} was told to fail", name));
    kill(getpid(), SIGKILL);
  }

 private:
  void Note(std::string_view line) const {
    const int file = open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) abort();
    close(file);
  }

  std::string log_;
  std::string point_;
  int hit_ = 1;
  bool throws_ = false;
  std::mutex mutex_;
  std::map<std::string, int> hits_;
};

}  // namespace

void FailPoint(const char* name) {
  static Faults faults;
  faults.Pass(name);
}

}  // namespace leat
