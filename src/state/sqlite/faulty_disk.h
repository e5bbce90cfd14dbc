#pragma once

namespace leat::state::sqlite {

/// For tests: while one lives, every SQLite file that is opened lies on a disk whose fsync can be made to fail. One at
/// a time.
class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  /// The next `count` syncs fail with an I/O error.
  void FailSyncs(int count);
  /// How many syncs were asked for.
  int syncs() const;
};

}  // namespace leat::state::sqlite
