#include <gtest/gtest.h>

#include "models/model_fixture.h"

namespace leat::models {
namespace {

class Scd2Test : public ModelsTest {
 protected:
  Scd2Test() {
    Stream("totesys.staff", "id INTEGER, name VARCHAR, note VARCHAR, dated TIMESTAMP, rev INTEGER", {"id"});
    Model("mart/staff.sql", "/* ---\nkind: scd2\nkey: id\n--- */\nSELECT id, name FROM totesys.staff__history");
  }

  /// id|name|from|to|current, moments in µs since 1970.
  std::string Intervals() {
    return Rows("mart.staff", "id, name, epoch_us(valid_from), epoch_us(valid_to), is_current");
  }
};

TEST_F(Scd2Test, EachVersionHoldsUntilTheNext) {
  Commit("totesys.staff", "(1, 'Ann', '', NULL, NULL, 'u'), (2, 'Bob', '', NULL, NULL, 'u')");
  EXPECT_EQ(Run(), "mart.staff built 2\n");
  EXPECT_EQ(Intervals(), "1|Ann|1|NULL|true\n2|Bob|1|NULL|true\n");
  EXPECT_EQ(Run(), "mart.staff unchanged\n");
  Commit("totesys.staff", "(1, 'Anna', '', NULL, NULL, 'u')");
  EXPECT_EQ(Run(), "mart.staff built 3\n");
  EXPECT_EQ(Intervals(), "1|Ann|1|2|false\n1|Anna|2|NULL|true\n2|Bob|1|NULL|true\n");
}

TEST_F(Scd2Test, VersionsThatShowNoDifferenceAreOne) {
  Commit("totesys.staff", "(1, 'Ann', 'a', NULL, NULL, 'u'), (2, NULL, 'a', NULL, NULL, 'u')");
  Run();
  Commit("totesys.staff", "(1, 'Ann', 'b', NULL, NULL, 'u'), (2, NULL, 'b', NULL, NULL, 'u')");
  EXPECT_EQ(Run(), "mart.staff same\n");
  Commit("totesys.staff", "(1, 'Ben', 'b', NULL, NULL, 'u')");
  Commit("totesys.staff", "(1, 'Ann', 'b', NULL, NULL, 'u')");
  Run();
  EXPECT_EQ(Intervals(), "1|Ann|1|3|false\n1|Ann|4|NULL|true\n1|Ben|3|4|false\n2|NULL|1|NULL|true\n");
}

TEST_F(Scd2Test, ADeletedRowEndsAndMayReturn) {
  Commit("totesys.staff", "(1, 'Ann', '', NULL, NULL, 'u'), (2, 'Bob', '', NULL, NULL, 'u')");
  Commit("totesys.staff", "(1, NULL, NULL, NULL, NULL, 'd')");
  Commit("totesys.staff", "(1, NULL, NULL, NULL, NULL, 'd')");
  Commit("totesys.staff", "(1, 'Ann', '', NULL, NULL, 'u')");
  EXPECT_EQ(Run(), "mart.staff built 3\n");
  EXPECT_EQ(Intervals(), "1|Ann|1|2|false\n1|Ann|4|NULL|true\n2|Bob|1|NULL|true\n");
}

TEST_F(Scd2Test, WhatWhereLeavesOutEndsToo) {
  Model("mart/staff.sql",
        "/* ---\nkind: scd2\nkey: id\n--- */\nSELECT id, name, note::INTEGER AS level FROM totesys.staff__history s\n"
        "WHERE s.note <> 'left' ORDER BY name");
  Commit("totesys.staff", "(1, 'Ann', '7', NULL, NULL, 'u'), (2, 'Bob', 'left', NULL, NULL, 'u')");
  Commit("totesys.staff", "(1, 'Ann', 'left', NULL, NULL, 'u'), (2, 'Bob', '8', NULL, NULL, 'u')");
  Commit("totesys.staff", "(2, 'Bob', NULL, NULL, NULL, 'u')");
  EXPECT_EQ(Run(), "mart.staff built 2\n");
  EXPECT_EQ(Intervals(), "1|Ann|1|2|false\n2|Bob|2|3|false\n");
}

TEST_F(Scd2Test, TheColumnsOfTheSourceDateAndOrderVersions) {
  version_ = {"rev", {}};
  version_time_ = {"dated", {}};
  const auto at = [](int us) { return fmt::format("TIMESTAMP '1970-01-01' + INTERVAL {} MICROSECOND", us); };
  Commit("totesys.staff", fmt::format("(1, 'first', '', {}, 1, 'u')", at(100)));
  Commit("totesys.staff", fmt::format("(1, 'third', '', {}, 3, 'u')", at(300)));
  Commit("totesys.staff", fmt::format("(1, 'second, late', '', {}, 2, 'u')", at(200)));
  Commit("totesys.staff", fmt::format("(1, 'fourth', '', {}, 4, 'u')", at(300)));
  Commit("totesys.staff", fmt::format("(1, 'without number', '', {}, NULL, 'u')", at(350)));
  EXPECT_EQ(Run(), "mart.staff built 3\n");
  EXPECT_EQ(Intervals(), "1|first|100|200|false\n1|fourth|300|NULL|true\n1|second, late|200|300|false\n");
}

TEST_F(Scd2Test, ADeleteThatRepeatsItsRowIsDatedByItsArrival) {
  version_ = {"rev", {}};
  version_time_ = {"dated", {}};
  const std::string past = "TIMESTAMP '1969-12-31 23:59:59'";
  Commit("totesys.staff", "(1, 'Ann', '', " + past + ", 7, 'u'), (2, 'Bob', '', " + past + ", 7, 'u')");
  Commit("totesys.staff", "(1, 'Ann', '', " + past + ", 7, 'd'), (2, NULL, NULL, NULL, NULL, 'd')");
  EXPECT_EQ(Run(), "mart.staff built 2\n");
  EXPECT_EQ(Intervals(), "1|Ann|-1000000|2|false\n2|Bob|-1000000|2|false\n");
  OpenEngine();
  engine_->Bind({"totesys.staff__at()"});
  // In a lateral join too.
  EXPECT_EQ(engine_->connection().QueryTexts(
                "SELECT name || epoch_us(t) FROM (SELECT unnest([make_timestamptz(-1000001), make_timestamptz(1), "
                "make_timestamptz(2)]) AS t) d, totesys.staff__at(d.t) ORDER BY 1"),
            (std::vector<std::string>{"Ann1", "Bob1"}));
}

TEST_F(Scd2Test, WhereGuardsWhatStandsBehindIt) {
  Model("mart/staff.sql",
        "/* ---\nkind: scd2\nkey: id\n--- */\nSELECT id, name FROM totesys.staff__history s\n"
        "WHERE s.note <> 'left' AND s.note::INTEGER > 3");
  Commit("totesys.staff", "(1, 'Ann', '7', NULL, NULL, 'u'), (2, 'Bob', 'left', NULL, NULL, 'u')");
  EXPECT_EQ(Run(), "mart.staff built 1\n");
}

TEST_F(Scd2Test, AVersionWithoutADateCountsFromItsArrival) {
  version_time_ = {"dated", {}};
  Commit("totesys.staff", "(1, 'Ann', '', NULL, 1, 'u')");
  Commit("totesys.staff", "(1, 'Anna', '', TIMESTAMP '1970-01-01 00:00:01', 1, 'u')");
  EXPECT_EQ(Run(), "mart.staff built 2\n");
  EXPECT_EQ(Intervals(), "1|Ann|1|1000000|false\n1|Anna|1000000|NULL|true\n");
}

TEST_F(Scd2Test, RefusesColumnsThatItMakesAndTwoRowsOfAVersion) {
  Commit("totesys.staff", "(1, 'Ann', '', NULL, 1, 'u'), (2, 'Ann', '', NULL, 1, 'u')");
  Model("mart/staff.sql",
        "/* ---\nkind: scd2\nkey: id\n--- */\nSELECT id, name AS valid_from FROM totesys.staff__history");
  EXPECT_EQ(
      Run(),
      "mart.staff failed\n  LEAT0216 models/mart/staff.sql:5:12 column valid_from is made by leat and cannot come "
      "from the SELECT of an scd2 model\n");
  Model("mart/staff.sql",
        "/* ---\nkind: scd2\nkey: [name, valid_to]\n--- */\nSELECT id, name FROM totesys.staff__history");
  EXPECT_EQ(Run(),
            "mart.staff failed\n  LEAT0217 models/mart/staff.sql:3:13 `key` names column \"valid_to\", which leat "
            "makes\n");
  Model("mart/staff.sql", "/* ---\nkind: scd2\nkey: name\n--- */\nSELECT id, name FROM totesys.staff__history");
  EXPECT_NE(Run().find("LEAT0708"), std::string::npos);
  Model("mart/staff.sql",
        "/* ---\nkind: scd2\nkey: id\n--- */\nSELECT id, count(*) AS n FROM totesys.staff__history GROUP BY id");
  EXPECT_NE(Run().find("LEAT0214 models/mart/staff.sql:5:54 an scd2 model cannot use GROUP BY"), std::string::npos);
}

TEST_F(Scd2Test, RulesMaySpeakOfTheColumnsThatItMakes) {
  Commit("totesys.staff", "(1, 'Ann', '', NULL, 1, 'u'), (2, 'Bob', '', NULL, 1, 'u')");
  Commit("totesys.staff", "(1, 'Ann', '', NULL, 1, 'd')");
  Model("mart/staff.sql",
        "/* ---\nkind: scd2\nkey: id\nchecks: [unique: [id, valid_from], {not_null: [valid_to], severity: warn}]\n--- "
        "*/\nSELECT id, name FROM totesys.staff__history");
  EXPECT_EQ(Run(),
            "mart.staff built 2\n  warning LEAT0701 models/mart/staff.sql:4:48 check not_null(valid_to) on mart.staff "
            "failed: 1 of 2 rows are NULL\n    note: for example id 2\n");
}

TEST_F(Scd2Test, ATableAsOfAMomentFollowsTheIntervals) {
  version_ = {"rev", {}};
  version_time_ = {"dated", {}};
  connection_.Execute("SELECT setseed(0.5)");
  // Versions of five rows in any order of date, number and arrival.
  for (int commit = 0; commit < 12; ++commit) {
    std::string rows;
    for (int id = 1; id <= 5; ++id)
      rows += fmt::format("{}({}, '{}', '', {}, {}, '{}')", rows.empty() ? "" : ", ", id, (commit * 5 + id) % 3,
                          (commit + id) % 5 == 0
                              ? "NULL"
                              : fmt::format("TIMESTAMP '1970-01-01' + INTERVAL {} SECOND", (commit * 7 + id * 3) % 11),
                          (commit + id) % 4 == 0 ? "NULL" : std::to_string((commit * 5 + id) % 7),
                          (commit * id) % 5 == 4 ? 'd' : 'u');
    Commit("totesys.staff", rows);
  }
  Run();
  OpenEngine();
  engine_->Bind({"mart.staff", "totesys.staff__at()"});
  int64_t compared = 0;
  for (int tenth = 0; tenth < 120; ++tenth) {
    const std::string t = fmt::format("make_timestamptz({} + 6)", tenth * 100'000);
    const std::string now = fmt::format("(SELECT id, name FROM totesys.staff__at({}))", t);
    const std::string then =
        fmt::format("(SELECT id, name FROM mart.staff WHERE valid_from <= {0} AND (valid_to > {0} OR is_current))", t);
    duck::Connection& connection = engine_->connection();
    EXPECT_EQ(connection.QueryInt64(fmt::format(
                  "SELECT count(*) FROM ((FROM {0} EXCEPT ALL FROM {1}) UNION ALL (FROM {1} EXCEPT ALL FROM {0}))", now,
                  then)),
              0)
        << t;
    compared += connection.QueryInt64("SELECT count(*) FROM " + now);
  }
  EXPECT_GT(compared, 200);
}

}  // namespace
}  // namespace leat::models
