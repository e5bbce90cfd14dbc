#include "core/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/error.h"
#include "core/fail_point.h"
#include "core/ids.h"

namespace leat {
namespace {

[[noreturn]] void Fail(std::string_view verb, const std::string& path, int error) {
  throw Error(kInternal, "LEAT0502", fmt::format("cannot {} {}: {}", verb, path, std::strerror(error)))
      .Hint(error == ENOSPC ? "free space on this disk, then run again"
                            : "check that the disk is healthy and the folder may be written to");
}

/// Closes on the way out; `Close` reports what a late write error would hide.
class FileDescriptor {
 public:
  FileDescriptor(const std::string& path, int flags, mode_t mode = 0644)
      : path_(path), fd_(open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (fd_ < 0) Fail(flags & O_CREAT ? "create" : "open", path, errno);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }

  void WriteAll(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) Fail("write", path_, errno);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
  }
  void Sync() {
    if (fsync(fd_) != 0) Fail("fsync", path_, errno);
  }
  void Close() {
    const int fd = fd_;
    fd_ = -1;
    if (close(fd) != 0 && errno != EINTR) Fail("close", path_, errno);
  }
  int fd() const { return fd_; }

 private:
  std::string path_;
  int fd_;
};

/// Leaves no half-written file behind when the disk is full.
void WriteAndSync(const std::string& path, std::string_view bytes) {
  FileDescriptor file(path, O_WRONLY | O_CREAT | O_EXCL);
  try {
    file.WriteAll(bytes);
    FailPoint("core.new_file.before_sync");
    file.Sync();
    file.Close();
  } catch (const Error&) {
    RemoveFileQuietly(path);
    throw;
  }
}

}  // namespace

std::string ReadFile(const std::string& path) {
  if (!PathExists(path))
    throw Error(kConfig, "LEAT0503", fmt::format("{} does not exist", path)).Hint("check the path");
  FileDescriptor file(path, O_RDONLY);
  std::string bytes(static_cast<size_t>(FileSize(path)), '\0');
  size_t filled = 0;
  for (;;) {
    if (filled == bytes.size()) bytes.resize(bytes.size() + 4096);
    const ssize_t count = read(file.fd(), bytes.data() + filled, bytes.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) Fail("read", path, errno);
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  bytes.resize(filled);
  return bytes;
}

bool PathExists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

int64_t FileSize(const std::string& path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) Fail("look at", path, errno);
  return info.st_size;
}

void MakeDirectories(const std::string& path) {
  if (path.empty() || IsDirectory(path)) return;
  const std::string parent = ParentPath(path);
  MakeDirectories(parent);
  FailPoint("core.folder.before_make");
  if (mkdir(path.c_str(), 0755) == 0)
    SyncDirectory(parent.empty() ? "." : parent);
  else if (errno != EEXIST || !IsDirectory(path))
    Fail("make the folder", path, errno);
}

void WriteNewFile(const std::string& path, std::string_view bytes) {
  WriteAndSync(path, bytes);
  FailPoint("core.new_file.before_folder_sync");
  SyncDirectory(ParentPath(path));
}

void ReplaceFile(const std::string& path, std::string_view bytes) {
  const std::string temporary = fmt::format("{}.{}.tmp", path, NewUuid());
  WriteAndSync(temporary, bytes);
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    RemoveFileQuietly(temporary);
    Fail("rename to", path, error);
  }
  SyncDirectory(ParentPath(path));
}

void SyncFile(const std::string& path) {
  FileDescriptor file(path, O_RDONLY);
  file.Sync();
  file.Close();
}

void SyncDirectory(const std::string& path) {
  FileDescriptor folder(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
  folder.Sync();
}

void RemoveFileQuietly(const std::string& path) noexcept { unlink(path.c_str()); }

std::vector<std::string> ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  DIR* folder = opendir(path.c_str());
  if (folder == nullptr) {
    if (errno == ENOENT || errno == ENOTDIR) return names;
    Fail("list", path, errno);
  }
  while (const dirent* entry = readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> ListFilesBelow(const std::string& path) {
  std::vector<std::string> files;
  for (const std::string& name : ListDirectory(path)) {
    const std::string full = JoinPath(path, name);
    if (!IsDirectory(full)) {
      files.push_back(name);
      continue;
    }
    for (const std::string& below : ListFilesBelow(full)) files.push_back(JoinPath(name, below));
  }
  return files;
}

std::string AbsolutePath(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  if (error) Fail("resolve", path, error.value());
  std::string text = absolute.lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string JoinPath(std::string_view folder, std::string_view name) {
  if (folder.empty() || name.starts_with('/')) return std::string(name);
  return fmt::format("{}{}{}", folder, folder.ends_with('/') ? "" : "/", name);
}

std::string ParentPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return "";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

}  // namespace leat
