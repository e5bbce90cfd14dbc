#include "models/tables_read.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/text.h"

namespace leat::models {
namespace {

class TablesReadTest : public testing::Test {
 protected:
  void Macro(const std::string& text) { files_ = {{"macros/m.sql", text}}; }

  SelectReads Reads(const std::string& sql) {
    const Macros macros(connection_, files_);
    return ReadsOf(connection_, macros, "models/mart/m.sql", sql,
                   {"totesys.staff", "totesys.department", "mart.dim_staff"});
  }
  /// Names of the tables, or `code place message` of the error.
  std::string Tables(const std::string& sql) {
    try {
      return Join(Reads(sql).TableNames(), " ");
    } catch (const Error& error) {
      return fmt::format("{} {}: {}", error.code(), error.place().ToString(), error.message());
    }
  }
  std::string Help(const std::string& sql) {
    try {
      Reads(sql);
    } catch (const Error& error) {
      return Join(error.diagnostic().help, "; ");
    }
    return "";
  }

  duck::Database database_;
  duck::Connection connection_{database_};
  std::vector<config::MacroFile> files_;
};

TEST_F(TablesReadTest, FindsTablesInEveryCornerOfASelect) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"SELECT 1", ""},
      {"FROM s.a", "s.a"},
      {"TABLE s.a", "s.a"},
      {"VALUES (1), ((SELECT max(x) FROM s.a))", "s.a"},
      {"SELECT * FROM s.a JOIN s.b USING (id)", "s.a s.b"},
      {"SELECT * FROM s.a, s.b, s.a x", "s.a s.b"},
      {"SELECT * FROM s.a NATURAL JOIN s.b", "s.a s.b"},
      {"SELECT * FROM s.a ASOF JOIN s.b ON a.t >= b.t", "s.a s.b"},
      {"SELECT * FROM s.a POSITIONAL JOIN s.b", "s.a s.b"},
      {"SELECT * FROM s.a SEMI JOIN s.b USING (id)", "s.a s.b"},
      {"SELECT * FROM s.a, LATERAL (SELECT * FROM s.b WHERE b.id = a.id)", "s.a s.b"},
      {"SELECT (SELECT max(x) FROM s.q), EXISTS (SELECT 1 FROM s.r), x IN (SELECT y FROM s.z), ARRAY(SELECT 1 FROM "
       "s.k) FROM s.a",
       "s.q s.r s.z s.k s.a"},
      {"SELECT 1 FROM s.a UNION SELECT 2 FROM s.b UNION ALL BY NAME SELECT 3 FROM s.c", "s.a s.b s.c"},
      {"SELECT * FROM s.a EXCEPT SELECT * FROM s.b", "s.a s.b"},
      {"SELECT * FROM s.a ORDER BY (SELECT 1 FROM s.b) LIMIT (SELECT 2 FROM s.c)", "s.b s.c s.a"},
      {"SELECT sum(x) OVER (PARTITION BY (SELECT 1 FROM s.b)) FROM s.a", "s.b s.a"},
      {"SELECT x FROM s.a GROUP BY ALL HAVING count(*) > (SELECT 1 FROM s.b) QUALIFY x > (SELECT 1 FROM s.c)",
       "s.a s.b s.c"},
      {"SELECT [x FOR x IN (SELECT list(y) FROM s.l)]", "s.l"},
      {"SELECT * FROM range((SELECT max(x) FROM s.m))", "s.m"},
      {"SELECT * FROM (PIVOT s.a ON x IN (1, 2) USING sum(y))", "s.a"},
      {"UNPIVOT s.a ON x, y INTO NAME n VALUE v", "s.a"},
      {"SELECT * FROM s.a TABLESAMPLE 10%", "s.a"},
      {"/* s.no */ SELECT 's.no' -- FROM s.no\nFROM s.a;", "s.a"},
      {"SELECT \"s.no\" FROM \"S\".\"A\"", "s.a"},
      {"SELECT * FROM S.A WHERE x > $run_time", "s.a"},
      {"SELECT $$ FROM s.no $$ FROM s.a", "s.a"},
      {"SELECT totesys.x.y.z FROM s.a", "s.a"},
      {"SELECT 'Größe', ü FROM s.a", "s.a"},
  };
  for (const auto& [sql, tables] : cases) {
    auto wanted = Split(tables, ' ');
    auto found = Split(Tables(sql), ' ');
    std::sort(wanted.begin(), wanted.end());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, wanted) << sql;
  }
}

TEST_F(TablesReadTest, CtesHideTablesOnlyWhereTheyAreVisible) {
  EXPECT_EQ(Tables("WITH a AS (SELECT * FROM s.t) SELECT * FROM a"), "s.t");
  EXPECT_EQ(Tables("WITH a AS (FROM s.t), b AS (FROM a) SELECT * FROM b, a"), "s.t");
  EXPECT_EQ(Tables("WITH t AS (FROM s.t) SELECT * FROM t, s.t"), "s.t");
  EXPECT_EQ(Tables("WITH A AS (FROM s.t) SELECT * FROM a"), "s.t");
  EXPECT_EQ(Tables("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t, s.u WHERE n < 5) FROM t"), "s.u");
  EXPECT_EQ(Tables("WITH a AS (WITH b AS (FROM s.t) FROM b) FROM a"), "s.t");
  EXPECT_EQ(Tables("SELECT * FROM (WITH b AS (FROM s.t) FROM b), s.u"), "s.t s.u");
  EXPECT_EQ(Tables("WITH a AS (FROM s.t) SELECT 1 FROM a UNION ALL SELECT 2 FROM a"), "s.t");
  EXPECT_THAT(Tables("WITH a AS (SELECT * FROM a) SELECT * FROM a"),
              testing::StartsWith("LEAT0205 models/mart/m.sql:1:26:"));
  EXPECT_THAT(Tables("WITH a AS (FROM b), b AS (FROM s.t) FROM a"), testing::StartsWith("LEAT0205"));
  EXPECT_THAT(Tables("SELECT * FROM (WITH b AS (FROM s.t) FROM b), b"), testing::StartsWith("LEAT0205"));
}

TEST_F(TablesReadTest, PlacesCountUnicodeCharactersFromTheHead) {
  EXPECT_EQ(Tables("/* ---\nkey: é\n--- */\nSELECT 'éé', x\nFROM staf"),
            "LEAT0205 models/mart/m.sql:5:6: table \"staf\" is not written as schema.table");
  EXPECT_EQ(Help("SELECT * FROM staf"), "did you mean totesys.staff?");
  EXPECT_EQ(Tables("SELECT 'éé' FROM FROM x"), "LEAT0201 models/mart/m.sql:1:18: syntax error at or near \"FROM\"");
  EXPECT_EQ(Tables("SELECT (1\n\n"), "LEAT0201 models/mart/m.sql:1:10: syntax error at end of input");
}

TEST_F(TablesReadTest, WantsExactlyOneSelect) {
  EXPECT_EQ(Tables("-- nothing"), "LEAT0202 models/mart/m.sql:1:11: no SELECT found; expected exactly one");
  EXPECT_EQ(Tables("SELECT 1;\nSELECT 2"),
            "LEAT0202 models/mart/m.sql:2:1: 2 statements found; expected exactly one SELECT");
  EXPECT_EQ(Tables("CREATE TABLE x (a INTEGER)"),
            "LEAT0202 models/mart/m.sql:1:1: CREATE is not a SELECT; expected exactly one SELECT");
  EXPECT_THAT(Tables("PIVOT s.a ON x USING sum(y)"),
              testing::StartsWith("LEAT0202 models/mart/m.sql:1:1: a PIVOT without"));
  EXPECT_THAT(Tables("DESCRIBE s.a"), testing::StartsWith("LEAT0202"));
}

TEST_F(TablesReadTest, RefusesWhatHidesTables) {
  EXPECT_EQ(Tables("SELECT * FROM query('FROM s.a')"),
            "LEAT0207 models/mart/m.sql:1:15: query() hides what the statement reads");
  EXPECT_THAT(Tables("FROM query_table('s.a')"), testing::StartsWith("LEAT0207"));
  EXPECT_THAT(Tables("FROM read_parquet('x.parquet')"), testing::StartsWith("LEAT0207"));
  EXPECT_THAT(Tables("SELECT 1 FROM s.a WHERE x IN (SELECT y FROM read_csv_auto('f'))"),
              testing::StartsWith("LEAT0207"));
  EXPECT_THAT(Tables("FROM glob('*')"), testing::StartsWith("LEAT0207"));
  EXPECT_THAT(Tables("FROM parquet_scan('x')"), testing::StartsWith("LEAT0207"));
  EXPECT_EQ(Tables("SELECT * FROM 'x.parquet'"),
            "LEAT0207 models/mart/m.sql:1:15: a file in FROM hides where rows come from: 'x.parquet'");
}

TEST_F(TablesReadTest, FindsStreamsAsTheyWereAtAMoment) {
  EXPECT_EQ(Tables("FROM s.A__at(now()) JOIN s.b__At($run_time) USING (id)"), "s.a__at() s.b__at()");
  EXPECT_EQ(Tables("WITH m AS (FROM s.a__at((SELECT max(t) FROM s.c))) SELECT * FROM m, s.a__at(DATE '2024-01-31')"),
            "s.a__at() s.c");
  EXPECT_EQ(Tables("SELECT s.a__at(1)"), "");
  Macro("CREATE MACRO s.a__at(t) AS TABLE FROM s.b; CREATE MACRO main.then(t) AS TABLE FROM s.c__at(t)");
  EXPECT_EQ(Tables("FROM s.a__at(now())"), "s.b");
  EXPECT_EQ(Tables("FROM main.then(now())"), "s.c__at()");
}

TEST_F(TablesReadTest, KnowsTheParametersThatThereAre) {
  EXPECT_THAT(Reads("SELECT $run_time, $RUN_TIME").parameters, testing::ElementsAre("run_time"));
  EXPECT_THAT(Reads("SELECT $Since").parameters, testing::ElementsAre("since"));
  EXPECT_EQ(Tables("SELECT '$until',\n  $until FROM s.a"),
            "LEAT0209 models/mart/m.sql:2:3: parameter $until does not exist; expected one of $run_time, $since");
  EXPECT_TRUE(Reads("SELECT current_date").varies);
  EXPECT_TRUE(Reads("SELECT now() FROM s.a").varies);
  EXPECT_FALSE(Reads("SELECT created_at FROM s.a").varies);
}

TEST_F(TablesReadTest, AnAgeAsOfTodayVariesAndADifferenceDoesNot) {
  EXPECT_TRUE(Reads("SELECT age(created_at) FROM s.a").varies);
  EXPECT_FALSE(Reads("SELECT age(updated_at, created_at) FROM s.a").varies);
}

TEST_F(TablesReadTest, SamplesVary) {
  EXPECT_TRUE(Reads("SELECT * FROM s.a TABLESAMPLE 10%").varies);
  EXPECT_TRUE(Reads("SELECT * FROM s.a USING SAMPLE 10 ROWS").varies);
  EXPECT_TRUE(Reads("SELECT * FROM s.b, (SELECT * FROM s.a USING SAMPLE 5%) x").varies);
  EXPECT_TRUE(Reads("WITH x AS (SELECT * FROM s.a TABLESAMPLE 10%) SELECT * FROM x").varies);
  EXPECT_TRUE(Reads("SELECT * FROM s.a JOIN s.b TABLESAMPLE reservoir(20%) USING (id)").varies);
  EXPECT_FALSE(Reads("SELECT sample FROM s.a").varies);
}

TEST_F(TablesReadTest, FollowsMacrosThroughTheirBodies) {
  Macro(
      "-- prices\nCREATE MACRO shop.pence(x) AS x * (SELECT max(f) FROM s.factor);\n"
      "CREATE OR REPLACE MACRO shop.twice(x) AS shop.pence(x) * 2, (x, y) AS x + y;\n"
      "CREATE MACRO shop.recent(n) AS TABLE SELECT a, (b) AS c FROM s.orders LIMIT n;");
  const SelectReads reads = Reads("SELECT shop.twice(y) FROM SHOP.recent(3)");
  EXPECT_THAT(reads.TableNames(), testing::UnorderedElementsAre("s.factor", "s.orders"));
  EXPECT_THAT(reads.macros, testing::UnorderedElementsAre("shop.pence", "shop.twice", "shop.recent"));
  const auto pence = std::find(reads.macros.begin(), reads.macros.end(), "shop.pence");
  const auto twice = std::find(reads.macros.begin(), reads.macros.end(), "shop.twice");
  EXPECT_LT(pence, twice);
  EXPECT_EQ(reads.tables[0].position, std::nullopt);
}

TEST_F(TablesReadTest, FollowsMacrosThatAreCalledAsMethods) {
  Macro("CREATE MACRO twice(x) AS x * (SELECT max(f) FROM s.factor); CREATE MACRO shop.more(x) AS x + 1;");
  for (const char* call : {"n.twice()", "a.n.twice()", "main.twice(n)", "twice(n)", "abs(n.twice())"}) {
    const SelectReads reads = Reads(fmt::format("SELECT {} FROM seeds.iso a", call));
    EXPECT_THAT(reads.TableNames(), testing::UnorderedElementsAre("seeds.iso", "s.factor")) << call;
    EXPECT_THAT(reads.macros, testing::ElementsAre("twice")) << call;
  }
  EXPECT_THAT(Reads("SELECT n.more() FROM seeds.iso").macros, testing::IsEmpty());
  EXPECT_TRUE(Reads("SELECT born.age() FROM s.a").varies);
  EXPECT_FALSE(Reads("SELECT born.age(b) FROM s.a").varies);
}

TEST_F(TablesReadTest, MacroFilesHoldMacrosOnly) {
  Macro("CREATE MACRO m.f(x) AS x + 1;\nSELECT 2;");
  EXPECT_EQ(Tables("SELECT 1"), "LEAT0215 macros/m.sql:2:1: a file of macros/ holds CREATE MACRO statements only");
  Macro("CREATE TEMP MACRO m.f(x) AS x + 1;");
  EXPECT_THAT(Tables("SELECT 1"), testing::StartsWith("LEAT0215 macros/m.sql:1:8:"));
  Macro("CREATE MACRO m.f(x) AS\n  'é' || (x + ;");
  EXPECT_THAT(Tables("SELECT 1"), testing::StartsWith("LEAT0201 macros/m.sql:2:"));
  Macro("CREATE MACRO m.f(x) AS m.g(x); CREATE MACRO m.g(x) AS m.f(x)");
  EXPECT_EQ(Tables("SELECT m.f(1)"), "LEAT0208 macros/m.sql:1:1: macros call each other in a circle: m.f → m.g → m.f");
  Macro("CREATE MACRO m.f(x) AS read_csv(x)");
  EXPECT_THAT(Tables("SELECT m.f(1)"), testing::StartsWith("LEAT0207 macros/m.sql:1:24:"));
}

TEST_F(TablesReadTest, MacrosAreMadeInTheirOrder) {
  Macro("CREATE MACRO shop.b(x) AS shop.a(x) * 2; CREATE MACRO shop.a(x) AS x + 1;");
  Macros macros(connection_, files_);
  macros.Make(connection_, ReadsOf(connection_, macros, "m.sql", "SELECT shop.b(1)").macros);
  EXPECT_EQ(connection_.QueryInt64("SELECT shop.b(1)"), 4);
}

TEST_F(TablesReadTest, CommentsAndBlanksDoNotCountInTheNormalisedSql) {
  EXPECT_EQ(Reads("SELECT a,b FROM s.t").normalised, Reads("/* x */ select a,\n  b -- y\nfrom s.t").normalised);
  EXPECT_NE(Reads("SELECT a,b FROM s.t").normalised, Reads("SELECT a,c FROM s.t").normalised);
}

}  // namespace
}  // namespace leat::models
