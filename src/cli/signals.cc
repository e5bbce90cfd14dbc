#include "cli/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace leat::cli {
namespace {

// What a handler may touch: lock-free atomics alone.
std::atomic<CancelFlag*> cancel_flag{nullptr};
std::atomic<int> received{0};
static_assert(std::atomic<CancelFlag*>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
              std::atomic<bool>::is_always_lock_free);

extern "C" void OnStopSignal(int number) {
  // Nothing is half done by ending here: what counts is decided by commits, and those are whole.
  if (received.exchange(number) != 0) _exit(128 + number);
  cancel_flag.load()->Set();
}

}  // namespace

void InstallSignalHandlers(CancelFlag& cancel) {
  cancel_flag.store(&cancel);
  struct sigaction stop = {};
  stop.sa_handler = OnStopSignal;  // without SA_RESTART: a read from standard input wakes up
  sigemptyset(&stop.sa_mask);
  sigaction(SIGINT, &stop, nullptr);
  sigaction(SIGTERM, &stop, nullptr);
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

void ReserveStandardStreams() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0) open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int ReceivedSignal() { return received.load(); }

}  // namespace leat::cli
