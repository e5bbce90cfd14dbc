#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "cli/signals.h"
#include "core/error.h"
#include "core/file_system.h"

namespace leat::cli {
namespace {

/// A pipe that its owner made non-blocking is waited for.
void WaitWritable(int fd) {
  pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
  poll(&wait, 1, /*timeout=*/1000);
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

void Stream::Write(std::string_view text) {
  const int signal_before = ReceivedSignal();
  while (!text.empty() && !is_closed_) {
    // Who asks us to stop must not wait for a reader that does not read.
    if (ReceivedSignal() != signal_before) is_closed_ = true;
    if (is_closed_) return;
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      WaitWritable(fd_);
    } else if (errno == EPIPE) {
      is_closed_ = true;
    } else if (errno != EINTR) {
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
