#include "duck/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::duck {
namespace {

using testing::ElementsAre;

class DatabaseTest : public testing::Test {
 protected:
  Fault FaultOf(const std::string& sql) {
    try {
      connection_.Execute(sql);
    } catch (const QueryError& error) {
      return error.fault();
    }
    ADD_FAILURE() << "no error from: " << sql;
    return {};
  }

  Database database_;
  Connection connection_{database_};
};

TEST_F(DatabaseTest, TakesErrorsApart) {
  connection_.Execute("CREATE TABLE t (id INTEGER)");
  const Fault missing = FaultOf("SELECT 'éé', nope FROM t");
  EXPECT_EQ(missing.type, "Binder");
  EXPECT_EQ(missing.subtype, "COLUMN_NOT_FOUND");
  EXPECT_EQ(missing.name, "nope");
  EXPECT_EQ(missing.position, 15u);
  EXPECT_EQ(FaultOf("SELEC 1").type, "Parser");
  EXPECT_EQ(FaultOf("SELECT error('boom')").message, "boom");
}

TEST_F(DatabaseTest, DescribesWithoutRunning) {
  connection_.Execute("CREATE TABLE t (id INTEGER, price DECIMAL(10,2), tags VARCHAR[], seen_at TIMESTAMPTZ)");
  EXPECT_THAT(connection_.Describe("SELECT * FROM t"),
              ElementsAre(Column{"id", "INTEGER"}, Column{"price", "DECIMAL(10,2)"}, Column{"tags", "VARCHAR[]"},
                          Column{"seen_at", "TIMESTAMP WITH TIME ZONE"}));
  EXPECT_THAT(connection_.Describe("SELECT $run_time AS seen, id FROM t"),
              ElementsAre(Column{"seen", "TIMESTAMP"}, Column{"id", "INTEGER"}));
}

TEST_F(DatabaseTest, BindsMomentsByName) {
  const auto result =
      connection_.Query("SELECT epoch_us($run_time)", {{"run_time", Timestamp(std::chrono::microseconds(42))}});
  EXPECT_EQ(result->Next()->At<int64_t>(0, 0), 42);
}

TEST_F(DatabaseTest, AnErrorInTheMiddleOfAStreamIsNoEnd) {
  const auto result =
      connection_.Stream("SELECT CASE WHEN range = 900000 THEN error('late') ELSE 1 END FROM range(1000000)");
  EXPECT_THROW(while (result->Next()){}, QueryError);
}

TEST_F(DatabaseTest, AdmitsSingleSelectsOnly) {
  EXPECT_TRUE(connection_.IsSingleSelect("SELECT 1"));
  EXPECT_FALSE(connection_.IsSingleSelect("SELECT 1; SELECT 2"));
  EXPECT_FALSE(connection_.IsSingleSelect("CREATE TABLE x (a INT)"));
  EXPECT_THROW(connection_.IsSingleSelect("SELEC"), QueryError);
}

TEST_F(DatabaseTest, AFileThatCannotBeReadIsNoFaultOfOurs) {
  try {
    connection_.Execute("SELECT * FROM read_parquet('/leat-absent/a.parquet')");
    FAIL();
  } catch (const QueryError& error) {
    EXPECT_EQ(error.code(), "LEAT0502") << error.message();
  }
}

TEST(LockedDatabaseTest, ReadsNothingOutsideItsFolders) {
  Database database;
  database.Lock({"/tmp/leat-absent"});
  Connection connection(database);
  EXPECT_THROW(connection.Execute("SELECT * FROM read_text('/etc/hostname')"), QueryError);
  EXPECT_THROW(connection.Execute("SET threads = 1"), QueryError);
}

TEST_F(DatabaseTest, ShowsMomentsInUtcOnEveryConnection) {
  EXPECT_EQ(connection_.QueryText("SELECT CAST('2024-01-01 12:00:00+02'::TIMESTAMPTZ AS VARCHAR)"),
            "2024-01-01 10:00:00+00");
}

TEST(CancelTest, EndsARunningQuery) {
  CancelFlag cancel;
  Database database({.cancel = &cancel});
  Connection connection(database);
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    cancel.Set();
  });
  EXPECT_THROW(connection.Execute("SELECT count(*) FROM range(1000000000) a, range(1000000000) b"), Cancelled);
}

}  // namespace
}  // namespace leat::duck
