#include "pipeline/stream_load.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>

#include "core/text.h"
#include "engine/compaction.h"

namespace leat::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// A stream `crm.customer` that takes in commits, and beside it the rows it shows, by id, after each of them.
///     Commit({{1, "Leeds"}, {2, std::nullopt}});   // an upsert and a delete
class StreamLoadTest : public testing::Test {
 protected:
  using Row = std::pair<int, std::optional<std::string>>;
  using Shown = std::map<int, std::string>;

  ~StreamLoadTest() override { std::filesystem::remove_all(folder_); }

  static std::string MakeTemporaryFolder() {
    std::string name = testing::TempDir() + "leat-load-XXXXXX";
    return mkdtemp(name.data());
  }

  static lake::Schema Columns() {
    return lake::SchemaOf({{"id", "INTEGER"},
                           {"city", "VARCHAR"},
                           {"_leat_op", "VARCHAR"},
                           {"_leat_seq", "BIGINT"},
                           {"_leat_time", "TIMESTAMP WITH TIME ZONE"},
                           {"_leat_run", "BIGINT"},
                           {lake::kSupersededColumn, "BOOLEAN"}});
  }

  void Commit(const std::vector<Row>& rows, std::map<std::string, std::string> properties = {}) {
    ++commits_;
    std::vector<std::string> values;
    for (const auto& [id, city] : rows) {
      values.push_back(fmt::format("({}, {}, '{}')", id, city ? QuoteLiteral(*city) : "NULL", city ? "u" : "d"));
      if (city)
        shown_[id] = *city;
      else
        shown_.erase(id);
    }
    properties.insert({{"leat.kind", "stream"}, {"leat.key", R"(["id"])"}});
    if (!table_) properties["leat.base_seq"] = properties["leat.base_from_seq"] = std::to_string(Seq());
    lake::PendingTable pending{.name = {"crm", "customer__history"}, .base = table_, .location = kPlace};
    pending.change.schema = Columns();
    pending.change.properties = properties;
    pending.change.summary["leat.rows"] = std::to_string(shown_.size());
    pending.change.partition_by_superseded = true;
    if (!rows.empty())
      pending.change.added = writer_.WriteRows(
          connection_, kPlace, Columns(),
          fmt::format("SELECT id, city, op AS _leat_op, {}::BIGINT AS _leat_seq, now() AS _leat_time, 1::BIGINT AS "
                      "_leat_run, false AS _leat_superseded FROM (VALUES {}) AS v (id, city, op)",
                      Seq(), Join(values, ", ")));
    engine::Compact(engine_, connection_, writer_, pending);
    table_ = writer_.Apply(pending.base, pending.name, pending.location, pending.change);
    history_.emplace_back(table_->snapshot()->id, shown_);
  }
  int64_t Seq() const { return commits_ << 24; }

  warehouse::TableLoad Load() const {
    return LoadOfStream(SpecOfStream(project_, "crm.customer", engine::Relation::Of(*table_).schema,
                                     engine::Relation::Of(*table_).key, {}),
                        *table_, engine_);
  }

  Shown Rows(const std::string& select) {
    Shown rows;
    for (const std::string& row : connection_.QueryTexts("SELECT id || '=' || city FROM (" + select + ")"))
      rows[std::stoi(row)] = row.substr(row.find('=') + 1);
    return rows;
  }

  /// Bring the rows of an older snapshot up to date, as a warehouse would.
  Shown Apply(Shown rows, const warehouse::Delta& delta) {
    for (const std::string& id : connection_.QueryTexts(delta.deletes)) rows.erase(std::stoi(id));
    for (const auto& [id, city] : Rows(delta.upserts)) rows[id] = city;
    return rows;
  }

  static constexpr const char* kPlace = "raw/crm/customer";
  std::string folder_ = MakeTemporaryFolder();
  config::Project project_{.folder = folder_, .warehouse = config::Warehouse{.schema = "{namespace}"}};
  duck::Database database_{{.threads = 2}};
  duck::Connection connection_{database_};
  std::unique_ptr<lake::Storage> storage_ = lake::OpenLocalStorage(folder_);
  lake::TableWriter writer_{*storage_};
  engine::Engine engine_{database_, *storage_, project_};
  std::optional<lake::Table> table_;
  Shown shown_;
  std::vector<std::pair<int64_t, Shown>> history_;  ///< snapshot and rows of each commit
  int64_t commits_ = 0;
};

TEST_F(StreamLoadTest, TheSpecNamesTheCurrentRowsAndTheirKey) {
  Commit({{1, "Leeds"}, {2, "Bath"}, {3, "York"}});
  Commit({{2, std::nullopt}});
  const warehouse::TableLoad load = Load();
  EXPECT_EQ(load.spec.schema, "crm");
  EXPECT_EQ(load.spec.table, "customer");
  EXPECT_THAT(load.spec.primary_key, ElementsAre("id"));
  EXPECT_THAT(load.spec.columns, SizeIs(2));
  EXPECT_TRUE(load.spec.is_stream);
  EXPECT_EQ(load.rows, 2);
  EXPECT_EQ(Rows(load.all_rows), shown_);
}

TEST_F(StreamLoadTest, ADeltaFromAnySnapshotHoldsWhatChangedAndNoMore) {
  std::mt19937 random(7);
  Commit({{0, "Leeds"}});
  for (int commit = 0; commit < 12; ++commit) {
    std::map<int, std::optional<std::string>> rows;
    // A few, and now and then so many that the base is written anew.
    const int count = commit % 4 == 3 ? 30 : 4;
    for (int i = 0; i < count; ++i) {
      const int id = static_cast<int>(random() % 60);
      const bool is_gone = random() % 4 == 0;
      if (is_gone && !shown_.contains(id)) continue;
      rows[id] = is_gone ? std::nullopt : std::optional(fmt::format("city {}", random() % 5));
    }
    Commit({rows.begin(), rows.end()});
    const warehouse::TableLoad load = Load();
    ASSERT_EQ(Rows(load.all_rows), shown_);
    for (size_t from = 0; from < history_.size(); from += 3) {
      const auto& [snapshot, before] = history_[from];
      const auto delta = load.since(snapshot);
      ASSERT_TRUE(delta) << from;
      EXPECT_FALSE(load.replaces(snapshot));
      ASSERT_EQ(Apply(before, *delta), shown_) << "from commit " << from << " to " << commits_;
    }
    const auto& [previous, before] = history_[history_.size() - 2];
    const auto delta = load.since(previous);
    EXPECT_EQ(connection_.QueryTexts(delta->upserts).size() + connection_.QueryTexts(delta->deletes).size(),
              rows.size());
  }
  EXPECT_GT(std::stoll(*table_->Property("leat.base_seq")), Seq() / 2) << "no base was written anew";
}

TEST_F(StreamLoadTest, NothingChangedIsAnEmptyDelta) {
  Commit({{1, "Leeds"}});
  const auto delta = Load().since(table_->snapshot()->id);
  EXPECT_THAT(connection_.QueryTexts(delta->upserts), IsEmpty());
  EXPECT_THAT(connection_.QueryTexts(delta->deletes), IsEmpty());
}

TEST_F(StreamLoadTest, ASnapshotThatTheLakeHasForgottenHasNoDelta) {
  Commit({{1, "Leeds"}});
  EXPECT_FALSE(Load().since(1));
  EXPECT_FALSE(Load().replaces(1));
}

TEST_F(StreamLoadTest, AnotherKeyReplacesAllRows) {
  Commit({{1, "Leeds"}});
  const int64_t loaded = table_->snapshot()->id;
  Commit({{2, "Bath"}});
  EXPECT_FALSE(Load().replaces(loaded));
  const std::string seq = std::to_string((commits_ + 1) << 24);
  Commit({{3, "York"}}, {{"leat.base_from_seq", seq}, {"leat.base_seq", seq}});
  EXPECT_TRUE(Load().replaces(loaded));
  EXPECT_FALSE(Load().since(loaded));
}

TEST_F(StreamLoadTest, AStreamWithoutAKeyHasNoDelta) {
  Commit({{1, "Leeds"}}, {{"leat.kind", "keyless"}, {"leat.key", "[]"}});
  EXPECT_THAT(Load().spec.primary_key, IsEmpty());
  EXPECT_FALSE(Load().since(table_->snapshot()->id));
  EXPECT_FALSE(Load().replaces(table_->snapshot()->id));
}

}  // namespace
}  // namespace leat::pipeline
