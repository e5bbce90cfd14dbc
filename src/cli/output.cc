#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

#include "cli/signals.h"
#include "core/error.h"
#include "core/file_system.h"

namespace leat::cli {
namespace {

constexpr int kPollMs = 50;
constexpr size_t kPieceBytes = 4096;  // PIPE_BUF: so much goes into a pipe that poll(2) calls writable, without a wait

bool IsRegularFile(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/// Wait a moment until the reader of a pipe or terminal has made room, or is gone. A signal ends the wait.
bool HasRoom(int fd) {
  pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&wait, 1, kPollMs) > 0;
}

bool IsPipeOrDevice(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

int OpenForWriting(const std::string& path, const std::string& shown) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    throw Error(kConfig, "LEAT0195", fmt::format("cannot write {}: {}", shown, std::strerror(errno)))
        .Hint("name a file in a folder that exists and may be written to");
  return fd;
}

}  // namespace

Stream::Stream(int fd, Loss loss) : fd_(fd), loss_(loss), piece_bytes_(IsRegularFile(fd) ? SIZE_MAX : kPieceBytes) {}

void Stream::Write(std::string_view text) {
  const int signal_before = ReceivedSignal();
  while (!text.empty() && !is_closed_) {
    // Who asks us to stop must not wait for a reader that does not read. The signal may have met another thread, so
    // it would wake no write(2).
    if (ReceivedSignal() != signal_before) is_closed_ = true;
    if (is_closed_ || !HasRoom(fd_)) continue;
    const ssize_t written = write(fd_, text.data(), std::min(text.size(), piece_bytes_));
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      is_closed_ = true;
    } else if (errno != EINTR && errno != EAGAIN) {
      if (loss_ == Loss::kIgnore) return;
      throw Error(kInternal, "LEAT0502", fmt::format("cannot write the answer: {}", std::strerror(errno)))
          .Hint("free space on the disk behind the output, then try again");
    }
  }
}

OutputFile::OutputFile(std::string path)
    : path_(std::move(path)),
      partial_path_(IsPipeOrDevice(path_) ? "" : path_ + ".part"),
      stream_(OpenForWriting(partial_path_.empty() ? path_ : partial_path_, path_), Stream::Loss::kThrow) {}

OutputFile::~OutputFile() {
  close(stream_.fd());
  if (!partial_path_.empty()) RemoveFileQuietly(partial_path_);
}

void OutputFile::Finish() {
  if (partial_path_.empty()) return;
  if (std::rename(partial_path_.c_str(), path_.c_str()) != 0)
    throw Error(kConfig, "LEAT0195", fmt::format("cannot write {}: {}", path_, std::strerror(errno)))
        .Hint("name a file in a folder that exists and may be written to");
  partial_path_.clear();
}

}  // namespace leat::cli
