#include "warehouse/duckdb/ddl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::warehouse::duckdb {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FileTableTest : public testing::Test {
 protected:
  Alteration Plan(OldRows rows = OldRows::kKept) { return PlanAlteration(Wanted(), existing_, rows); }
  Definition Wanted() { return Definition(connection_, spec_); }

  duck::Database database_;
  duck::Connection connection_{database_};
  TableSpec spec_ = {.model = "mart.dim_staff",
                     .place = {},
                     .schema = "main",
                     .table = "dim_staff",
                     .columns = {{.name = "staff_id", .source = "staff_id", .duck_type = "INTEGER"},
                                 {.name = "name", .source = "name", .duck_type = "VARCHAR", .not_null = true},
                                 {.name = "pay", .source = "pay", .duck_type = "DECIMAL(10,2)"}},
                     .primary_key = {"staff_id"}};
  /// As leat made it.
  ExistingTable existing_ = {
      .columns = {{"staff_id", "INTEGER", true}, {"name", "VARCHAR", true}, {"pay", "DECIMAL(10,2)", false}},
      .primary_key = {"staff_id"}};
};

TEST_F(FileTableTest, ColumnsStandInTheModelsOrderWithTheKeyBelow) {
  EXPECT_EQ(CreateTableSql(Wanted(), nullptr, Wanted().QuotedName()),
            "CREATE TABLE \"main\".\"dim_staff\" (\n"
            "  \"staff_id\" INTEGER NOT NULL,\n"
            "  \"name\" VARCHAR NOT NULL,\n"
            "  \"pay\" DECIMAL(10,2),\n"
            "  PRIMARY KEY (\"staff_id\")\n)");
}

TEST_F(FileTableTest, NamesAreQuoted) {
  spec_.table = "a\"; DROP TABLE b; --";
  EXPECT_THAT(CreateTableSql(Wanted(), nullptr, Wanted().QuotedName()),
              testing::StartsWith("CREATE TABLE \"main\".\"a\"\"; DROP TABLE b; --\" ("));
}

TEST_F(FileTableTest, ATableThatFitsStaysAsItIs) {
  EXPECT_FALSE(Plan().is_needed);
  EXPECT_THAT(Plan().refusals, IsEmpty());
  EXPECT_THAT(Differences(Wanted(), existing_), IsEmpty());
}

TEST_F(FileTableTest, AColumnThatTheModelDroppedStaysAndMayBeNull) {
  existing_.columns.push_back({"Old", "DATE", false});
  EXPECT_FALSE(Plan().is_needed);
  existing_.columns.back().not_null = true;
  EXPECT_TRUE(Plan().is_needed);
  EXPECT_THAT(CreateTableSql(Wanted(), &existing_, "t"),
              testing::AllOf(testing::StartsWith("CREATE OR REPLACE TABLE t ("),
                             testing::HasSubstr("  \"pay\" DECIMAL(10,2),\n  \"Old\" DATE,\n  PRIMARY KEY")));
}

TEST_F(FileTableTest, WhatTheModelSaysNowIsTakenOver) {
  spec_.columns.push_back({.name = "units", .source = "units", .duck_type = "BIGINT", .not_null = true});
  EXPECT_TRUE(Plan().is_needed);
  spec_.columns.pop_back();
  existing_.columns[1].not_null = false;
  EXPECT_TRUE(Plan().is_needed);
  existing_.columns[1].not_null = true;
  existing_.columns[2].name = "Pay";  // the same column to DuckDB
  EXPECT_TRUE(Plan().is_needed);
  EXPECT_THAT(Leftover(Wanted(), existing_), IsEmpty());
  existing_.columns[2] = {"pay", "DECIMAL(8,2)", false};
  EXPECT_TRUE(Plan().is_needed);
  EXPECT_THAT(Plan().refusals, IsEmpty());
}

TEST_F(FileTableTest, ATypeThatIsNoWiderOneIsRefusedUnlessTheRowsGo) {
  existing_.columns[2].type = "DATE";
  EXPECT_THAT(Plan().refusals, ElementsAre("column \"pay\" is DATE; DECIMAL(10,2) is no wider type"));
  EXPECT_THAT(Plan(OldRows::kReplaced).refusals, IsEmpty());
  EXPECT_TRUE(Plan(OldRows::kReplaced).is_needed);
}

TEST_F(FileTableTest, AnotherKeyIsRefusedUnlessTheRowsGo) {
  existing_.primary_key = {"name"};
  EXPECT_THAT(Plan().refusals, ElementsAre("the primary key is (\"name\"); the model's is (\"staff_id\")"));
  EXPECT_THAT(Plan(OldRows::kReplaced).refusals, IsEmpty());
  existing_.primary_key.clear();
  EXPECT_THAT(Plan().refusals, IsEmpty());
  EXPECT_TRUE(Plan().is_needed);
}

TEST_F(FileTableTest, DifferencesAreListedByColumn) {
  existing_.columns = {{"staff_id", "BIGINT", true}, {"name", "VARCHAR", false}, {"note", "VARCHAR", false}};
  existing_.primary_key.clear();
  EXPECT_THAT(Differences(Wanted(), existing_),
              ElementsAre("column \"staff_id\": BIGINT there, INTEGER in the model",
                          "column \"name\": may be NULL there, NOT NULL in the model",
                          "column \"pay\" DECIMAL(10,2): missing there", "column \"note\" VARCHAR: not in the model",
                          "primary key: none there, (\"staff_id\") in the model"));
}

}  // namespace
}  // namespace leat::warehouse::duckdb
