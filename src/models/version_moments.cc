#include "models/version_moments.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::models {
namespace {

/// The column of the lake that `version_time` names, which it may spell as the source does; nothing if there is none.
const lake::Field* VersionTimeOf(const config::Project& project, const std::string& stream,
                                 const lake::Schema& schema) {
  const config::Source* source = project.FindSource(engine::ParseName(stream).first);
  const auto rule = source == nullptr ? std::nullopt : source->RuleOfStream(engine::ParseName(stream).second);
  if (!rule || !rule->version_time) return nullptr;
  const std::string& written = rule->version_time->value;
  const auto renamed = rule->rename.find(written);
  const std::string name = renamed == rule->rename.end() ? written : renamed->second.value;
  const lake::Field* field = schema.Find(name);
  return field != nullptr ? field : schema.Find(CleanName(name));
}

/// SQL for the moment of a version.
std::string MomentSql(const config::Project& project, const std::string& stream, const lake::Schema& schema) {
  const lake::Field* field = VersionTimeOf(project, stream, schema);
  if (field == nullptr) return "_leat_time";
  return fmt::format("coalesce(CAST({} AS TIMESTAMPTZ), _leat_time)", QuoteIdentifier(field->name));
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
  return Earliest(engine, MomentSql(engine.project(), name_space + "." + parent, relation->schema),
                  engine.AllRowsSql(*relation));
}

VersionChange ChangeSince(engine::Engine& engine, const std::string& stream, const lake::Table& table,
                          int64_t snapshot_id) {
  const std::optional<lake::Snapshot> before = table.FindSnapshot(snapshot_id);
  if (!before || !table.snapshot() || before->schema_id != table.snapshot()->schema_id) return {};
  const std::vector<lake::DataFile> files_before = table.FilesOf(*before);
  const std::string moment = MomentSql(engine.project(), stream, table.schema());
  const std::string came = VersionsIn(engine, table.schema(), Without(table.files(), files_before));
  const std::vector<lake::DataFile> left = Without(files_before, table.files());
  if (left.empty()) return {.is_known = true, .earliest = Earliest(engine, moment, "(" + came + ")")};
  // Files that were merged hold the versions that they held.
  const std::string gone = VersionsIn(engine, table.schema(), left);
  return {.is_known = true,
          .earliest = Earliest(engine, moment,
                               fmt::format("(({0} EXCEPT ALL {1}) UNION ALL ({1} EXCEPT ALL {0}))", came, gone))};
}

}  // namespace leat::models
