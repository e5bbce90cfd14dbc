#include "warehouse/postgres/ddl.h"

#include <gmock/gmock.h>

#include "warehouse/postgres/spec_for_test.h"

namespace leat::warehouse {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AlterationTest : public testing::Test {
 protected:
  Alteration Plan(OldRows rows = OldRows::kKept) const { return PlanAlteration(Definition(wanted_), existing_, rows); }
  ExistingColumn& Existing(size_t column) { return existing_.columns[column]; }

  TableSpec wanted_ = SalesSpec();
  /// As leat made it.
  ExistingTable existing_ = {.columns = {{"sales_record_id", "integer", true},
                                         {"staff_id", "integer", true},
                                         {"sold_at", "time without time zone", false}},
                             .key_name = "fact_sales_pkey",
                             .primary_key = {"sales_record_id"},
                             .references = {{{"staff_id"}, "\"public\".\"dim_staff\"", {"staff_id"}}}};
};

TEST(CreateTableTest, ColumnsStandInTheModelsOrder) {
  const TableSpec spec = SalesSpec();
  const Definition table(spec);
  EXPECT_EQ(CreateTableSql(table),
            "CREATE TABLE \"public\".\"fact_sales\" (\n"
            "  \"sales_record_id\" integer NOT NULL,\n"
            "  \"staff_id\" integer NOT NULL,\n"
            "  \"sold_at\" time without time zone\n)");
  EXPECT_EQ(AddKeySql(table), "ALTER TABLE \"public\".\"fact_sales\" ADD PRIMARY KEY (\"sales_record_id\")");
}

TEST(CreateTableTest, AForeignKeyIsMadeOnceUnderANameOfOurs) {
  TableSpec spec = SalesSpec();
  spec.foreign_keys.push_back(spec.foreign_keys[0]);
  const std::string name = ReferenceName(spec, spec.foreign_keys[0]);
  EXPECT_TRUE(IsOurReference(name));
  EXPECT_THAT(AddReferencesSql(Definition(spec)),
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ADD CONSTRAINT \"" + name +
                          "\" FOREIGN KEY (\"staff_id\") REFERENCES \"public\".\"dim_staff\" (\"staff_id\")"));
}

TEST(CreateTableTest, NamesAreQuoted) {
  TableSpec spec = StaffSpec();
  spec.table = "a\"; DROP TABLE b; --";
  EXPECT_THAT(CreateTableSql(Definition(spec)),
              testing::StartsWith("CREATE TABLE \"public\".\"a\"\"; DROP TABLE b; --\" ("));
}

TEST_F(AlterationTest, ATableThatFitsStaysAsItIs) {
  const Alteration plan = Plan();
  EXPECT_THAT(plan.before, IsEmpty());
  EXPECT_THAT(plan.after, IsEmpty());
  EXPECT_THAT(plan.refusals, IsEmpty());
  EXPECT_THAT(Differences(Definition(wanted_), existing_), IsEmpty());
}

TEST_F(AlterationTest, ANewColumnIsAddedAndMustHoldValuesOnceTheRowsAreIn) {
  wanted_.columns.push_back({.name = "units", .source = "units", .duck_type = "BIGINT", .not_null = true});
  EXPECT_THAT(Plan().before, ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ADD COLUMN \"units\" bigint"));
  EXPECT_THAT(Plan().after, ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ALTER COLUMN \"units\" SET NOT NULL"));
}

TEST_F(AlterationTest, AWiderTypeIsApplied) {
  wanted_.columns[1].duck_type = "BIGINT";
  EXPECT_THAT(Plan().before,
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ALTER COLUMN \"staff_id\" TYPE bigint"));
}

TEST_F(AlterationTest, AnyOtherTypeIsRefusedUnlessTheRowsGo) {
  wanted_.columns[1].duck_type = "DATE";
  EXPECT_THAT(Plan().refusals, ElementsAre("column \"staff_id\" is integer; date is no wider type"));
  EXPECT_THAT(Plan(OldRows::kReplaced).refusals, IsEmpty());
  EXPECT_THAT(Plan(OldRows::kReplaced).before,
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ALTER COLUMN \"staff_id\" TYPE date USING NULL"));
}

TEST_F(AlterationTest, AColumnThatTheModelDroppedStaysAndMayBeNull) {
  existing_.columns.push_back({"old", "integer", true});
  EXPECT_THAT(Plan().before, ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ALTER COLUMN \"old\" DROP NOT NULL"));
  Existing(3).not_null = false;
  EXPECT_THAT(Plan().before, IsEmpty());
}

TEST_F(AlterationTest, NotNullFollowsTheModel) {
  Existing(1).not_null = false;
  Existing(2).not_null = true;
  EXPECT_THAT(Plan().before,
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ALTER COLUMN \"sold_at\" DROP NOT NULL"));
  EXPECT_THAT(Plan().after,
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ALTER COLUMN \"staff_id\" SET NOT NULL"));
}

TEST_F(AlterationTest, MissingKeysAreAdded) {
  existing_.primary_key.clear();
  existing_.references.clear();
  EXPECT_THAT(Plan().before,
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ADD PRIMARY KEY (\"sales_record_id\")"));
  EXPECT_THAT(Plan().after,
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" ADD CONSTRAINT \"" +
                          ReferenceName(wanted_, wanted_.foreign_keys[0]) +
                          "\" FOREIGN KEY (\"staff_id\") REFERENCES \"public\".\"dim_staff\" (\"staff_id\")"));
}

TEST_F(AlterationTest, AReferenceThatTheModelLostIsDroppedBeforeTheRows) {
  existing_.references[0].name = ReferenceName(wanted_, wanted_.foreign_keys[0]);
  const std::string drop =
      "ALTER TABLE \"public\".\"fact_sales\" DROP CONSTRAINT IF EXISTS \"" + existing_.references[0].name + "\"";
  EXPECT_THAT(Plan().before, IsEmpty());
  wanted_.foreign_keys.clear();
  EXPECT_THAT(Plan().before, ElementsAre(drop));
  EXPECT_THAT(Plan().after, IsEmpty());
}

TEST_F(AlterationTest, AReferenceThatSomebodyElseMadeStays) {
  existing_.references[0].name = "fact_sales_staff_id_fkey";
  wanted_.foreign_keys.clear();
  EXPECT_THAT(Plan().before, IsEmpty());
}

TEST(ReferrerTest, AKeyIsDroppedAndMadeAgainAsItWas) {
  const Referrer key = {"public", "fact_sales", "leat_fkey_1", "FOREIGN KEY (a) REFERENCES public.b(a)"};
  EXPECT_EQ(DropSql(key), "ALTER TABLE \"public\".\"fact_sales\" DROP CONSTRAINT \"leat_fkey_1\"");
  EXPECT_EQ(RemakeSql(key),
            "ALTER TABLE \"public\".\"fact_sales\" ADD CONSTRAINT \"leat_fkey_1\" "
            "FOREIGN KEY (a) REFERENCES public.b(a)");
}

TEST(ReferrerTest, AKeyIsWantedWhileItsTablesSpecNamesIt) {
  TableSpec spec = SalesSpec();
  const Referrer key = {"public", "fact_sales", ReferenceName(spec, spec.foreign_keys[0]), ""};
  EXPECT_TRUE(Wants(spec, key));
  spec.foreign_keys[0].referenced_column = "other_id";
  EXPECT_FALSE(Wants(spec, key));
}

TEST_F(AlterationTest, AnotherPrimaryKeyIsRefusedUnlessTheRowsGo) {
  existing_.primary_key = {"staff_id"};
  EXPECT_THAT(Plan().refusals, ElementsAre("the primary key is (\"staff_id\"); the model's is (\"sales_record_id\")"));
  EXPECT_THAT(Plan(OldRows::kReplaced).before,
              ElementsAre("ALTER TABLE \"public\".\"fact_sales\" DROP CONSTRAINT \"fact_sales_pkey\"",
                          "ALTER TABLE \"public\".\"fact_sales\" ADD PRIMARY KEY (\"sales_record_id\")"));
}

TEST_F(AlterationTest, DifferencesAreListedByColumn) {
  existing_.columns = {{"sales_record_id", "bigint", true}, {"staff_id", "integer", false}, {"note", "text", false}};
  existing_.primary_key.clear();
  EXPECT_THAT(
      Differences(Definition(wanted_), existing_),
      ElementsAre("column \"sales_record_id\": bigint there, integer in the model",
                  "column \"staff_id\": may be NULL there, NOT NULL in the model",
                  "column \"sold_at\" time without time zone: missing there", "column \"note\" text: not in the model",
                  "primary key: none there, (\"sales_record_id\") in the model"));
}

}  // namespace
}  // namespace leat::warehouse
