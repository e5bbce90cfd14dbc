#pragma once

#include <string>

namespace leat::state::sqlite {

/// A file of 1 MiB beside the state database that only takes up room. When the disk is full it is given up, and then
/// there is enough for SQLite to write down that a run failed.
class Reserve {
 public:
  explicit Reserve(const std::string& state_path);

  /// Make the file unless it is there. A disk without the room is no error: it is tried again next time.
  void Make() noexcept;
  /// Remove the file. Returns false if there was none.
  bool GiveUp() noexcept;

 private:
  std::string path_;
};

}  // namespace leat::state::sqlite
