#include "warehouse/duckdb/duckdb_warehouse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/ids.h"

namespace leat::warehouse::duckdb {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DuckdbWarehouseTest : public testing::Test {
 protected:
  DuckdbWarehouseTest() { std::filesystem::create_directories(folder_); }
  ~DuckdbWarehouseTest() override { std::filesystem::remove_all(folder_); }

  std::string Path() const { return (folder_ / "warehouse.duckdb").string(); }
  std::unique_ptr<Warehouse> Open() const { return OpenDuckdb({.path = Path(), .place = {.file = "leat.yaml"}}); }
  std::vector<PlannedChange> Plan() const { return Open()->PlanChanges("shop", {load_}); }
  LoadOutcome Load() {
    ++load_.snapshot_id;
    return Open()->Load(connection_, "shop", {load_}).front();
  }
  /// What is thrown by `work`: its code and message.
  template <typename Work>
  static std::string Fault(Work work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code() + " " + error.message();
    }
    return "none";
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("leat_duckdb_" + NewUuid());
  duck::Database database_;
  duck::Connection connection_{database_};
  TableLoad load_ = {.spec = {.model = "mart.numbers",
                              .place = {},
                              .schema = "main",
                              .table = "numbers",
                              .columns = {{.name = "id", .source = "id", .duck_type = "BIGINT"}},
                              .primary_key = {"id"}},
                     .lake_table = "lake",
                     .all_rows = "SELECT i FROM range(10) AS r(i)",
                     .since = [](int64_t) { return std::nullopt; }};
};

TEST_F(DuckdbWarehouseTest, APlanShowsWhatTheLoadWillDoAndMakesNoFile) {
  ASSERT_EQ(Plan().size(), 1u);
  EXPECT_THAT(Plan()[0].statements,
              ElementsAre("CREATE TABLE \"main\".\"numbers\" (\n  \"id\" BIGINT NOT NULL,\n  PRIMARY KEY (\"id\")\n)"));
  EXPECT_FALSE(std::filesystem::exists(Path()));
}

TEST_F(DuckdbWarehouseTest, APlanAfterTheLoadIsEmpty) {
  EXPECT_EQ(Load().rows_sent, 10);
  EXPECT_THAT(Plan(), IsEmpty());
  load_.spec.columns.push_back({.name = "note", .source = "note", .duck_type = "VARCHAR"});
  load_.all_rows = "SELECT i, 'x' FROM range(10) AS r(i)";
  ASSERT_EQ(Plan().size(), 1u);
  EXPECT_THAT(Plan()[0].statements,
              ElementsAre("CREATE OR REPLACE TABLE \"main\".\"numbers\" (\n  \"id\" BIGINT NOT NULL,\n"
                          "  \"note\" VARCHAR,\n  PRIMARY KEY (\"id\")\n)"));
  EXPECT_EQ(Load().rows_sent, 10);
  EXPECT_THAT(Plan(), IsEmpty());
}

TEST_F(DuckdbWarehouseTest, ASchemaThatIsNotThereIsPlannedToo) {
  load_.spec.schema = "bi";
  EXPECT_THAT(Plan()[0].statements, ElementsAre("CREATE SCHEMA IF NOT EXISTS \"bi\"", HasSubstr("CREATE TABLE")));
  Load();
  EXPECT_THAT(Plan(), IsEmpty());
}

TEST_F(DuckdbWarehouseTest, APlanTellsWhyATableCannotBeLoaded) {
  Load();
  load_.spec.columns[0].duck_type = "INTEGER";
  EXPECT_EQ(Plan()[0].diagnostic->code, "LEAT0607");
  connection_.Execute("ATTACH '" + Path() + "' AS f; CREATE TABLE f.main.theirs (id INTEGER); DETACH f");
  load_.spec.table = "THEIRS";
  EXPECT_EQ(Plan()[0].diagnostic->code, "LEAT0602");
}

TEST_F(DuckdbWarehouseTest, AFileThatIsNoDatabaseIsToldFromOneThatIsNotThere) {
  std::ofstream(Path()) << "id,name\n";
  EXPECT_EQ(Fault([&] { Open()->Probe(); }), "LEAT0615 warehouse file " + Path() + " is no DuckDB database");
  std::filesystem::remove_all(folder_);
  EXPECT_EQ(Fault([&] { Load(); }), "LEAT0616 the folder of warehouse file " + Path() + " does not exist");
}

TEST(AttachmentTest, DuckdbsRefusalsAreTold) {
  const File file = {.path = "/w.duckdb", .place = {.file = "leat.yaml"}};
  EXPECT_EQ(OpenFault(file,
                      "Could not set lock on file \"/w.duckdb\": Conflicting lock is held in /usr/bin/python3.11 "
                      "(PID 4711) by user bi. See also https://duckdb.org")
                .message(),
            "warehouse file /w.duckdb is open in python3.11 (process 4711)");
  EXPECT_EQ(
      OpenFault(file, "Could not set lock on file \"/w.duckdb\": Conflicting lock is held in PID 4711.").message(),
      "warehouse file /w.duckdb is open in process 4711");
  EXPECT_EQ(OpenFault(file, "Could not set lock on file \"/w.duckdb\": No locks available").message(),
            "warehouse file /w.duckdb is open in another process");
  EXPECT_EQ(OpenFault(file, "Cannot open file \"/w.duckdb\": Permission denied").message(),
            "warehouse file /w.duckdb cannot be opened: Permission denied");
}

TEST(AttachmentTest, OfALinkTheFilesOfBothNamesAreAllowed) {
  const auto folder = std::filesystem::temp_directory_path() / ("leat_link_" + NewUuid());
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "target.duckdb") << "x";
  std::filesystem::create_symlink("target.duckdb", folder / "link.duckdb");
  const auto files = FilesBeside(folder / "link.duckdb");
  std::filesystem::remove_all(folder);
  EXPECT_THAT(files, testing::IsSupersetOf({(folder / "link.duckdb").string(), (folder / "link.duckdb.wal").string(),
                                            (folder / "target.duckdb").string()}));
}

}  // namespace
}  // namespace leat::warehouse::duckdb
