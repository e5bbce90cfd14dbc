#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/text.h"
#include "duck/row_hash.h"
#include "sources/nested/nested_reader.h"

namespace leat::sources {

/// A lake in a folder that vanishes with the test, and the stream `billing.subs` with the key `id`. Each read is a
/// commit of its own:
///
///     rule().version = Name("version");
///     Read(R"([{"id": 1, "version": 2, "tags": [{"name": "a"}]}])");
///     EXPECT_EQ(Rows("billing.subs", "id, version"), "1|2\n");
///     EXPECT_EQ(Rows("billing.subs__tags"), "1|1|a\n");
class NestedTest : public testing::Test {
 protected:
  NestedTest() {
    duck::RegisterRowHash(database_);
    stream_.info = {.name = "billing.subs", .origin = "subs", .key = {"id"}};
    stream_.rule.pattern = Name("subs");
    stream_.rule.http.timestamps_unit = config::TimeUnit::kSeconds;
  }
  ~NestedTest() override { std::filesystem::remove_all(folder_); }

  static config::Located<std::string> Name(const std::string& name) { return {name, {"sources/billing.yaml", 7, 3}}; }
  config::StreamRule& rule() { return stream_.rule; }

  static std::string Gzip(const std::string& text) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string zipped(deflateBound(&stream, text.size()) + 32, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(zipped.data());
    stream.avail_out = static_cast<uInt>(zipped.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    zipped.resize(stream.total_out);
    deflateEnd(&stream);
    return zipped;
  }

  /// Put an answer into landing, as the next of the read that comes.
  LandedPage Land(const std::string& text, const std::vector<std::string>& given = {}) {
    LandedPage page{.name = fmt::format("landing/billing/subs/_/{:012}-1/{:06}.gz", commits_ + 1, ++pages_),
                    .bytes = static_cast<int64_t>(text.size()),
                    .ordinal = pages_,
                    .given = given,
                    .commit_number = commits_ + 1,
                    .run = commits_ + 101,
                    .time = TimeOf(commits_ + 1)};
    storage_->Write(page.name, Gzip(text));
    landed_.push_back(page);
    return page;
  }

  /// Read these answers, and publish what they brought.
  StreamOutcome ReadAll(const std::vector<std::string>& texts) {
    std::vector<LandedPage> pages;
    for (const std::string& text : texts) pages.push_back(Land(text));
    return ReadPages(pages);
  }
  StreamOutcome Read(const std::string& text) { return ReadAll({text}); }
  StreamOutcome ReadPages(const std::vector<LandedPage>& pages) {
    ++commits_;
    return Publish(Run(pages, false));
  }
  /// Make everything anew from all that was landed.
  StreamOutcome Rebuild() {
    ++commits_;
    return Publish(Run(landed_, true));
  }

  /// What the pages have in their given columns was asked for in full.
  StreamOutcome RunAsked(const std::vector<LandedPage>& pages) {
    ++commits_;
    for (const LandedPage& page : pages) asked_.push_back({page.given, page.commit_number, page.run, page.time});
    return Run(pages, false);
  }

  StreamOutcome Run(const std::vector<LandedPage>& pages, bool from_landing) {
    const ReadContext context{.engine = engine_,
                              .writer = writer_,
                              .run = commits_ + 100,
                              .commit_number = commits_,
                              .now = TimeOf(commits_),
                              .threads = 2,
                              .from_landing = from_landing,
                              .cancel = cancel_,
                              .observer = observer_,
                              .tables = tables_,
                              .positions = positions_};
    NestedReader reader(stream_, context, from_landing);
    for (const LandedPage& page : pages) reader.Add({page});
    for (const AskedInFull& asked : asked_)
      if (from_landing || asked.commit_number == commits_) reader.Add(asked);
    return reader.Finish();
  }

  StreamOutcome Publish(StreamOutcome outcome) {
    if (outcome.pending) Apply(*outcome.pending);
    for (const lake::PendingTable& other : outcome.others) Apply(other);
    EXPECT_EQ(outcome.rows_read, outcome.kind == StreamOutcome::Kind::kFailed
                                     ? 0
                                     : outcome.rows_written + outcome.rows_repeated + outcome.rows_rejected);
    return outcome;
  }
  void Apply(const lake::PendingTable& pending) {
    const lake::Table table = writer_.Apply(pending.base, pending.name, pending.location, pending.change);
    tables_.insert_or_assign(pending.name, lake::Table::Load(*storage_, pending.name, table.metadata_location()));
    engine_.Put(pending.name, engine::Relation::Of(tables_.at(pending.name)));
  }

  static Timestamp TimeOf(int64_t commit) {
    return Timestamp(std::chrono::seconds(1'700'000'000)) + std::chrono::hours(commit);
  }

  /// All rows of a table as `1|Ann`, sorted.
  std::string Rows(const std::string& table, const std::string& columns = "*") {
    engine_.Bind({table});
    return Texts(engine_.connection(), fmt::format("SELECT {} FROM {} ORDER BY ALL", columns, table));
  }
  /// What lies in the Parquet files of `raw/billing/<table>`, whatever the catalog says.
  std::string Files(const std::string& table, const std::string& columns) {
    duck::Connection connection(database_);
    return Texts(connection, fmt::format("SELECT {} FROM read_parquet('{}/lake/raw/billing/{}/data/*.parquet', "
                                         "union_by_name = true) ORDER BY ALL",
                                         columns, folder_, table));
  }
  static std::string Texts(duck::Connection& connection, const std::string& select) {
    const auto rows = connection.Query(fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({})", select));
    std::string text;
    while (const auto chunk = rows->Next())
      for (idx_t row = 0; row < chunk->size(); ++row)
        for (idx_t column = 0; column < chunk->column_count(); ++column)
          text += fmt::format("{}{}", chunk->IsNull(column, row) ? "NULL" : chunk->Text(column, row),
                              column + 1 < chunk->column_count() ? "|" : "\n");
    return text;
  }
  /// `id BIGINT, name VARCHAR`, without leat's own columns.
  std::string Columns(const std::string& table) {
    std::string text;
    for (const duck::Column& column : engine_.ColumnsOf(table))
      if (!engine::IsOwnColumn(column.name)) text += (text.empty() ? "" : ", ") + column.name + " " + column.type;
    return text;
  }
  static std::string Message(const StreamOutcome& outcome) {
    return outcome.diagnostic ? outcome.diagnostic->code + " " + outcome.diagnostic->message : "no diagnostic";
  }

  class Silent : public ReadObserver {
   public:
    void Started(const StreamInfo&, std::function<int64_t()>) override {}
    void Finished(const StreamOutcome&) override {}
    void Aborted(const StreamInfo&) override {}
  };

  static std::string MakeTemporaryFolder() {
    std::string name = testing::TempDir() + "leat-nested-XXXXXX";
    return mkdtemp(name.data());
  }

  std::string folder_ = MakeTemporaryFolder();
  config::Project project_{.folder = folder_};
  duck::Database database_{{.threads = 2}};
  std::unique_ptr<lake::Storage> storage_ = lake::OpenLocalStorage(folder_ + "/lake");
  lake::TableWriter writer_{*storage_};
  engine::Engine engine_{database_, *storage_, project_};
  std::map<state::TableName, lake::Table> tables_;
  std::map<std::string, std::string> positions_;
  CancelFlag cancel_;
  Silent observer_;
  NestedStream stream_;
  std::vector<LandedPage> landed_;
  std::vector<AskedInFull> asked_;
  int64_t commits_ = 0, pages_ = 0;
};

}  // namespace leat::sources
