#include "engine/engine.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/file_system.h"
#include "core/text.h"

namespace leat::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A lake in a temporary folder. Commits are written as rows of (id, city, op):
///     Commit(1, "(1, 'Leeds', 'u'), (2, 'Bath', 'u')");
class EngineTest : public testing::Test {
 protected:
  static std::string MakeFolder() {
    char name[] = "/tmp/leat-engine-XXXXXX";
    return mkdtemp(name);
  }
  ~EngineTest() override { std::filesystem::remove_all(folder_); }

  void Commit(int64_t number, const std::string& rows) {
    const int64_t seq = number << 24;
    const std::string select = fmt::format(
        "SELECT id, city, op AS _leat_op, {}::BIGINT AS _leat_seq, make_timestamptz({}) AS _leat_time, 1::BIGINT AS "
        "_leat_run "
        "FROM (VALUES {}) AS v (id, city, op)",
        seq, number, rows);
    lake::TableChange change{.schema = Schema()};
    change.added = writer_.WriteRows(connection_, kLocation, change.schema, select);
    change.properties = {{"leat.kind", "stream"}, {"leat.key", R"(["id"])"}};
    if (!table_) change.properties["leat.base_seq"] = std::to_string(seq);
    table_ = writer_.Apply(table_, kName, kLocation, change);
    engine_.Put(kName, Relation::Of(*table_));
  }

  static lake::Schema Schema() {
    return lake::SchemaOf({{"id", "INTEGER"},
                           {"city", "VARCHAR"},
                           {"_leat_op", "VARCHAR"},
                           {"_leat_seq", "BIGINT"},
                           {"_leat_time", "TIMESTAMP WITH TIME ZONE"},
                           {"_leat_run", "BIGINT"}});
  }

  std::vector<std::string> Rows(const std::string& select) {
    return connection_.QueryTexts("SELECT CAST(t AS VARCHAR) FROM (" + select + ") t ORDER BY 1");
  }

  const state::TableName kName = {"crm", "customer__history"};
  const std::string kLocation = "raw/crm/customer";
  std::string folder_ = MakeFolder();
  config::Project project_{.folder = folder_};
  duck::Database database_;
  duck::Connection connection_{database_};
  std::unique_ptr<lake::Storage> storage_ = lake::OpenLocalStorage(folder_ + "/lake");
  lake::TableWriter writer_{*storage_};
  Engine engine_{database_, *storage_, project_};
  std::optional<lake::Table> table_;
};

TEST_F(EngineTest, ShowsTheNewestVersionPerKeyAndHidesDeletedOnes) {
  Commit(1, "(1, 'Leeds', 'u'), (2, 'Bath', 'u'), (3, 'York', 'u')");
  Commit(2, "(1, 'Hull', 'u'), (3, 'York', 'd'), (4, 'Ely', 'u')");
  Commit(3, "(1, 'Leeds', 'u'), (4, 'Ely', 'd')");
  Commit(4, "(4, 'Ely', 'u')");
  engine_.Bind({"crm.customer", "crm.customer__history"});
  EXPECT_THAT(Rows("SELECT id, city FROM crm.customer"),
              ElementsAre("{'id': 1, 'city': Leeds}", "{'id': 2, 'city': Bath}", "{'id': 4, 'city': Ely}"));
  EXPECT_EQ(connection_.QueryInt64("SELECT count(*) FROM crm.customer__history"), 9);
  EXPECT_EQ(connection_.QueryInt64("SELECT max(_leat_seq) FROM crm.customer__history"), int64_t{4} << 24);
}

TEST_F(EngineTest, WithAnotherKeyTheCurrentRowsBeginAnewAndTheOldOnesStayAsHistory) {
  Commit(1, "(1, 'Leeds', 'u'), (2, 'Bath', 'u')");
  Commit(2, "(3, 'Leeds', 'u'), (2, 'Bath', 'u')");
  Relation by_city = *engine_.Find(kName);
  by_city.key = {"city"};
  by_city.base_from_seq = by_city.base_seq = int64_t{2} << 24;
  engine_.Put(kName, by_city);
  engine_.Bind({"crm.customer", "crm.customer__history"});
  EXPECT_THAT(Rows("SELECT id FROM crm.customer"), ElementsAre("{'id': 2}", "{'id': 3}"));
  EXPECT_EQ(connection_.QueryInt64("SELECT count(*) FROM crm.customer__history"), 4);
}

TEST_F(EngineTest, FollowsANewCommit) {
  Commit(1, "(1, 'Leeds', 'u')");
  engine_.Bind({"crm.customer"});
  Commit(2, "(1, 'Hull', 'u')");
  engine_.Bind({"crm.customer"});
  EXPECT_THAT(Rows("SELECT city FROM crm.customer"), ElementsAre("{'city': Hull}"));
}

TEST_F(EngineTest, HidesOurColumnsFromCurrentRows) {
  Commit(1, "(1, 'Leeds', 'u')");
  engine_.Bind({"crm.customer"});
  EXPECT_THAT(connection_.Describe("SELECT * FROM crm.customer"),
              ElementsAre(duck::Column{"id", "INTEGER"}, duck::Column{"city", "VARCHAR"}));
  EXPECT_EQ(engine_.ColumnsOf("crm.customer__history").size(), 6u);
}

TEST_F(EngineTest, SaysNothingOfHowVersionsAreStored) {
  Commit(1, "(1, 'Leeds', 'u')");
  Relation parted = *engine_.Find(kName);
  parted.schema.fields.push_back({.id = 9, .name = lake::kSupersededColumn, .type = {lake::Type::Kind::kBoolean}});
  engine_.Put(kName, parted);
  engine_.Bind({"crm.customer__history"});
  EXPECT_EQ(engine_.ColumnsOf("crm.customer__history").size(), 6u);
  EXPECT_THAT(engine_.connection().Describe("SELECT * FROM crm.customer__history"), testing::SizeIs(6));
}

TEST_F(EngineTest, AStreamWithoutRowsIsAnEmptyTable) {
  Commit(1, "(1, 'Leeds', 'u')");
  Relation empty = *engine_.Find(kName);
  empty.files.clear();
  engine_.Put(kName, empty);
  engine_.Bind({"crm.customer"});
  EXPECT_THAT(Rows("SELECT * FROM crm.customer"), IsEmpty());
}

TEST_F(EngineTest, ReadsSeedsWithTheirTypesAndNoticesAnEdit) {
  MakeDirectories(folder_ + "/seeds");
  ReplaceFile(folder_ + "/seeds/iso.csv", "code,number\nEUR,978\nALL,008\n");
  project_.seeds = {{.name = "seeds.iso", .file = "seeds/iso.csv", .types = {{"number", {"VARCHAR", {}}}}}};
  engine_.Bind({"seeds.iso"});
  EXPECT_THAT(Rows("SELECT number FROM seeds.iso"), ElementsAre("{'number': 008}", "{'number': 978}"));
  const std::string before = engine_.VersionOf("seeds.iso");
  ReplaceFile(folder_ + "/seeds/iso.csv", "code,number\nEUR,978\n");
  EXPECT_NE(engine_.VersionOf("seeds.iso"), before);
}

TEST_F(EngineTest, ALineTooLongInASeedIsAnErrorAndNoOtherHeader) {
  MakeDirectories(folder_ + "/seeds");
  ReplaceFile(folder_ + "/seeds/states.csv", "state,label\nbooked,Booked\nbooked,Twice,x\n");
  project_.seeds = {{.name = "seeds.states", .file = "seeds/states.csv"}};
  try {
    engine_.Bind({"seeds.states"});
    connection_.Execute("SELECT * FROM seeds.states");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(std::string(error.what()), testing::HasSubstr("seeds/states.csv"));
  }
}

TEST_F(EngineTest, ShowsRowsAsTheyWereAtAMoment) {
  Commit(1, "(1, 'Leeds', 'u'), (2, 'Bath', 'u')");
  Commit(2, "(1, 'Hull', 'u'), (2, 'Bath', 'd')");
  Commit(3, "(2, 'Ely', 'u')");
  engine_.Bind({"crm.customer__at()"});
  const auto at = [&](const std::string& moment) {
    return Rows("SELECT id, city FROM crm.customer__at(" + moment + ")");
  };
  EXPECT_THAT(at("TIMESTAMPTZ '1970-01-01'"), IsEmpty());
  EXPECT_THAT(at("make_timestamptz(1)"), ElementsAre("{'id': 1, 'city': Leeds}", "{'id': 2, 'city': Bath}"));
  EXPECT_THAT(at("make_timestamp(2)"), ElementsAre("{'id': 1, 'city': Hull}"));
  EXPECT_THAT(at("DATE '1970-01-02'"), ElementsAre("{'id': 1, 'city': Hull}", "{'id': 2, 'city': Ely}"));
  EXPECT_THAT(at("NULL"), IsEmpty());
  EXPECT_THAT(connection_.Describe("SELECT * FROM crm.customer__at(now())"),
              ElementsAre(duck::Column{"id", "INTEGER"}, duck::Column{"city", "VARCHAR"}));
  EXPECT_EQ(engine_.ColumnsOf("crm.customer__at()").size(), 2U);
  Commit(4, "(1, 'York', 'u')");
  engine_.Bind({"crm.customer__at()"});
  EXPECT_THAT(at("DATE '1970-01-02'"), ElementsAre("{'id': 1, 'city': York}", "{'id': 2, 'city': Ely}"));
}

TEST_F(EngineTest, VersionsUnderAFormerKeyAreNoRowsOfAMoment) {
  Commit(1, "(1, 'Leeds', 'u'), (2, 'Bath', 'u')");
  Commit(2, "(3, 'Hull', 'u')");
  Relation relation = Relation::Of(*table_);
  relation.base_from_seq = int64_t{2} << 24;
  engine_.Put(kName, relation);
  engine_.Bind({"crm.customer__at()"});
  EXPECT_THAT(Rows("SELECT id FROM crm.customer__at(now())"), ElementsAre("{'id': 3}"));
}

TEST_F(EngineTest, TheSourceSaysWhichColumnDatesAVersion) {
  Commit(1, "(1, 'Leeds', 'u')");
  config::Source source{.name = "crm"};
  source.streams = {{.pattern = {"*", {}}}};
  source.defaults.version_time = {"citty", {"sources/crm.yaml", 4, 17, 22}};
  project_.sources = {source};
  const auto fault = [&] {
    try {
      engine_.Bind({"crm.customer__at()"});
    } catch (const Error& error) {
      return fmt::format("{} {} {}; {}", error.code(), error.place().ToString(), error.message(),
                         Join(error.diagnostic().help, "; "));
    }
    return std::string("none");
  };
  EXPECT_EQ(fault(),
            "LEAT0231 sources/crm.yaml:4:17 `version_time` names column 'citty', which crm.customer does not have; did "
            "you mean city?");
  project_.sources[0].defaults.version_time->value = "City";
  EXPECT_EQ(fault(),
            "LEAT0231 sources/crm.yaml:4:17 `version_time` names column 'City' of type VARCHAR; expected DATE, "
            "TIMESTAMP or TIMESTAMPTZ; name a column that says when the version was made, or leave `version_time` out");
  const std::string before = engine_.VersionOf("crm.customer__at()");
  project_.sources[0].defaults.version_time.reset();
  EXPECT_EQ(fault(), "none");
  EXPECT_NE(engine_.VersionOf("crm.customer__at()"), before);
}

TEST_F(EngineTest, AStreamWithoutAKeyHasNoPast) {
  Commit(1, "(1, 'Leeds', 'u')");
  Relation relation = Relation::Of(*table_);
  relation.kind = Relation::Kind::kKeylessStream;
  engine_.Put(kName, relation);
  try {
    engine_.Bind({"crm.customer__at()"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "crm.customer has no key, so crm.customer__at(t) cannot tell its rows apart");
  }
}

TEST_F(EngineTest, NamesTheNearestTableForAnUnknownOne) {
  Commit(1, "(1, 'Leeds', 'u')");
  EXPECT_THAT(engine_.Names(), ElementsAre("crm.customer", "crm.customer__history"));
  try {
    engine_.Bind({"crm.custmer"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "table crm.custmer does not exist");
    EXPECT_THAT(error.diagnostic().help, ElementsAre("did you mean crm.customer?"));
  }
}

TEST_F(EngineTest, BindsEmptyTablesOfTheRightColumns) {
  engine_.BindEmpty("crm.new_table", {{"id", "INTEGER"}, {"price", "DECIMAL(10,2)"}});
  EXPECT_THAT(connection_.Describe("SELECT price FROM crm.new_table"),
              ElementsAre(duck::Column{"price", "DECIMAL(10,2)"}));
  engine_.BindEmpty("crm.new_table__at()", {{"id", "INTEGER"}});
  EXPECT_THAT(connection_.Describe("SELECT * FROM crm.new_table__at(DATE '2024-01-31')"),
              ElementsAre(duck::Column{"id", "INTEGER"}));
  EXPECT_THROW(connection_.Describe("SELECT * FROM crm.new_table__at(31)"), duck::QueryError);
}

TEST(ProducerOfTest, IsTheStreamBehindWhateverStandsBesideIt) {
  EXPECT_EQ(ProducerOf("billing.invoices__history"), "billing.invoices");
  EXPECT_EQ(ProducerOf("billing.invoices__line_items__tiers__history"), "billing.invoices");
  EXPECT_EQ(ProducerOf("billing.invoices__rejects"), "billing.invoices");
  EXPECT_EQ(ProducerOf("src.a___history"), "src.a_") << "a name may end in _";
  EXPECT_EQ(ProducerOf("invoices__line_items__history"), "invoices");
  EXPECT_EQ(ProducerOf("billing.invoices"), "billing.invoices");
  EXPECT_EQ(ProducerOf("billing.invoices__history.total"), "billing.invoices__history.total");
}

}  // namespace
}  // namespace leat::engine
