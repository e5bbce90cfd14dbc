#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/project_fixture.h"

namespace leat::config {
namespace {

/// Models and checks of a project that has nothing else.
class ModelFilesTest : public ProjectTest {
 protected:
  Model Head(const std::string& head) {
    const Project project =
        Loaded("=== leat.yaml\nname: shop\n=== models/mart/a.sql\n/* ---\n" + head + "\n--- */\nSELECT 1\n");
    return project.models.empty() ? Model{} : project.models[0];
  }
  std::string HeadFaults(const std::string& head) {
    return Faults("=== leat.yaml\nname: shop\n=== models/mart/a.sql\n/* ---\n" + head + "\n--- */\nSELECT 1\n");
  }
};

TEST_F(ModelFilesTest, AModelNeedsNoHead) {
  const Project project = Loaded("=== leat.yaml\nname: shop\n=== models/mart/a.sql\n-- plain\nSELECT 1\n");
  EXPECT_EQ(project.models[0].name, "mart.a");
  EXPECT_EQ(project.models[0].kind, ModelKind::kTable);
  EXPECT_TRUE(project.models[0].warehouse.load);
  EXPECT_EQ(project.models[0].text, "-- plain\nSELECT 1\n");
}

TEST_F(ModelFilesTest, ReadsChecksInBothForms) {
  const Model model = Head(R"(checks:
  - not_null: a
    severity: reject
    where: "b > 1"
  - {accepted_values: {kind: [SALE, 1, '']}, severity: warn}
  - range: {n: {min: 0, max: 1.5}}
  - unique: [a, b]
  - {rows: {max: 10}})");
  ASSERT_EQ(model.checks.size(), 5u);
  EXPECT_EQ(model.checks[0].severity, CheckSeverity::kReject);
  EXPECT_EQ(model.checks[0].where, "b > 1");
  EXPECT_EQ(model.checks[0].place, (Place{"models/mart/a.sql", 3, 5, 13}));
  EXPECT_EQ(model.checks[1].severity, CheckSeverity::kWarn);
  EXPECT_THAT(model.checks[1].accepted[0].values, testing::ElementsAre("SALE", "1", ""));
  EXPECT_EQ(model.checks[2].ranges[0].max, "1.5");
  EXPECT_EQ(model.checks[3].columns.size(), 2u);
  EXPECT_EQ(model.checks[4].rows_max, 10);
}

TEST_F(ModelFilesTest, ReportsWhatIsWrongInChecks) {
  EXPECT_EQ(HeadFaults(R"(checks:
  - not_nul: [a]
  - {not_null: [a], unique: [b]}
  - severity: warn
  - {unique: [a, a]}
  - {rows: {min: 1}, severity: reject}
  - range: {n: {min: 5, max: 1}}
  - range: {n: {}}
  - rows: {min: 5, max: 1}
  - references: {a: dim_staff}
  - not_null: [])"),
            R"(
models/mart/a.sql:3:5: LEAT0102 unknown key 'not_nul'; did you mean not_null?
  help: keys here: not_null, unique, accepted_values, references, range, rows, severity, where
models/mart/a.sql:4:21: LEAT0115 one check holds not_null and unique; expected one rule
  help: write each rule behind a dash of its own
models/mart/a.sql:5:5: LEAT0106 this check has no rule
  help: add one of not_null, unique, accepted_values, references, range, rows
models/mart/a.sql:6:18: LEAT0103 checks.unique names 'a' twice
  help: remove one of the two
models/mart/a.sql:7:32: LEAT0115 severity is reject for rows, which is about the table; reject takes out single rows
  help: use error or warn
models/mart/a.sql:8:13: LEAT0115 the range of n has min 5 above max 1
  help: swap them
models/mart/a.sql:9:13: LEAT0115 the range of n has no limit
  help: add min, max or both
models/mart/a.sql:10:5: LEAT0115 rows has min 5 above max 1
  help: swap them
models/mart/a.sql:11:21: LEAT0105 checks.references.a is 'dim_staff'; expected a table as namespace.name
  help: for example  references: {design_id: mart.dim_design}
models/mart/a.sql:12:5: LEAT0105 not_null names no column
  help: name at least one column
)");
}

TEST_F(ModelFilesTest, ReportsKeysThatDoNotGoTogether) {
  EXPECT_EQ(HeadFaults("kind: history\nkeep_deleted: true"), R"(
models/mart/a.sql:2:1: LEAT0115 a history needs a key
  help: add  key: <the columns that identify a row>
models/mart/a.sql:3:1: LEAT0115 keep_deleted is of a table, and this is a history
  help: remove keep_deleted
)");
  EXPECT_EQ(HeadFaults("record_id: a_id\ndeletes: keep\nkeep_deleted: true"), R"(
models/mart/a.sql:2:1: LEAT0115 record_id is of a history, and this is a table
  help: set  kind: history  or remove record_id
models/mart/a.sql:3:1: LEAT0115 deletes is of a history, and this is a table
  help: set  kind: history  or remove deletes
models/mart/a.sql:4:1: LEAT0115 keep_deleted needs a key
  help: add  key: <the columns that identify a row>
)");
  EXPECT_EQ(HeadFaults("kind: history\nkey: [a]\nrecord_id: a"), R"(
models/mart/a.sql:4:12: LEAT0115 record_id is a, which is a column of the key; it adds a column
  help: give it a name of its own
)");
}

TEST_F(ModelFilesTest, ReadsTheHeadOfAPeriodModel) {
  const Model model = Head("kind: period\nperiod: day\ntime: created_on\nfrom: 2024-03-01");
  EXPECT_EQ(model.kind, ModelKind::kPeriod);
  EXPECT_EQ(model.period, PeriodLength::kDay);
  EXPECT_EQ(model.time.value, "created_on");
  EXPECT_EQ(model.periods_from->value, "2024-03-01");
  EXPECT_EQ(Head("kind: period\ntime: month").period, PeriodLength::kMonth);
}

TEST_F(ModelFilesTest, ReportsPeriodsOfOtherKinds) {
  EXPECT_EQ(HeadFaults("kind: period\nkeep_deleted: true"), R"(
models/mart/a.sql:3:1: LEAT0115 keep_deleted is of a table, and this is a period model
  help: remove keep_deleted
models/mart/a.sql:2:1: LEAT0115 a period model needs `time`
  help: add  time: <the output column that says which period a row belongs to>
)");
  EXPECT_EQ(HeadFaults("kind: history\nkey: a\nperiod: day\ntime: month\nfrom: 2024-01-01"), R"(
models/mart/a.sql:4:1: LEAT0115 period is of a period model, and this is a history
  help: set  kind: period  or remove period
models/mart/a.sql:5:1: LEAT0115 time is of a period model, and this is a history
  help: set  kind: period  or remove time
models/mart/a.sql:6:1: LEAT0115 from is of a period model, and this is a history
  help: set  kind: period  or remove from
)");
  EXPECT_EQ(HeadFaults("kind: period\ntime: a\nperiod: week\nfrom: 2024-02-30"), R"(
models/mart/a.sql:4:9: LEAT0105 period is 'week'; expected one of month, day
  help: for example  period: day
models/mart/a.sql:5:7: LEAT0105 from is '2024-02-30'; expected a date as yyyy-mm-dd
  help: for example  from: 2020-01-01
)");
}

TEST_F(ModelFilesTest, ReportsKeysThatIncrementalAndScd2ModelsDoNotTake) {
  EXPECT_EQ(HeadFaults("kind: incremental\nkeep_deleted: true"), R"(
models/mart/a.sql:2:1: LEAT0115 an incremental model needs a key
  help: add  key: <the columns that identify a row>
models/mart/a.sql:3:1: LEAT0115 keep_deleted is of a table, and this is an incremental model
  help: remove keep_deleted
)");
  EXPECT_EQ(HeadFaults("kind: scd2\nkey: id\nrecord_id: a_id\ndeletes: keep"), R"(
models/mart/a.sql:4:1: LEAT0115 record_id is of a history, and this is an scd2 model
  help: set  kind: history  or remove record_id
models/mart/a.sql:5:1: LEAT0115 deletes is of a history, and this is an scd2 model
  help: set  kind: history  or remove deletes
)");
}

TEST_F(ModelFilesTest, ReportsAKindOfTheWrongFile) {
  EXPECT_EQ(HeadFaults("kind: hystory"), R"(
models/mart/a.sql:2:7: LEAT0105 kind is 'hystory'; expected one of table, incremental, history, period, scd2
  help: did you mean history?
  help: for example  kind: table
)");
}

TEST_F(ModelFilesTest, ReadsHowAModelIsLoaded) {
  EXPECT_FALSE(Head("warehouse: false").warehouse.load);
  const ModelWarehouse warehouse =
      Head("warehouse: {table: sales, rename: {id: order_id}, types: {p: 'numeric(10,2)'}}").warehouse;
  EXPECT_EQ(warehouse.table, "sales");
  EXPECT_EQ(warehouse.rename.at("id").value, "order_id");
  EXPECT_EQ(HeadFaults("warehouse: true"), R"yaml(
models/mart/a.sql:2:12: LEAT0104 warehouse is 'true'; expected a map or false
  help: for example  warehouse: {types: {unit_price: "numeric(10,2)"}}
)yaml");
  EXPECT_EQ(HeadFaults("warehouse: {types: {p: 'int); DROP TABLE x'}}"), R"yaml(
models/mart/a.sql:2:24: LEAT0105 warehouse.types.p is 'int); DROP TABLE x'; expected a type such as numeric(10,2)
  help: for example  types: {unit_price: "numeric(10,2)"}
)yaml");
}

TEST_F(ModelFilesTest, ReportsAHeadThatIsNotOne) {
  const std::string leat = "=== leat.yaml\nname: shop\n=== models/mart/a.sql\n";
  EXPECT_EQ(Faults(leat + "/* ---\nkey: a\nSELECT 1\n"), R"(
models/mart/a.sql:1:1: LEAT0119 the head is not closed; expected '--- */' below it
  help: close it with  --- */
)");
  EXPECT_EQ(Faults(leat + "/* ---\nkey: a\n*/\nSELECT 1\n"), R"(
models/mart/a.sql:3:1: LEAT0119 the head is closed by '*/' alone; expected '--- */'
  help: close it with  --- */
)");
  EXPECT_EQ(Faults(leat + "/* ---\nkey: /*a\n--- */\nSELECT 1\n"), R"(
models/mart/a.sql:2:6: LEAT0119 the head holds '/*', which begins a comment inside this comment
  help: write it otherwise, such as "/\x2a" in double quotes
)");
  EXPECT_EQ(Faults(leat + "-- by me\n/* ---\nkey: a\n--- */\nSELECT 1\n"), R"(
models/mart/a.sql:2:1: LEAT0119 a head stands below other text; expected it at the start of the file
  help: move it up, before comments and SQL
)");
}

TEST_F(ModelFilesTest, ReportsASpanThatIsNotOne) {
  const std::string leat = "=== leat.yaml\nname: shop\n=== models/mart/d.yaml\nkind: dim_date\n";
  EXPECT_EQ(Faults(leat + "from: 2021-01-01\nto: 2020-01-01\n"), R"(
models/mart/d.yaml:3:5: LEAT0115 to 2020-01-01 is before from 2021-01-01
  help: swap them
)");
  EXPECT_EQ(Faults(leat + "from: 1900-01-01\nto: 2100-01-01\n"), R"(
models/mart/d.yaml:3:5: LEAT0115 from 1900-01-01 to 2100-01-01 is more than 200 years
  help: choose a shorter span
)");
  EXPECT_EQ(Faults(leat + "from: 2021-02-29\n"), R"(
models/mart/d.yaml:2:7: LEAT0105 from is '2021-02-29'; expected a day as yyyy-mm-dd
  help: for example  from: 2020-01-01
)");
}

}  // namespace
}  // namespace leat::config
