#include "state/sqlite/store.h"

#include <fmt/format.h>

#include <utility>

#include "state/sqlite/schema.h"

namespace leat::state {

std::unique_ptr<Store> OpenSqlite(const std::string& path, const std::string& project, const Clock& clock,
                                  const SqliteOptions& options) {
  return std::make_unique<sqlite::SqliteStore>(path, project, clock, options);
}

namespace sqlite {

SqliteStore::SqliteStore(const std::string& path, const std::string& project, const Clock& clock, SqliteOptions options)
    : project_(project),
      clock_(clock),
      options_(std::move(options)),
      database_(OpenState(path, project, options_.busy_timeout, Migrations(), options_.upgrades)),
      reserve_(path) {}

int64_t SqliteStore::LastCommitNumber(const std::string& scope) {
  Statement last(database_, "SELECT coalesce(max(number), 0) FROM leat_commits WHERE scope = ?1", scope);
  last.Next();
  return last.Int64(0);
}

std::map<TableName, std::string> SqliteStore::Pointers() {
  Statement rows(database_, R"sql(
      SELECT table_namespace, table_name, metadata_location FROM iceberg_tables
      WHERE catalog_name = ?1 AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL) AND metadata_location IS NOT NULL)sql",
                 project_);
  std::map<TableName, std::string> pointers;
  while (rows.Next()) pointers[{rows.Text(0), rows.Text(1)}] = rows.Text(2);
  return pointers;
}

std::optional<Position> SqliteStore::FindPosition(const std::string& stream) {
  Statement row(database_, "SELECT value, commit_number FROM leat_positions WHERE stream = ?1", stream);
  if (!row.Next()) return std::nullopt;
  return Position{stream, row.Text(0), row.Int64(1)};
}

std::optional<ModelState> SqliteStore::FindModel(const std::string& model) {
  Statement row(database_, "SELECT fingerprint FROM leat_models WHERE model = ?1", model);
  if (!row.Next()) return std::nullopt;
  return ModelState{model, row.Text(0)};
}

std::vector<Position> SqliteStore::Positions() {
  Statement rows(database_, "SELECT stream, value, commit_number FROM leat_positions ORDER BY stream");
  std::vector<Position> positions;
  while (rows.Next()) positions.push_back({rows.Text(0), rows.Text(1), rows.Int64(2)});
  return positions;
}

std::vector<ModelState> SqliteStore::Models() {
  Statement rows(database_, "SELECT model, fingerprint FROM leat_models ORDER BY model");
  std::vector<ModelState> models;
  while (rows.Next()) models.push_back({rows.Text(0), rows.Text(1)});
  return models;
}

std::vector<Recipe> SqliteStore::Recipes() {
  // A file that was opened as an older leat left it.
  Statement table(database_, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'leat_recipes'");
  if (!table.Next()) return {};
  Statement rows(database_, "SELECT table_name, recipe FROM leat_recipes ORDER BY table_name");
  std::vector<Recipe> recipes;
  while (rows.Next()) recipes.push_back({rows.Text(0), rows.Text(1)});
  return recipes;
}

void SqliteStore::ForgetRecipes(const std::vector<std::string>& tables) {
  Transaction transaction(database_);
  for (const std::string& table : tables) database_.Run("DELETE FROM leat_recipes WHERE table_name = ?1", table);
  transaction.Commit();
}

std::optional<LeaseHolder> SqliteStore::Forget(const std::string& sql, const std::string& name,
                                               const std::string& lease) {
  Transaction transaction(database_);
  MarkCrashed();
  if (const std::vector<LeaseHolder> held = FindHolders({lease}); !held.empty()) return held.front();
  database_.Run(sql, name);
  transaction.Commit();
  return std::nullopt;
}

std::optional<LeaseHolder> SqliteStore::ForgetPosition(const std::string& stream, const std::string& lease) {
  return Forget("DELETE FROM leat_positions WHERE stream = ?1", stream, lease);
}

std::optional<LeaseHolder> SqliteStore::ForgetModel(const std::string& model, const std::string& lease) {
  // Without a row the fingerprint in the table's snapshot would count.
  return Forget("UPDATE leat_models SET fingerprint = '' WHERE model = ?1", model, lease);
}

}  // namespace sqlite
}  // namespace leat::state
