// Preloaded, has the n-th system call on files below a folder fail.
//
//   NTH=<n>                        the call that fails, counted from 1 over calls of the kind on such files; 0: none
//   NTH_OP=<kind>                  open, read, write, fsync, rename, close, mmap, mkdir, unlink, or any (default)
//   NTH_ERR=EIO|ENOSPC|EMFILE|ENOMEM|EINTR|short     (EIO) `short`: a read or write does half of what was asked
//   NTH_MODE=once|sticky           (once) sticky: all later ones of the kind fail too
//   NTH_PATH=<folder>              absolute
//   NTH_LOG=<file>                 gets `hit <kind> <path or descriptor>` at the first failure, and `calls <count>` at
//   the end
//
// Real calls go to the kernel by syscall(), so nothing has to be looked up and nothing recurs. What libc calls inside
// itself (fopen, opendir) is not seen. rename counts link too, write counts ftruncate and posix_fallocate.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 65536
#define SHORT (-1)  // in place of an errno

static long nth;
static const char* kind_wanted;
static const char* folder;
static size_t folder_length;
static const char* log_path;
static int fault;
static bool sticky;
static const char* const kKinds[] = {"open", "read", "write", "fsync", "rename", "close", "mmap", "mkdir", "unlink"};
#define KIND_COUNT (sizeof kKinds / sizeof *kKinds)
static atomic_long calls;  // of the kind that is wanted
static atomic_long calls_of[KIND_COUNT];
static atomic_bool has_hit;
static atomic_bool is_watched[DESCRIPTORS_MAX];

static const char* Setting(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value != NULL && *value != '\0' ? value : otherwise;
}

static int FaultNamed(const char* name) {
  static const struct {
    const char* name;
    int number;
  } kFaults[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EMFILE", EMFILE},
                 {"ENOMEM", ENOMEM}, {"EINTR", EINTR},   {"short", SHORT}};
  for (size_t i = 0; i < sizeof kFaults / sizeof *kFaults; ++i)
    if (strcmp(name, kFaults[i].name) == 0) return kFaults[i].number;
  abort();  // a test that asks for what is not there must not pass
}

__attribute__((constructor)) static void ReadSettings(void) {
  nth = atol(Setting("NTH", "0"));
  kind_wanted = Setting("NTH_OP", "any");
  folder = Setting("NTH_PATH", "");
  folder_length = strlen(folder);
  log_path = Setting("NTH_LOG", "");
  fault = FaultNamed(Setting("NTH_ERR", "EIO"));
  sticky = strcmp(Setting("NTH_MODE", "once"), "sticky") == 0;
}

static void Log(const char* text, int length) {
  if (log_path == NULL || *log_path == '\0') return;
  const int saved = errno;
  const long file = syscall(SYS_openat, AT_FDCWD, log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0 || syscall(SYS_write, file, text, (size_t)length) != length) abort();
  syscall(SYS_close, file);
  errno = saved;
}

__attribute__((destructor)) static void TellCount(void) {
  char line[512];
  int length = snprintf(line, sizeof line, "calls");
  for (size_t i = 0; i < KIND_COUNT; ++i)
    length += snprintf(line + length, sizeof line - (size_t)length, " %s=%ld", kKinds[i], (long)calls_of[i]);
  line[length] = '\n';
  Log(line, length + 1);
}

static bool IsBelow(const char* path) {
  return folder_length > 0 && strncmp(path, folder, folder_length) == 0 &&
         (path[folder_length] == '/' || path[folder_length] == '\0');
}

static bool IsWatchedPath(int directory, const char* path) {
  if (path == NULL || folder_length == 0) return false;
  if (path[0] == '/') return IsBelow(path);
  if (directory != AT_FDCWD) return directory >= 0 && directory < DESCRIPTORS_MAX && is_watched[directory];
  char here[PATH_MAX];
  return syscall(SYS_getcwd, here, sizeof here) > 0 && IsBelow(here);
}

static bool IsWatched(int descriptor) {
  return descriptor >= 0 && descriptor < DESCRIPTORS_MAX && is_watched[descriptor];
}

// Counts a call of `kind` and says whether it is to fail.
static bool IsHit(const char* kind, const char* path, int descriptor) {
  for (size_t i = 0; i < KIND_COUNT; ++i)
    if (strcmp(kind, kKinds[i]) == 0) ++calls_of[i];
  if (strcmp(kind_wanted, "any") != 0 && strcmp(kind_wanted, kind) != 0) return false;
  const long call = atomic_fetch_add(&calls, 1) + 1;
  if (nth == 0 || (sticky ? call < nth : call != nth)) return false;
  if (!atomic_exchange(&has_hit, true)) {
    char of_descriptor[PATH_MAX] = "?";
    if (path == NULL) {
      char link[64];
      snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
      const long size = syscall(SYS_readlinkat, AT_FDCWD, link, of_descriptor, sizeof of_descriptor - 1);
      if (size > 0) of_descriptor[size] = '\0';
    }
    char line[PATH_MAX + 64];
    const int length = snprintf(line, sizeof line, "hit %s %s\n", kind, path != NULL ? path : of_descriptor);
    Log(line, length);
  }
  return true;
}

static bool FailsOnPath(const char* kind, int directory, const char* path) {
  if (!IsWatchedPath(directory, path) || fault == SHORT || !IsHit(kind, path, -1)) return false;
  errno = fault;
  return true;
}

static bool FailsOnDescriptor(const char* kind, int descriptor) {
  if (!IsWatched(descriptor) || fault == SHORT || !IsHit(kind, NULL, descriptor)) return false;
  errno = fault;
  return true;
}

// For reads and writes: -1 with errno set, or how many of `count` bytes may be done.
static ssize_t Allowed(const char* kind, int descriptor, size_t count) {
  if (!IsWatched(descriptor) || !IsHit(kind, NULL, descriptor)) return (ssize_t)count;
  if (fault == SHORT) return (ssize_t)(count < 2 ? count : count / 2);
  errno = fault;
  return -1;
}

// --- open and close ---

static int Open(int directory, const char* path, int flags, mode_t mode) {
  if (FailsOnPath("open", directory, path)) return -1;
  const int descriptor = (int)syscall(SYS_openat, directory, path, flags, mode);
  if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX) is_watched[descriptor] = IsWatchedPath(directory, path);
  return descriptor;
}

#define MODE_OF(flags, mode)                                   \
  mode_t mode = 0;                                             \
  if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE) { \
    va_list rest;                                              \
    va_start(rest, flags);                                     \
    mode = va_arg(rest, mode_t);                               \
    va_end(rest);                                              \
  }

int open(const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return Open(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return Open(AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return Open(directory, path, flags, mode);
}
int openat64(int directory, const char* path, int flags, ...) {
  MODE_OF(flags, mode)
  return Open(directory, path, flags, mode);
}
int creat(const char* path, mode_t mode) { return Open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return creat(path, mode); }
// What _FORTIFY_SOURCE makes of open() without a mode.
int __open_2(const char* path, int flags) { return Open(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return Open(AT_FDCWD, path, flags, 0); }

int close(int descriptor) {
  // As in Linux, the descriptor is gone although close() says that a late write has failed.
  const bool fails = FailsOnDescriptor("close", descriptor);
  const int error = errno;
  if (IsWatched(descriptor)) is_watched[descriptor] = false;
  const int done = (int)syscall(SYS_close, descriptor);
  if (!fails) return done;
  errno = error;
  return -1;
}

// --- read and write ---

ssize_t read(int descriptor, void* bytes, size_t count) {
  const ssize_t allowed = Allowed("read", descriptor, count);
  return allowed < 0 ? -1 : syscall(SYS_read, descriptor, bytes, (size_t)allowed);
}
ssize_t pread(int descriptor, void* bytes, size_t count, off_t offset) {
  const ssize_t allowed = Allowed("read", descriptor, count);
  return allowed < 0 ? -1 : syscall(SYS_pread64, descriptor, bytes, (size_t)allowed, offset);
}
ssize_t pread64(int descriptor, void* bytes, size_t count, off64_t offset) {
  return pread(descriptor, bytes, count, offset);
}
ssize_t __read_chk(int descriptor, void* bytes, size_t count, size_t room) {
  if (count > room) abort();
  return read(descriptor, bytes, count);
}
ssize_t __pread_chk(int descriptor, void* bytes, size_t count, off_t offset, size_t room) {
  if (count > room) abort();
  return pread(descriptor, bytes, count, offset);
}
ssize_t __pread64_chk(int descriptor, void* bytes, size_t count, off64_t offset, size_t room) {
  return __pread_chk(descriptor, bytes, count, offset, room);
}
ssize_t write(int descriptor, const void* bytes, size_t count) {
  const ssize_t allowed = Allowed("write", descriptor, count);
  return allowed < 0 ? -1 : syscall(SYS_write, descriptor, bytes, (size_t)allowed);
}
ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  const ssize_t allowed = Allowed("write", descriptor, count);
  return allowed < 0 ? -1 : syscall(SYS_pwrite64, descriptor, bytes, (size_t)allowed, offset);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset) {
  return pwrite(descriptor, bytes, count, offset);
}
ssize_t writev(int descriptor, const struct iovec* parts, int part_count) {
  size_t count = 0;
  for (int i = 0; i < part_count; ++i) count += parts[i].iov_len;
  const ssize_t allowed = Allowed("write", descriptor, count);
  if (allowed < 0) return -1;
  if ((size_t)allowed == count) return syscall(SYS_writev, descriptor, parts, part_count);
  const size_t first = parts[0].iov_len < (size_t)allowed ? parts[0].iov_len : (size_t)allowed;
  return syscall(SYS_write, descriptor, parts[0].iov_base, first);
}
int ftruncate(int descriptor, off_t length) {
  return FailsOnDescriptor("write", descriptor) ? -1 : (int)syscall(SYS_ftruncate, descriptor, length);
}
int ftruncate64(int descriptor, off64_t length) { return ftruncate(descriptor, length); }
// Returns its error instead of setting errno.
int posix_fallocate(int descriptor, off_t offset, off_t length) {
  if (FailsOnDescriptor("write", descriptor)) return fault;
  return syscall(SYS_fallocate, descriptor, 0, offset, length) == 0 ? 0 : errno;
}
int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
  return posix_fallocate(descriptor, offset, length);
}
int fsync(int descriptor) { return FailsOnDescriptor("fsync", descriptor) ? -1 : (int)syscall(SYS_fsync, descriptor); }
int fdatasync(int descriptor) {
  return FailsOnDescriptor("fsync", descriptor) ? -1 : (int)syscall(SYS_fdatasync, descriptor);
}
void* mmap(void* address, size_t length, int protection, int flags, int descriptor, off_t offset) {
  if ((flags & MAP_ANONYMOUS) == 0 && FailsOnDescriptor("mmap", descriptor)) return MAP_FAILED;
  return (void*)syscall(SYS_mmap, address, length, protection, flags, descriptor, offset);
}
void* mmap64(void* address, size_t length, int protection, int flags, int descriptor, off64_t offset) {
  return mmap(address, length, protection, flags, descriptor, offset);
}

// --- names ---

int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned int flags) {
  if (FailsOnPath("rename", to_directory, to)) return -1;
  return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, flags);
}
int rename(const char* from, const char* to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_directory, const char* from, int to_directory, const char* to) {
  return renameat2(from_directory, from, to_directory, to, 0);
}
int linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) {
  if (FailsOnPath("rename", to_directory, to)) return -1;
  return (int)syscall(SYS_linkat, from_directory, from, to_directory, to, flags);
}
int link(const char* from, const char* to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int mkdirat(int directory, const char* path, mode_t mode) {
  return FailsOnPath("mkdir", directory, path) ? -1 : (int)syscall(SYS_mkdirat, directory, path, mode);
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
int unlinkat(int directory, const char* path, int flags) {
  return FailsOnPath("unlink", directory, path) ? -1 : (int)syscall(SYS_unlinkat, directory, path, flags);
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
