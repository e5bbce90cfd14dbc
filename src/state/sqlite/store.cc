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
      database_(OpenState(path, project, options_.busy_timeout)) {}

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

std::vector<Step> SqliteStore::LatestSteps(StepChoice choice) {
  // Jumps from one (table, step) to the next in the index, whose newest entry comes first; GROUP BY would read all of
  // it.
  const char* condition = choice == StepChoice::kGood ? "status NOT IN ('failed', 'skipped')" : "true";
  Statement rows(database_, fmt::format(R"sql(
      WITH RECURSIVE newest (id) AS (
        SELECT (SELECT id FROM leat_steps WHERE {0} ORDER BY table_name, step, id DESC LIMIT 1)
        UNION ALL
        SELECT coalesce((SELECT n.id FROM leat_steps n WHERE n.table_name = s.table_name AND n.step > s.step AND {0}
                         ORDER BY n.step, n.id DESC LIMIT 1),
                        (SELECT n.id FROM leat_steps n WHERE n.table_name > s.table_name AND {0}
                         ORDER BY n.table_name, n.step, n.id DESC LIMIT 1))
        FROM newest JOIN leat_steps s USING (id))
      SELECT run, table_name, step, status, rows_read, rows_written, rows_repeated, rows_rejected, rows_deleted, rows_total,
             data_to_us, started_at_us, ended_at_us, diagnostic
      FROM newest JOIN leat_steps USING (id) ORDER BY table_name, id)sql",
                                        condition));
  std::vector<Step> steps;
  while (rows.Next()) {
    steps.push_back({.run = rows.Int64(0),
                     .table = rows.Text(1),
                     .step = rows.Text(2),
                     .status = rows.Text(3),
                     .rows_read = rows.Int64(4),
                     .rows_written = rows.Int64(5),
                     .rows_repeated = rows.Int64(6),
                     .rows_rejected = rows.Int64(7),
                     .rows_deleted = rows.Int64(8),
                     .rows_total = rows.Int64(9),
                     .data_to = rows.TimeIfAny(10),
                     .started = rows.Time(11),
                     .ended = rows.Time(12),
                     .diagnostic = rows.Text(13)});
  }
  return steps;
}

}  // namespace sqlite
}  // namespace leat::state
