#include <fmt/format.h>

#include <algorithm>

#include "state/sqlite/store.h"

namespace leat::state::sqlite {
namespace {

constexpr std::chrono::hours kTrimInterval{24};
constexpr int64_t kTrimmedAtOnce = 1000;

constexpr const char* kRunColumns = "number, status, selection, started_at_us, ended_at_us";
constexpr const char* kStepColumns =
    "run, table_name, step, status, rows_read, rows_written, rows_repeated, rows_rejected, rows_deleted, rows_total, "
    "data_to_us, started_at_us, ended_at_us, diagnostic";

/// A table expression of one column, the ids of the newest steps that fulfil `condition`, one of each kind.
///
/// Jumps from one (table, step) to the next in the index, whose newest entry comes first; GROUP BY would read all of
/// it.
std::string NewestSteps(const char* name, Store::StepChoice choice) {
  const char* condition = choice == Store::StepChoice::kGood ? "status NOT IN ('failed', 'skipped')" : "true";
  return fmt::format(R"sql(
      {1} (id) AS (
        SELECT (SELECT id FROM leat_steps WHERE {0} ORDER BY table_name, step, id DESC LIMIT 1)
        UNION ALL
        SELECT coalesce((SELECT n.id FROM leat_steps n WHERE n.table_name = s.table_name AND n.step > s.step AND {0}
                         ORDER BY n.step, n.id DESC LIMIT 1),
                        (SELECT n.id FROM leat_steps n WHERE n.table_name > s.table_name AND {0}
                         ORDER BY n.table_name, n.step, n.id DESC LIMIT 1))
        FROM {1} JOIN leat_steps s USING (id)))sql",
                     condition, name);
}

std::vector<Step> ReadSteps(Statement& rows) {
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

}  // namespace

/// Runs as they stand now: one that was killed has not said so itself.
std::vector<Run> SqliteStore::ReadRuns(Statement& rows) {
  std::vector<Run> runs;
  while (rows.Next()) runs.push_back({rows.Int64(0), rows.Text(1), rows.Text(2), rows.Time(3), rows.TimeIfAny(4)});
  if (std::none_of(runs.begin(), runs.end(), [](const Run& run) { return run.status == "running"; })) return runs;
  for (const Unfinished& unfinished : ListUnfinished())
    for (Run& run : runs) {
      if (run.number != unfinished.number || !IsDead(unfinished)) continue;
      run.status = "crashed";
      run.ended = unfinished.touched;
    }
  return runs;
}

std::vector<Run> SqliteStore::Runs(int64_t limit) {
  Statement rows(database_, fmt::format("SELECT {} FROM leat_runs ORDER BY number DESC LIMIT ?1", kRunColumns), limit);
  return ReadRuns(rows);
}

std::optional<Run> SqliteStore::FindRun(int64_t number) {
  Statement rows(database_, fmt::format("SELECT {} FROM leat_runs WHERE number = ?1", kRunColumns), number);
  const std::vector<Run> runs = ReadRuns(rows);
  if (runs.empty()) return std::nullopt;
  return runs.front();
}

std::optional<Run> SqliteStore::LastRun() {
  const std::vector<Run> runs = Runs(1);
  if (runs.empty()) return std::nullopt;
  return runs.front();
}

std::vector<Step> SqliteStore::StepsOf(int64_t run) {
  Statement rows(database_, fmt::format("SELECT {} FROM leat_steps WHERE run = ?1 ORDER BY id", kStepColumns), run);
  return ReadSteps(rows);
}

std::vector<Step> SqliteStore::LatestSteps(StepChoice choice) {
  Statement rows(database_, fmt::format("WITH RECURSIVE {} SELECT {} FROM newest JOIN leat_steps USING (id) ORDER BY "
                                        "table_name, id",
                                        NewestSteps("newest", choice), kStepColumns));
  return ReadSteps(rows);
}

std::optional<int64_t> SqliteStore::Trim(Timestamp before) {
  const Timestamp now = clock_.Now();
  const auto is_due = [&] {
    Statement meta(database_, "SELECT trimmed_at_us FROM leat_meta");
    // A clock that was set back must not put it off for long.
    return meta.Next() && (now < meta.Time(0) || now - meta.Time(0) >= kTrimInterval);
  };
  if (!is_due()) return std::nullopt;
  Transaction transaction(database_);
  if (!is_due()) return std::nullopt;  // another run was quicker
  Statement meta(database_, R"sql(
      SELECT trimmed_to, coalesce((SELECT number FROM leat_runs WHERE started_at_us < ?1 ORDER BY number DESC LIMIT 1), 0)
      FROM leat_meta)sql",
                 before);
  meta.Next();
  const int64_t above = meta.Int64(0);
  const int64_t newest_old = std::max(above, meta.Int64(1));
  const int64_t to = std::min(newest_old, above + kTrimmedAtOnce);
  RemoveRuns(above, to);
  database_.Run("UPDATE leat_meta SET trimmed_to = ?1", to);
  if (to == newest_old) database_.Run("UPDATE leat_meta SET trimmed_at_us = ?1", now);
  transaction.Commit();
  return to;
}

void SqliteStore::RemoveRuns(int64_t above, int64_t to) {
  if (above == to) return;
  database_.Run(fmt::format(R"sql(
      WITH RECURSIVE {}, {}
      DELETE FROM leat_steps
      WHERE run > ?1 AND run <= ?2 AND id NOT IN (SELECT id FROM newest WHERE id IS NOT NULL)
        AND id NOT IN (SELECT id FROM newest_good WHERE id IS NOT NULL))sql",
                            NewestSteps("newest", StepChoice::kAny), NewestSteps("newest_good", StepChoice::kGood)),
                above, to);
  database_.Run(R"sql(
      DELETE FROM leat_commits
      WHERE run > ?1 AND run <= ?2
        AND number < (SELECT max(number) FROM leat_commits c WHERE c.scope = leat_commits.scope))sql",
                above, to);
  database_.Run(R"sql(
      DELETE FROM leat_runs
      WHERE number > ?1 AND number <= ?2 AND status <> 'running'
        AND NOT EXISTS (SELECT 1 FROM leat_steps WHERE run = leat_runs.number)
        AND NOT EXISTS (SELECT 1 FROM leat_commits WHERE run = leat_runs.number)
        AND number NOT IN (SELECT run FROM leat_models)
        AND number NOT IN (SELECT run FROM leat_leases WHERE run IS NOT NULL))sql",
                above, to);
}

}  // namespace leat::state::sqlite
