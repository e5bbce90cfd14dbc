#include "state/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace leat::state {
namespace {

/// A child that sleeps until it is killed.
class Child {
 public:
  Child() : pid_(fork()) {
    if (pid_ == 0) {
      pause();
      _exit(0);
    }
  }
  ~Child() {
    Kill();
    waitpid(pid_, nullptr, 0);
  }
  void Kill() const { kill(pid_, SIGKILL); }
  void AwaitZombie() const {
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST(ProcessTest, ThisProcessLives) {
  EXPECT_FALSE(ThisProcess().host.empty());
  EXPECT_GT(ThisProcess().started, 0);
  EXPECT_EQ(IsAlive(ThisProcess()), true);
}

TEST(ProcessTest, AnotherProcessOfTheSameNumberIsNotTheOldOne) {
  Process earlier = ThisProcess();
  earlier.started -= 1;
  EXPECT_EQ(IsAlive(earlier), false);
}

TEST(ProcessTest, AKilledProcessIsDeadBeforeItsParentLooks) {
  const Child child;
  Process process = ThisProcess();
  process.pid = child.pid();
  child.Kill();
  child.AwaitZombie();
  EXPECT_EQ(IsAlive(process), false);
}

TEST(ProcessTest, NobodyCanLookAtAnotherMachine) {
  Process process = ThisProcess();
  process.machine = "another boot";
  EXPECT_EQ(IsAlive(process), std::nullopt);
}

}  // namespace
}  // namespace leat::state
