#include "state/sqlite/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file_system.h"

namespace leat::state::sqlite {
namespace {

constexpr off_t kReserveBytes = 1 << 20;

}  // namespace

Reserve::Reserve(const std::string& state_path) : path_(JoinPath(ParentPath(AbsolutePath(state_path)), "reserve")) {}

void Reserve::Make() noexcept {
  struct stat info;
  if (stat(path_.c_str(), &info) == 0 && info.st_size == kReserveBytes) return;
  const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return;
  // Blocks, not a hole.
  const bool has_room = posix_fallocate(fd, 0, kReserveBytes) == 0;
  close(fd);
  if (!has_room) unlink(path_.c_str());
}

bool Reserve::GiveUp() noexcept { return unlink(path_.c_str()) == 0; }

}  // namespace leat::state::sqlite
