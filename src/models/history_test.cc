#include <gtest/gtest.h>

#include "models/history_select.h"
#include "models/model_fixture.h"

namespace leat::models {
namespace {

constexpr const char* kFact =
    "/* ---\nkind: history\nkey: id\nrecord_id: record_id\n--- */\nSELECT id, price FROM totesys.sale__history";

class HistoryTest : public ModelsTest {
 protected:
  HistoryTest() {
    Stream("totesys.sale", "id INTEGER, price INTEGER, note VARCHAR", {"id"});
    Model("mart/fact.sql", kFact);
  }

  /// The fact as 51 runs leave it, each of which found a row.
  void GrowTo51Files() {
    Commit("totesys.sale", "(1, 10, '', 'u')");
    EXPECT_EQ(Run(), "mart.fact built 1\n");
    lake::Table& fact = committed_.at({"mart", "fact"});
    for (int i = 2; i <= 51; ++i) {
      lake::TableChange change{.schema = fact.schema(), .summary = fact.snapshot()->summary};
      change.added =
          writer_.WriteRows(connection_, fact.location(), fact.schema(),
                            fmt::format("SELECT {0} AS record_id, {0} AS id, 10 AS price, 1 << 24 AS _leat_seq", i));
      fact = writer_.Apply(fact, fact.name(), fact.location(), change);
    }
  }

  /// The rewritten SELECT, or the error's code, place and message.
  std::string Rewritten(const std::string& sql) {
    config::Model model;
    model.file = "fact.sql";
    model.text = sql;
    try {
      return ReadHistorySelect(connection_, model).sql;
    } catch (const Error& error) {
      return fmt::format("{} {}: {}", error.code(), error.place().ToString(), error.message());
    }
  }
};

TEST_F(HistoryTest, AddsItsColumnsThroughTheTree) {
  EXPECT_EQ(Rewritten("SELECT id FROM s.a__history"),
            "SELECT id, a__history._leat_seq AS _leat_row_seq, a__history._leat_op AS _leat_row_op FROM s.a__history");
  EXPECT_EQ(Rewritten("SELECT h.* FROM s.a__history AS h WHERE h.x IN (SELECT max(y) FROM s.b)"),
            "SELECT h.*, h._leat_seq AS _leat_row_seq, h._leat_op AS _leat_row_op FROM s.a__history AS h WHERE (h.x = "
            "ANY(SELECT max(y) FROM s.b))");
}

TEST_F(HistoryTest, RefusesWhatDependsOnOtherRows) {
  EXPECT_EQ(Rewritten("SELECT id FROM s.a__history\nJOIN s.b USING (id)"),
            "LEAT0214 fact.sql:2:1: a history model cannot use a join in its outermost SELECT; expected one row for "
            "each version");
  EXPECT_THAT(Rewritten("SELECT DISTINCT id FROM s.a__history"),
              testing::StartsWith("LEAT0214 fact.sql:1:8: a history model cannot use DISTINCT"));
  EXPECT_THAT(Rewritten("SELECT id FROM s.a__history GROUP BY id"),
              testing::StartsWith("LEAT0214 fact.sql:1:29: a history model cannot use GROUP BY"));
  EXPECT_THAT(Rewritten("SELECT id FROM s.a__history LIMIT 3"),
              testing::StartsWith("LEAT0214 fact.sql:1:29: a history model cannot use LIMIT"));
  EXPECT_THAT(Rewritten("SELECT row_number() OVER () FROM s.a__history"),
              testing::StartsWith("LEAT0214 fact.sql:1:8: a history model cannot use window"));
  EXPECT_THAT(Rewritten("SELECT id FROM s.a__history UNION SELECT 1"), testing::StartsWith("LEAT0214"));
  EXPECT_THAT(Rewritten("SELECT id FROM s.a"),
              testing::StartsWith("LEAT0214 fact.sql:1:16: a history model reads the versions of one stream"));
  EXPECT_THAT(Rewritten("WITH a AS (FROM s.a__history) SELECT id FROM a"), testing::StartsWith("LEAT0214"));
  Commit("totesys.sale", "(1, 10, '', 'u')");
  Model("mart/fact.sql", "/* ---\nkind: history\nkey: id\n--- */\nSELECT max(id) AS id FROM totesys.sale__history");
  EXPECT_EQ(Run(),
            "mart.fact failed\n  LEAT0214 models/mart/fact.sql:5:8 a history model cannot use aggregates in its "
            "outermost SELECT; expected one row for each version\n");
}

TEST_F(HistoryTest, AppendsAVersionOnlyIfItDiffers) {
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, 20, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 2\n");
  EXPECT_EQ(Rows("mart.fact"), "1|1|10\n2|2|20\n");
  EXPECT_EQ(Run(), "mart.fact unchanged\n");
  Commit("totesys.sale", "(1, 10, 'other note', 'u')");
  EXPECT_EQ(Run(), "mart.fact same\n");
  EXPECT_EQ(Run(), "mart.fact unchanged\n");
  Commit("totesys.sale", "(1, 11, 'b', 'u'), (3, NULL, 'c', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 2\n");
  Commit("totesys.sale", "(1, 10, 'b', 'u'), (3, NULL, 'd', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
  EXPECT_EQ(Rows("mart.fact"), "1|1|10\n2|2|20\n3|1|11\n4|3|NULL\n5|1|10\n");
  EXPECT_EQ(SummaryOf("mart.fact", "leat.rows"), "5");
}

TEST_F(HistoryTest, ThereAndBackInOneBatchGivesThreeVersions) {
  Commit("totesys.sale", "(1, 10, '', 'u')");
  Commit("totesys.sale", "(1, 10, 'same', 'u'), (2, 5, '', 'u')");
  Commit("totesys.sale", "(1, 11, '', 'u')");
  Commit("totesys.sale", "(1, 10, '', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 4\n");
  EXPECT_EQ(Rows("mart.fact"), "1|1|10\n2|2|5\n3|1|11\n4|1|10\n");
}

TEST_F(HistoryTest, StaysInFewFilesHoweverOftenItGrows) {
  GrowTo51Files();
  const std::string before = Rows("mart.fact");
  Commit("totesys.sale", "(1, 11, '', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
  const lake::Table& fact = committed_.at({"mart", "fact"});
  EXPECT_EQ(fact.files().size(), 2u);
  EXPECT_EQ(fact.record_count(), 52);
  EXPECT_EQ(Rows("mart.fact"), before + "52|1|11\n");
  EXPECT_EQ(Run(), "mart.fact unchanged\n");
}

TEST_F(HistoryTest, FilesMergedForACandidateThatFailsGoWithIt) {
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\nrecord_id: record_id\nchecks:\n  - {range: {price: {max: 50}}}\n--- */\n"
        "SELECT id, price FROM totesys.sale__history");
  GrowTo51Files();
  const std::vector<std::string> files = storage_->List("processed/mart/fact/data");
  Commit("totesys.sale", "(1, 60, '', 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.fact failed\n"));
  EXPECT_EQ(storage_->List("processed/mart/fact/data"), files);
  EXPECT_EQ(committed_.at({"mart", "fact"}).files().size(), 51u);
}

TEST_F(HistoryTest, RecordIdsStayThroughAFullRefresh) {
  Commit("totesys.sale", "(2, 20, '', 'u'), (1, 10, '', 'u')");
  Run();
  Commit("totesys.sale", "(2, 21, '', 'u'), (1, 11, '', 'u')");
  Run();
  const std::string rows = Rows("mart.fact");
  EXPECT_EQ(rows, "1|1|10\n2|2|20\n3|1|11\n4|2|21\n");
  EXPECT_EQ(Run({.full_refresh = true}), "mart.fact same\n");
  EXPECT_EQ(Rows("mart.fact"), rows);
  EXPECT_EQ(committed_.at({"mart", "fact"}).Property("leat.generation"), "1");
}

TEST_F(HistoryTest, AChangedModelIsRebuiltAndRenumbered) {
  Commit("totesys.sale", "(1, 10, 'a', 'u')");
  Commit("totesys.sale", "(1, 10, 'b', 'u'), (2, 20, 'x', 'u')");
  Run();
  EXPECT_EQ(Rows("mart.fact"), "1|1|10\n2|2|20\n");
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\nrecord_id: record_id\n--- */\nSELECT id, price, note FROM "
        "totesys.sale__history");
  EXPECT_EQ(Run(), "mart.fact built 3\n");
  EXPECT_EQ(Rows("mart.fact"), "1|1|10|a\n2|1|10|b\n3|2|20|x\n");
  EXPECT_EQ(committed_.at({"mart", "fact"}).Property("leat.generation"), "2");
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\nrecord_id: record_id\ndescription: Only words.\n--- */\nSELECT id, price, "
        "note\nFROM totesys.sale__history");
  EXPECT_EQ(Run(), "mart.fact unchanged\n");
}

TEST_F(HistoryTest, DeletedRowsAreIgnoredUnlessKept) {
  Commit("totesys.sale", "(1, 10, '', 'u')");
  Commit("totesys.sale", "(1, 10, '', 'd')");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\ndeletes: keep\n--- */\nSELECT id, price, _leat_op AS op FROM "
        "totesys.sale__history");
  EXPECT_EQ(Run(), "mart.fact built 2\n");
  EXPECT_EQ(Rows("mart.fact"), "1|10|d\n1|10|u\n");
}

TEST_F(HistoryTest, AStarLeavesLeatsOwnColumnsOut) {
  Commit("totesys.sale", "(1, 10, 'x', 'u')");
  Model("mart/fact.sql", "/* ---\nkind: history\nkey: id\n--- */\nSELECT * FROM totesys.sale__history;");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
  EXPECT_EQ(Rows("mart.fact"), "1|10|x\n");
  Model("mart/fact.sql", "/* ---\nkind: history\nkey: id\n--- */\nSELECT id, _leat_time FROM totesys.sale__history");
  EXPECT_EQ(Run(),
            "mart.fact failed\n  LEAT0216 models/mart/fact.sql:5:12 column name _leat_time is reserved for leat\n");
}

TEST_F(HistoryTest, TheRecordIdCannotComeFromTheSelect) {
  Commit("totesys.sale", "(1, 10, 'x', 'u')");
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\nrecord_id: price\n--- */\nSELECT id, price FROM totesys.sale__history");
  EXPECT_EQ(Run(),
            "mart.fact failed\n  LEAT0216 models/mart/fact.sql:6:12 column price is numbered by leat and cannot come "
            "from the SELECT\n");
}

TEST_F(HistoryTest, RejectedVersionsAreSetAsideOnce) {
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\nrecord_id: record_id\nchecks:\n  - not_null: [day]\n    severity: reject\n--- "
        "*/\n"
        "SELECT id, try_cast(note AS DATE) AS day FROM totesys.sale__history");
  Commit("totesys.sale", "(1, 1, '2024-01-01', 'u'), (2, 1, 'soon', 'u')");
  EXPECT_EQ(Run(),
            "mart.fact built 1 rejected 1\n"
            "  warning LEAT0701 models/mart/fact.sql:6:16 check not_null(day) on mart.fact failed: 1 of 2 rows are "
            "NULL, set aside\n"
            "    note: for example id 2\n");
  Commit("totesys.sale", "(3, 1, 'never', 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.fact same rejected 1\n"));
  EXPECT_EQ(Rows("mart.fact__rejects", "id, _leat_reason, _leat_run"), "2|not_null(day)|1\n3|not_null(day)|2\n");
  Commit("totesys.sale", "(2, 1, '2024-02-02', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
  EXPECT_EQ(Rows("mart.fact"), "1|1|2024-01-01\n2|2|2024-02-02\n");
  EXPECT_EQ(Rows("mart.fact__rejects", "id"), "2\n3\n");
}

TEST_F(HistoryTest, AStreamThatIsReadAnewFromNothingIsBuiltAnew) {
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\nchecks:\n  - {range: {price: {min: 0}}, severity: reject}\n--- */\n"
        "SELECT id, price FROM totesys.sale__history");
  Commit("totesys.sale", "(1, 10, '', 'u')");
  Run();
  Commit("totesys.sale", "(2, -1, '', 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.fact same rejected 1\n"));
  streams_.at("totesys.sale").table.reset();
  commits_ = 0;
  Commit("totesys.sale", "(1, 11, '', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
  Commit("totesys.sale", "(1, 12, '', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
  EXPECT_EQ(Rows("mart.fact"), "1|11\n1|12\n");
  EXPECT_EQ(Rows("mart.fact__rejects", "id"), "");
}

TEST_F(HistoryTest, RulesAreJudgedOnNewVersionsUntilTheyChange) {
  Commit("totesys.sale", "(1, 10, '', 'u'), (2, -1, '', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 2\n");
  const std::string checked =
      "/* ---\nkind: history\nkey: id\nrecord_id: record_id\nchecks:\n  - range: {price: {min: 0}}\n    severity: "
      "warn\n--- */\n"
      "SELECT id, price FROM totesys.sale__history";
  Model("mart/fact.sql", checked);
  EXPECT_EQ(Run(),
            "mart.fact same\n"
            "  warning LEAT0705 models/mart/fact.sql:6:13 check range(price) on mart.fact failed: 1 of 2 rows are less "
            "than 0\n"
            "    note: for example id 2, price -1\n");
  Commit("totesys.sale", "(1, 11, '', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 1\n");
}

TEST_F(HistoryTest, ANewRejectRuleSortsAllVersionsAnew) {
  const auto fact = [&](const std::string& checks) {
    Model("mart/fact.sql",
          "/* ---\nkind: history\nkey: id\n" + checks + "--- */\nSELECT id, price FROM totesys.sale__history");
  };
  fact("");
  Commit("totesys.sale", "(1, 10, '', 'u'), (2, -1, '', 'u')");
  EXPECT_EQ(Run(), "mart.fact built 2\n");
  fact("checks:\n  - {range: {price: {min: 0}}, severity: reject}\n");
  EXPECT_THAT(Run(), testing::StartsWith("mart.fact built 1 rejected 1\n"));
  EXPECT_EQ(Rows("mart.fact"), "1|10\n");
  EXPECT_EQ(Rows("mart.fact__rejects", "id"), "2\n");
  fact("");
  EXPECT_EQ(Run(), "mart.fact built 2\n");
  EXPECT_EQ(Rows("mart.fact"), "1|10\n2|-1\n");
  EXPECT_EQ(Rows("mart.fact__rejects", "id"), "");
}

TEST_F(HistoryTest, AVersionThatWasRejectedIsAdmittedInItsPlaceWhenItsDimensionRowComes) {
  Stream("totesys.level", "price INTEGER", {"price"});
  Model("mart/level.sql", "/* ---\nkey: price\n--- */\nSELECT price FROM totesys.level");
  Model("mart/fact.sql",
        "/* ---\nkind: history\nkey: id\nrecord_id: record_id\nchecks:\n"
        "  - {references: {price: mart.level}, severity: reject}\n--- */\n"
        "SELECT id, price FROM totesys.sale__history");
  Commit("totesys.level", "(10, 'u'), (20, 'u')");
  Commit("totesys.sale", "(1, 15, '', 'u')");
  Commit("totesys.sale", "(1, 20, '', 'u'), (2, 10, '', 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.level built 2\nmart.fact built 2 rejected 1\n"));
  Commit("totesys.level", "(30, 'u')");
  EXPECT_EQ(Run(), "mart.level built 3\nmart.fact same\n");
  EXPECT_EQ(Rows("mart.fact__rejects", "id"), "1\n");
  Commit("totesys.level", "(15, 'u')");
  EXPECT_EQ(Run(), "mart.level built 4\nmart.fact built 3\n");
  EXPECT_EQ(Rows("mart.fact"), "1|1|15\n2|1|20\n3|2|10\n");
  EXPECT_EQ(Rows("mart.fact__rejects", "id"), "");
  EXPECT_EQ(Run(), "mart.level unchanged\nmart.fact unchanged\n");
  Commit("totesys.level", "(20, 'd')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.level built 3\nmart.fact built 2 rejected 1\n"));
}

TEST_F(HistoryTest, AKeyThatIsDoubledInOneCommitIsAnError) {
  Stream("totesys.line", "sale INTEGER, line INTEGER", {"sale", "line"});
  Commit("totesys.line", "(7, 1, 'u'), (7, 2, 'u')");
  Commit("totesys.sale", "(1, 10, '', 'u')");
  Model("mart/lines.sql", "/* ---\nkind: history\nkey: sale\n--- */\nSELECT sale, line FROM totesys.line__history");
  EXPECT_THAT(Run(), testing::HasSubstr("mart.lines failed\n  LEAT0708 models/mart/lines.sql:3:6 mart.lines: 1 values "
                                        "of key sale stand in more than one row; expected each once\n"
                                        "    note: for example sale 7\n"));
}

}  // namespace
}  // namespace leat::models
