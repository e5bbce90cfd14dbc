#include <fmt/format.h>

#include <algorithm>

#include "core/fail_point.h"
#include "state/sqlite/store.h"

namespace leat::state::sqlite {
namespace {

constexpr const char* kMovedHint = "nothing was published; run again";

}  // namespace

int64_t SqliteStore::Publish(const Commit& commit) {
  int64_t number = 0;
  std::optional<Error> fault;
  {
    Transaction transaction(database_);
    number = Write(commit);
    FailPoint("state.publish.before_commit");
    if (const int code = transaction.TryCommit(); code != SQLITE_OK) fault = database_.ToError(code);
  }
  if (fault) SettleUnknown(commit.attempt, *fault);
  FailPoint("state.publish.after_commit");
  return number;
}

/// Everything a commit changes, leases first: a holder that was replaced must stop before it reads anything else.
int64_t SqliteStore::Write(const Commit& commit) {
  for (const Lease& lease : commit.leases) TouchLease(lease);
  const int64_t number = InsertCommit(commit);
  for (const PointerSwap& swap : commit.swaps) SwapPointer(swap);
  for (const Position& position : commit.positions) MovePosition(position, number);
  for (const Step& step : commit.steps) InsertStep(step);
  for (const ModelState& model : commit.models) StoreModel(model, commit.run);
  for (const Recipe& recipe : commit.recipes) StoreRecipe(recipe);
  return number;
}

int64_t SqliteStore::InsertCommit(const Commit& commit) {
  if (commit.swaps.empty()) return 0;
  if (IsPublished(commit.attempt))
    throw Error(kConflict, "LEAT0512",
                fmt::format("the attempt {} of {} was published before", commit.attempt, commit.scope));
  const int64_t last = LastCommitNumber(commit.scope);
  const int64_t number = commit.number.value_or(last + 1);
  if (number != last + 1)
    throw Error(kConflict, "LEAT0512",
                fmt::format("the last commit of {} is {}; expected {}", commit.scope, last, number - 1))
        .Hint(kMovedHint);
  int64_t epoch = 0;
  for (const Lease& lease : commit.leases) epoch = std::max(epoch, lease.epoch);
  database_.Run(R"sql(
      INSERT INTO leat_commits (scope, number, attempt, run, epoch, committed_at_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6))sql",
                commit.scope, number, commit.attempt, commit.run, epoch, clock_.Now());
  return number;
}

void SqliteStore::SwapPointer(const PointerSwap& swap) {
  if (!swap.expected) return CreateTable(swap);
  const int64_t moved = database_.Run(R"sql(
      UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = ?4
      WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 AND metadata_location = ?4
        AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL))sql",
                                      project_, swap.table.first, swap.table.second, *swap.expected, swap.wanted);
  if (moved != 1) ThrowMoved(swap);
}

void SqliteStore::CreateTable(const PointerSwap& swap) {
  const auto& [name_space, name] = swap.table;
  // Catalogs that list no namespace without a property write this one: iceberg-core and PyIceberg both.
  database_.Run(R"sql(
      INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
      VALUES (?1, ?2, 'exists', 'true') ON CONFLICT DO NOTHING)sql",
                project_, name_space);
  const int64_t made = database_.Run(R"sql(
      INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
      VALUES (?1, ?2, ?3, ?4, 'TABLE') ON CONFLICT DO NOTHING)sql",
                                     project_, name_space, name, swap.wanted);
  if (made != 1) ThrowMoved(swap);
}

void SqliteStore::ThrowMoved(const PointerSwap& swap) {
  const auto pointers = Pointers();
  const auto found = pointers.find(swap.table);
  const std::string actual = found != pointers.end() ? "at " + found->second : "not there";
  const std::string expected = swap.expected ? *swap.expected : "no such table";
  throw Error(kConflict, "LEAT0512",
              fmt::format("the table {}.{} is {}; expected {}", swap.table.first, swap.table.second, actual, expected))
      .Hint(kMovedHint);
}

void SqliteStore::MovePosition(const Position& position, int64_t number) {
  const int64_t expected = position.commit_number;
  const int64_t stored = number > 0 ? number : expected;
  // A read without rows keeps the number, so a stream that never had any stays at 0 although it has a row.
  const int64_t moved =
      expected == 0
          ? database_.Run(R"sql(
          INSERT INTO leat_positions (stream, value, commit_number) VALUES (?1, ?2, ?3)
          ON CONFLICT (stream) DO UPDATE SET value = ?2, commit_number = ?3 WHERE commit_number = 0)sql",
                          position.stream, position.value, stored)
          : database_.Run(
                "UPDATE leat_positions SET value = ?2, commit_number = ?3 WHERE stream = ?1 AND commit_number = ?4",
                position.stream, position.value, stored, expected);
  if (moved == 1) return;
  const auto actual = FindPosition(position.stream);
  throw Error(kConflict, "LEAT0512",
              fmt::format("the position of {} is of commit {}; expected {}", position.stream,
                          actual ? actual->commit_number : 0, expected))
      .Hint(kMovedHint);
}

void SqliteStore::StoreModel(const ModelState& model, int64_t run) {
  database_.Run(R"sql(
      INSERT INTO leat_models (model, fingerprint, run) VALUES (?1, ?2, ?3)
      ON CONFLICT (model) DO UPDATE SET fingerprint = ?2, run = ?3)sql",
                model.model, model.fingerprint, run);
}

void SqliteStore::StoreRecipe(const Recipe& recipe) {
  database_.Run(R"sql(
      INSERT INTO leat_recipes (table_name, recipe) VALUES (?1, ?2)
      ON CONFLICT (table_name) DO UPDATE SET recipe = ?2 WHERE recipe <> ?2)sql",
                recipe.table, recipe.text);
}

bool SqliteStore::IsPublished(const std::string& attempt) {
  return Statement(database_, "SELECT 1 FROM leat_commits WHERE attempt = ?1", attempt).Next();
}

void SqliteStore::MoveLogIntoFile() {
  Statement checkpoint(database_, "PRAGMA wal_checkpoint(FULL)");
  const bool busy = !checkpoint.Next() || checkpoint.Int64(0) != 0;
  if (busy) database_.Throw(SQLITE_BUSY);
}

/// After a COMMIT that ended in `fault`: look on a new connection what became of it. Throws `fault` unless it was
/// published.
///
/// A log whose fsync was refused may hold the whole transaction all the same; the next connection then takes it as
/// committed. What the kernel did with its pages nobody knows, so they are written once more, into the database file.
void SqliteStore::SettleUnknown(const std::string& attempt, const Error& fault) {
  bool published = false;
  try {
    database_.Reopen();
    {
      const Transaction lock(database_);
      published = IsPublished(attempt);
    }
    if (published) MoveLogIntoFile();
  } catch (const Error&) {
    throw Error(fault).Note("it is not known whether this was published: the disk failed again when leat looked");
  }
  if (!published) throw Error(fault);
}

}  // namespace leat::state::sqlite
