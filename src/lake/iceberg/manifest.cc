#include "lake/iceberg/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/text.h"
#include "lake/iceberg/avro.h"

namespace leat::lake::iceberg {
namespace {

// Ordered, so that a file's bytes follow from its content alone.
using Json = nlohmann::ordered_json;

/// Field ids of the Iceberg specification, "Manifests" and "Manifest Lists".
enum FieldId {
  kStatus = 0,
  kSnapshotId = 1,
  kDataFile = 2,
  kSequenceNumber = 3,
  kFileSequenceNumber = 4,
  kContent = 134,
  kFilePath = 100,
  kFileFormat = 101,
  kPartition = 102,
  kRecordCount = 103,
  kFileSize = 104,
  kColumnSizes = 108,
  kValueCounts = 109,
  kNullCounts = 110,
  kNanCounts = 137,
  kLowerBounds = 125,
  kUpperBounds = 128,
  kKeyMetadata = 131,
  kSplitOffsets = 132,
  kEqualityIds = 135,
  kSortOrderId = 140,
  kManifestPath = 500,
  kManifestLength = 501,
  kSpecId = 502,
  kManifestContent = 517,
  kManifestSequence = 515,
  kMinSequence = 516,
  kAddedSnapshot = 503,
  kAddedFiles = 504,
  kExistingFiles = 505,
  kDeletedFiles = 506,
  kAddedRows = 512,
  kExistingRows = 513,
  kDeletedRows = 514,
  kPartitions = 507,
  kContainsNull = 509,
  kContainsNan = 518,
  kPartitionLower = 510,
  kPartitionUpper = 511,
  kManifestKeyMetadata = 519
};

Json Required(int id, const char* name, const Json& type) { return {{"name", name}, {"type", type}, {"field-id", id}}; }

Json Optional(int id, const char* name, const Json& type) {
  return {{"name", name}, {"type", {"null", type}}, {"default", nullptr}, {"field-id", id}};
}

/// Avro's maps have text keys only, so Iceberg keeps a map by field id as an array of pairs.
Json MapById(int key_id, int value_id, const char* value_type) {
  const Json pair = {{"type", "record"},
                     {"name", fmt::format("k{}_v{}", key_id, value_id)},
                     {"fields", {Required(key_id, "key", "int"), Required(value_id, "value", value_type)}}};
  return {{"type", "array"}, {"items", pair}, {"logicalType", "map"}};
}

Json ListOf(int element_id, const char* type) {
  return {{"type", "array"}, {"items", type}, {"element-id", element_id}};
}

Json DataFileSchema(const PartitionSpec& spec) {
  Json values = Json::array();
  if (spec.superseded_id) values.push_back(Optional(*spec.superseded_id, kSupersededColumn, "boolean"));
  const Json partition = {{"type", "record"}, {"name", "r102"}, {"fields", values}};
  return {
      {"type", "record"},
      {"name", "r2"},
      {"fields",
       {Required(kContent, "content", "int"), Required(kFilePath, "file_path", "string"),
        Required(kFileFormat, "file_format", "string"), Required(kPartition, "partition", partition),
        Required(kRecordCount, "record_count", "long"), Required(kFileSize, "file_size_in_bytes", "long"),
        Optional(kColumnSizes, "column_sizes", MapById(117, 118, "long")),
        Optional(kValueCounts, "value_counts", MapById(119, 120, "long")),
        Optional(kNullCounts, "null_value_counts", MapById(121, 122, "long")),
        Optional(kNanCounts, "nan_value_counts", MapById(138, 139, "long")),
        Optional(kLowerBounds, "lower_bounds", MapById(126, 127, "bytes")),
        Optional(kUpperBounds, "upper_bounds", MapById(129, 130, "bytes")),
        Optional(kKeyMetadata, "key_metadata", "bytes"), Optional(kSplitOffsets, "split_offsets", ListOf(133, "long")),
        Optional(kEqualityIds, "equality_ids", ListOf(136, "int")), Optional(kSortOrderId, "sort_order_id", "int")}}};
}

std::string ManifestSchema(const PartitionSpec& spec) {
  const Json schema = {{"type", "record"},
                       {"name", "manifest_entry"},
                       {"fields",
                        {Required(kStatus, "status", "int"), Optional(kSnapshotId, "snapshot_id", "long"),
                         Optional(kSequenceNumber, "sequence_number", "long"),
                         Optional(kFileSequenceNumber, "file_sequence_number", "long"),
                         Required(kDataFile, "data_file", DataFileSchema(spec))}}};
  return schema.dump();
}

const std::string& ManifestListSchema() {
  static const std::string kSchema = [] {
    const Json summary = {
        {"type", "record"},
        {"name", "r508"},
        {"fields",
         {Required(kContainsNull, "contains_null", "boolean"), Optional(kContainsNan, "contains_nan", "boolean"),
          Optional(kPartitionLower, "lower_bound", "bytes"), Optional(kPartitionUpper, "upper_bound", "bytes")}}};
    const Json summaries = {{"type", "array"}, {"items", summary}, {"element-id", 508}};
    return Json{
        {"type", "record"},
        {"name", "manifest_file"},
        {"fields",
         {Required(kManifestPath, "manifest_path", "string"), Required(kManifestLength, "manifest_length", "long"),
          Required(kSpecId, "partition_spec_id", "int"), Required(kManifestContent, "content", "int"),
          Required(kManifestSequence, "sequence_number", "long"), Required(kMinSequence, "min_sequence_number", "long"),
          Required(kAddedSnapshot, "added_snapshot_id", "long"), Required(kAddedFiles, "added_files_count", "int"),
          Required(kExistingFiles, "existing_files_count", "int"),
          Required(kDeletedFiles, "deleted_files_count", "int"), Required(kAddedRows, "added_rows_count", "long"),
          Required(kExistingRows, "existing_rows_count", "long"), Required(kDeletedRows, "deleted_rows_count", "long"),
          Optional(kPartitions, "partitions", summaries), Optional(kManifestKeyMetadata, "key_metadata", "bytes")}}}
        .dump();
  }();
  return kSchema;
}

/// Branches of the unions that Optional makes.
constexpr int64_t kNull = 0;
constexpr int64_t kPresent = 1;

/// Encode a map by field id of what `value_of` finds in each column; columns where it finds nothing stay out.
template <typename Write>
void EncodeMap(avro::Encoder& out, const DataFile& file, Write value_of) {
  int64_t count = 0;
  avro::Encoder pairs;
  for (const auto& [id, column] : file.columns) {
    avro::Encoder value;
    if (!value_of(column, value)) continue;
    pairs.Long(id);
    pairs.Raw(value.bytes());
    ++count;
  }
  out.Long(count == 0 ? kNull : kPresent);
  if (count == 0) return;
  out.Long(count);
  out.Raw(pairs.bytes());
  out.Long(0);
}

void EncodeColumns(avro::Encoder& out, const DataFile& file) {
  EncodeMap(out, file, [](const ColumnStatistics& c, avro::Encoder& v) { return v.Long(c.size_bytes), true; });
  EncodeMap(out, file, [](const ColumnStatistics& c, avro::Encoder& v) { return v.Long(c.value_count), true; });
  EncodeMap(out, file, [](const ColumnStatistics& c, avro::Encoder& v) { return v.Long(c.null_count), true; });
  EncodeMap(out, file, [](const ColumnStatistics& c, avro::Encoder& v) {
    if (c.nan_count) v.Long(*c.nan_count);
    return c.nan_count.has_value();
  });
  EncodeMap(out, file, [](const ColumnStatistics& c, avro::Encoder& v) {
    if (c.lower) v.Bytes(*c.lower);
    return c.lower.has_value();
  });
  EncodeMap(out, file, [](const ColumnStatistics& c, avro::Encoder& v) {
    if (c.upper) v.Bytes(*c.upper);
    return c.upper.has_value();
  });
}

void EncodePartition(avro::Encoder& out, const DataFile& file, const PartitionSpec& spec) {
  if (!spec.superseded_id) return;  // a record without fields has no bytes
  out.Long(file.superseded ? kPresent : kNull);
  if (file.superseded) out.Boolean(*file.superseded);
}

void EncodeDataFile(avro::Encoder& out, const DataFile& file, const PartitionSpec& spec) {
  out.Long(0);  // content: data
  out.Bytes(file.path);
  out.Bytes("PARQUET");
  EncodePartition(out, file, spec);
  out.Long(file.record_count);
  out.Long(file.size_bytes);
  EncodeColumns(out, file);
  out.Long(kNull);  // key_metadata
  out.Long(file.split_offsets.empty() ? kNull : kPresent);
  if (!file.split_offsets.empty()) {
    out.Long(static_cast<int64_t>(file.split_offsets.size()));
    for (const int64_t offset : file.split_offsets) out.Long(offset);
    out.Long(0);
  }
  out.Long(kNull);  // equality_ids
  out.Long(kPresent);
  out.Long(0);  // sort_order_id: unsorted
}

void EncodeEntry(avro::Encoder& out, const ManifestEntry& entry, const PartitionSpec& spec) {
  out.Long(static_cast<int64_t>(entry.status));
  out.Long(kPresent);
  out.Long(entry.file.snapshot_id);
  if (entry.status == ManifestEntry::Status::kAdded) {
    out.Long(kNull);
    out.Long(kNull);
  } else {
    out.Long(kPresent);
    out.Long(entry.file.sequence_number);
    out.Long(kPresent);
    out.Long(entry.file_sequence_number);
  }
  EncodeDataFile(out, entry.file, spec);
}

const avro::Value& Need(const avro::Value& record, int id, const char* name) {
  const avro::Value* value = record.Find(id);
  if (value == nullptr) avro::Damaged(fmt::format("it has no field '{}' (id {})", name, id));
  return *value;
}

int64_t NumberOr(const avro::Value& record, int id, int64_t otherwise) {
  const avro::Value* value = record.Find(id);
  return value != nullptr ? value->number : otherwise;
}

/// Call `take` for each column that a map by field id names. `pair` is the id of its key; its value has the next one.
template <typename Take>
void DecodeMap(const avro::Value& record, int id, int pair, DataFile& file, Take take) {
  const avro::Value* map = record.Find(id);
  if (map == nullptr) return;
  for (const avro::Value& item : map->items)
    take(file.columns[static_cast<int>(Need(item, pair, "key").number)], Need(item, pair + 1, "value"));
}

void DecodeColumns(const avro::Value& record, DataFile& file) {
  using Column = ColumnStatistics;
  using avro::Value;
  DecodeMap(record, kColumnSizes, 117, file, [](Column& c, const Value& v) { c.size_bytes = v.number; });
  DecodeMap(record, kValueCounts, 119, file, [](Column& c, const Value& v) { c.value_count = v.number; });
  DecodeMap(record, kNullCounts, 121, file, [](Column& c, const Value& v) { c.null_count = v.number; });
  DecodeMap(record, kNanCounts, 138, file, [](Column& c, const Value& v) { c.nan_count = v.number; });
  DecodeMap(record, kLowerBounds, 126, file, [](Column& c, const Value& v) { c.lower = v.bytes; });
  DecodeMap(record, kUpperBounds, 129, file, [](Column& c, const Value& v) { c.upper = v.bytes; });
}

DataFile DecodeDataFile(const avro::Value& record, const PartitionSpec& spec) {
  DataFile file;
  file.path = Need(record, kFilePath, "file_path").bytes;
  if (NumberOr(record, kContent, 0) != 0)
    avro::Damaged(fmt::format("{} lists deleted rows, which leat does not read", file.path));
  const std::string format = ToLower(Need(record, kFileFormat, "file_format").bytes);
  if (format != "parquet") avro::Damaged(fmt::format("{} has the format '{}'; leat reads Parquet", file.path, format));
  file.record_count = Need(record, kRecordCount, "record_count").number;
  file.size_bytes = Need(record, kFileSize, "file_size_in_bytes").number;
  if (const avro::Value* partition = record.Find(kPartition); partition != nullptr && spec.superseded_id)
    if (const avro::Value* value = partition->Find(*spec.superseded_id)) file.superseded = value->number != 0;
  DecodeColumns(record, file);
  if (const avro::Value* offsets = record.Find(kSplitOffsets))
    for (const avro::Value& offset : offsets->items) file.split_offsets.push_back(offset.number);
  return file;
}

ManifestEntry DecodeEntry(const avro::Value& record, const ManifestFile& list_entry, const PartitionSpec& spec) {
  const int64_t status = Need(record, kStatus, "status").number;
  if (status < 0 || status > 2) avro::Damaged(fmt::format("an entry has the unknown status {}", status));
  ManifestEntry entry;
  entry.status = static_cast<ManifestEntry::Status>(status);
  entry.file = DecodeDataFile(Need(record, kDataFile, "data_file"), spec);
  entry.file.snapshot_id = NumberOr(record, kSnapshotId, list_entry.added_snapshot_id);
  entry.file.sequence_number = NumberOr(record, kSequenceNumber, list_entry.sequence_number);
  entry.file_sequence_number = NumberOr(record, kFileSequenceNumber, list_entry.sequence_number);
  return entry;
}

void EncodeBytes(avro::Encoder& out, const std::optional<std::string>& bytes) {
  out.Long(bytes ? kPresent : kNull);
  if (bytes) out.Bytes(*bytes);
}

void EncodeSummaries(avro::Encoder& out, const std::vector<PartitionSummary>& summaries) {
  if (!summaries.empty()) out.Long(static_cast<int64_t>(summaries.size()));
  for (const PartitionSummary& summary : summaries) {
    out.Boolean(summary.contains_null);
    out.Long(summary.contains_nan ? kPresent : kNull);
    if (summary.contains_nan) out.Boolean(*summary.contains_nan);
    EncodeBytes(out, summary.lower);
    EncodeBytes(out, summary.upper);
  }
  out.Long(0);
}

std::optional<std::string> BytesAt(const avro::Value& record, int id) {
  const avro::Value* value = record.Find(id);
  return value != nullptr ? std::optional(value->bytes) : std::nullopt;
}

PartitionSummary DecodeSummary(const avro::Value& record) {
  PartitionSummary summary{.contains_null = NumberOr(record, kContainsNull, 1) != 0,
                           .lower = BytesAt(record, kPartitionLower),
                           .upper = BytesAt(record, kPartitionUpper)};
  if (const avro::Value* nan = record.Find(kContainsNan)) summary.contains_nan = nan->number != 0;
  return summary;
}

void EncodeManifestFile(avro::Encoder& out, const ManifestFile& manifest) {
  out.Bytes(manifest.path);
  for (const int64_t number :
       {manifest.length, int64_t{manifest.spec_id}, static_cast<int64_t>(manifest.content), manifest.sequence_number,
        manifest.min_sequence_number, manifest.added_snapshot_id, manifest.added_files, manifest.existing_files,
        manifest.deleted_files, manifest.added_rows, manifest.existing_rows, manifest.deleted_rows})
    out.Long(number);
  out.Long(kPresent);
  EncodeSummaries(out, manifest.partitions);
  out.Long(kNull);  // key_metadata
}

ManifestFile DecodeManifestFile(const avro::Value& record) {
  ManifestFile manifest;
  manifest.path = Need(record, kManifestPath, "manifest_path").bytes;
  manifest.length = Need(record, kManifestLength, "manifest_length").number;
  manifest.spec_id = static_cast<int>(NumberOr(record, kSpecId, 0));
  manifest.content =
      NumberOr(record, kManifestContent, 0) == 0 ? ManifestFile::Content::kData : ManifestFile::Content::kDeletes;
  manifest.sequence_number = NumberOr(record, kManifestSequence, 0);
  manifest.min_sequence_number = NumberOr(record, kMinSequence, 0);
  manifest.added_snapshot_id = NumberOr(record, kAddedSnapshot, 0);
  // Where a writer left the counts out, the manifest may hold anything and must be looked at: 1 stands for "some".
  manifest.added_files = NumberOr(record, kAddedFiles, 1);
  manifest.existing_files = NumberOr(record, kExistingFiles, 1);
  manifest.deleted_files = NumberOr(record, kDeletedFiles, 1);
  manifest.added_rows = NumberOr(record, kAddedRows, 0);
  manifest.existing_rows = NumberOr(record, kExistingRows, 0);
  manifest.deleted_rows = NumberOr(record, kDeletedRows, 0);
  if (const avro::Value* summaries = record.Find(kPartitions))
    for (const avro::Value& summary : summaries->items) manifest.partitions.push_back(DecodeSummary(summary));
  return manifest;
}

}  // namespace

std::string EncodeManifest(const std::vector<ManifestEntry>& entries, const std::string& schema_json, int schema_id,
                           const PartitionSpec& spec) {
  avro::ContainerWriter writer(ManifestSchema(spec),
                               {{"schema", schema_json},
                                {"schema-id", std::to_string(schema_id)},
                                {"partition-spec", spec.fields},
                                {"partition-spec-id", std::to_string(spec.id)},
                                {"format-version", "2"},
                                {"content", "data"}},
                               avro::Codec::kDeflate);
  for (const ManifestEntry& entry : entries) {
    EncodeEntry(writer.record(), entry, spec);
    writer.EndRecord();
  }
  return std::move(writer).Finish();
}

std::vector<PartitionSummary> SummarisePartitions(const std::vector<ManifestEntry>& entries,
                                                  const PartitionSpec& spec) {
  if (!spec.superseded_id) return {};
  PartitionSummary summary{.contains_nan = false};
  for (const ManifestEntry& entry : entries) {
    summary.contains_null = summary.contains_null || !entry.file.superseded;
    if (!entry.file.superseded) continue;
    const std::string value(1, *entry.file.superseded ? '\1' : '\0');
    summary.lower = std::min(value, summary.lower.value_or(value));
    summary.upper = std::max(value, summary.upper.value_or(value));
  }
  return {summary};
}

std::vector<ManifestEntry> DecodeManifest(std::string_view bytes, const ManifestFile& list_entry,
                                          const PartitionSpec& spec) {
  const avro::Container container = avro::ReadContainer(bytes);
  std::vector<ManifestEntry> entries;
  entries.reserve(container.records.size());
  for (const avro::Value& record : container.records) entries.push_back(DecodeEntry(record, list_entry, spec));
  return entries;
}

std::string EncodeManifestList(const std::vector<ManifestFile>& manifests, const Snapshot& snapshot) {
  avro::ContainerWriter writer(
      ManifestListSchema(),
      {{"snapshot-id", std::to_string(snapshot.id)},
       {"parent-snapshot-id", snapshot.parent_id ? std::to_string(*snapshot.parent_id) : "null"},
       {"sequence-number", std::to_string(snapshot.sequence_number)},
       {"format-version", "2"}},
      avro::Codec::kDeflate);
  for (const ManifestFile& manifest : manifests) {
    EncodeManifestFile(writer.record(), manifest);
    writer.EndRecord();
  }
  return std::move(writer).Finish();
}

std::vector<ManifestFile> DecodeManifestList(std::string_view bytes) {
  const avro::Container container = avro::ReadContainer(bytes);
  std::vector<ManifestFile> manifests;
  for (const avro::Value& record : container.records) manifests.push_back(DecodeManifestFile(record));
  return manifests;
}

}  // namespace leat::lake::iceberg
