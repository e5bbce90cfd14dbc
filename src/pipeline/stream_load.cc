#include "pipeline/stream_load.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/text.h"

namespace leat::pipeline {
namespace {

constexpr int64_t kEverySeq = std::numeric_limits<int64_t>::max();

/// Whether the rows of a snapshot grew into the present ones, so that `_leat_seq` tells them apart.
bool IsAncestor(const lake::Table& table, int64_t snapshot_id) {
  std::optional<lake::Snapshot> snapshot = table.snapshot();
  while (snapshot && snapshot->id != snapshot_id)
    snapshot = snapshot->parent_id ? table.FindSnapshot(*snapshot->parent_id) : std::nullopt;
  return snapshot.has_value();
}

/// The versions of a keyed stream, those of former keys included, as their files tell of them.
class Versions {
 public:
  explicit Versions(const lake::Table& table) : table_(table), relation_(engine::Relation::Of(table)) {}

  bool is_keyed() const { return relation_.kind == engine::Relation::Kind::kKeyedStream; }
  const engine::Relation& relation() const { return relation_; }

  /// The greatest `_leat_seq` of a snapshot; 0 if it is empty.
  int64_t LastSeq(const lake::Snapshot& snapshot) const {
    int64_t last = 0;
    for (const lake::DataFile& file : table_.FilesOf(snapshot)) last = std::max(last, LastSeq(file));
    return last;
  }

  /// Files with versions after `seq`, in which a new base or a merge may have put older ones as well.
  std::vector<lake::DataFile> FilesAfter(int64_t seq) const {
    std::vector<lake::DataFile> files = relation_.files;
    std::erase_if(files, [&](const lake::DataFile& file) { return LastSeq(file) <= seq; });
    return files;
  }

 private:
  int64_t LastSeq(const lake::DataFile& file) const {
    const auto bounds = file.Int64Bounds(relation_.schema.Find("_leat_seq")->id);
    return bounds ? bounds->second : kEverySeq;
  }

  lake::Table table_;
  engine::Relation relation_;
};

/// Whether the stream has had another key, or none, since a snapshot: its rows cannot be found by the present one.
bool HasOtherKey(const Versions& versions, const lake::Snapshot& loaded) {
  return versions.is_keyed() && versions.relation().base_from_seq > versions.LastSeq(loaded);
}

/// The newest version of a key that has changed is among the changes, wherever compaction has put it.
std::optional<warehouse::Delta> DeltaSince(const lake::Storage& storage, const Versions& versions,
                                           const lake::Snapshot& loaded, const std::string& columns) {
  const int64_t seq = versions.LastSeq(loaded);
  if (seq == kEverySeq) return std::nullopt;
  const engine::Relation& relation = versions.relation();
  const std::string key = QuoteList(relation.key);
  const std::string newest = fmt::format(
      "(SELECT * FROM {} WHERE _leat_seq > {} QUALIFY row_number() OVER (PARTITION BY {} ORDER BY _leat_seq DESC) = 1)",
      lake::ReadFilesSql(storage, relation.schema, versions.FilesAfter(seq)), seq, key);
  return warehouse::Delta{fmt::format("SELECT {} FROM {} WHERE _leat_op = 'u'", columns, newest),
                          fmt::format("SELECT {} FROM {} WHERE _leat_op = 'd'", key, newest)};
}

}  // namespace

warehouse::TableSpec SpecOfStream(const config::Project& project, const std::string& stream, const lake::Schema& schema,
                                  const std::vector<std::string>& key, const Place& pattern) {
  const state::TableName name = engine::ParseName(stream);
  warehouse::TableSpec spec{.model = stream,
                            .place = pattern,
                            .schema = project.warehouse->SchemaOf(name.first),
                            .table = name.second,
                            .primary_key = key,
                            .is_stream = true};
  for (const lake::Field& field : schema.fields)
    if (!engine::IsOwnColumn(field.name))
      spec.columns.push_back({.name = field.name,
                              .source = field.name,
                              .duck_type = lake::DuckType(field.type),
                              .source_type = field.source_type});
  return spec;
}

warehouse::TableLoad LoadOfStream(warehouse::TableSpec spec, const lake::Table& table, const engine::Engine& engine) {
  std::vector<std::string> names;
  for (const warehouse::ColumnSpec& column : spec.columns) names.push_back(column.source);
  const std::string columns = QuoteList(names);
  const std::string rows = table.SummaryText("leat.rows");
  const Versions versions(table);
  warehouse::TableLoad load{.spec = std::move(spec)};
  load.snapshot_id = table.snapshot()->id;
  load.lake_table = table.uuid();
  load.rows = rows.empty() ? table.record_count() : std::stoll(rows);
  load.hash_sum = table.SummaryText("leat.hash");
  load.all_rows = fmt::format("SELECT {} FROM {}", columns, engine.CurrentRowsSql(versions.relation()));
  load.since = [&storage = engine.storage(), table, versions,
                columns](int64_t snapshot_id) -> std::optional<warehouse::Delta> {
    if (!versions.is_keyed() || !IsAncestor(table, snapshot_id)) return std::nullopt;
    const lake::Snapshot loaded = *table.FindSnapshot(snapshot_id);
    if (HasOtherKey(versions, loaded)) return std::nullopt;
    return DeltaSince(storage, versions, loaded, columns);
  };
  load.replaces = [table, versions](int64_t snapshot_id) {
    const std::optional<lake::Snapshot> loaded = table.FindSnapshot(snapshot_id);
    return loaded && HasOtherKey(versions, *loaded);
  };
  return load;
}

}  // namespace leat::pipeline
