#include <gtest/gtest.h>

#include "models/model_fixture.h"
#include "models/table_digest.h"

namespace leat::models {
namespace {

/// What came since the last build: the newest version of each sale.
constexpr const char* kSales =
    "/* ---\nkind: incremental\nkey: id\n--- */\n"
    "SELECT id, price, shop FROM totesys.sale__history WHERE _leat_time > $since\n"
    "QUALIFY row_number() OVER (PARTITION BY id ORDER BY _leat_seq DESC) = 1";

class IncrementalTest : public ModelsTest {
 protected:
  IncrementalTest() {
    Stream("totesys.sale", "id INTEGER, price INTEGER, shop VARCHAR", {"id"});
    Model("mart/sale.sql", kSales);
  }

  std::set<std::string> FilesOf(const std::string& table) {
    std::set<std::string> paths;
    for (const lake::DataFile& file : committed_.at(Split2(table)).files()) paths.insert(file.path);
    return paths;
  }

  /// How many files of `before` the table still has.
  size_t FilesKept(const std::string& table, const std::set<std::string>& before) {
    size_t kept = 0;
    for (const std::string& path : FilesOf(table)) kept += before.count(path);
    return kept;
  }

  /// The published rows, counted and hashed anew, must be those that the summary counts and hashes.
  void ExpectTrueDigest(const std::string& table) {
    const lake::Table& published = committed_.at(Split2(table));
    const TableDigest digest =
        DigestOf(connection_, published.schema(), lake::ReadFilesSql(*storage_, published.schema(), published.files()));
    EXPECT_EQ(SummaryOf(table, "leat.rows"), std::to_string(digest.rows));
    EXPECT_EQ(SummaryOf(table, "leat.hash"), digest.HashText());
  }
};

TEST_F(IncrementalTest, MergesWhatCameSinceTheLastBuild) {
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, 20, 'a', 'u'), (3, 30, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 3\n");
  EXPECT_EQ(Run(), "mart.sale unchanged\n");
  Commit("totesys.sale", "(2, 21, 'a', 'u'), (4, 40, 'b', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 2\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n2|21|a\n3|30|a\n4|40|b\n");
  ExpectTrueDigest("mart.sale");
}

TEST_F(IncrementalTest, AStreamThatWasRebuiltIsLookedAtAnew) {
  Model("mart/sales.sql", "/* ---\nkind: history\nkey: id\n--- */\nSELECT id, price FROM totesys.sale__history");
  Commit("totesys.sale", "(1, 10, 'a', 'u')");
  Commit("totesys.sale", "(2, 20, 'a', 'u')");
  Run();
  // A row that was missing comes back with the marks of then.
  StreamState& stream = streams_.at("totesys.sale");
  lake::TableChange change{.schema = stream.schema};
  change.added = writer_.WriteRows(
      connection_, "raw/totesys/sale__history", change.schema,
      "SELECT *, 'u' AS _leat_op, (id::BIGINT << 24) AS _leat_seq, make_timestamptz(id) AS _leat_time, 1::BIGINT AS "
      "_leat_run FROM (VALUES (1, 10, 'a'), (2, 20, 'a')) AS v (id, price, shop) UNION ALL "
      "SELECT 3, 30, 'a', 'u', 1 << 24, make_timestamptz(1), 1");
  change.replace_all = true;
  change.properties = {{"leat.rebuilt", "3"}};
  stream.table = writer_.Apply(stream.table, {"totesys", "sale__history"}, "raw/totesys/sale__history", change);
  Run();
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n2|20|a\n3|30|a\n");
  EXPECT_EQ(Rows("mart.sales", "id, price"), "1|10\n2|20\n3|30\n");
  EXPECT_EQ(Run(), "mart.sale unchanged\nmart.sales unchanged\n");
  Commit("totesys.sale", "(4, 40, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\nmart.sales built 1\n");
}

TEST_F(IncrementalTest, RowsOfEqualContentAreNoChange) {
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, NULL, 'a', 'u')");
  Run();
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, NULL, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale same\n");
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, 20, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n2|20|a\n");
  ExpectTrueDigest("mart.sale");
}

TEST_F(IncrementalTest, RewritesOnlyFilesThatHoldAChangedKey) {
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (5, 50, 'a', 'u'), (9, 90, 'a', 'u')");
  Run();
  Commit("totesys.sale", "(11, 10, 'a', 'u'), (12, 20, 'a', 'u')");
  Run();
  Commit("totesys.sale", "(21, 10, 'a', 'u'), (22, 20, 'a', 'u')");
  Run();
  const auto before = FilesOf("mart.sale");
  ASSERT_EQ(before.size(), 3U);
  // 12 changes, 5 comes again as it is, 7 is new between 5 and 9.
  Commit("totesys.sale", "(12, 21, 'a', 'u'), (5, 50, 'a', 'u'), (7, 70, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 2\n");
  EXPECT_EQ(FilesKept("mart.sale", before), 2U);
  EXPECT_EQ(Rows("mart.sale", "id, price"), "1|10\n5|50\n7|70\n9|90\n11|10\n12|21\n21|10\n22|20\n");
  ExpectTrueDigest("mart.sale");
}

TEST_F(IncrementalTest, FilesWhoseBoundsLeaveTheKeysOutStayClosed) {
  Model("mart/sale.sql",
        "/* ---\nkind: incremental\nkey: [day, shop]\n--- */\n"
        "SELECT DATE '2024-01-01' + id AS day, shop, price FROM totesys.sale__history WHERE _leat_time > $since");
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, 20, 'b', 'u')");
  Run();
  Commit("totesys.sale", "(31, 10, 'a', 'u'), (32, 20, 'c', 'u')");
  Run();
  // The first file, whose days lie before, is none any more, and nobody sees it.
  for (const lake::DataFile& file : committed_.at({"mart", "sale"}).files())
    if (file.Int64Bounds(1)->first < 19730) std::ofstream(storage_->DuckPath(storage_->NameOf(file.path))) << "broken";
  Commit("totesys.sale", "(32, 21, 'c', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  Commit("totesys.sale", "(2, 21, 'b', 'u')");
  EXPECT_NE(Run().find("mart.sale failed"), std::string::npos);
}

TEST_F(IncrementalTest, ALargeTableIsPartedByItsKey) {
  Commit("totesys.sale", "(0, 10, 'a', 'u')");
  StreamState& stream = streams_.at("totesys.sale");
  lake::TableChange change{.schema = stream.schema};
  change.added = writer_.WriteRows(
      connection_, stream.table->location(), change.schema,
      fmt::format("SELECT 1 + i * 7919 % 1000003 AS id, 10 AS price, 'a' AS shop, 'u' AS _leat_op, {}::BIGINT AS "
                  "_leat_seq, make_timestamptz(2) AS _leat_time, 1::BIGINT AS _leat_run FROM range(1000003) r(i)",
                  int64_t{++commits_} << 24));
  stream.table = writer_.Apply(stream.table, {"totesys", "sale__history"}, stream.table->location(), change);
  Model("mart/sale.sql",
        "/* ---\nkind: incremental\nkey: id\n--- */\n"
        "SELECT id, price FROM totesys.sale__history WHERE _leat_time > $since");
  EXPECT_EQ(Run(), "mart.sale built 1000004\n");
  const auto before = FilesOf("mart.sale");
  EXPECT_EQ(before.size(), 2U);
  ExpectTrueDigest("mart.sale");
  EXPECT_EQ(Rows("mart.sale", "count(*), count(DISTINCT id), min(id), max(id)"), "1000004|1000004|0|1000003\n");
  Commit("totesys.sale", "(1000000, 11, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(FilesKept("mart.sale", before), 1U);
  ExpectTrueDigest("mart.sale");
}

TEST_F(IncrementalTest, ADroppedOrFailedBuildIsMadeUpForByTheNext) {
  Commit("totesys.sale", "(1, 10, 'a', 'u')");
  Run();
  File("checks/cheap.sql", "SELECT id FROM mart.sale WHERE price > 100");
  Commit("totesys.sale", "(2, 200, 'a', 'u')");
  EXPECT_NE(Run().find("mart.sale failed"), std::string::npos);
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n");
  Commit("totesys.sale", "(3, 30, 'a', 'u')");
  File("checks/cheap.sql", "SELECT id FROM mart.sale WHERE price > 1000");
  EXPECT_EQ(Run(), "mart.sale built 2\ncheck cheap passed\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n2|200|a\n3|30|a\n");
}

TEST_F(IncrementalTest, IsBuiltAnewWhenItsSqlChangesOrSomebodyAsks) {
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, 20, 'a', 'u')");
  Run();
  Commit("totesys.sale", "(2, 20, 'a', 'd')");
  EXPECT_EQ(Run(), "mart.sale same\n");  // it does not look at what was deleted
  Model("mart/sale.sql", std::string(kSales) + " AND _leat_op = 'u'");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n");
  Model("mart/sale.sql",
        "/* ---\nkind: incremental\nkey: id\n--- */\nSELECT id, price FROM totesys.sale__history "
        "WHERE _leat_time > $since AND _leat_op = 'u' AND id = 1");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  Builder::Options options;
  options.full_refresh = true;
  Commit("totesys.sale", "(7, 20, 'a', 'u')");
  EXPECT_EQ(Run(options), "mart.sale same\n");
}

TEST_F(IncrementalTest, TwoRowsOfOneKeyAreAnError) {
  Model("mart/sale.sql",
        "/* ---\nkind: incremental\nkey: id\n--- */\nSELECT id, price FROM totesys.sale__history WHERE _leat_time > "
        "$since");
  Commit("totesys.sale", "(1, 10, 'a', 'u')");
  Run();
  Commit("totesys.sale", "(1, 11, 'a', 'u')");
  Commit("totesys.sale", "(1, 12, 'a', 'u')");
  EXPECT_EQ(
      Run(),
      "mart.sale failed\n  LEAT0708 models/mart/sale.sql:3:6 mart.sale: 1 values of key id stand in more than one "
      "row; expected each once\n    note: for example id 1\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10\n");
}

TEST_F(IncrementalTest, ChecksJudgeWhatIsNew) {
  const std::string head = "/* ---\nkind: incremental\nkey: id\nchecks: [not_null: [price], unique: [shop]]\n--- */\n";
  const std::string sql = std::string(kSales).substr(std::string(kSales).find("SELECT"));
  Model("mart/sale.sql", head + sql);
  Commit("totesys.sale", "(1, 10, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  Commit("totesys.sale", "(2, 20, 'a', 'u')");
  EXPECT_EQ(
      Run(),
      "mart.sale failed\n  LEAT0702 models/mart/sale.sql:4:29 check unique(shop) on mart.sale failed: 2 of 2 rows "
      "share their value with another row\n    note: for example shop a\n");
  Commit("totesys.sale", "(2, 20, 'b', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n2|20|b\n");
}

TEST_F(IncrementalTest, AKeyWhoseNewestRowIsSetAsideLeavesTheTable) {
  const std::string sql = std::string(kSales).substr(std::string(kSales).find("SELECT"));
  Model("mart/sale.sql",
        "/* ---\nkind: incremental\nkey: id\nchecks:\n  - {not_null: [price], severity: reject}\n--- */\n" + sql);
  const auto warning = [](int failing, int rows) {
    return fmt::format(
        "  warning LEAT0701 models/mart/sale.sql:5:5 check not_null(price) on mart.sale failed: {} of {} rows are "
        "NULL, "
        "set aside\n",
        failing, rows);
  };
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, NULL, 'a', 'u'), (3, 30, 'a', 'u')");
  EXPECT_EQ(Run().substr(0, 55), "mart.sale built 2 rejected 1\n" + warning(1, 3).substr(0, 26));
  Commit("totesys.sale", "(1, NULL, 'a', 'u'), (4, 40, 'a', 'u')");
  EXPECT_EQ(Run().substr(0, 29), "mart.sale built 1 rejected 1\n");
  EXPECT_EQ(Rows("mart.sale"), "3|30|a\n4|40|a\n");
  EXPECT_EQ(Rows("mart.sale__rejects", "id"), "1\n2\n");
  ExpectTrueDigest("mart.sale");
  Commit("totesys.sale", "(2, 20, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(Rows("mart.sale"), "2|20|a\n3|30|a\n4|40|a\n");
  EXPECT_EQ(Rows("mart.sale__rejects", "id"), "1\n");
  // Only rows that are set aside: no snapshot of the model, but it has gone on.
  Commit("totesys.sale", "(9, NULL, 'a', 'u')");
  EXPECT_EQ(Run().substr(0, 26), "mart.sale same rejected 1\n");
  Commit("totesys.sale", "(5, 50, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(Rows("mart.sale__rejects", "id"), "1\n9\n");
}

TEST_F(IncrementalTest, SinceIsTheOldestOfWhatItsStreamsHadThen) {
  Stream("totesys.shop", "shop VARCHAR, city VARCHAR", {"shop"});
  Model("mart/sale.sql",
        "/* ---\nkind: incremental\nkey: id\n--- */\n"
        "SELECT id, city, (epoch_us($since) IS NULL)::INTEGER AS is_first, epoch_us($since) AS since\n"
        "FROM totesys.sale__history s LEFT JOIN totesys.shop USING (shop) WHERE s._leat_time > $since");
  Commit("totesys.shop", "('a', 'Leeds', 'u')");  // at 1 µs
  Commit("totesys.sale", "(1, 10, 'a', 'u')");    // at 2 µs
  Run();
  Commit("totesys.sale", "(2, 10, 'a', 'u')");
  Run();
  EXPECT_EQ(Rows("mart.sale"), "1|Leeds|0|1\n2|Leeds|0|1\n");
}

TEST_F(IncrementalTest, AClockThatWasSetBackHidesNothing) {
  Commit("totesys.sale", "(1, 10, 'a', 'u')");
  commits_ += 10;
  Commit("totesys.sale", "(2, 20, 'a', 'u')");
  Run();
  // The next commit has a later number and, by a clock that was set back, an earlier time.
  StreamState& stream = streams_.at("totesys.sale");
  lake::TableChange change{.schema = stream.schema};
  change.added =
      writer_.WriteRows(connection_, stream.table->location(), change.schema,
                        "SELECT 3 AS id, 30 AS price, 'a' AS shop, 'u' AS _leat_op, (20::BIGINT << 24) AS _leat_seq, "
                        "make_timestamptz(5) AS _leat_time, 1::BIGINT AS _leat_run");
  stream.table = writer_.Apply(stream.table, {"totesys", "sale__history"}, stream.table->location(), change);
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10|a\n2|20|a\n3|30|a\n");
}

TEST_F(IncrementalTest, AStreamThatWasReadFromNothingMakesAllAnew) {
  commits_ = 5;
  Commit("totesys.sale", "(1, 10, 'a', 'u'), (2, 20, 'a', 'u')");
  Run();
  commits_ = 0;
  streams_.at("totesys.sale").table.reset();
  Commit("totesys.sale", "(2, 20, 'a', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 1\n");
  EXPECT_EQ(Rows("mart.sale"), "2|20|a\n");
}

TEST_F(IncrementalTest, ANewColumnMakesAllAnew) {
  Model("mart/sale.sql",
        "/* ---\nkind: incremental\nkey: id\n--- */\nSELECT * EXCLUDE (_leat_op, _leat_seq, _leat_time, _leat_run) "
        "FROM totesys.sale__history WHERE _leat_time > $since");
  Commit("totesys.sale", "(1, 10, 'a', 'u')");
  Run();
  const lake::Table table = *streams_.at("totesys.sale").table;
  Stream("totesys.sale", "id INTEGER, price INTEGER, shop VARCHAR, note VARCHAR", {"id"});
  StreamState& stream = streams_.at("totesys.sale");
  stream.schema = lake::Evolve(table.schema(), stream.schema, table.last_column_id()).schema;
  stream.schema.id = 1;
  stream.table = table;
  Commit("totesys.sale", "(2, 20, 'a', 'new', 'u')");
  EXPECT_EQ(Run(), "mart.sale built 2\n");
  EXPECT_EQ(Rows("mart.sale"), "1|10|a|NULL\n2|20|a|new\n");
}

TEST_F(IncrementalTest, SinceIsForIncrementalModelsAlone) {
  Model("mart/sale.sql", "SELECT id FROM totesys.sale__history WHERE _leat_time > $since");
  EXPECT_EQ(Run(),
            "  LEAT0230 models/mart/sale.sql:1:57 parameter $since is of models of `kind: incremental`; this one is of "
            "`kind: table`\n");
  Model("mart/sale.sql", kSales);
  File("checks/c.sql", "SELECT id FROM mart.sale WHERE $since IS NULL");
  EXPECT_NE(Run().find("LEAT0230 checks/c.sql:1:32 parameter $since is of models of `kind: incremental`; this is no "
                       "model\n"),
            std::string::npos);
}

}  // namespace
}  // namespace leat::models
