#include "warehouse/postgres/statements.h"

#include <gmock/gmock.h>

#include "duck/database.h"
#include "warehouse/postgres/spec_for_test.h"

namespace leat::warehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class StatementsTest : public testing::Test {
 protected:
  std::vector<std::string> Rows(const std::string& sql) {
    return lake_.QueryTexts("SELECT CAST(row AS VARCHAR) FROM (" + sql + ") AS row ORDER BY 1");
  }

  TableSpec staff_ = StaffSpec();
  TableSpec sales_ = SalesSpec();
  duck::Database database_;
  duck::Connection lake_{database_};
};

TEST_F(StatementsTest, RowsAreCastToWhatCopyWrites) {
  EXPECT_EQ(RowsSql(Definition(sales_), "SELECT * FROM f"),
            "SELECT CAST(\"sales_record_id\" AS INTEGER) AS \"sales_record_id\", CAST(\"staff_id\" AS INTEGER) AS "
            "\"staff_id\", "
            "CAST(\"sold_at\" AS TIME) AS \"sold_at\" FROM (SELECT * FROM f\n) AS lake_rows(\"sales_record_id\", "
            "\"staff_id\", \"sold_at\")");
}

TEST_F(StatementsTest, ColumnsAreTakenByPositionAndACommentAtTheEndEndsNothing) {
  staff_.columns[1].source = "name";
  EXPECT_THAT(Rows(RowsSql(Definition(staff_), "SELECT 1 AS id, 'Ann' AS name, 2.5::DECIMAL(10,2) AS wage -- all")),
              ElementsAre("{'staff_id': 1, 'first_name': Ann, 'pay': 2.50}"));
}

TEST_F(StatementsTest, AppendsWhatIsAboveTheMaximum) {
  const Definition sales(sales_);
  const std::string all = "SELECT range, 1, '10:00'::TIME FROM range(1, 6)";
  EXPECT_EQ(lake_.QueryTexts(RowsSql(sales, RowsAboveSql(sales, all, "3"))).size(), 2u);
}

TEST_F(StatementsTest, AnUpsertLeavesEqualRowsAlone) {
  const Definition staff(staff_);
  const Staging staging = StageRows(staff, 3);
  EXPECT_EQ(staging.create_sql,
            "CREATE TEMPORARY TABLE pg_temp.\"_leat_rows_3\" (\"staff_id\" integer, \"first_name\" character varying, "
            "\"pay\" numeric(10,2)) ON COMMIT DROP");
  EXPECT_EQ(
      UpsertSql(staff, staging.name),
      "INSERT INTO \"public\".\"dim_staff\" AS kept (\"staff_id\", \"first_name\", \"pay\") "
      "SELECT staged.\"staff_id\", staged.\"first_name\", staged.\"pay\" FROM pg_temp.\"_leat_rows_3\" AS staged "
      "ON CONFLICT (\"staff_id\") DO UPDATE SET \"first_name\" = excluded.\"first_name\", \"pay\" = excluded.\"pay\" "
      "WHERE ROW(kept.\"first_name\", kept.\"pay\") IS DISTINCT FROM ROW(excluded.\"first_name\", excluded.\"pay\")");
}

TEST_F(StatementsTest, ATableOfKeysOnlyHasNothingToUpdate) {
  staff_.columns.resize(1);
  EXPECT_THAT(UpsertSql(Definition(staff_), "s"), testing::EndsWith("ON CONFLICT (\"staff_id\") DO NOTHING"));
}

TEST_F(StatementsTest, TypesWithoutEqualityAreComparedAsText) {
  staff_.columns[2].type = "json";
  EXPECT_THAT(UpsertSql(Definition(staff_), "s"), testing::HasSubstr("kept.\"pay\"::text) IS DISTINCT FROM"));
}

TEST_F(StatementsTest, AKeyThatEqualsAnotherTextIsWrittenAnew) {
  staff_.columns[0].type = "interval";
  EXPECT_THAT(UpsertSql(Definition(staff_), "s"), testing::HasSubstr("DO UPDATE SET \"staff_id\" = excluded."));
}

TEST_F(StatementsTest, DeletesStagedKeysThatWereNotSent) {
  staff_.primary_key = {"staff_id", "first_name"};
  EXPECT_EQ(DeleteKeysSql(Definition(staff_), "k", "r"),
            "DELETE FROM \"public\".\"dim_staff\" AS kept USING k AS staged "
            "WHERE kept.\"staff_id\" = staged.\"staff_id\" AND kept.\"first_name\" = staged.\"first_name\" "
            "AND NOT EXISTS (SELECT FROM r AS sent "
            "WHERE kept.\"staff_id\" = sent.\"staff_id\" AND kept.\"first_name\" = sent.\"first_name\")");
}

class CompareTest : public StatementsTest {
 protected:
  Difference Compare(const std::string& lake, const std::string& kept, const std::vector<std::string>& absent = {}) {
    Difference difference = CompareSql(Definition(staff_), 0, "SELECT * FROM (VALUES " + lake + ")",
                                       "(VALUES " + kept + ") AS w(staff_id, first_name, pay)", absent);
    lake_.Execute(difference.create_sql);
    return difference;
  }
};

TEST_F(CompareTest, OnlyDifferencesTravel) {
  const Difference difference = Compare("(1, 'same', 1.00), (2, 'new pay', 2.50), (3, NULL, NULL), (4, 'added', NULL)",
                                        "(1, 'same', 1.0), (2, 'new pay', 2.0), (3, NULL, NULL), (5, 'gone', NULL)");
  EXPECT_THAT(Rows(difference.delta.upserts), ElementsAre("{'staff_id': 2, 'first_name': new pay, 'pay': 2.50}",
                                                          "{'staff_id': 4, 'first_name': added, 'pay': NULL}"));
  EXPECT_THAT(lake_.QueryTexts(difference.delta.deletes), ElementsAre("5"));
  lake_.Execute(difference.drop_sql);
}

TEST_F(CompareTest, AColumnThatIsNotThereYetCountsAsNull) {
  const Difference difference = Compare("(1, 'a', 1.00), (2, 'b', NULL)", "(1, 'a', 1.00), (2, 'b', 2.00)", {"pay"});
  EXPECT_THAT(lake_.QueryTexts(difference.delta.upserts), ElementsAre("1"));
  EXPECT_THAT(lake_.QueryTexts(difference.delta.deletes), IsEmpty());
}

TEST_F(CompareTest, ListsAreComparedElementByElement) {
  staff_.columns[2].duck_type = "INTEGER[]";
  const Difference difference = Compare("(1, 'a', [1, NULL]), (2, 'b', [1]), (3, 'c', NULL)",
                                        "(1, 'a', [1, NULL]), (2, 'b', [2]), (3, 'c', NULL)");
  EXPECT_THAT(Rows(difference.delta.upserts), ElementsAre("{'staff_id': 2, 'first_name': b, 'pay': '{\"1\"}'}"));
}

TEST_F(CompareTest, KeysOfSeveralColumnsAreMatchedTogether) {
  staff_.primary_key = {"first_name", "staff_id"};
  const Difference difference = Compare("(1, 'a', 1.00), (1, 'b', NULL)", "(1, 'a', 1.00), (2, 'b', NULL)");
  EXPECT_THAT(Rows(difference.delta.upserts), ElementsAre("{'staff_id': 1, 'first_name': b, 'pay': NULL}"));
  EXPECT_THAT(Rows(difference.delta.deletes), ElementsAre("{'first_name': b, 'staff_id': 2}"));
}

}  // namespace
}  // namespace leat::warehouse
