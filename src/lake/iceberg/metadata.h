#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lake/iceberg/partition_spec.h"
#include "lake/table.h"

namespace leat::lake::iceberg {

/// A table's metadata file. What leat does not know of it is kept as it was read, so that other writers find it again.
class Metadata {
 public:
  using Json = nlohmann::ordered_json;

  /// Read v2 metadata. Throws: Error(kData, LEAT0520) saying what is wrong with it; the caller knows the file and says
  /// so.
  static Metadata Parse(const std::string& text);
  /// An empty table at `location`, a URI, with a new UUID. It has no schema yet: SetSchema follows.
  static Metadata New(const std::string& location);

  const Schema& schema() const { return schema_; }
  /// The current schema as manifests repeat it.
  std::string SchemaJson() const;
  const std::map<std::string, std::string>& properties() const { return properties_; }
  const std::optional<Snapshot>& snapshot() const { return snapshot_; }
  std::optional<Snapshot> FindSnapshot(int64_t id) const;
  /// The table's own name for life: one that was made anew under its name has another.
  std::string table_uuid() const { return document_.value("table-uuid", ""); }
  int last_column_id() const { return document_.at("last-column-id").get<int>(); }
  int64_t last_sequence_number() const { return document_.value("last-sequence-number", int64_t{0}); }
  int64_t last_updated_ms() const { return document_.value("last-updated-ms", int64_t{0}); }
  /// The spec of new files.
  PartitionSpec default_spec() const { return FindSpec(document_.value("default-spec-id", 0)); }
  PartitionSpec FindSpec(int id) const;
  /// Whether any partition spec of the table, current or old, has fields that are not leat's.
  bool is_partitioned_by_others() const;

  void SetLocation(const std::string& location) { document_["location"] = location; }
  /// Make `schema` the current one: an equal one that the table has or had is taken again, else it gets a new id.
  void SetSchema(const Schema& schema);
  /// Part new files by `_leat_superseded`, a column of the schema; those that the table has stay in their partitions.
  void PartitionBySuperseded();
  void SetProperties(const std::map<std::string, std::string>& properties);
  /// Make `snapshot` the current one of branch `main`. Forgets snapshots beyond the newest 100, but for those that a
  /// branch or tag names, and schemas that no snapshot was written by any more.
  void AddSnapshot(const Snapshot& snapshot);
  /// Note what was changed when, and which metadata file was the one before (empty: this is the first).
  void Touch(int64_t now_ms, const std::string& previous_file);

  std::string Format() const { return document_.dump(); }

 private:
  explicit Metadata(Json document) : document_(std::move(document)) {}
  void ReadSchema();
  void ReadProperties();
  void ReadSnapshot();
  void DropOldSnapshots();
  void DropUnusedSchemas();

  Json document_;
  Schema schema_;
  std::map<std::string, std::string> properties_;
  std::optional<Snapshot> snapshot_;
};

}  // namespace leat::lake::iceberg
