#include <fmt/format.h>

#include <chrono>
#include <set>

#include "core/fail_point.h"
#include "state/sqlite/store.h"

namespace leat::state::sqlite {
namespace {

/// After so long without a sign of life a run on another machine counts as dead.
constexpr std::chrono::seconds kSilenceMax{60};

}  // namespace

std::string DescribeHolder(const std::string& host, int64_t pid) { return fmt::format("{}, process {}", host, pid); }

std::vector<SqliteStore::Unfinished> SqliteStore::ListUnfinished() {
  Statement rows(database_, R"sql(
      SELECT number, host, machine, pid, process_started,
             max(started_at_us, coalesce((SELECT max(touched_at_us) FROM leat_leases WHERE run = number), 0))
      FROM leat_runs WHERE status = 'running')sql");
  std::vector<Unfinished> runs;
  while (rows.Next()) {
    runs.push_back({.number = rows.Int64(0),
                    .process = {rows.Text(1), rows.Text(2), rows.Int64(3), rows.Int64(4)},
                    .touched = rows.Time(5)});
  }
  return runs;
}

bool SqliteStore::IsDead(const Unfinished& run) const {
  if (const std::optional<bool> alive = IsAlive(run.process)) return !*alive;
  return clock_.Now() - run.touched > kSilenceMax;
}

void SqliteStore::MarkCrashed() {
  for (const Unfinished& run : ListUnfinished()) {
    if (!IsDead(run)) continue;
    database_.Run("UPDATE leat_runs SET status = 'crashed', ended_at_us = ?2 WHERE number = ?1", run.number,
                  run.touched);
    database_.Run("UPDATE leat_leases SET run = NULL WHERE run = ?1", run.number);
  }
}

std::vector<LeaseHolder> SqliteStore::FindHolders(const std::vector<std::string>& lease_names) {
  std::vector<LeaseHolder> holders;
  for (const std::string& name : lease_names) {
    Statement row(database_, R"sql(
        SELECT r.number, r.host, r.pid, l.taken_at_us
        FROM leat_leases l JOIN leat_runs r ON r.number = l.run WHERE l.name = ?1 AND r.status = 'running')sql",
                  name);
    if (row.Next()) holders.push_back({name, row.Int64(0), DescribeHolder(row.Text(1), row.Int64(2)), row.Time(3)});
  }
  return holders;
}

Run SqliteStore::InsertRun(const std::string& selection) {
  const Timestamp now = clock_.Now();
  const Process& process = options_.process;
  database_.Run(R"sql(
      INSERT INTO leat_runs (status, selection, started_at_us, host, machine, pid, process_started)
      VALUES ('running', ?1, ?2, ?3, ?4, ?5, ?6))sql",
                selection, now, process.host, process.machine, process.pid, process.started);
  return {
      .number = database_.last_insert_id(), .status = "running", .selection = selection, .started = now, .ended = {}};
}

Lease SqliteStore::TakeLease(const std::string& name, int64_t run) {
  Statement taken(database_, R"sql(
      INSERT INTO leat_leases (name, epoch, run, taken_at_us, touched_at_us) VALUES (?1, 1, ?2, ?3, ?3)
      ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1, run = ?2, taken_at_us = ?3, touched_at_us = ?3
      RETURNING epoch)sql",
                  name, run, clock_.Now());
  taken.Next();
  const Lease lease{name, taken.Int64(0)};
  taken.Next();  // RETURNING's statement ends only at its end
  return lease;
}

Store::Begun SqliteStore::BeginRun(const std::string& selection, const std::vector<std::string>& lease_names) {
  const std::set<std::string> unique(lease_names.begin(), lease_names.end());
  const std::vector<std::string> names(unique.begin(), unique.end());
  Begun begun;
  Transaction transaction(database_);
  MarkCrashed();
  begun.held = FindHolders(names);
  if (begun.held.empty()) {
    begun.run = InsertRun(selection);
    for (const std::string& name : names) begun.leases.push_back(TakeLease(name, begun.run.number));
  }
  FailPoint("state.begin.before_commit");
  transaction.Commit();
  FailPoint("state.begin.after_commit");
  reserve_.Make();  // the last run may have needed it
  return begun;
}

void SqliteStore::TouchLease(const Lease& lease) {
  // A lease that was given back has no run; its epoch alone would still fit.
  const int64_t touched =
      database_.Run("UPDATE leat_leases SET touched_at_us = ?3 WHERE name = ?1 AND epoch = ?2 AND run IS NOT NULL",
                    lease.name, lease.epoch, clock_.Now());
  if (touched == 1) return;
  Statement row(database_, R"sql(
      SELECT r.number, r.host, r.pid FROM leat_leases l JOIN leat_runs r ON r.number = l.run WHERE l.name = ?1)sql",
                lease.name);
  const std::string who = row.Next()
                              ? fmt::format("by run {} ({})", row.Int64(0), DescribeHolder(row.Text(1), row.Int64(2)))
                              : "by a run that has ended";
  throw Error(kConflict, "LEAT0511", fmt::format("the lease on {} was taken over {}", lease.name, who))
      .Hint("nothing of this run was published after that; run again when the other has ended");
}

void SqliteStore::RenewLeases(const std::vector<Lease>& leases) {
  Transaction transaction(database_);
  for (const Lease& lease : leases) TouchLease(lease);
  transaction.Commit();
}

/// A step that goes on over several commits of its run is told once, as it stood at the last of them. A failure stands
/// beside what was good before it.
void SqliteStore::InsertStep(const Step& step) {
  if (step.status != "failed" && step.status != "skipped")
    database_.Run("DELETE FROM leat_steps WHERE table_name = ?1 AND step = ?2 AND run = ?3", step.table, step.step,
                  step.run);
  database_.Run(R"sql(
      INSERT INTO leat_steps (run, table_name, step, status, rows_read, rows_written, rows_repeated, rows_rejected,
                              rows_deleted, rows_total, data_to_us, started_at_us, ended_at_us, diagnostic)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14))sql",
                step.run, step.table, step.step, step.status, step.rows_read, step.rows_written, step.rows_repeated,
                step.rows_rejected, step.rows_deleted, step.rows_total, step.data_to, step.started, step.ended,
                step.diagnostic);
}

void SqliteStore::FinishRun(int64_t run, const std::string& status, const std::vector<Step>& steps,
                            const std::vector<Lease>& leases) {
  try {
    RecordEnd(run, status, steps, leases);
  } catch (const DiskFull&) {
    if (!reserve_.GiveUp()) throw;
    RecordEnd(run, status, steps, leases);
  }
}

void SqliteStore::RecordEnd(int64_t run, const std::string& status, const std::vector<Step>& steps,
                            const std::vector<Lease>& leases) {
  Transaction transaction(database_);
  // A run that was taken for dead and woke up knows better how it ended.
  database_.Run("UPDATE leat_runs SET status = ?2, ended_at_us = ?3 WHERE number = ?1", run, status, clock_.Now());
  for (const Step& step : steps) InsertStep(step);
  for (const Lease& lease : leases)
    database_.Run("UPDATE leat_leases SET run = NULL WHERE name = ?1 AND epoch = ?2", lease.name, lease.epoch);
  FailPoint("state.finish.before_commit");
  transaction.Commit();
  FailPoint("state.finish.after_commit");
}

}  // namespace leat::state::sqlite
