#pragma once

#include <chrono>
#include <span>
#include <string>

#include "state/sqlite/database.h"

namespace leat::state::sqlite {

/// One step of the schema: the statements that lead from `version - 1` to `version`.
struct Migration {
  int version;
  const char* sql;
};

/// Every step since the first, in order. A released one is never changed; new ones are added at the end.
std::span<const Migration> Migrations();

/// The version of a file's schema; 0 for one in which leat has made nothing yet.
int64_t ReadVersion(const Database& database);

/// Open the state database of `project`, making it if there is none and upgrading an older one.
///
/// A new file appears complete under its name or not at all. An upgrade is one transaction; before it the file is
/// copied to `<path>.version-<n>`; without `upgrades` an older one stays as it is. Where nothing is to be done, nothing
/// is written. Throws: Error(kConfig, LEAT0513), made by a newer leat; Error(kConfig, LEAT0516), made for another
/// project; as Database.
Database OpenState(const std::string& path, const std::string& project, std::chrono::milliseconds busy_timeout,
                   std::span<const Migration> migrations = Migrations(), bool upgrades = true);

}  // namespace leat::state::sqlite
