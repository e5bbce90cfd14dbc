#include "state/sqlite/schema.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"
#include "core/fail_point.h"
#include "core/file_system.h"
#include "core/ids.h"

namespace leat::state::sqlite {
namespace {

// The first two tables are Iceberg's SQL (JDBC) catalog, schema V1, as PyIceberg and iceberg-core make them; their
// columns belong to everybody who opens the catalog. IF NOT EXISTS: one of those may have been here first.
constexpr Migration kMigrations[] = {
    {1, R"sql(
CREATE TABLE IF NOT EXISTS iceberg_tables (
  catalog_name VARCHAR(255) NOT NULL,
  table_namespace VARCHAR(255) NOT NULL,
  table_name VARCHAR(255) NOT NULL,
  metadata_location VARCHAR(1000),
  previous_metadata_location VARCHAR(1000),
  iceberg_type VARCHAR(5),
  PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
  catalog_name VARCHAR(255) NOT NULL,
  namespace VARCHAR(255) NOT NULL,
  property_key VARCHAR(255) NOT NULL,
  property_value VARCHAR(1000) NOT NULL,
  PRIMARY KEY (catalog_name, namespace, property_key)
);
CREATE TABLE leat_meta (
  schema_version INTEGER NOT NULL,
  project TEXT NOT NULL
);
CREATE TABLE leat_runs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  status TEXT NOT NULL,
  selection TEXT NOT NULL,
  started_at_us INTEGER NOT NULL,
  ended_at_us INTEGER,
  host TEXT NOT NULL,
  machine TEXT NOT NULL,
  pid INTEGER NOT NULL,
  process_started INTEGER NOT NULL
);
CREATE INDEX leat_runs_running ON leat_runs (number) WHERE status = 'running';
CREATE TABLE leat_leases (
  name TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  run INTEGER REFERENCES leat_runs (number),
  taken_at_us INTEGER NOT NULL,
  touched_at_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE leat_commits (
  scope TEXT NOT NULL,
  number INTEGER NOT NULL,
  attempt TEXT NOT NULL UNIQUE,
  run INTEGER NOT NULL REFERENCES leat_runs (number),
  epoch INTEGER NOT NULL,
  committed_at_us INTEGER NOT NULL,
  PRIMARY KEY (scope, number)
) WITHOUT ROWID;
CREATE TABLE leat_positions (
  stream TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  commit_number INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE leat_steps (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES leat_runs (number),
  table_name TEXT NOT NULL,
  step TEXT NOT NULL,
  status TEXT NOT NULL,
  rows_read INTEGER NOT NULL,
  rows_written INTEGER NOT NULL,
  rows_repeated INTEGER NOT NULL,
  rows_rejected INTEGER NOT NULL,
  rows_deleted INTEGER NOT NULL,
  rows_total INTEGER NOT NULL,
  data_to_us INTEGER,
  started_at_us INTEGER NOT NULL,
  ended_at_us INTEGER NOT NULL,
  diagnostic TEXT NOT NULL
);
CREATE INDEX leat_steps_run ON leat_steps (run);
CREATE INDEX leat_steps_newest ON leat_steps (table_name, step, id DESC);
CREATE INDEX leat_steps_newest_good ON leat_steps (table_name, step, id DESC) WHERE status NOT IN ('failed', 'skipped');
CREATE TABLE leat_models (
  model TEXT PRIMARY KEY,
  fingerprint TEXT NOT NULL,
  run INTEGER NOT NULL REFERENCES leat_runs (number)
) WITHOUT ROWID;
)sql"},
    {2, R"sql(
ALTER TABLE leat_meta ADD COLUMN trimmed_at_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE leat_meta ADD COLUMN trimmed_to INTEGER NOT NULL DEFAULT 0;
CREATE INDEX leat_commits_run ON leat_commits (run);
)sql"},
    {3, R"sql(
CREATE TABLE leat_recipes (
  table_name TEXT PRIMARY KEY,
  recipe TEXT NOT NULL
) WITHOUT ROWID;
)sql"},
};

void CheckNotNewer(const Database& database, int64_t version, int64_t newest_known) {
  if (version <= newest_known) return;
  throw Error(kConfig, "LEAT0513",
              fmt::format("the state database {} has schema version {}; this leat {} knows versions up to {}",
                          database.path(), version, LEAT_VERSION, newest_known))
      .Hint("use the leat that made it, or a newer one");
}

void CheckProject(const Database& database, const std::string& project) {
  Statement meta(database, "SELECT project FROM leat_meta");
  if (!meta.Next() || meta.Text(0) == project) return;
  // The project's name is the catalog's: under another one every table would seem to be gone.
  throw Error(kConfig, "LEAT0516",
              fmt::format("the state database {} belongs to the project '{}', not to '{}'", database.path(),
                          meta.Text(0), project))
      .Hint(fmt::format("set `name: {}` in leat.yaml", meta.Text(0)));
}

/// Copy what is committed; safe while others read and write.
void CopyBeforeUpgrade(const Database& database, int64_t version, std::chrono::milliseconds busy_timeout) {
  const std::string copy = fmt::format("{}.version-{}", database.path(), version);
  const std::string temporary = fmt::format("{}.{}.tmp", copy, NewUuid());
  // A connection of its own: VACUUM does not run inside the upgrade's transaction.
  const Database reader(database.path(), busy_timeout, Database::Missing::kRefuse);
  reader.Run("VACUUM INTO ?1", temporary);
  SyncFile(temporary);
  if (rename(temporary.c_str(), copy.c_str()) != 0)
    throw Error(kInternal, "LEAT0502",
                fmt::format("cannot rename {} to {}: {}", temporary, copy, std::strerror(errno)));
  SyncDirectory(ParentPath(AbsolutePath(copy)));
}

void Migrate(const Database& database, int64_t from, const std::string& project,
             std::span<const Migration> migrations) {
  for (const Migration& migration : migrations)
    if (migration.version > from) database.Execute(migration.sql);
  const int64_t newest = migrations.back().version;
  if (from == 0)
    database.Run("INSERT INTO leat_meta (schema_version, project) VALUES (?1, ?2)", newest, project);
  else
    database.Run("UPDATE leat_meta SET schema_version = ?1", newest);
}

void Upgrade(const Database& database, const std::string& project, std::chrono::milliseconds busy_timeout,
             std::span<const Migration> migrations) {
  if (ReadVersion(database) == 0) database.Execute("PRAGMA journal_mode = WAL");  // not possible inside a transaction
  Transaction transaction(database);
  const int64_t version = ReadVersion(database);  // somebody may have upgraded it while we waited
  if (version < migrations.back().version) {
    if (version > 0) CopyBeforeUpgrade(database, version, busy_timeout);
    Migrate(database, version, project, migrations);
  }
  FailPoint("state.schema.before_commit");
  transaction.Commit();
}

/// Make the whole file under a temporary name, then give it its own: whoever opens it finds all of it.
void Create(const std::string& path, const std::string& project, std::chrono::milliseconds busy_timeout,
            std::span<const Migration> migrations) {
  const std::string folder = ParentPath(AbsolutePath(path));
  MakeDirectories(folder);
  const std::string temporary = fmt::format("{}.{}.tmp", path, NewUuid());
  try {
    // Closing the only connection moves the log into the file.
    Upgrade(Database(temporary, busy_timeout, Database::Missing::kCreate), project, busy_timeout, migrations);
    SyncFile(temporary);
    FailPoint("state.file.before_link");
    if (link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST)
      throw Error(kInternal, "LEAT0502", fmt::format("cannot create {}: {}", path, std::strerror(errno)));
  } catch (const Error&) {
    RemoveFileQuietly(temporary);
    throw;
  }
  FailPoint("state.file.after_link");
  RemoveFileQuietly(temporary);
  SyncDirectory(folder);
}

}  // namespace

std::span<const Migration> Migrations() { return kMigrations; }

int64_t ReadVersion(const Database& database) {
  Statement exists(database, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'leat_meta'");
  if (!exists.Next()) return 0;
  Statement version(database, "SELECT schema_version FROM leat_meta");
  return version.Next() ? version.Int64(0) : 0;
}

Database OpenState(const std::string& path, const std::string& project, std::chrono::milliseconds busy_timeout,
                   std::span<const Migration> migrations, bool upgrades) {
  if (!PathExists(path)) Create(path, project, busy_timeout, migrations);
  Database database(path, busy_timeout, Database::Missing::kRefuse);
  const int64_t version = ReadVersion(database);
  CheckNotNewer(database, version, migrations.back().version);
  const bool is_old = version < migrations.back().version;
  if (is_old && (upgrades || version == 0)) Upgrade(database, project, busy_timeout, migrations);
  CheckProject(database, project);
  return database;
}

}  // namespace leat::state::sqlite
