#include "warehouse/postgres/table_fault.h"

#include <gmock/gmock.h>

#include "warehouse/advice.h"
#include "warehouse/postgres/ledger.h"
#include "warehouse/postgres/spec_for_test.h"

namespace leat::warehouse {
namespace {

using testing::ElementsAre;

bool IsOfOneTable(const char* sqlstate) {
  return ConcernsOneTable(postgres::ServerError(kInternal, "LEAT0305", "refused", sqlstate));
}

TEST(TableFaultTest, RowsShapeAndRightsAreOneTablesMatter) {
  for (const char* sqlstate : {"23502", "23503", "23505", "22001", "42501", "0A000", "55P03", "P0001"}) {
    EXPECT_TRUE(IsOfOneTable(sqlstate)) << sqlstate;
  }
  for (const char* sqlstate : {"53100", "40P01", "25006", "57014", "XX001"})
    EXPECT_FALSE(IsOfOneTable(sqlstate)) << sqlstate;
  EXPECT_FALSE(ConcernsOneTable(Error(kConnection, "LEAT0303", "lost")));
}

TEST(TableFaultTest, AValueThatFailsItsCastIsOneTablesMatterAndABrokenStatementIsNot) {
  duck::Database database;
  duck::Connection lake(database);
  const auto fault = [&](const std::string& sql) {
    try {
      const auto rows = lake.Stream(sql);
      while (rows->Next()) {
      }
    } catch (const Error& error) {
      return ConcernsOneTable(error);
    }
    ADD_FAILURE() << "no error from " << sql;
    return false;
  };
  EXPECT_TRUE(fault("SELECT CAST(range + 99999::DECIMAL(10,0) AS DECIMAL(5,2)) FROM range(5)"));
  EXPECT_TRUE(fault("SELECT CAST('x' || range AS INTEGER) FROM range(5)"));
  EXPECT_FALSE(fault("SELECT * FROM absent"));
}

TEST(TableFaultTest, ATableOfSomebodyElseIsShownWithItsDifferences) {
  const TableSpec spec = StaffSpec();
  const Error error = ForeignTable(
      Definition(spec),
      {.columns = {{"staff_id", "integer", true}, {"first_name", "text", true}}, .primary_key = {"staff_id"}});
  EXPECT_EQ(error.kind(), kConfig);
  EXPECT_STREQ(error.what(),
               "models/mart/dim_staff.sql:1: table public.dim_staff is in the warehouse already, and this project did "
               "not make it");
  EXPECT_THAT(error.diagnostic().notes, ElementsAre("column \"first_name\": text there, character varying in the model",
                                                    "column \"pay\" numeric(10,2): missing there"));
  EXPECT_THAT(
      error.diagnostic().help,
      ElementsAre(
          "choose another name with `warehouse: {table: …}` in the model's head, or another `schema` in leat.yaml",
          "or make room for it: ALTER TABLE \"public\".\"dim_staff\" RENAME TO \"dim_staff_old\";  (or DROP TABLE)"));
}

TEST(TableFaultTest, AdviceIsForTheFileThatSaysWhatTheTableIs) {
  TableSpec spec = StaffSpec();
  EXPECT_EQ(AdviceOnValues(spec, &spec.columns[2]),
            "give it a type that holds its values by  warehouse: {types: {pay: …}}  in the model's head");
  spec.is_stream = true;
  EXPECT_EQ(AdviceOnValues(spec, &spec.columns[2]),
            "take it as text by  columns: {types: {pay: VARCHAR}}  in the source's file, or leave it out by  columns: "
            "{exclude: [pay]}");
  EXPECT_EQ(AdviceOnName(spec),
            "choose another name with `rename` in the source's file, or another `schema` in leat.yaml");
  EXPECT_THAT(AdviceOnDefinition(spec, "t"), ElementsAre("let it be made anew: DROP TABLE t;"));
}

TEST(TableFaultTest, ATableIsNotLoadedWithoutWhatItReferences) {
  const Diagnostic told = Blocked(SalesSpec(), {"mart.dim_staff", "mart.dim_date"});
  EXPECT_EQ(told.code, "LEAT0608");
  EXPECT_EQ(told.message, "not loaded: references mart.dim_staff, mart.dim_date");
}

TEST(LedgerTest, AWarehouseThatIsAheadStopsTheLoad) {
  const TableLoad load{.spec = StaffSpec(), .commit_number = 5, .epoch = 2};
  EXPECT_NO_THROW(CheckNotAhead({.commit_number = 5, .epoch = 2}, load));
  EXPECT_THROW(CheckNotAhead({.commit_number = 5, .epoch = 3}, load), Error);
  try {
    CheckNotAhead({.commit_number = 6, .epoch = 1}, load);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kConflict);
    EXPECT_EQ(
        error.message(),
        "warehouse table public.dim_staff holds commit 6 (epoch 1), which is later than this run's commit 5 (epoch 2)");
  }
}

}  // namespace
}  // namespace leat::warehouse
