#include "lake/iceberg/metadata.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::lake::iceberg {
namespace {

/// The least that PyIceberg, too, insists on; `more` goes between.
std::string Minimal(const std::string& more = "", const std::string& type = R"("long")") {
  return R"({"format-version": 2, "location": "file:///t", "last-column-id": 1, "partition-specs": [], "current-schema-id": 0,)" +
         more + R"("schemas": [{"type": "struct", "schema-id": 0, "fields": [{"required": true, "id": 1, "type": )" +
         type + R"(, "name": "id"}]}]})";
}

std::string MetadataError(const std::string& text) {
  try {
    Metadata::Parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0520");
    return error.message();
  }
  return "no error";
}

TEST(MetadataTest, ReadsWhatLeavesOutAllThatIsOptional) {
  const Metadata metadata = Metadata::Parse(Minimal());
  EXPECT_EQ(metadata.snapshot(), std::nullopt);
  EXPECT_EQ(metadata.schema().fields.at(0).name, "id");
  EXPECT_TRUE(metadata.schema().fields.at(0).required);
  EXPECT_EQ(metadata.last_sequence_number(), 0);
  EXPECT_EQ(Metadata::Parse(Minimal(R"("current-snapshot-id": -1,)")).snapshot(), std::nullopt);
  EXPECT_EQ(Metadata::Parse(Minimal(R"("current-snapshot-id": null,)")).snapshot(), std::nullopt);
}

TEST(MetadataTest, ReadsEveryType) {
  const auto type_of = [](const char* json) {
    return DuckType(Metadata::Parse(Minimal("", json)).schema().fields[0].type);
  };
  EXPECT_EQ(type_of("\"decimal(9,2)\""), "DECIMAL(9,2)");
  EXPECT_EQ(type_of("\"decimal(38, 0)\""), "DECIMAL(38,0)");
  EXPECT_EQ(type_of(R"("timestamptz")"), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(type_of(R"("fixed[16]")"), "BLOB");
  EXPECT_EQ(type_of(R"({"type": "list", "element-id": 2, "element": "int", "element-required": false})"), "INTEGER[]");
  EXPECT_EQ(
      type_of(
          R"({"type": "map", "key-id": 2, "key": "string", "value-id": 3, "value": "uuid", "value-required": true})"),
      "MAP(VARCHAR, UUID)");
}

TEST(MetadataTest, NamesWhatItCannotRead) {
  EXPECT_EQ(MetadataError(Minimal("", R"("variant")")), "a column has type variant, which leat does not read");
  EXPECT_EQ(MetadataError(Minimal(R"("current-snapshot-id": 5,)")), "it has no snapshot 5");
  EXPECT_EQ(MetadataError(R"({"format-version": 3})"), "its format-version is 3; leat reads 2");
  EXPECT_THAT(MetadataError("{}"), testing::HasSubstr("format-version"));
  EXPECT_THAT(MetadataError(R"({"format-version": 2, "current-schema-id": 1, "schemas": []})"),
              testing::HasSubstr("it has no schema 1"));
}

TEST(MetadataTest, TakesAnEqualSchemaAgain) {
  Metadata metadata = Metadata::Parse(Minimal());
  const Schema first = metadata.schema();
  Schema wider = first;
  wider.fields.push_back({.id = 2, .name = "n", .type = {Type::Kind::kString}});
  metadata.SetSchema(wider);
  EXPECT_EQ(metadata.schema().id, 1);
  EXPECT_EQ(metadata.last_column_id(), 2);
  metadata.SetSchema(first);
  EXPECT_EQ(metadata.schema().id, 0);
  EXPECT_EQ(metadata.last_column_id(), 2);
}

/// A table of one column with a partition spec of another program.
Metadata PartitionedByOthers(const std::string& transform) {
  std::string text = Minimal();
  text.replace(
      text.find("[]"), 2,
      R"([{"spec-id": 0, "fields": [{"source-id": 1, "field-id": 1000, "name": "_leat_superseded", "transform": ")" +
          transform + R"("}]}])");
  return Metadata::Parse(text);
}

TEST(MetadataTest, TellsItsOwnPartitionsFromOthers) {
  EXPECT_FALSE(Metadata::Parse(Minimal()).is_partitioned_by_others());
  EXPECT_FALSE(Metadata::New("file:///t").is_partitioned_by_others());
  EXPECT_TRUE(PartitionedByOthers("bucket[4]").is_partitioned_by_others());
  EXPECT_EQ(PartitionedByOthers("bucket[4]").FindSpec(0).superseded_id, std::nullopt);
  EXPECT_FALSE(PartitionedByOthers("identity").is_partitioned_by_others());
  EXPECT_EQ(PartitionedByOthers("identity").FindSpec(0).superseded_id, 1000);
}

TEST(MetadataTest, PartsNewFilesByWhetherTheirRowsAreSuperseded) {
  Metadata metadata = Metadata::Parse(Minimal());
  EXPECT_EQ(metadata.default_spec().fields, "[]");
  Schema schema = metadata.schema();
  schema.fields.push_back({.id = 7, .name = kSupersededColumn, .type = {Type::Kind::kBoolean}});
  metadata.SetSchema(schema);
  metadata.PartitionBySuperseded();
  metadata.PartitionBySuperseded();
  const auto json = nlohmann::json::parse(metadata.Format());
  EXPECT_EQ(json["default-spec-id"], 0);
  EXPECT_EQ(json["last-partition-id"], 1000);
  EXPECT_EQ(json["partition-specs"], nlohmann::json::parse(R"([{"spec-id": 0, "fields": [
      {"source-id": 7, "field-id": 1000, "name": "_leat_superseded", "transform": "identity"}]}])"));
  EXPECT_FALSE(metadata.is_partitioned_by_others());
}

/// Numbers of the snapshots that a list of the metadata names.
std::vector<int64_t> Ids(const nlohmann::json& list) {
  std::vector<int64_t> ids;
  for (const auto& member : list) ids.push_back(member["snapshot-id"].get<int64_t>());
  return ids;
}

std::vector<int64_t> Numbers(int64_t first, int64_t last) {
  std::vector<int64_t> numbers;
  for (int64_t i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

TEST(MetadataTest, ForgetsAllButTheNewestSnapshots) {
  Metadata metadata = Metadata::Parse(Minimal());
  for (int64_t i = 1; i <= 100; ++i) metadata.AddSnapshot({.id = i, .manifest_list = "file:///m"});
  EXPECT_EQ(Ids(nlohmann::json::parse(metadata.Format())["snapshots"]), Numbers(1, 100));
  for (int64_t i = 101; i <= 130; ++i) metadata.AddSnapshot({.id = i, .manifest_list = "file:///m"});
  const auto json = nlohmann::json::parse(metadata.Format());
  EXPECT_EQ(Ids(json["snapshots"]), Numbers(31, 130));
  EXPECT_EQ(Ids(json["snapshot-log"]), Numbers(31, 130));
  EXPECT_EQ(metadata.FindSnapshot(30), std::nullopt);
  EXPECT_EQ(metadata.snapshot()->id, 130);
}

TEST(MetadataTest, KeepsSnapshotsThatATagNames) {
  Metadata metadata = Metadata::Parse(Minimal(
      R"("refs": {"audit": {"snapshot-id": 1, "type": "tag"}}, "statistics": [{"snapshot-id": 1}, {"snapshot-id": 2}],
                 "snapshots": [{"snapshot-id": 1, "manifest-list": "file:///m"}, {"snapshot-id": 2, "manifest-list": "file:///m"}],
                 "snapshot-log": [{"snapshot-id": 1, "timestamp-ms": 1}, {"snapshot-id": 2, "timestamp-ms": 2}],)"));
  for (int64_t i = 3; i <= 104; ++i) metadata.AddSnapshot({.id = i, .manifest_list = "file:///m"});
  const auto json = nlohmann::json::parse(metadata.Format());
  EXPECT_EQ(json["snapshots"].size(), 101u);
  EXPECT_TRUE(metadata.FindSnapshot(1));
  EXPECT_FALSE(metadata.FindSnapshot(2));
  EXPECT_EQ(Ids(json["statistics"]), std::vector<int64_t>{1});
  EXPECT_EQ(Ids(json["snapshot-log"]), Numbers(5, 104));  // and not 1, 5, …: that would tell of a time without 2
}

TEST(MetadataTest, ForgetsSchemasThatNoSnapshotWasWrittenBy) {
  Metadata metadata = Metadata::Parse(Minimal());
  const Schema first = metadata.schema();
  Schema second = first;
  second.fields.push_back({.id = 2, .name = "n", .type = {Type::Kind::kString}});
  metadata.AddSnapshot({.id = 1, .manifest_list = "file:///m", .schema_id = 0});
  metadata.SetSchema(second);
  for (int64_t i = 2; i <= 100; ++i) metadata.AddSnapshot({.id = i, .manifest_list = "file:///m", .schema_id = 1});
  EXPECT_EQ(nlohmann::json::parse(metadata.Format())["schemas"].size(), 2u);
  metadata.AddSnapshot({.id = 101, .manifest_list = "file:///m", .schema_id = 1});
  const auto json = nlohmann::json::parse(metadata.Format());
  ASSERT_EQ(json["schemas"].size(), 1u);
  EXPECT_EQ(json["schemas"][0]["schema-id"], 1);
}

}  // namespace
}  // namespace leat::lake::iceberg
