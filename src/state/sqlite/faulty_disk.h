#pragma once

#include <string>

namespace leat::state::sqlite {

/// For tests: while one lives, every SQLite file that is opened lies on a disk whose fsync can be made to fail, and
/// which can be filled up. One at a time.
class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// The next `count` syncs fail with an I/O error.
  void FailSyncs(int count);
  /// Files cannot grow while the file `ballast` is there.
  void FillUp(const std::string& ballast);
  /// How many syncs were asked for.
  int syncs() const;
};

}  // namespace leat::state::sqlite
