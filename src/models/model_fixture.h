#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/text.h"
#include "duck/row_hash.h"
#include "models/models.h"

namespace leat::models {

/// A project, its streams and its runs, said in few words:
///
///     Stream("totesys.staff", "staff_id INTEGER, name VARCHAR", {"staff_id"});
///     Commit("totesys.staff", "(1, 'Ann', 'u'), (2, 'Bob', 'u')");
///     Model("mart/dim_staff.sql", "/* ---\nkey: staff_id\n--- */\nSELECT * FROM totesys.staff");
///     EXPECT_EQ(Run(), "mart.dim_staff built 2\n");
///     EXPECT_EQ(Rows("mart.dim_staff"), "1|Ann\n2|Bob\n");
class ModelsTest : public testing::Test {
 protected:
  ModelsTest() {
    duck::RegisterRowHash(database_);
    File("leat.yaml",
         "name: shop\nconnections:\n  db: {type: postgres, host: localhost, database: totesys, user: reader}\n");
    File("sources/totesys.yaml", "type: postgres\nconnection: db\nstreams:\n  \"*\": {}\n");
  }
  ~ModelsTest() override { std::filesystem::remove_all(folder_); }

  void File(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ + "/" + path).parent_path());
    std::ofstream(folder_ + "/" + path, std::ios::binary) << text;
  }
  void Model(const std::string& path, const std::string& text) { File("models/" + path, text); }

  /// Declare a stream without rows; `columns` as CREATE TABLE has them.
  void Stream(const std::string& name, const std::string& columns, const std::vector<std::string>& key) {
    duck::Connection connection(database_);
    connection.Execute("CREATE OR REPLACE TEMP TABLE shape (" + columns + ")");
    auto described = connection.Describe("SELECT * FROM shape");
    streams_[name].columns = described;
    for (const char* own :
         {"_leat_op VARCHAR", "_leat_seq BIGINT", "_leat_time TIMESTAMP WITH TIME ZONE", "_leat_run BIGINT"})
      described.push_back({std::string(own).substr(0, std::string(own).find(' ')),
                           std::string(own).substr(std::string(own).find(' ') + 1)});
    streams_[name].schema = lake::SchemaOf(described);
    streams_[name].key = key;
    known_.push_back(name);
  }

  /// Add versions, each with 'u' or 'd' at its end, as the next commit of the source.
  void Commit(const std::string& name, const std::string& rows) {
    StreamState& stream = streams_.at(name);
    const int64_t seq = ++commits_ << 24;
    std::vector<std::string> names;
    for (const duck::Column& column : stream.columns) names.push_back(column.name);
    const std::string select = fmt::format(
        "SELECT {0}, op AS _leat_op, {1}::BIGINT AS _leat_seq, make_timestamptz({2}) AS _leat_time, 1::BIGINT AS "
        "_leat_run "
        "FROM (VALUES {3}) AS v ({0}, op)",
        QuoteList(names), seq, commits_, rows);
    const state::TableName table = Split2(name + "__history");
    const std::string location = "raw/" + table.first + "/" + table.second;
    lake::TableChange change{.schema = stream.schema};
    change.added = writer_.WriteRows(connection_, location, change.schema, select);
    std::string key;
    for (const std::string& column : stream.key) key += (key.empty() ? "\"" : ", \"") + column + "\"";
    change.properties = {{"leat.kind", "stream"}, {"leat.key", "[" + key + "]"}};
    if (!stream.table) change.properties["leat.base_seq"] = std::to_string(seq);
    stream.table = writer_.Apply(stream.table, table, location, change);
  }

  /// Read the project anew, build, publish what was built; a line per model, then diagnostics as `code place message`.
  std::string Run(Builder::Options options = {}) {
    const config::LoadResult loaded = config::LoadProject(folder_);
    for (const Diagnostic& diagnostic : loaded.diagnostics)
      ADD_FAILURE() << diagnostic.place.ToString() << " " << diagnostic.message;
    project_ = loaded.project;
    for (config::Source& source : project_.sources) {
      source.defaults.version = version_;
      source.defaults.version_time = version_time_;
    }
    OpenEngine();
    std::vector<Diagnostic> faults;
    macros_ = std::make_unique<Macros>(connection_, project_.macros);
    graph_ = MakeGraph(connection_, project_, *macros_, KnownNames(), faults);
    std::string text = Describe(faults);
    if (options.selected.empty())
      for (const Node& node : graph_.nodes) options.selected.insert(node.model->name);
    options.run = ++runs_;
    options.run_time = now_ + std::chrono::hours(runs_);
    options.committed = committed_;
    for (const auto& [name, stream] : streams_)
      if (stream.table) options.committed.insert_or_assign(Split2(name + "__history"), *stream.table);
    options.fingerprints = fingerprints_;
    Builder builder(*engine_, writer_, project_, graph_, *macros_, options);
    last_ = builder.BuildAll();
    for (const Candidate& candidate : last_.candidates) text += Publish(candidate);
    for (const CheckOutcome& check : last_.checks) text += Describe(check);
    for (const auto& [name, fingerprint] : last_.check_fingerprints) fingerprints_[name] = fingerprint;
    return text;
  }

  /// All rows of a published table, `_leat_…` columns left out, as `1|Ann`; sorted by all columns.
  std::string Rows(const std::string& table, const std::string& columns = "*") {
    OpenEngine();
    engine_->Bind({table});
    const auto rows = engine_->connection().Query(
        fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (SELECT {} FROM {} ORDER BY ALL)", columns, table));
    std::string text;
    while (const auto chunk = rows->Next())
      for (idx_t row = 0; row < chunk->size(); ++row)
        for (idx_t column = 0; column < chunk->column_count(); ++column)
          text += fmt::format("{}{}", chunk->IsNull(column, row) ? "NULL" : chunk->Text(column, row),
                              column + 1 < chunk->column_count() ? "|" : "\n");
    return text;
  }

  /// Lose the data files of a published table, as a hand that tidies up would.
  void RemoveDataFiles(const std::string& table) {
    for (const lake::DataFile& file : committed_.at(Split2(table)).files())
      storage_->RemoveQuietly(storage_->NameOf(file.path));
  }

  std::string SummaryOf(const std::string& table, const std::string& key) {
    const auto& summary = committed_.at(Split2(table)).snapshot()->summary;
    const auto found = summary.find(key);
    return found == summary.end() ? "" : found->second;
  }

  static std::string Describe(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) {
      text += fmt::format("  {}{} {} {}\n", diagnostic.severity == Severity::kWarning ? "warning " : "",
                          diagnostic.code, diagnostic.place.ToString(), diagnostic.message);
      for (const std::string& note : diagnostic.notes) text += "    note: " + note + "\n";
    }
    return text;
  }

  std::vector<std::string> KnownNames() {
    std::vector<std::string> names = known_;
    for (const config::Seed& seed : project_.seeds) names.push_back(seed.name);
    return names;
  }

  struct StreamState {
    std::vector<duck::Column> columns;
    lake::Schema schema;
    std::vector<std::string> key;
    std::optional<lake::Table> table;
  };

  static state::TableName Split2(const std::string& name) {
    return {name.substr(0, name.find('.')), name.substr(name.find('.') + 1)};
  }

  void OpenEngine() {
    engine_ = std::make_unique<engine::Engine>(database_, *storage_, project_);
    for (const auto& [name, stream] : streams_)
      if (stream.table) engine_->Put(Split2(name + "__history"), engine::Relation::Of(*stream.table));
    for (const auto& [name, table] : committed_) engine_->Put(name, engine::Relation::Of(table));
  }

  std::string Publish(const Candidate& candidate) {
    static const char* const kWords[] = {"unchanged", "same", "built", "failed", "skipped"};
    std::string text = fmt::format("{} {}", candidate.model->name, kWords[static_cast<int>(candidate.outcome)]);
    if (candidate.outcome == Candidate::Outcome::kBuilt) text += fmt::format(" {}", candidate.rows_written);
    if (candidate.rows_rejected > 0) text += fmt::format(" rejected {}", candidate.rows_rejected);
    if (!candidate.because.empty()) text += " because of " + candidate.because;
    for (const auto& pending : {candidate.pending, candidate.rejects}) {
      if (!pending) continue;
      const lake::Table table = writer_.Apply(pending->base, pending->name, pending->location, pending->change);
      committed_.insert_or_assign(pending->name, table);
    }
    const bool is_news = candidate.outcome == Candidate::Outcome::kBuilt ||
                         candidate.outcome == Candidate::Outcome::kSame ||
                         candidate.outcome == Candidate::Outcome::kFailed;
    if (is_news && !candidate.fingerprint.empty()) fingerprints_[candidate.model->name] = candidate.fingerprint;
    return text + "\n" + Describe(candidate.diagnostics);
  }

  static std::string Describe(const CheckOutcome& check) {
    std::string text = fmt::format("check {} {}\n", check.rule,
                                   check.unchanged    ? "unchanged"
                                   : check.diagnostic ? "failed"
                                                      : "passed");
    if (check.diagnostic) text += Describe(std::vector<Diagnostic>{*check.diagnostic});
    return text;
  }

  std::string folder_ = (std::filesystem::temp_directory_path() / ("leat_models_" + NewUuid())).string();
  duck::Database database_;
  duck::Connection connection_{database_};
  std::unique_ptr<lake::Storage> storage_ = lake::OpenLocalStorage(folder_ + "/lake");
  lake::TableWriter writer_{*storage_};
  config::Project project_;
  std::optional<config::Located<std::string>> version_, version_time_;  ///< of all streams
  std::map<std::string, StreamState> streams_;
  std::vector<std::string> known_;
  std::map<state::TableName, lake::Table> committed_;
  std::map<std::string, std::string> fingerprints_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Macros> macros_;
  Graph graph_;
  Builder::Result last_;
  Timestamp now_ = ParseTimestamp("2024-11-21T14:00:00Z");  ///< an hour before the first run
  int64_t commits_ = 0;
  int runs_ = 0;
};

}  // namespace leat::models
