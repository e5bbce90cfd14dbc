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

TEST(MetadataTest, SeesPartitions) {
  EXPECT_FALSE(Metadata::Parse(Minimal()).is_partitioned());
  Metadata fresh = Metadata::New("file:///t");
  EXPECT_FALSE(fresh.is_partitioned());
  std::string text = Minimal();
  text.replace(text.find("[]"), 2, R"([{"spec-id": 0, "fields": [{"source-id": 1}]}])");
  EXPECT_TRUE(Metadata::Parse(text).is_partitioned());
}

}  // namespace
}  // namespace leat::lake::iceberg
