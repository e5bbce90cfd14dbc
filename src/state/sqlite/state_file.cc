#include "state/state_file.h"

#include "state/sqlite/database.h"
#include "state/sqlite/schema.h"
#include "state/sqlite/store.h"

namespace leat::state {
namespace {

using sqlite::Statement;

constexpr std::chrono::seconds kInspectTimeout{2};

std::vector<StateFile::Held> ReadHeld(const sqlite::Database& database) {
  std::vector<StateFile::Held> held;
  Statement rows(database, R"sql(
      SELECT l.name, r.number, r.host, r.pid, l.taken_at_us, r.machine, r.process_started
      FROM leat_leases l JOIN leat_runs r ON r.number = l.run ORDER BY r.number, l.name)sql");
  while (rows.Next()) {
    const Process process{rows.Text(2), rows.Text(5), rows.Int64(3), rows.Int64(6)};
    held.push_back({{rows.Text(0), rows.Int64(1), sqlite::DescribeHolder(process.host, process.pid), rows.Time(4)},
                    IsAlive(process)});
  }
  return held;
}

}  // namespace

StateFile InspectSqlite(const std::string& path) {
  const sqlite::Database database(path, kInspectTimeout, sqlite::Database::Missing::kRefuse);
  StateFile file{.version_known = sqlite::Migrations().back().version};
  Statement check(database, "PRAGMA quick_check(1)");
  if (check.Next() && check.Text(0) != "ok") file.damage = check.Text(0);
  file.version = sqlite::ReadVersion(database);
  if (file.version > 0) file.held = ReadHeld(database);
  return file;
}

}  // namespace leat::state
