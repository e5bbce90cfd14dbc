#include "state/sqlite/faulty_disk.h"

#include <sqlite3.h>
#include <unistd.h>

namespace leat::state::sqlite {
namespace {

// The unix file system of SQLite with one method of its files replaced. Databases and their logs have a method table
// each, which all files of the kind share; the copy keeps every other method, so a file needs no state of its own.
sqlite3_vfs* inner = nullptr;
sqlite3_vfs faulty;
int fail_next = 0;
int sync_count = 0;
std::string ballast_path;  // empty: there is room

template <int kind>
struct Methods {
  static inline const sqlite3_io_methods* original = nullptr;
  static inline sqlite3_io_methods replaced;

  static int Sync(sqlite3_file* file, int flags) {
    ++sync_count;
    if (fail_next > 0) {
      --fail_next;
      return SQLITE_IOERR_FSYNC;
    }
    return original->xSync(file, flags);
  }
  static int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
    sqlite3_int64 size = 0;
    original->xFileSize(file, &size);
    const bool is_full = !ballast_path.empty() && access(ballast_path.c_str(), F_OK) == 0;
    if (is_full && offset + count > size) return SQLITE_FULL;
    return original->xWrite(file, bytes, count, offset);
  }
  static void Replace(sqlite3_file* file) {
    if (original == nullptr) {
      original = file->pMethods;
      replaced = *original;
      replaced.xSync = Sync;
      replaced.xWrite = Write;
    }
    file->pMethods = &replaced;
  }
};

int Open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = inner->xOpen(inner, name, file, flags, out_flags);
  if (code != SQLITE_OK) return code;
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) Methods<SQLITE_OPEN_MAIN_DB>::Replace(file);
  if ((flags & SQLITE_OPEN_WAL) != 0) Methods<SQLITE_OPEN_WAL>::Replace(file);
  return code;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  fail_next = 0;
  sync_count = 0;
  ballast_path.clear();
  inner = sqlite3_vfs_find(nullptr);
  faulty = *inner;
  faulty.zName = "faulty";
  faulty.xOpen = Open;
  sqlite3_vfs_register(&faulty, /*makeDflt=*/1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_unregister(&faulty);
  sqlite3_vfs_register(inner, /*makeDflt=*/1);
}

void FaultyDisk::FailSyncs(int count) { fail_next = count; }

void FaultyDisk::FillUp(const std::string& ballast) { ballast_path = ballast; }

int FaultyDisk::syncs() const { return sync_count; }

}  // namespace leat::state::sqlite
