#include "models/graph.h"

#include <gtest/gtest.h>

#include <chrono>

#include "models/model_fixture.h"

namespace leat::models {
namespace {

class GraphTest : public ModelsTest {
 protected:
  GraphTest() {
    Stream("totesys.staff", "staff_id INTEGER, name VARCHAR", {"staff_id"});
    Stream("totesys.sale", "id INTEGER, day DATE", {"id"});
  }

  void Read() {
    const config::LoadResult loaded = config::LoadProject(folder_);
    EXPECT_EQ(Describe(loaded.diagnostics), "");
    project_ = loaded.project;
    macros_ = std::make_unique<Macros>(connection_, project_.macros);
    faults_.clear();
    graph_ = MakeGraph(connection_, project_, *macros_, KnownNames(), faults_);
  }
  /// The models in their order, then the faults.
  std::string Order() {
    Read();
    std::string text;
    for (const Node& node : graph_.nodes) text += node.model->name + "\n";
    return text + Describe(faults_);
  }
  std::string Validated() {
    Read();
    std::map<std::string, std::vector<duck::Column>> columns;
    for (const auto& [name, stream] : streams_) columns[name] = stream.columns;
    duck::Database database;
    engine::Engine engine(database, *storage_, project_);
    return Describe(Validate(engine, *macros_, project_, graph_, columns));
  }

  std::vector<Diagnostic> faults_;
};

TEST_F(GraphTest, OrdersModelsByWhatTheyReadAndReference) {
  Model("mart/a.sql", "SELECT * FROM mart.c");
  Model("mart/b.sql", "/* ---\nchecks: [references: {id: mart.d}]\n--- */\nSELECT 1 AS id");
  Model("mart/c.sql", "SELECT * FROM mart.b JOIN totesys.staff USING (id)");
  Model("mart/d.sql", "/* ---\nkey: id\n--- */\nSELECT 1 AS id, staff_id FROM totesys.staff__history");
  EXPECT_EQ(Order(), "mart.d\nmart.b\nmart.c\nmart.a\n");
  EXPECT_EQ(graph_.Below("mart.d"), (std::set<std::string>{"mart.a", "mart.b", "mart.c"}));
  EXPECT_EQ(graph_.Below("mart.a"), std::set<std::string>{});
}

TEST_F(GraphTest, ACalendarWithoutBoundsComesAfterWhatRefersToIt) {
  Model("mart/a_date.yaml", "kind: dim_date\n");
  Model("mart/b_date.yaml", "kind: dim_date\nfrom: 2020-01-01\nto: 2020-12-31\n");
  Model("mart/c.sql", "/* ---\nchecks: [references: {day: mart.a_date}]\n--- */\nSELECT DATE '2020-01-01' AS day");
  Model("mart/d.sql",
        "/* ---\nchecks: [references: {day: mart.a_date}]\n--- */\nSELECT date_id AS day FROM mart.a_date");
  Model("mart/a.sql", "/* ---\nchecks: [references: {day: mart.b_date}]\n--- */\nSELECT DATE '2020-01-01' AS day");
  EXPECT_EQ(Order(), "mart.b_date\nmart.a\nmart.c\nmart.a_date\nmart.d\n");
  EXPECT_EQ(graph_.WithDates({"mart.c"}), (std::set<std::string>{"mart.a_date", "mart.c"}));
  EXPECT_EQ(graph_.Below("mart.a_date"), (std::set<std::string>{"mart.c", "mart.d"}));
}

TEST_F(GraphTest, ReportsACycleWithItsReferences) {
  Model("mart/a.sql", "SELECT *\nFROM mart.b");
  Model("mart/b.sql", "/* ---\nchecks: [references: {id: mart.c}]\n--- */\nSELECT 1 AS id");
  Model("mart/c.sql", "/* ---\nkey: id\n--- */\nSELECT * FROM mart.a");
  Model("mart/d.sql", "SELECT * FROM mart.a");
  Model("mart/e.sql", "SELECT * FROM totesys.staff");
  EXPECT_EQ(Order(),
            "mart.e\n  LEAT0208 models/mart/a.sql:2:6 models wait for each other: mart.a → mart.b → mart.c → mart.a\n"
            "    note: mart.a reads mart.b at models/mart/a.sql:2:6\n"
            "    note: mart.b references mart.c at models/mart/b.sql:2:27\n"
            "    note: mart.c reads mart.a at models/mart/c.sql:4:15\n");
  Model("mart/a.sql", "SELECT * FROM mart.a");
  EXPECT_THAT(Order(),
              testing::HasSubstr("LEAT0208 models/mart/a.sql:1:15 models wait for each other: mart.a → mart.a\n"));
}

TEST_F(GraphTest, NamesTheNearestTable) {
  Model("mart/a.sql", "SELECT *\nFROM totesys.staf");
  Model("mart/b.sql", "SELECT * FROM totesys.sael__history");
  Model("mart/c.sql", "SELECT * FROM mart.a");
  EXPECT_EQ(Order(),
            "  LEAT0204 models/mart/a.sql:2:6 table totesys.staf does not exist\n"
            "  LEAT0204 models/mart/b.sql:1:15 table totesys.sael__history does not exist\n");
  EXPECT_EQ(faults_[0].help, std::vector<std::string>{"did you mean totesys.staff?"});
  EXPECT_EQ(faults_[0].place.end_column, 18);
  EXPECT_EQ(faults_[1].help, std::vector<std::string>{"did you mean totesys.sale__history?"});
}

TEST_F(GraphTest, ValidatesWithoutARow) {
  Model("mart/a.sql",
        "/* ---\nkey: staf_id\nchecks:\n  - not_null: [nam]\n  - accepted_values: {staff_id: [one]}\n"
        "  - {not_null: [name], where: nope > 1}\nwarehouse: {types: {nam: text}}\n--- */\nSELECT staff_id, name FROM "
        "totesys.staff");
  Model("mart/b.sql", "SELECT name, nom FROM mart.a");
  Model("mart/c.sql",
        "/* ---\nkind: history\nkey: id\nchecks: [references: {id: mart.d}]\n--- */\nSELECT id FROM "
        "totesys.sale__history");
  Model("mart/d.sql", "/* ---\nkey: name\n--- */\nSELECT name FROM totesys.staff");
  File("checks/k.sql", "SELECT nope FROM mart.a");
  EXPECT_EQ(Validated(),
            "  LEAT0217 models/mart/a.sql:2:6 `key` names column \"staf_id\", which mart.a does not have\n"
            "  LEAT0217 models/mart/a.sql:7:26 `warehouse: types` names column \"nam\", which mart.a does not have\n"
            "  LEAT0217 models/mart/a.sql:4:16 check not_null names column \"nam\", which mart.a does not have\n"
            "  LEAT0218 models/mart/a.sql:5:5 check accepted_values: \"one\" is no value of column staff_id, which has "
            "type INTEGER\n"
            "  LEAT0218 models/mart/a.sql:6:6 `where` of not_null cannot be used: Referenced column \"nope\" not found "
            "in FROM clause!\n"
            "  LEAT0203 models/mart/b.sql:1:14 column \"nom\" does not exist in mart.a\n"
            "    note: mart.a has 2 columns:  leat preview mart.a\n"
            "  LEAT0218 models/mart/c.sql:4:23 column id has type INTEGER, the key name of mart.d has VARCHAR; "
            "expected equal types\n"
            "  LEAT0203 checks/k.sql:1:8 column \"nope\" does not exist in mart.a\n"
            "    note: mart.a has 2 columns:  leat preview mart.a\n");
}

TEST_F(GraphTest, AFaultThatEndsTheTransactionSparesTheModelsBehindIt) {
  File("macros/m.sql", "CREATE MACRO shop.shout(x) AS upper(x) || '!';");
  Model("mart/a.sql", "SELECT shop.shout(name) AS name FROM totesys.staff");
  Model("mart/b.sql", "SELECT strftime(DATE '2020-01-01', '%') AS d FROM mart.a");
  Model("mart/c.sql", "SELECT shop.shout(name) AS name FROM mart.a");
  const std::string faults = Validated();
  EXPECT_EQ(faults.find("mart/c.sql"), std::string::npos) << faults;
  EXPECT_EQ(faults.find("mart/a.sql"), std::string::npos) << faults;
}

TEST_F(GraphTest, TwoHundredModelsAreReadAndValidatedQuickly) {
  for (int i = 0; i < 200; ++i)
    Model(fmt::format("mart/m{}.sql", i),
          fmt::format(
              "SELECT s.staff_id, s.name, count(*) AS n FROM {} s JOIN totesys.staff t USING (staff_id) GROUP BY ALL",
              i % 10 == 0 ? "totesys.staff" : fmt::format("mart.m{}", i - 1)));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Validated(), "");
  EXPECT_EQ(graph_.nodes.size(), 200u);
  // An unoptimised build with sanitizers and neighbours on the machine is slower than what people run, but not without
  // bound.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(GraphTest, AStreamAtAMomentIsAnInput) {
  Model("mart/a.sql", "SELECT staff_id, nme FROM totesys.staff__at($run_time)");
  Model("mart/b.sql", "SELECT * FROM totesys.staff__at(7)");
  Model("mart/c.sql",
        "SELECT name FROM totesys.staff__at('2024-01-31') JOIN totesys.sale__at(now()) ON day > '2024-01-01'");
  EXPECT_EQ(Validated(),
            "  LEAT0203 models/mart/a.sql:1:18 column \"nme\" does not exist in totesys.staff__at()\n"
            "    note: totesys.staff__at() has 2 columns:  leat preview totesys.staff\n"
            "  LEAT0213 models/mart/b.sql:1:15 Cannot compare values of type TIMESTAMP WITH TIME ZONE and type "
            "INTEGER_LITERAL - an explicit cast is required\n");
  EXPECT_EQ(graph_.Find("mart.c")->reads.TableNames(),
            (std::vector<std::string>{"totesys.staff__at()", "totesys.sale__at()"}));
  Model("mart/a.sql", "SELECT * FROM totesys.stff__at(now())");
  Model("mart/b.sql", "SELECT * FROM mart.c__at(now())");
  Model("mart/c.sql", "SELECT * FROM totesys.staff__at");
  EXPECT_EQ(Order(),
            "  LEAT0204 models/mart/a.sql:1:15 table totesys.stff__at() does not exist\n"
            "  LEAT0204 models/mart/b.sql:1:15 table mart.c__at() does not exist\n"
            "  LEAT0204 models/mart/c.sql:1:15 table totesys.staff__at does not exist\n");
  EXPECT_EQ(faults_[0].help, (std::vector<std::string>{"did you mean totesys.staff__at()?"}));
  EXPECT_EQ(faults_[1].help,
            (std::vector<std::string>{"only a source's streams are kept as they were: source.stream__at(moment)"}));
  EXPECT_EQ(faults_[2].help,
            (std::vector<std::string>{"it takes a moment: totesys.staff__at(TIMESTAMPTZ '2024-12-31')"}));
}

TEST_F(GraphTest, PreparesModelsOfAllKinds) {
  Model("mart/a.sql",
        "/* ---\nkind: incremental\nkey: staff_id\n--- */\n"
        "SELECT staff_id, name, $since AS since FROM totesys.staff__history WHERE _leat_time > $since");
  Model("mart/b.sql",
        "/* ---\nkind: scd2\nkey: staff_id\nchecks: [unique: [staff_id, valid_from]]\n--- */\n"
        "SELECT * FROM totesys.staff__history");
  Model("mart/c.sql", "SELECT name, valid_to, is_current, since FROM mart.b JOIN mart.a USING (staff_id, name)");
  EXPECT_EQ(Validated(), "");
}

}  // namespace
}  // namespace leat::models
