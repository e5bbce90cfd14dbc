#include "models/version_moments.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::models {
namespace {

engine::VersionOrder OrderOf(const engine::Engine& engine, const std::string& stream, const lake::Schema& schema) {
  std::vector<duck::Column> columns;
  for (const lake::Field& field : schema.fields) columns.push_back({field.name, lake::DuckType(field.type)});
  return engine::VersionOrderOf(engine.project(), stream, columns);
}

std::optional<Timestamp> Earliest(engine::Engine& engine, const std::string& moment, const std::string& rows) {
  const auto result = engine.connection().Query(
      fmt::format("SELECT min(m) FROM (SELECT {} AS m FROM {}) WHERE isfinite(m)", moment, rows));
  const auto chunk = result->Next();
  if (chunk->IsNull(0, 0)) return std::nullopt;
  return Timestamp(std::chrono::microseconds(chunk->At<int64_t>(0, 0)));
}

std::vector<lake::DataFile> Without(std::vector<lake::DataFile> files, const std::vector<lake::DataFile>& others) {
  std::erase_if(files, [&](const lake::DataFile& file) {
    return std::ranges::find(others, file.path, &lake::DataFile::path) != others.end();
  });
  return files;
}

/// A version without the mark that a compaction may set.
std::string VersionsIn(engine::Engine& engine, const lake::Schema& schema, const std::vector<lake::DataFile>& files) {
  std::vector<std::string> names = schema.Names();
  std::erase(names, lake::kSupersededColumn);
  return fmt::format("SELECT {} FROM {}", QuoteList(names), lake::ReadFilesSql(engine.storage(), schema, files));
}

}  // namespace

std::optional<Timestamp> EarliestVersion(engine::Engine& engine, const std::string& stream) {
  const auto [name_space, table] = engine::ParseName(stream);
  const std::string parent = table.substr(0, table.find("__"));  // the rows of a nested list are dated by what holds it
  const engine::Relation* relation = engine.Find({name_space, parent + std::string(engine::kHistorySuffix)});
  if (relation == nullptr) return std::nullopt;
  // A delete is never dated before what it ends.
  return Earliest(engine, OrderOf(engine, name_space + "." + parent, relation->schema).MomentSql(),
                  engine.AllRowsSql(*relation));
}

VersionChange ChangeSince(engine::Engine& engine, const std::string& stream, const lake::Table& table,
                          int64_t snapshot_id) {
  const std::optional<lake::Snapshot> before = table.FindSnapshot(snapshot_id);
  if (!before || !table.snapshot() || before->schema_id != table.snapshot()->schema_id) return {};
  const std::vector<lake::DataFile> files_before = table.FilesOf(*before);
  const engine::VersionOrder order = OrderOf(engine, stream, table.schema());
  const std::string came = VersionsIn(engine, table.schema(), Without(table.files(), files_before));
  const std::vector<lake::DataFile> left = Without(files_before, table.files());
  const engine::Relation relation = engine::Relation::Of(table);
  if (left.empty() && relation.kind == engine::Relation::Kind::kKeyedStream) {
    const std::string dated = order.DatedSql(engine.AllRowsSql(relation), relation.key);
    return {.is_known = true,
            .earliest = Earliest(engine, "_leat_dated",
                                 fmt::format("(SELECT d._leat_dated FROM {} d SEMI JOIN ({}) USING ({}, _leat_seq))",
                                             dated, came, QuoteList(relation.key)))};
  }
  // Files that were merged hold the versions that they held; a delete among them counts from the row that it ends.
  const std::string gone = VersionsIn(engine, table.schema(), left);
  return {.is_known = true,
          .earliest = Earliest(engine, order.MomentSql(),
                               fmt::format("(({0} EXCEPT ALL {1}) UNION ALL ({1} EXCEPT ALL {0}))", came, gone))};
}

}  // namespace leat::models
