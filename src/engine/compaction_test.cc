#include "engine/compaction.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>

#include "core/text.h"

namespace leat::engine {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

/// A stream, and beside it the plain table `versions` of DuckDB that has taken in the same rows:
///     Commit("(1, 'Leeds', 'u'), (2, 'Bath', 'd')");
///     ExpectTheSameRows();
class CompactionTest : public testing::Test {
 protected:
  CompactionTest() {
    connection_.Execute("CREATE TABLE versions (id INTEGER, city VARCHAR, _leat_op VARCHAR, _leat_seq BIGINT)");
  }
  ~CompactionTest() override { std::filesystem::remove_all(folder_); }

  static std::string MakeTemporaryFolder() {
    std::string name = testing::TempDir() + "leat-compaction-XXXXXX";
    return mkdtemp(name.data());
  }

  static lake::Schema StreamSchema() {
    return lake::SchemaOf({{"id", "INTEGER"},
                           {"city", "VARCHAR"},
                           {"_leat_op", "VARCHAR"},
                           {"_leat_seq", "BIGINT"},
                           {"_leat_time", "TIMESTAMP WITH TIME ZONE"},
                           {"_leat_run", "BIGINT"},
                           {lake::kSupersededColumn, "BOOLEAN"}});
  }

  /// A change that adds these versions; the first is the base.
  lake::PendingTable Pending(const std::string& rows) {
    ++commits_;
    connection_.Execute(
        fmt::format("INSERT INTO versions SELECT id, city, op, {} FROM (VALUES {}) v (id, city, op)", Seq(), rows));
    const std::string select = fmt::format(
        "SELECT id, city, op AS _leat_op, {}::BIGINT AS _leat_seq, make_timestamptz({}) AS _leat_time, {}::BIGINT AS "
        "_leat_run, false AS _leat_superseded FROM (VALUES {}) AS v (id, city, op)",
        Seq(), commits_, commits_, rows);
    lake::PendingTable pending{.name = kStream, .base = table_, .location = kPlace};
    pending.change.schema = StreamSchema();
    pending.change.added = writer_.WriteRows(connection_, kPlace, pending.change.schema, select);
    pending.change.properties = {{"leat.kind", "stream"}, {"leat.key", R"(["id"])"}};
    if (!table_) pending.change.properties["leat.base_seq"] = std::to_string(Seq());
    return pending;
  }
  int64_t Seq() const { return commits_ << 24; }

  void Publish(lake::PendingTable pending) {
    Compact(engine_, connection_, writer_, pending);
    table_ = writer_.Apply(pending.base, pending.name, pending.location, pending.change);
    engine_.Put(kStream, Relation::Of(*table_));
  }
  void Commit(const std::string& rows) { Publish(Pending(rows)); }

  std::vector<std::string> Texts(const std::string& select) {
    return connection_.QueryTexts("SELECT CAST(t AS VARCHAR) FROM (" + select + ") t ORDER BY 1");
  }

  /// Current rows and all versions are those that plain SQL finds in everything that was committed.
  void ExpectTheSameRows() {
    engine_.Bind({"crm.customer", "crm.customer__history"});
    duck::Connection& engine = engine_.connection();
    const std::string current =
        "SELECT id, city FROM (SELECT * FROM versions QUALIFY row_number() OVER (PARTITION BY id ORDER BY _leat_seq "
        "DESC) = 1) WHERE _leat_op = 'u'";
    EXPECT_EQ(engine.QueryTexts("SELECT CAST(t AS VARCHAR) FROM crm.customer t ORDER BY 1"), Texts(current));
    EXPECT_EQ(engine.QueryTexts("SELECT CAST(t AS VARCHAR) FROM (SELECT id, city, _leat_op, _leat_seq FROM "
                                "crm.customer__history) t ORDER BY 1"),
              Texts("SELECT * FROM versions"));
    EXPECT_EQ(engine.QueryInt64("SELECT count(*) FROM crm.customer__history WHERE _leat_seq != _leat_run << 24 OR "
                                "epoch_us(_leat_time) != _leat_run"),
              0);
    EXPECT_EQ(table_->record_count(), connection_.QueryInt64("SELECT count(*) FROM versions"));
  }

  size_t FilesIn(bool superseded) const {
    size_t count = 0;
    for (const lake::DataFile& file : table_->files()) count += file.superseded.value_or(false) == superseded ? 1 : 0;
    return count;
  }
  int64_t BaseCommit() const { return std::stoll(table_->Property("leat.base_seq").value()) >> 24; }
  size_t FilesOnDisk() const { return storage_->List(std::string(kPlace) + "/data").size(); }

  /// `(1, 'x', 'u'), (2, 'x', 'u'), …`
  static std::string Rows(int first, int last, const std::string& city) {
    std::string rows;
    for (int id = first; id <= last; ++id) rows += fmt::format("{}({}, '{}', 'u')", rows.empty() ? "" : ", ", id, city);
    return rows;
  }

  const state::TableName kStream = {"crm", "customer__history"};
  static constexpr const char* kPlace = "raw/crm/customer";
  std::string folder_ = MakeTemporaryFolder();
  config::Project project_{.folder = folder_};
  duck::Database database_{{.threads = 2}};
  duck::Connection connection_{database_};
  std::unique_ptr<lake::Storage> storage_ = lake::OpenLocalStorage(folder_ + "/lake");
  lake::TableWriter writer_{*storage_};
  Engine engine_{database_, *storage_, project_};
  std::optional<lake::Table> table_;
  int64_t commits_ = 0;
};

TEST_F(CompactionTest, RewritesTheBasePastAFifthOfItsRows) {
  Commit(Rows(1, 20, "Leeds"));
  Commit("(1, 'Bath', 'u'), (2, 'Leeds', 'd')");
  Commit("(3, 'Bath', 'u'), (21, 'York', 'u')");
  EXPECT_EQ(BaseCommit(), 1);
  EXPECT_THAT(table_->files(), SizeIs(3));
  EXPECT_EQ(FilesIn(true), 0u);
  ExpectTheSameRows();
  Commit("(1, 'Hull', 'u')");
  EXPECT_EQ(BaseCommit(), 4);
  EXPECT_THAT(table_->files(), SizeIs(2));
  EXPECT_EQ(FilesIn(true), 1u);
  EXPECT_EQ(engine_.Find(kStream)->LiveFiles().at(0).record_count, 20);
  EXPECT_THAT(engine_.Find(kStream)->NewerFiles(), SizeIs(0));
  ExpectTheSameRows();
  // Three files that older snapshots name, and the two new ones: what the fourth commit brought went into them.
  EXPECT_EQ(FilesOnDisk(), 5u);
  Commit("(2, 'Ely', 'u'), (1, 'Hull', 'd')");
  EXPECT_EQ(BaseCommit(), 4);
  ExpectTheSameRows();
}

TEST_F(CompactionTest, ADeleteThatIsTheNewestVersionMovesTheBase) {
  Commit(Rows(1, 3, "Leeds"));
  Commit("(2, 'Leeds', 'd')");
  EXPECT_EQ(BaseCommit(), 2);
  ExpectTheSameRows();
  Commit("(1, 'Leeds', 'd'), (3, 'Leeds', 'd')");
  EXPECT_EQ(FilesIn(false), 0u);
  EXPECT_EQ(BaseCommit(), 3);
  ExpectTheSameRows();
  Commit("(1, 'Leeds', 'u')");
  ExpectTheSameRows();
}

TEST_F(CompactionTest, CurrentRowsOpenNoSupersededFile) {
  Commit(Rows(1, 3, "Leeds"));
  Commit(Rows(1, 3, "Bath"));
  for (const lake::DataFile& file : table_->files())
    if (file.superseded.value()) storage_->RemoveQuietly(storage_->NameOf(file.path));
  engine_.Bind({"crm.customer"});
  EXPECT_EQ(engine_.connection().QueryInt64("SELECT count(*) FROM crm.customer"), 3);
  EXPECT_THROW(engine_.Bind({"crm.customer__history"}), Error);
}

TEST_F(CompactionTest, VersionsOfAFormerKeyAreSuperseded) {
  Commit("(1, 'Leeds', 'u'), (2, 'Leeds', 'u')");
  lake::PendingTable by_city = Pending("(1, 'Leeds', 'u'), (2, 'Bath', 'u')");
  by_city.change.properties["leat.key"] = R"(["city"])";
  by_city.change.properties["leat.base_seq"] = by_city.change.properties["leat.base_from_seq"] = std::to_string(Seq());
  Publish(by_city);
  EXPECT_EQ(FilesIn(true), 0u);
  lake::PendingTable next = Pending("(3, 'Bath', 'u')");
  next.change.properties["leat.key"] = R"(["city"])";
  Publish(next);
  EXPECT_EQ(BaseCommit(), 3);
  engine_.Bind({"crm.customer", "crm.customer__history"});
  EXPECT_THAT(engine_.connection().QueryTexts("SELECT city || id FROM crm.customer ORDER BY 1"),
              ElementsAre("Bath3", "Leeds1"));
  EXPECT_EQ(engine_.connection().QueryInt64("SELECT count(*) FROM crm.customer__history"), 5);
  for (const lake::DataFile& file : table_->files()) EXPECT_EQ(file.record_count, file.superseded.value() ? 3 : 2);
}

TEST_F(CompactionTest, MergesManySmallFiles) {
  Commit(Rows(1, 1000, "Leeds"));
  for (int i = 0; i < 53; ++i) {
    Commit(fmt::format("({}, 'Bath', '{}')", i % 60, i % 3 == 0 ? "d" : "u"));
  }
  EXPECT_THAT(table_->files(), SizeIs(4));  // base, merged, and what two commits brought
  EXPECT_EQ(BaseCommit(), 1);
  EXPECT_EQ(FilesIn(true), 0u);
  ExpectTheSameRows();
}

TEST_F(CompactionTest, MergesManySupersededFiles) {
  Commit("(1, 'Leeds', 'u')");
  for (int i = 0; i < 53; ++i) Commit(fmt::format("(1, 'Bath {}', 'u')", i));
  EXPECT_THAT(table_->files(), SizeIs(4));
  ExpectTheSameRows();
}

TEST_F(CompactionTest, AnyOrderOfVersionsStaysWhatItWas) {
  for (const unsigned seed : {1u, 2u}) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](int bound) { return static_cast<int>(random() % static_cast<unsigned>(bound)); };
    table_.reset();
    connection_.Execute("DELETE FROM versions");
    Commit(Rows(1, 1 + below(60), "base"));
    int rewrites = 0;
    for (int i = 0; i < 25; ++i) {
      const int64_t base = BaseCommit();
      std::map<int, std::string> rows;  // one version of a key in a commit
      for (int n = 0; n <= below(8); ++n) {
        const int id = 1 + below(80);
        rows[id] = fmt::format("({}, 'city {}', '{}')", id, below(5), below(4) == 0 ? "d" : "u");
      }
      std::string text;
      for (const auto& [id, row] : rows) text += (text.empty() ? "" : ", ") + row;
      Commit(text);
      ExpectTheSameRows();
      rewrites += BaseCommit() != base ? 1 : 0;
    }
    EXPECT_GE(rewrites, 5);
  }
}

TEST_F(CompactionTest, ATableWithoutPartitionsGetsThemWithItsFirstRewrite) {
  const auto without_column = [&](const std::string& rows) {
    lake::PendingTable pending = Pending(rows);
    pending.change.schema.fields.pop_back();
    pending.change.added = writer_.WriteRows(
        connection_, kPlace, pending.change.schema,
        "SELECT * FROM " + lake::ReadFilesSql(*storage_, pending.change.schema, pending.change.added));
    return pending;
  };
  lake::PendingTable first = without_column(Rows(1, 10, "Leeds"));
  table_ = writer_.Apply(first.base, first.name, first.location, first.change);
  Commit("(1, 'Bath', 'u')");
  EXPECT_EQ(BaseCommit(), 1);
  EXPECT_EQ(table_->files().at(1).superseded, std::nullopt);
  ExpectTheSameRows();
  Commit("(2, 'Bath', 'u'), (3, 'Leeds', 'd')");
  EXPECT_EQ(BaseCommit(), 3);
  EXPECT_EQ(FilesIn(true), 1u);
  ExpectTheSameRows();
}

TEST_F(CompactionTest, AppendedTablesKeepFewFiles) {
  const lake::Schema schema = lake::SchemaOf({{"id", "INTEGER"}, {"_leat_seq", "BIGINT"}});
  std::optional<lake::Table> fact;
  for (int i = 0; i < 108; ++i) {
    lake::PendingTable pending{.name = {"mart", "fact"}, .base = fact, .location = "processed/mart/fact"};
    pending.change.schema = schema;
    pending.change.properties = {{"leat.kind", "model"}};
    pending.change.added =
        writer_.WriteRows(connection_, pending.location, schema, fmt::format("SELECT {0} AS id, {0} AS _leat_seq", i));
    const std::string added = pending.change.added.at(0).path;
    Compact(engine_, connection_, writer_, pending);
    EXPECT_EQ(pending.change.added.at(0).path, added);  // a model reads on in what it has just written
    fact = writer_.Apply(pending.base, pending.name, pending.location, pending.change);
    ASSERT_LE(fact->files().size(), 52u);
  }
  EXPECT_EQ(
      connection_.QueryText(fmt::format("SELECT count(*) || ' ' || count(DISTINCT id) || ' ' || sum(_leat_seq) FROM {}",
                                        lake::ReadFilesSql(*storage_, schema, fact->files()))),
      "108 108 5778");
  EXPECT_EQ(fact->record_count(), 108);
}

TEST_F(CompactionTest, NothingIsLostWhenItCannotBeWritten) {
  Commit(Rows(1, 3, "Leeds"));
  lake::PendingTable pending = Pending("(2, 'Bath', 'u')");
  const size_t before = FilesOnDisk();
  storage_->RemoveQuietly(storage_->NameOf(table_->files().at(0).path));
  EXPECT_THROW(Compact(engine_, connection_, writer_, pending), Error);
  EXPECT_EQ(FilesOnDisk(), before - 1);
  EXPECT_THAT(pending.change.added, SizeIs(1));
  EXPECT_THAT(pending.change.removed, SizeIs(0));
  EXPECT_EQ(pending.change.properties.count("leat.base_seq"), 0u);
}

TEST_F(CompactionTest, StopsWhenTheFilesHoldOtherRowsThanTheirManifestsCount) {
  Commit(Rows(1, 3, "Leeds"));
  lake::PendingTable pending = Pending("(2, 'Bath', 'u')");
  pending.change.added.at(0).record_count = 2;
  const size_t before = FilesOnDisk();
  try {
    Compact(engine_, connection_, writer_, pending);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code() + ": " + error.message(),
              "LEAT0523: table crm.customer__history was to get new files of 5 rows, as its manifests count them; they "
              "hold 4");
    EXPECT_THAT(error.diagnostic().help, ElementsAre("see whether another program changed files of raw/crm/customer"));
  }
  EXPECT_EQ(FilesOnDisk(), before);
  EXPECT_THAT(pending.change.added, SizeIs(1));
}

}  // namespace
}  // namespace leat::engine
