// What is SQLite's own: the file, its faults, its versions. The behaviour of the store is in store_conformance_test.cc.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <functional>

#include "core/error.h"
#include "core/file_system.h"
#include "core/ids.h"
#include "state/sqlite/faulty_disk.h"
#include "state/sqlite/schema.h"
#include "state/state.h"

namespace leat::state::sqlite {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;

class SqliteStateTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/leat-sqlite-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/.leat/state.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Store> Open(const std::string& project = "shop") {
    return OpenSqlite(path_, project, SystemClock(), {.busy_timeout = milliseconds(50)});
  }
  std::string FaultOf(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      std::string text = error.code() + " " + error.message();
      if (const size_t at = text.find(folder_); at != std::string::npos) text.replace(at, folder_.size(), "/shop");
      return text;
    }
    return "no fault";
  }
  /// What the first column of `sql` says, through a connection that is not leat's.
  std::vector<std::string> Ask(const std::string& sql, const std::string& path) {
    const Database database(path, milliseconds(50), Database::Missing::kRefuse);
    Statement rows(database, sql);
    std::vector<std::string> texts;
    while (rows.Next()) texts.push_back(rows.Text(0));
    return texts;
  }
  std::vector<std::string> Ask(const std::string& sql) { return Ask(sql, path_); }
  static Commit NewTable(const Store::Begun& begun, const std::string& attempt, const std::string& name) {
    return {.scope = "models",
            .attempt = attempt,
            .run = begun.run.number,
            .leases = begun.leases,
            .swaps = {{{"mart", name}, std::nullopt, name + ".json"}}};
  }

  std::string folder_;
  std::string path_;
};

TEST_F(SqliteStateTest, MakesTheFileOnceAndWritesNothingWhenItIsThere) {
  Open();
  EXPECT_THAT(ListDirectory(folder_ + "/.leat"), ElementsAre("state.db"));
  EXPECT_THAT(Ask("PRAGMA journal_mode"), ElementsAre("wal"));
  const auto before = std::filesystem::last_write_time(path_);
  FaultyDisk disk;
  Open()->LastRun();
  EXPECT_EQ(disk.syncs(), 0);
  EXPECT_EQ(std::filesystem::last_write_time(path_), before);
}

TEST_F(SqliteStateTest, KeepsTheCatalogAsOthersReadIt) {
  const auto store = Open();
  const auto begun = store->BeginRun("", {"model:mart.dim_staff"});
  store->Publish(NewTable(begun, NewUuid(), "dim_staff"));
  EXPECT_THAT(Ask("SELECT catalog_name || '|' || table_namespace || '|' || table_name || '|' || metadata_location || "
                  "'|' || iceberg_type FROM iceberg_tables"),
              ElementsAre("shop|mart|dim_staff|dim_staff.json|TABLE"));
  EXPECT_THAT(Ask("SELECT catalog_name || '|' || namespace || '|' || property_key || '|' || property_value FROM "
                  "iceberg_namespace_properties"),
              ElementsAre("shop|mart|exists|true"));
}

TEST_F(SqliteStateTest, TakesInACatalogThatAnotherProgramMade) {
  MakeDirectories(folder_ + "/.leat");
  {
    const Database other(path_, milliseconds(50), Database::Missing::kCreate);
    other.Execute(Migrations()[0].sql);
    other.Execute(
        "DROP TABLE leat_meta; DROP TABLE leat_leases; DROP TABLE leat_models; DROP TABLE leat_steps;"
        "DROP TABLE leat_commits; DROP TABLE leat_positions; DROP TABLE leat_runs;"
        "INSERT INTO iceberg_tables VALUES ('shop', 'mine', 'notes', 'n.json', NULL, 'TABLE')");
  }
  EXPECT_EQ(Open()->Pointers().size(), 1u);
}

TEST_F(SqliteStateTest, RefusesADatabaseOfANewerLeat) {
  Open();
  Database(path_, milliseconds(50), Database::Missing::kRefuse).Run("UPDATE leat_meta SET schema_version = 99");
  EXPECT_EQ(FaultOf([&] { Open(); }),
            "LEAT0513 the state database /shop/.leat/state.db has schema version 99; this leat " LEAT_VERSION
            " knows versions up to 3");
}

TEST_F(SqliteStateTest, RefusesADatabaseOfAnotherProject) {
  Open();
  EXPECT_EQ(FaultOf([&] { Open("store"); }),
            "LEAT0516 the state database /shop/.leat/state.db belongs to the project 'shop', not to 'store'");
}

TEST_F(SqliteStateTest, UpgradesAnOlderFileAfterCopyingIt) {
  MakeDirectories(folder_ + "/.leat");
  OpenState(path_, "shop", milliseconds(50), Migrations().first(1));
  Database(path_, milliseconds(50), Database::Missing::kRefuse).Execute(R"sql(
      INSERT INTO leat_runs VALUES (7, 'succeeded', 'before', 10, 20, 'here', 'm', 1, 1);
      INSERT INTO leat_commits VALUES ('models', 1, 'a', 7, 1, 15);
      INSERT INTO leat_models VALUES ('mart.dim_staff', 'f', 7);
      INSERT INTO leat_positions VALUES ('totesys.staff', '{}', 1))sql");
  const auto store = Open();
  EXPECT_EQ(store->FindRun(7)->selection, "before");
  EXPECT_EQ(store->LastCommitNumber("models"), 1);
  EXPECT_EQ(store->FindModel("mart.dim_staff")->fingerprint, "f");
  EXPECT_EQ(store->Positions().size(), 1u);
  EXPECT_EQ(store->Trim(SystemClock().Now()), 7);
  EXPECT_THAT(Ask("SELECT schema_version FROM leat_meta"), ElementsAre("3"));
  EXPECT_THAT(Ask("SELECT name FROM sqlite_schema WHERE name = 'leat_commits_run'", path_ + ".version-1"),
              ElementsAre());
  EXPECT_THAT(Ask("SELECT schema_version FROM leat_meta", path_ + ".version-1"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT selection FROM leat_runs", path_ + ".version-1"), ElementsAre("before"));
}

TEST_F(SqliteStateTest, AFailedUpgradeLeavesTheOldVersion) {
  MakeDirectories(folder_ + "/.leat");
  OpenState(path_, "shop", milliseconds(50), Migrations().first(1));
  const Migration broken[] = {Migrations()[0],
                              {2, "CREATE TABLE leat_new (x INTEGER); ALTER TABLE absent ADD COLUMN y"}};
  EXPECT_EQ(FaultOf([&] { OpenState(path_, "shop", milliseconds(50), broken); }),
            "LEAT9905 SQLite refused a statement on /shop/.leat/state.db: no such table: absent");
  EXPECT_THAT(Ask("SELECT schema_version FROM leat_meta"), ElementsAre("1"));
  EXPECT_THAT(Ask("SELECT name FROM sqlite_schema WHERE name = 'leat_new'"), ElementsAre());
}

TEST_F(SqliteStateTest, SaysThatTheFileIsDamaged) {
  MakeDirectories(folder_ + "/.leat");
  WriteNewFile(path_, std::string(8192, 'x'));
  EXPECT_EQ(FaultOf([&] { Open(); }),
            "LEAT0514 the state database /shop/.leat/state.db is damaged: file is not a database");
}

TEST_F(SqliteStateTest, SaysThatAnotherProcessHoldsTheFile) {
  const auto store = Open();
  const Database other(path_, milliseconds(50), Database::Missing::kRefuse);
  const Transaction lock(other);
  EXPECT_EQ(FaultOf([&] { store->BeginRun("", {}); }),
            "LEAT0515 the state database /shop/.leat/state.db is locked by another process for more than 0.1 s");
  EXPECT_FALSE(store->LastRun()) << "readers wait for nobody";
}

TEST_F(SqliteStateTest, ACommitWhoseFsyncFailsPublishesNothing) {
  FaultyDisk disk;
  const auto store = Open();
  const auto begun = store->BeginRun("", {"model:mart.dim_staff"});
  disk.FailSyncs(1);
  EXPECT_EQ(FaultOf([&] { store->Publish(NewTable(begun, NewUuid(), "dim_staff")); }),
            "LEAT0502 the state database /shop/.leat/state.db cannot be used: disk I/O error");
  EXPECT_TRUE(store->Pointers().empty());
  EXPECT_EQ(store->Publish(NewTable(begun, NewUuid(), "dim_staff")), 1);
}

TEST_F(SqliteStateTest, ACommitThatBecameTrueInSpiteOfAnErrorIsPublished) {
  FaultyDisk disk;
  auto store = Open();
  const auto begun = store->BeginRun("", {"model:mart.dim_staff"});
  // The second sync that fails is that of closing: the log stays, and whoever opens it next finds the whole transaction
  // in it.
  disk.FailSyncs(2);
  EXPECT_EQ(store->Publish(NewTable(begun, NewUuid(), "dim_staff")), 1);
  EXPECT_EQ(store->Pointers().size(), 1u);
  EXPECT_EQ(Open()->Pointers().size(), 1u);
}

TEST_F(SqliteStateTest, ADiskThatFailsTwiceLeavesAQuestionAndSaysSo) {
  FaultyDisk disk;
  const auto store = Open();
  const auto begun = store->BeginRun("", {"model:mart.dim_staff"});
  disk.FailSyncs(100);
  try {
    store->Publish(NewTable(begun, NewUuid(), "dim_staff"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.diagnostic().notes,
                ElementsAre("it is not known whether this was published: the disk failed again when leat looked"));
  }
}

TEST_F(SqliteStateTest, GivesUpItsReserveToRecordTheEndOfARunOnAFullDisk) {
  const std::string reserve = folder_ + "/.leat/reserve";
  FaultyDisk disk;
  const auto store = Open();
  const auto begun = store->BeginRun("", {"model:mart.dim_staff"});
  EXPECT_EQ(FileSize(reserve), 1 << 20);
  disk.FillUp(reserve);
  EXPECT_EQ(FaultOf([&] { store->Publish(NewTable(begun, NewUuid(), "dim_staff")); }),
            "LEAT0502 the state database /shop/.leat/state.db cannot be used: database or disk is full");
  EXPECT_TRUE(PathExists(reserve)) << "only the end of a run is worth it";
  store->FinishRun(begun.run.number, "failed", {}, begun.leases);
  EXPECT_EQ(store->LastRun()->status, "failed");
  EXPECT_TRUE(store->Pointers().empty());
  EXPECT_FALSE(PathExists(reserve));
  disk.FillUp("");
  EXPECT_TRUE(store->BeginRun("", {"model:mart.dim_staff"}).held.empty());
  EXPECT_EQ(FileSize(reserve), 1 << 20) << "made again by the next run";
}

TEST_F(SqliteStateTest, AFullDiskWithoutAReserveIsAnError) {
  FaultyDisk disk;
  const auto store = Open();
  const auto begun = store->BeginRun("", {});
  RemoveFileQuietly(folder_ + "/.leat/reserve");
  WriteNewFile(folder_ + "/ballast", "x");
  disk.FillUp(folder_ + "/ballast");
  EXPECT_EQ(FaultOf([&] { store->FinishRun(begun.run.number, "failed", {}, begun.leases); }),
            "LEAT0502 the state database /shop/.leat/state.db cannot be used: database or disk is full");
}

TEST_F(SqliteStateTest, TrimsManyRunsAThousandAtATime) {
  FakeClock clock(ParseTimestamp("2024-11-21T14:00:00Z"));
  const auto store = OpenSqlite(path_, "shop", clock);
  Database(path_, milliseconds(50), Database::Missing::kRefuse).Execute(R"sql(
      WITH RECURSIVE series (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM series WHERE value < 2500)
      INSERT INTO leat_runs (status, selection, started_at_us, host, machine, pid, process_started)
      SELECT 'succeeded', '', value, '', '', 0, 0 FROM series)sql");
  EXPECT_EQ(store->Trim(clock.Now()), 1000);
  EXPECT_EQ(store->Trim(clock.Now()), 2000);
  EXPECT_EQ(store->Trim(clock.Now()), 2500);
  EXPECT_EQ(store->Trim(clock.Now()), std::nullopt);
  EXPECT_TRUE(store->Runs(9).empty());
}

TEST_F(SqliteStateTest, FindsTheNewestStepsAmongMany) {
  Open()->BeginRun("", {});
  {
    const Database database(path_, milliseconds(50), Database::Missing::kRefuse);
    database.Execute(R"sql(
        WITH RECURSIVE series (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM series WHERE value < 5000)
        INSERT INTO leat_steps (run, table_name, step, status, rows_read, rows_written, rows_repeated, rows_rejected,
                                rows_deleted, rows_total, started_at_us, ended_at_us, diagnostic)
        SELECT 1, 'mart.t' || t.value, s.value, 'done', r.value, 0, 0, 0, 0, 0, 0, 0, ''
        FROM series r, series t, json_each('["build", "check", "load"]') s WHERE t.value <= 10)sql");
  }
  const auto store = Open();
  std::vector<Step> steps;
  auto fastest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 5; ++i) {  // the machine may be busy with something else
    const auto start = std::chrono::steady_clock::now();
    steps = store->LatestSteps(Store::StepChoice::kAny);
    fastest = std::min(fastest, std::chrono::steady_clock::now() - start);
  }
  EXPECT_EQ(steps.size(), 30u);
  for (const Step& step : steps) EXPECT_EQ(step.rows_read, 5000);
  EXPECT_LT(fastest, milliseconds(15)) << "a look at every step takes some 40 ms";
}

}  // namespace
}  // namespace leat::state::sqlite
