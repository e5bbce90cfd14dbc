// Preloaded, notes in order what a program does to files below a folder, so that a test can see what a power cut at any
// moment would have left.
//
//   TRACE_PATH=<folder>   absolute
//   TRACE_LOG=<file>      a line for each call that was carried out, in the order in which they ended:
//                           make <folder>   create <file>   write <file>   sync <file or folder>   rename <from> <to>
//                         and, before the write into SQLite's log that holds the name of a table's metadata:
//                           point <name>.metadata.json
//
// Real calls go to the kernel by syscall(), so nothing has to be looked up and nothing recurs. What libc calls inside
// itself and what is written through mmap is not seen.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char* folder = "";
static size_t folder_length;
static int log_file = -1;

__attribute__((constructor)) static void ReadSettings(void) {
  const char* path = getenv("TRACE_LOG");
  if (path == NULL || getenv("TRACE_PATH") == NULL) abort();  // a test that forgot them must not pass
  folder = getenv("TRACE_PATH");
  folder_length = strlen(folder);
  log_file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_file < 0) abort();
}

static bool IsBelow(const char* path) {
  return strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == '\0');
}

static void Note(const char* what, const char* path, const char* other) {
  const int error = errno;
  char line[2 * PATH_MAX + 32];
  const int length = snprintf(line, sizeof line, "%s %s%s%s\n", what, path, *other ? " " : "", other);
  if (syscall(SYS_write, log_file, line, (size_t)length) != length) abort();
  errno = error;
}

static bool PathOf(int descriptor, char path[PATH_MAX]) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const long size = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  path[size > 0 ? size : 0] = '\0';
  return size > 0 && IsBelow(path);
}

static void Absolute(const char* path, char absolute[PATH_MAX]) {
  char here[PATH_MAX];
  if (path[0] == '/' || syscall(SYS_getcwd, here, sizeof here) <= 0)
    snprintf(absolute, PATH_MAX, "%s", path);
  else if (strlen(here) + strlen(path) + 2 <= PATH_MAX)
    strcat(strcat(strcpy(absolute, here), "/"), path);
  else
    abort();
}

static void NoteOfDescriptor(const char* what, int descriptor) {
  char path[PATH_MAX];
  if (PathOf(descriptor, path)) Note(what, path, "");
}

static bool IsOfName(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == '-'; }

// The names of metadata in what is about to be written into the log.
static void NotePointers(int descriptor, const char* bytes, size_t count) {
  static const char kEnd[] = ".metadata.json";
  char path[PATH_MAX];
  if (!PathOf(descriptor, path) || strlen(path) < 4 || strcmp(path + strlen(path) - 4, "-wal") != 0) return;
  for (const char* at = bytes; (at = memmem(at, (size_t)(bytes + count - at), kEnd, sizeof kEnd - 1)) != NULL; ++at) {
    const char* begin = at;
    while (begin > bytes && IsOfName(begin[-1])) --begin;
    char name[256];
    snprintf(name, sizeof name, "%.*s%s", (int)(at - begin), begin, kEnd);
    Note("point", name, "");
  }
}

// --- open ---

static int Open(int directory, const char* path, int flags, mode_t mode) {
  const bool is_new = (flags & O_CREAT) != 0 && syscall(SYS_faccessat, directory, path, F_OK) != 0;
  const int descriptor = (int)syscall(SYS_openat, directory, path, flags, mode);
  if (descriptor >= 0 && is_new) NoteOfDescriptor("create", descriptor);
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

// --- write and sync ---

static ssize_t Written(int descriptor, ssize_t count) {
  if (count > 0) NoteOfDescriptor("write", descriptor);
  return count;
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  NotePointers(descriptor, bytes, count);
  return Written(descriptor, syscall(SYS_write, descriptor, bytes, count));
}
ssize_t pwrite(int descriptor, const void* bytes, size_t count, off_t offset) {
  NotePointers(descriptor, bytes, count);
  return Written(descriptor, syscall(SYS_pwrite64, descriptor, bytes, count, offset));
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t count, off64_t offset) {
  return pwrite(descriptor, bytes, count, offset);
}
ssize_t writev(int descriptor, const struct iovec* parts, int part_count) {
  for (int i = 0; i < part_count; ++i) NotePointers(descriptor, parts[i].iov_base, parts[i].iov_len);
  return Written(descriptor, syscall(SYS_writev, descriptor, parts, part_count));
}

static int Synced(int descriptor, int result) {
  if (result == 0) NoteOfDescriptor("sync", descriptor);
  return result;
}

int fsync(int descriptor) { return Synced(descriptor, (int)syscall(SYS_fsync, descriptor)); }
int fdatasync(int descriptor) { return Synced(descriptor, (int)syscall(SYS_fdatasync, descriptor)); }

// --- names ---

int rename(const char* from, const char* to) {
  const int result = (int)syscall(SYS_rename, from, to);
  char old_path[PATH_MAX], new_path[PATH_MAX];
  Absolute(from, old_path);
  Absolute(to, new_path);
  if (result == 0 && IsBelow(new_path)) Note("rename", old_path, new_path);
  return result;
}
int mkdir(const char* path, mode_t mode) {
  const int result = (int)syscall(SYS_mkdir, path, mode);
  char absolute[PATH_MAX];
  Absolute(path, absolute);
  if (result == 0 && IsBelow(absolute)) Note("make", absolute, "");
  return result;
}
