#include "models/builder.h"

#include <gtest/gtest.h>

#include "models/model_fixture.h"

namespace leat::models {
namespace {

class BuilderTest : public ModelsTest {
 protected:
  BuilderTest() {
    Stream("totesys.staff", "staff_id INTEGER, name VARCHAR, department_id INTEGER", {"staff_id"});
    Stream("totesys.sale", "id INTEGER, staff_id INTEGER, day DATE", {"id"});
    Commit("totesys.staff", "(1, 'Ann', 10, 'u'), (2, 'Bob', 20, 'u')");
    Commit("totesys.sale", "(1, 1, DATE '2024-01-01', 'u'), (2, 2, DATE '2024-01-03', 'u')");
  }

  void DimStaff(const std::string& head = "", const std::string& where = "") {
    Model("mart/dim_staff.sql",
          "/* ---\nkey: staff_id\n" + head + "--- */\nSELECT staff_id, name\nFROM totesys.staff" + where);
  }
  void FactSale(const std::string& checks) {
    Model("mart/fact_sale.sql", "/* ---\nkind: history\nkey: id\nchecks:\n" + checks +
                                    "--- */\nSELECT id, staff_id, day FROM totesys.sale__history");
  }
};

TEST_F(BuilderTest, BuildsOnceAndSkipsWhatIsUnchanged) {
  DimStaff();
  Model("mart/names.sql", "SELECT upper(name) AS name FROM mart.dim_staff");
  EXPECT_EQ(Run(), "mart.dim_staff built 2\nmart.names built 2\n");
  EXPECT_EQ(Rows("mart.names"), "ANN\nBOB\n");
  EXPECT_EQ(Run(), "mart.dim_staff unchanged\nmart.names unchanged\n");
  Commit("totesys.staff", "(1, 'Ann', 11, 'u')");
  EXPECT_EQ(Run(), "mart.dim_staff same\nmart.names unchanged\n");
  Commit("totesys.staff", "(1, 'Anna', 11, 'u'), (2, 'Bob', 20, 'd')");
  EXPECT_EQ(Run(), "mart.dim_staff built 1\nmart.names built 1\n");
  EXPECT_EQ(Rows("mart.names"), "ANNA\n");
  EXPECT_EQ(Run({.full_refresh = true}), "mart.dim_staff same\nmart.names same\n");
}

TEST_F(BuilderTest, TheMomentOfTheRunMakesAModelBuildAlways) {
  Model("mart/seen.sql", "SELECT max($run_time) AS seen FROM totesys.staff");
  EXPECT_EQ(Run(), "mart.seen built 1\n");
  EXPECT_EQ(Rows("mart.seen"), "2024-11-21 15:00:00\n");
  EXPECT_EQ(Run(), "mart.seen built 1\n");
}

TEST_F(BuilderTest, KeepsVanishedRowsAsLastSeen) {
  DimStaff("keep_deleted: true\n");
  Run();
  Commit("totesys.staff", "(2, 'Bob', 20, 'd'), (3, 'Cy', 10, 'u')");
  EXPECT_EQ(Run(), "mart.dim_staff built 3\n");
  EXPECT_EQ(Rows("mart.dim_staff"), "1|Ann\n2|Bob\n3|Cy\n");
  Commit("totesys.staff", "(2, 'Rob', 20, 'u')");
  Run();
  EXPECT_EQ(Rows("mart.dim_staff"), "1|Ann\n2|Rob\n3|Cy\n");
}

TEST_F(BuilderTest, AKeyMustIdentifyRows) {
  Model("mart/d.sql", "/* ---\nkey: k\n--- */\nSELECT 1 AS k, staff_id FROM totesys.staff");
  Model("mart/n.sql", "/* ---\nkey: k\n--- */\nSELECT nullif(staff_id, 1) AS k FROM totesys.staff");
  EXPECT_EQ(
      Run(),
      "mart.d failed\n  LEAT0708 models/mart/d.sql:2:6 mart.d: 1 values of key k stand in more than one row; expected "
      "each once\n"
      "    note: for example k 1\n"
      "mart.n failed\n  LEAT0708 models/mart/n.sql:2:6 mart.n: key k is NULL in 1 rows; expected a value in each\n");
  EXPECT_TRUE(committed_.empty());
}

TEST_F(BuilderTest, AnUnknownColumnIsShownWithItsTable) {
  Model("mart/dim.sql", "SELECT\n  s.staff_id,\n  s.nam\nFROM totesys.staff s");
  EXPECT_EQ(Run(),
            "mart.dim failed\n  LEAT0203 models/mart/dim.sql:3:5 column \"nam\" does not exist in totesys.staff\n"
            "    note: totesys.staff has 3 columns:  leat preview totesys.staff\n");
  const Diagnostic& diagnostic = last_.candidates[0].diagnostics[0];
  EXPECT_EQ(diagnostic.label, "not in totesys.staff");
  EXPECT_EQ(diagnostic.help, std::vector<std::string>{"did you mean name?"});
  EXPECT_EQ(diagnostic.place.end_column, 8);
}

TEST_F(BuilderTest, AValueThatCannotBeCastIsShownWhereItIsCast) {
  Model("mart/dim.sql", "-- é\nSELECT staff_id,\n  name::INTEGER AS n FROM totesys.staff");
  EXPECT_THAT(Run(), testing::StartsWith("mart.dim failed\n  LEAT0221 models/mart/dim.sql:3:"));
  Model("mart/dim.sql",
        "/* ---\nkind: history\nkey: staff_id\n--- */\nSELECT staff_id,\n  name::INTEGER AS n FROM "
        "totesys.staff__history");
  EXPECT_THAT(Run(), testing::StartsWith("mart.dim failed\n  LEAT0221 models/mart/dim.sql:6:"));
}

TEST_F(BuilderTest, AFailureSkipsWhatIsBelowAndSparesTheOthers) {
  DimStaff("checks:\n  - rows: {min: 5}\n");
  Model("mart/names.sql", "SELECT name FROM mart.dim_staff");
  Model("mart/other.sql", "SELECT 1 AS one");
  EXPECT_EQ(Run(),
            "mart.dim_staff failed\n  LEAT0706 models/mart/dim_staff.sql:4:5 check rows on mart.dim_staff failed: 2 "
            "rows; expected at least 5\n"
            "mart.names skipped because of mart.dim_staff\nmart.other built 1\n");
  EXPECT_FALSE(committed_.contains({"mart", "dim_staff"}));
  EXPECT_EQ(Run({.failed_tables = {"totesys.staff"}}),
            "mart.dim_staff skipped because of totesys.staff\n"
            "mart.names skipped because of mart.dim_staff\nmart.other unchanged\n");
}

TEST_F(BuilderTest, AFailedCheckLeavesTheOldRowsAndNoFiles) {
  DimStaff();
  Run();
  const auto files = storage_->List("processed/mart/dim_staff/data");
  DimStaff("checks:\n  - accepted_values: {name: [Ann, Bob]}\n");
  Commit("totesys.staff", "(3, 'Cy', 10, 'u')");
  EXPECT_EQ(Run(),
            "mart.dim_staff failed\n  LEAT0703 models/mart/dim_staff.sql:4:23 check accepted_values(name) on "
            "mart.dim_staff failed: "
            "1 of 3 rows hold none of Ann, Bob\n    note: for example staff_id 3, name Cy\n");
  EXPECT_EQ(Rows("mart.dim_staff"), "1|Ann\n2|Bob\n");
  EXPECT_EQ(storage_->List("processed/mart/dim_staff/data"), files);
}

TEST_F(BuilderTest, JudgesEveryRule) {
  DimStaff(
      "checks:\n"
      "  - {not_null: [name], severity: warn}\n"
      "  - {unique: [name], severity: warn}\n"
      "  - {accepted_values: {staff_id: [1, 2, 3]}, severity: warn}\n"
      "  - {range: {staff_id: {min: 1.5, max: 3}}, severity: warn}\n"
      "  - {not_null: [name], where: staff_id < 3, severity: warn}\n"
      "  - {rows: {max: 3}, severity: warn}\n");
  Commit("totesys.staff", "(3, 'Bob', 1, 'u'), (4, NULL, 1, 'u'), (5, NULL, 1, 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.dim_staff built 5\n"));
  std::string outcomes;
  for (const CheckOutcome& outcome : last_.candidates[0].checks)
    outcomes += fmt::format("{} {}\n", outcome.rule, outcome.failing_rows);
  EXPECT_EQ(
      outcomes,
      "not_null(name) 2\naccepted_values(staff_id) 2\nrange(staff_id) 3\nnot_null(name) 0\nunique(name) 2\nrows 2\n");
}

TEST_F(BuilderTest, RejectsGoToATableOfTheirOwn) {
  DimStaff("checks:\n  - {not_null: [name], severity: reject}\n  - {range: {staff_id: {max: 3}}, severity: reject}\n");
  Commit("totesys.staff", "(3, NULL, 1, 'u'), (4, NULL, 1, 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.dim_staff built 2 rejected 2\n"));
  EXPECT_EQ(Rows("mart.dim_staff"), "1|Ann\n2|Bob\n");
  EXPECT_EQ(Rows("mart.dim_staff__rejects", "* EXCLUDE (_leat_time)"),
            "3|NULL|not_null(name)|1\n4|NULL|not_null(name), range(staff_id)|1\n");
  Commit("totesys.staff", "(3, 'Cy', 1, 'u'), (4, 'Di', 1, 'd')");
  EXPECT_EQ(Run(), "mart.dim_staff built 3\n");
  EXPECT_EQ(Rows("mart.dim_staff__rejects"), "");
}

TEST_F(BuilderTest, ReferencesAreJudgedOnTheCandidatesOfTheRun) {
  DimStaff();
  FactSale("  - references: {staff_id: mart.dim_staff}\n");
  EXPECT_EQ(Run(), "mart.dim_staff built 2\nmart.fact_sale built 2\n");
  Commit("totesys.staff", "(3, 'Cy', 1, 'u')");
  Commit("totesys.sale", "(3, 3, DATE '2024-01-04', 'u'), (4, NULL, DATE '2024-01-04', 'u')");
  EXPECT_EQ(Run(), "mart.dim_staff built 3\nmart.fact_sale built 2\n");
  Commit("totesys.sale", "(5, 9, DATE '2024-01-04', 'u')");
  EXPECT_EQ(
      Run(),
      "mart.dim_staff unchanged\nmart.fact_sale failed\n"
      "  LEAT0704 models/mart/fact_sale.sql:5:18 check references(staff_id → mart.dim_staff) on mart.fact_sale failed: "
      "1 of 1 rows name no row of mart.dim_staff\n    note: for example id 5, staff_id 9\n");
}

TEST_F(BuilderTest, ATableThatLosesRowsHasItsReferrersCheckedInFull) {
  DimStaff();
  FactSale("  - references: {staff_id: mart.dim_staff}\n");
  Run();
  Commit("totesys.staff", "(1, 'Ann', 1, 'd')");
  EXPECT_EQ(
      Run(),
      "mart.dim_staff built 1\nmart.fact_sale failed\n"
      "  LEAT0704 models/mart/fact_sale.sql:5:18 check references(staff_id → mart.dim_staff) on mart.fact_sale failed: "
      "1 of 2 rows name no row of mart.dim_staff\n    note: for example id 1, staff_id 1\n");
}

TEST_F(BuilderTest, TheCalendarGrowsBeforeItsReferencesAreJudged) {
  Model("mart/dim_date.yaml", "kind: dim_date\n");
  FactSale("  - references: {day: mart.dim_date}\n");
  EXPECT_EQ(Run(), "mart.fact_sale built 2\nmart.dim_date built 3\n");
  EXPECT_EQ(Rows("mart.dim_date"),
            "2024-01-01|2024|1|1|1|Monday|January|1\n2024-01-02|2024|1|2|2|Tuesday|January|1\n2024-01-03|2024|1|3|3|"
            "Wednesday|January|1\n");
  EXPECT_EQ(Run(), "mart.fact_sale unchanged\nmart.dim_date unchanged\n");
  Commit("totesys.sale", "(2, 2, DATE '2024-01-02', 'u')");
  EXPECT_EQ(Run(), "mart.fact_sale built 1\nmart.dim_date same\n");
  Commit("totesys.sale", "(3, 2, DATE '2023-12-31', 'u')");
  EXPECT_EQ(Run({.selected = graph_.WithDates({"mart.fact_sale"})}), "mart.fact_sale built 1\nmart.dim_date built 4\n");
}

TEST_F(BuilderTest, TheCalendarNeverShrinks) {
  Model("mart/dim_date.yaml", "kind: dim_date\nday_of_week: sunday0\n");
  Model("mart/days.sql",
        "/* ---\nkey: day\nchecks: [references: {day: mart.dim_date}]\n--- */\nSELECT DISTINCT day FROM totesys.sale");
  Run();
  Commit("totesys.sale", "(1, 1, DATE '2024-01-01', 'd')");
  EXPECT_EQ(Run(), "mart.days built 1\nmart.dim_date same\n");
  EXPECT_EQ(Rows("mart.dim_date", "date_id, day_of_week"), "2024-01-01|1\n2024-01-02|2\n2024-01-03|3\n");
}

TEST_F(BuilderTest, ADayFarAwayIsAnErrorThatNamesIt) {
  Model("mart/dim_date.yaml", "kind: dim_date\n");
  FactSale("  - references: {day: mart.dim_date}\n");
  Commit("totesys.sale", "(9, 1, DATE '2924-01-01', 'u')");
  EXPECT_THAT(Run(), testing::HasSubstr("mart.dim_date would span more than 200 years, 2024-01-01 to 2924-01-01: "
                                        "mart.fact_sale.day holds 2924-01-01"));
  EXPECT_EQ(last_.candidates[0].because, "mart.dim_date");
  EXPECT_TRUE(committed_.empty());
}

TEST_F(BuilderTest, ChecksMaySpanModelsAndDropWhatTheyRead) {
  DimStaff();
  Model("mart/names.sql", "SELECT name FROM mart.dim_staff");
  Model("mart/other.sql", "SELECT 1 AS one");
  File("checks/no_bob.sql", "SELECT staff_id, name FROM mart.dim_staff WHERE name = 'Bob'");
  EXPECT_EQ(Run(),
            "mart.dim_staff failed because of check no_bob\n"
            "  LEAT0707 checks/no_bob.sql:1:1 check no_bob failed: 1 row; expected none\n"
            "    note: for example staff_id 2, name Bob\n"
            "mart.names skipped because of check no_bob\nmart.other built 1\n"
            "check no_bob failed\n  LEAT0707 checks/no_bob.sql:1:1 check no_bob failed: 1 row; expected none\n"
            "    note: for example staff_id 2, name Bob\n");
  EXPECT_FALSE(committed_.contains({"mart", "names"}));
  File("checks/no_bob.sql",
       "/* ---\nseverity: warn\n--- */\nSELECT staff_id, name FROM mart.dim_staff WHERE name = 'Bob'");
  EXPECT_THAT(
      Run(),
      testing::StartsWith(
          "mart.dim_staff built 2\nmart.names built 2\nmart.other unchanged\ncheck no_bob failed\n  warning LEAT0707"));
  Commit("totesys.staff", "(2, 'Rob', 1, 'u')");
  EXPECT_THAT(Run(), testing::HasSubstr("check no_bob passed\n"));
  EXPECT_THAT(Run(), testing::HasSubstr("check no_bob unchanged\n"));
}

TEST_F(BuilderTest, TypesWidenAndNothingElseWithoutAFullRefresh) {
  Model("mart/t.sql", "SELECT staff_id FROM totesys.staff");
  Run();
  Model("mart/t.sql", "SELECT staff_id::BIGINT AS staff_id FROM totesys.staff");
  EXPECT_EQ(Run(), "mart.t built 2\n");
  Model("mart/t.sql", "SELECT\n  staff_id::VARCHAR AS staff_id FROM totesys.staff");
  EXPECT_THAT(Run(), testing::StartsWith("mart.t failed\n  LEAT0211 models/mart/t.sql:2:"));
  EXPECT_EQ(Run({.full_refresh = true}), "mart.t built 2\n");
  EXPECT_EQ(Rows("mart.t"), "1\n2\n");
  Model("mart/t.sql", "SELECT INTERVAL 1 DAY AS d FROM totesys.staff");
  EXPECT_THAT(Run(), testing::StartsWith("mart.t failed\n  LEAT0210 models/mart/t.sql:1:"));
}

TEST_F(BuilderTest, UsesMacrosAndSeeds) {
  File("seeds/title.csv", "id,title\n1,Dr\n");
  File("macros/m.sql",
       "CREATE MACRO shop.shout(x) AS upper(x) || '!'; CREATE MACRO shop.titles() AS TABLE SELECT * FROM seeds.title;");
  Model("mart/t.sql",
        "SELECT shop.shout(name) AS name, t.title FROM totesys.staff s LEFT JOIN shop.titles() t ON t.id = s.staff_id");
  EXPECT_EQ(Run(), "mart.t built 2\n");
  EXPECT_EQ(Rows("mart.t"), "ANN!|Dr\nBOB!|NULL\n");
  EXPECT_EQ(Run(), "mart.t unchanged\n");
}

TEST_F(BuilderTest, AMissingFileOfTheOldRowsDoesNotStopTheNewOnes) {
  DimStaff();
  FactSale("  - references: {staff_id: mart.dim_staff}\n");
  Run();
  RemoveDataFiles("mart.dim_staff");
  Commit("totesys.staff", "(3, 'Cy', 10, 'u')");
  EXPECT_EQ(Run(), "mart.dim_staff built 3\nmart.fact_sale same\n");
  EXPECT_EQ(Rows("mart.dim_staff"), "1|Ann\n2|Bob\n3|Cy\n");
}

TEST_F(BuilderTest, AFullRefreshBringsMissingFilesBack) {
  DimStaff();
  Model("mart/dim_date.yaml", "kind: dim_date\n");
  FactSale("  - references: {staff_id: mart.dim_staff}\n  - references: {day: mart.dim_date}\n");
  Run();
  for (const char* table : {"mart.dim_staff", "mart.fact_sale", "mart.dim_date"}) RemoveDataFiles(table);
  EXPECT_EQ(Run({.full_refresh = true}), "mart.dim_staff built 2\nmart.fact_sale built 2\nmart.dim_date built 3\n");
  EXPECT_EQ(Rows("mart.dim_staff"), "1|Ann\n2|Bob\n");
}

TEST_F(BuilderTest, ADimensionThatWasRebuiltInAnotherRunHasItsReferrersJudged) {
  DimStaff();
  FactSale("  - references: {staff_id: mart.dim_staff}\n");
  Run();
  Commit("totesys.staff", "(1, 'Ann', 1, 'd')");
  EXPECT_EQ(Run({.selected = {"mart.dim_staff"}}), "mart.dim_staff built 1\n");
  const std::string red =
      "mart.dim_staff unchanged\nmart.fact_sale failed\n"
      "  LEAT0704 models/mart/fact_sale.sql:5:18 check references(staff_id → mart.dim_staff) on mart.fact_sale failed: "
      "1 of 2 rows name no row of mart.dim_staff\n    note: for example id 1, staff_id 1\n";
  EXPECT_EQ(Run(), red);
  EXPECT_EQ(Run(), red);
  Commit("totesys.staff", "(1, 'Ann', 1, 'u')");
  EXPECT_EQ(Run(), "mart.dim_staff built 2\nmart.fact_sale same\n");
  EXPECT_EQ(Run(), "mart.dim_staff unchanged\nmart.fact_sale unchanged\n");
}

TEST_F(BuilderTest, AStreamThatLostARowHasItsReferrersJudged) {
  FactSale("  - references: {staff_id: totesys.staff}\n");
  Run();
  Commit("totesys.staff", "(1, 'Ann', 1, 'd')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.fact_sale failed\n  LEAT0704 "));
}

TEST_F(BuilderTest, ARedCheckIsNotForgottenThoughNothingChanges) {
  DimStaff("checks:\n  - {not_null: [name], where: staff_id < 2}\n");
  Commit("totesys.staff", "(3, NULL, 1, 'u')");
  EXPECT_EQ(Run(), "mart.dim_staff built 3\n");
  const std::string good = fingerprints_["mart.dim_staff"];
  DimStaff("checks:\n  - {not_null: [name]}\n");
  EXPECT_THAT(Run(), testing::StartsWith("mart.dim_staff failed\n  LEAT0701 "));
  EXPECT_NE(fingerprints_["mart.dim_staff"], good);
  DimStaff("checks:\n  - {not_null: [name], where: staff_id < 2}\n");
  EXPECT_EQ(Run(), "mart.dim_staff same\n") << "judged again, though the fingerprint is that of the last commit";
  EXPECT_EQ(Run(), "mart.dim_staff unchanged\n");
}

TEST_F(BuilderTest, ARowThatWasRejectedIsAdmittedWhenItsDimensionRowComes) {
  DimStaff();
  Model("mart/sale.sql",
        "/* ---\nkey: id\nchecks:\n  - {references: {staff_id: mart.dim_staff}, severity: reject}\n--- */\n"
        "SELECT id, staff_id FROM totesys.sale");
  Commit("totesys.sale", "(3, 9, DATE '2024-01-03', 'u')");
  EXPECT_THAT(Run(), testing::HasSubstr("mart.sale built 2 rejected 1\n"));
  Commit("totesys.staff", "(9, 'Ida', 1, 'u')");
  EXPECT_EQ(Run(), "mart.dim_staff built 3\nmart.sale built 3\n");
  EXPECT_EQ(Rows("mart.sale"), "1|1\n2|2\n3|9\n");
  EXPECT_EQ(Rows("mart.sale__rejects", "id"), "");
}

TEST_F(BuilderTest, ANewReferenceGrowsTheCalendar) {
  Stream("totesys.bill", "id INTEGER, made DATE, due DATE", {"id"});
  Commit("totesys.bill", "(1, DATE '2024-01-01', DATE '2024-01-03', 'u')");
  Model("mart/dim_date.yaml", "kind: dim_date\n");
  const auto bill = [&](const std::string& columns) {
    Model("mart/bill.sql",
          "/* ---\nkey: id\nchecks: [references: {" + columns + "}]\n--- */\nSELECT id, made, due FROM totesys.bill");
  };
  bill("made: mart.dim_date");
  EXPECT_EQ(Run(), "mart.bill built 1\nmart.dim_date built 1\n");
  bill("made: mart.dim_date, due: mart.dim_date");
  EXPECT_EQ(Run(), "mart.bill same\nmart.dim_date built 3\n");
  EXPECT_EQ(Run(), "mart.bill unchanged\nmart.dim_date unchanged\n");
}

TEST_F(BuilderTest, ACalendarForgetsDaysOnAFullRefreshAndWithBothBounds) {
  Model("mart/dim_date.yaml", "kind: dim_date\n");
  Model("mart/days.sql",
        "/* ---\nkey: day\nchecks: [references: {day: mart.dim_date}]\n--- */\nSELECT DISTINCT day FROM totesys.sale");
  Run();
  Commit("totesys.sale", "(1, 1, DATE '2024-01-01', 'd')");
  EXPECT_EQ(Run(), "mart.days built 1\nmart.dim_date same\n");
  EXPECT_EQ(Run({.full_refresh = true}), "mart.days same\nmart.dim_date built 1\n");
  EXPECT_EQ(Rows("mart.dim_date", "date_id"), "2024-01-03\n");
  Model("mart/dim_date.yaml", "kind: dim_date\nfrom: 2024-01-01\nto: 2024-01-05\n");
  EXPECT_THAT(Run(), testing::HasSubstr("mart.dim_date built 5\n"));
  Model("mart/dim_date.yaml", "kind: dim_date\nfrom: 2024-01-02\nto: 2024-01-03\n");
  EXPECT_THAT(Run(), testing::HasSubstr("mart.dim_date built 2\n"));
  Model("mart/dim_date.yaml", "kind: dim_date\nfrom: 2024-01-01\nto: 2024-01-02\n");
  EXPECT_THAT(Run(), testing::HasSubstr("mart.days failed\n  LEAT0704 "));
}

TEST_F(BuilderTest, StopsBeforeTheNextModelWhenCancelled) {
  DimStaff();
  Run();
  CancelFlag cancel;
  duck::Database database({.cancel = &cancel});
  engine::Engine engine(database, *storage_, project_);
  for (const auto& [name, stream] : streams_)
    engine.Put(Split2(name + "__history"), engine::Relation::Of(*stream.table));
  for (const auto& [name, table] : committed_) engine.Put(name, engine::Relation::Of(table));
  Builder builder(engine, writer_, project_, graph_, *macros_,
                  {.selected = {"mart.dim_staff"}, .committed = committed_, .fingerprints = fingerprints_});
  cancel.Set();
  EXPECT_THROW(builder.BuildAll(), Cancelled) << "though nothing changed, so that no statement runs";
}

TEST_F(BuilderTest, AModelThatNeedsAnUnbuiltOneSaysSo) {
  DimStaff();
  Model("mart/names.sql", "SELECT name FROM mart.dim_staff");
  EXPECT_THAT(Run({.selected = {"mart.names"}}), testing::StartsWith("mart.names failed\n  LEAT0219 "));
}

}  // namespace
}  // namespace leat::models
