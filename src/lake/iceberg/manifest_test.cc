#include "lake/iceberg/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "lake/iceberg/avro.h"

namespace leat::lake::iceberg {
namespace {

using Status = ManifestEntry::Status;

ManifestEntry Entry(Status status, const std::string& path) {
  ManifestEntry entry{
      .status = status, .file = {.path = path, .record_count = 3, .size_bytes = 400}, .file_sequence_number = 5};
  entry.file.columns[7] = {
      .size_bytes = 30, .value_count = 3, .null_count = 1, .nan_count = 2, .lower = "a", .upper = "b"};
  entry.file.columns[8] = {.size_bytes = 40, .value_count = 3};
  entry.file.split_offsets = {4, 200};
  entry.file.sequence_number = 4;
  entry.file.snapshot_id = 99;
  return entry;
}

std::string Manifest(const std::vector<ManifestEntry>& entries) { return EncodeManifest(entries, "{}", 2, {}); }

std::string ManifestError(const std::string& bytes) {
  try {
    DecodeManifest(bytes, {}, {});
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(ManifestTest, ReadsWhatItWrote) {
  const auto entries = DecodeManifest(Manifest({Entry(Status::kExisting, "file:///x")}), {}, {});
  ASSERT_EQ(entries.size(), 1u);
  const DataFile& file = entries[0].file;
  EXPECT_EQ(entries[0].status, Status::kExisting);
  EXPECT_EQ(entries[0].file_sequence_number, 5);
  EXPECT_EQ(file.path, "file:///x");
  EXPECT_EQ(file.record_count, 3);
  EXPECT_EQ(file.size_bytes, 400);
  EXPECT_EQ(file.sequence_number, 4);
  EXPECT_EQ(file.snapshot_id, 99);
  EXPECT_THAT(file.split_offsets, testing::ElementsAre(4, 200));
  EXPECT_EQ(file.columns.at(7).nan_count, 2);
  EXPECT_EQ(file.columns.at(7).lower, "a");
  EXPECT_EQ(file.columns.at(7).upper, "b");
  EXPECT_EQ(file.columns.at(7).null_count, 1);
  EXPECT_EQ(file.columns.at(8).size_bytes, 40);
  EXPECT_EQ(file.columns.at(8).nan_count, std::nullopt);
  EXPECT_EQ(file.columns.at(8).lower, std::nullopt);
}

TEST(ManifestTest, LetsAddedFilesInheritTheirSequenceNumber) {
  const auto entries = DecodeManifest(Manifest({Entry(Status::kAdded, "x")}), {.sequence_number = 12}, {});
  EXPECT_EQ(entries[0].file.sequence_number, 12);
  EXPECT_EQ(entries[0].file_sequence_number, 12);
}

TEST(ManifestTest, CarriesWhatReadersInsistOn) {
  const auto container = avro::ReadContainer(Manifest({Entry(Status::kAdded, "x")}));
  EXPECT_EQ(container.metadata.at("partition-spec"), "[]");
  EXPECT_EQ(container.metadata.at("format-version"), "2");
  EXPECT_EQ(container.metadata.at("content"), "data");
  EXPECT_EQ(container.metadata.at("schema-id"), "2");
  const auto schema = nlohmann::json::parse(container.metadata.at("avro.schema"));
  EXPECT_EQ(
      schema["fields"][1],
      nlohmann::json::parse(R"({"name": "snapshot_id", "type": ["null", "long"], "default": null, "field-id": 1})"));
  const auto data_file = schema["fields"][4]["type"];
  EXPECT_EQ(data_file["name"], "r2");
  EXPECT_EQ(data_file["fields"][3]["type"],
            nlohmann::json::parse(R"({"type": "record", "name": "r102", "fields": []})"));
  EXPECT_EQ(data_file["fields"][10], nlohmann::json::parse(R"({"name": "lower_bounds", "default": null, "field-id": 125,
      "type": ["null", {"type": "array", "logicalType": "map", "items": {"type": "record", "name": "k126_v127", "fields": [
          {"name": "key", "type": "int", "field-id": 126}, {"name": "value", "type": "bytes", "field-id": 127}]}}]})"));
  EXPECT_EQ(data_file["fields"][13]["type"][1]["element-id"], 133);
}

const PartitionSpec kBySuperseded = {.id = 1, .fields = R"([{"source-id": 7}])", .superseded_id = 1000};

TEST(ManifestTest, KeepsThePartitionOfEachFile) {
  std::vector<ManifestEntry> entries(3, Entry(Status::kExisting, "x"));
  entries[0].file.superseded = false;
  entries[1].file.superseded = true;
  const std::string bytes = EncodeManifest(entries, "{}", 2, kBySuperseded);
  const auto read = DecodeManifest(bytes, {}, kBySuperseded);
  EXPECT_EQ(read.at(0).file.superseded, false);
  EXPECT_EQ(read.at(1).file.superseded, true);
  EXPECT_EQ(read.at(2).file.superseded, std::nullopt);
  EXPECT_EQ(read.at(2).file.record_count, 3);
  // A partition of somebody else's making is no business of ours.
  EXPECT_EQ(DecodeManifest(bytes, {}, {}).at(1).file.superseded, std::nullopt);
  const auto container = avro::ReadContainer(bytes);
  EXPECT_EQ(container.metadata.at("partition-spec"), kBySuperseded.fields);
  EXPECT_EQ(container.metadata.at("partition-spec-id"), "1");
  const auto data_file = nlohmann::json::parse(container.metadata.at("avro.schema"))["fields"][4]["type"];
  EXPECT_EQ(data_file["fields"][3], nlohmann::json::parse(R"({"name": "partition", "field-id": 102, "type":
      {"type": "record", "name": "r102", "fields":
          [{"name": "_leat_superseded", "type": ["null", "boolean"], "default": null, "field-id": 1000}]}})"));
}

TEST(ManifestTest, SumsUpThePartitionsOfItsEntries) {
  const auto summary_of = [](const std::vector<std::optional<bool>>& values) {
    std::vector<ManifestEntry> entries;
    for (const auto& value : values) {
      entries.push_back(Entry(Status::kExisting, "x"));
      entries.back().file.superseded = value;
    }
    return SummarisePartitions(entries, kBySuperseded).at(0);
  };
  const std::string no(1, '\0'), yes(1, '\1');
  EXPECT_EQ(summary_of({false, false}), (PartitionSummary{false, false, no, no}));
  EXPECT_EQ(summary_of({true, false}), (PartitionSummary{false, false, no, yes}));
  EXPECT_EQ(summary_of({std::nullopt, true}), (PartitionSummary{true, false, yes, yes}));
  EXPECT_THAT(SummarisePartitions({Entry(Status::kAdded, "x")}, {}), testing::IsEmpty());
}

TEST(ManifestTest, RefusesFilesThatLeatCannotRead) {
  const auto manifest_of = [](int content, const char* format) {
    avro::ContainerWriter writer(R"({"type":"record","name":"manifest_entry","fields":[
        {"name":"status","type":"int","field-id":0},
        {"name":"data_file","field-id":2,"type":{"type":"record","name":"r2","fields":[
            {"name":"content","type":"int","field-id":134},
            {"name":"file_path","type":"string","field-id":100},
            {"name":"file_format","type":"string","field-id":101}]}}]})",
                                 {}, avro::Codec::kNull);
    writer.record().Long(1);
    writer.record().Long(content);
    writer.record().Bytes("s3://b/x");
    writer.record().Bytes(format);
    writer.EndRecord();
    return std::move(writer).Finish();
  };
  EXPECT_EQ(ManifestError(manifest_of(1, "PARQUET")), "s3://b/x lists deleted rows, which leat does not read");
  EXPECT_EQ(ManifestError(manifest_of(0, "ORC")), "s3://b/x has the format 'orc'; leat reads Parquet");
  EXPECT_EQ(ManifestError(manifest_of(0, "parquet")), "it has no field 'record_count' (id 103)");
}

TEST(ManifestListTest, ReadsWhatItWrote) {
  const ManifestFile manifest{.path = "file:///m",
                              .length = 10,
                              .spec_id = 1,
                              .sequence_number = 2,
                              .min_sequence_number = 1,
                              .added_snapshot_id = 77,
                              .added_files = 3,
                              .existing_files = 4,
                              .deleted_files = 5,
                              .added_rows = 6,
                              .existing_rows = 7,
                              .deleted_rows = 8,
                              .partitions = {{.lower = "a"}, {true, true, "b", "c"}}};
  const std::string bytes = EncodeManifestList({manifest}, {.id = 77, .sequence_number = 2});
  EXPECT_EQ(avro::ReadContainer(bytes).metadata.at("parent-snapshot-id"), "null");
  const auto read = DecodeManifestList(bytes);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].path, "file:///m");
  EXPECT_EQ(read[0].spec_id, 1);
  EXPECT_EQ(read[0].min_sequence_number, 1);
  EXPECT_EQ(read[0].added_snapshot_id, 77);
  EXPECT_EQ(read[0].live_files(), 7);
  EXPECT_EQ(read[0].deleted_rows, 8);
  EXPECT_EQ(read[0].partitions, manifest.partitions);
}

}  // namespace
}  // namespace leat::lake::iceberg
