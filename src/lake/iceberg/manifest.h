#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lake/iceberg/partition_spec.h"
#include "lake/table.h"

namespace leat::lake::iceberg {

/// What a manifest says of one data file: that it is there, came, or left.
struct ManifestEntry {
  enum class Status { kExisting = 0, kAdded = 1, kDeleted = 2 };
  Status status = Status::kAdded;
  /// Its `snapshot_id` is that of the snapshot that added the file, or for kDeleted the one that removed it. Its
  /// `sequence_number` is not written for kAdded: readers take it from the manifest list.
  DataFile file;
  int64_t file_sequence_number = 0;
};

/// What a manifest list says of one partition field over all entries of a manifest, so that readers skip the manifest.
struct PartitionSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower, upper;
  bool operator==(const PartitionSummary&) const = default;
};

/// One line of a manifest list.
struct ManifestFile {
  enum class Content { kData = 0, kDeletes = 1 };
  std::string path;  ///< URI
  int64_t length = 0;
  int spec_id = 0;
  Content content = Content::kData;
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  int64_t added_files = 0, existing_files = 0, deleted_files = 0;
  int64_t added_rows = 0, existing_rows = 0, deleted_rows = 0;
  std::vector<PartitionSummary> partitions;  ///< one for each field of the spec

  int64_t live_files() const { return added_files + existing_files; }
};

/// Encode a manifest of data files as Iceberg v2 wants it.
/// \param schema_json  the table's schema, as its metadata has it
/// \param spec         unpartitioned, or by `_leat_superseded`; all entries are of it
std::string EncodeManifest(const std::vector<ManifestEntry>& entries, const std::string& schema_json, int schema_id,
                           const PartitionSpec& spec);

/// The summaries that go with a manifest of these entries.
std::vector<PartitionSummary> SummarisePartitions(const std::vector<ManifestEntry>& entries, const PartitionSpec& spec);

/// Decode a manifest of any writer. Sequence number and snapshot that an added file inherits come from `list_entry`.
/// \param spec  that of `list_entry`
/// Throws: Error(kData, LEAT0520) for damage, a file that is not Parquet, or one that lists deleted rows.
std::vector<ManifestEntry> DecodeManifest(std::string_view bytes, const ManifestFile& list_entry,
                                          const PartitionSpec& spec);

std::string EncodeManifestList(const std::vector<ManifestFile>& manifests, const Snapshot& snapshot);

/// Throws: Error(kData, LEAT0520) for damage.
std::vector<ManifestFile> DecodeManifestList(std::string_view bytes);

}  // namespace leat::lake::iceberg
