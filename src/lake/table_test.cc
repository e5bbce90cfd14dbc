#include "lake/table.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/file_system.h"
#include "lake/iceberg/manifest.h"
#include "lake/lake_test_support.h"

namespace leat::lake {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::SizeIs;

class TableTest : public LakeTest {
 protected:
  nlohmann::json Metadata() {
    return nlohmann::json::parse(storage_->Read(storage_->NameOf(table_->metadata_location())));
  }

  std::vector<iceberg::ManifestFile> Manifests() {
    return iceberg::DecodeManifestList(storage_->Read(storage_->NameOf(table_->snapshot()->manifest_list)));
  }
  size_t ManifestCount() { return Manifests().size(); }

  /// Partitions of the table's files, in the order of their manifests.
  std::vector<std::optional<bool>> Partitions() {
    std::vector<std::optional<bool>> partitions;
    const Table table = Reopened();
    for (const DataFile& file : table.files()) partitions.push_back(file.superseded);
    return partitions;
  }

  std::string SummaryOf(const char* key) {
    const auto& summary = table_->snapshot()->summary;
    const auto it = summary.find(key);
    return it == summary.end() ? "-" : it->second;
  }

  void Damage(const std::string& uri, const std::string& bytes) {
    std::ofstream(storage_->DuckPath(storage_->NameOf(uri)), std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string LoadError() {
    try {
      Reopened().files();
    } catch (const Error& error) {
      return error.code() + ": " + error.message();
    }
    return "no error";
  }
};

TEST_F(TableTest, AppendsFiles) {
  Change("SELECT 1 AS id, 'a' AS name");
  const int64_t first = table_->snapshot()->id;
  Change("SELECT 2 AS id, 'b' AS name");
  EXPECT_THAT(Rows(), ElementsAre("{'id': 1, 'name': a}", "{'id': 2, 'name': b}"));
  const Table table = Reopened();
  EXPECT_EQ(table.record_count(), 2);
  EXPECT_EQ(table.location(), "processed/mart/t");
  EXPECT_EQ(table.snapshot()->parent_id, first);
  EXPECT_EQ(table.snapshot()->sequence_number, 2);
  ASSERT_THAT(table.files(), SizeIs(2));
  EXPECT_EQ(table.files()[0].sequence_number, 1);
  EXPECT_EQ(table.files()[0].snapshot_id, first);
  EXPECT_EQ(table.files()[1].sequence_number, 2);
  EXPECT_EQ(SummaryOf("operation"), "append");
  EXPECT_EQ(SummaryOf("added-records"), "1");
  EXPECT_EQ(SummaryOf("total-records"), "2");
  EXPECT_EQ(SummaryOf("total-data-files"), "2");
}

TEST_F(TableTest, ReplacesAllFiles) {
  Change("SELECT 1 AS id");
  Change("SELECT 2 AS id");
  Replace("SELECT 3 AS id");
  EXPECT_THAT(Rows(), ElementsAre("{'id': 3}"));
  EXPECT_EQ(SummaryOf("operation"), "overwrite");
  EXPECT_EQ(SummaryOf("deleted-data-files"), "2");
  EXPECT_EQ(SummaryOf("total-records"), "1");
  EXPECT_EQ(ManifestCount(), 2u);  // one tells of the files that left
  Change("SELECT 4 AS id");
  EXPECT_EQ(ManifestCount(), 2u);  // and only once
  EXPECT_THAT(Rows(), ElementsAre("{'id': 3}", "{'id': 4}"));
}

TEST_F(TableTest, RemovesSingleFiles) {
  Change("SELECT 1 AS id");
  const std::string leaving = table_->files()[0].path;
  Change("SELECT 2 AS id");
  Change("SELECT 3 AS id", {.removed = {leaving}});
  EXPECT_THAT(Rows(), ElementsAre("{'id': 2}", "{'id': 3}"));
  Apply({.schema = table_->schema(), .removed = {Reopened().files()[0].path}});
  EXPECT_EQ(SummaryOf("operation"), "delete");
  EXPECT_THAT(Rows(), SizeIs(1));
  EXPECT_EQ(Reopened().record_count(), 1);
  EXPECT_THROW(Apply({.schema = table_->schema(), .removed = {leaving}}), Error);
}

TEST_F(TableTest, KeepsOlderSnapshotsReadable) {
  Change("SELECT 1 AS id");
  const int64_t first = table_->snapshot()->id;
  Replace("SELECT 2 AS id");
  const Table table = Reopened();
  const auto snapshot = table.FindSnapshot(first);
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_THAT(Rows(table.schema(), table.FilesOf(*snapshot)), ElementsAre("{'id': 1}"));
  EXPECT_EQ(table.FindSnapshot(42), std::nullopt);
}

TEST_F(TableTest, ReadsRowsOfOlderSchemas) {
  Change("SELECT 1 AS a, 1.5::FLOAT AS b, 'gone' AS c");
  Change("SELECT 5000000000 AS a, 'new' AS d, 2.5::DOUBLE AS b");
  EXPECT_THAT(Rows(), ElementsAre("{'a': 1, 'd': NULL, 'b': 1.5}", "{'a': 5000000000, 'd': new, 'b': 2.5}"));
  Change("SELECT 7::BIGINT AS a, 'new' AS d, 2.5::DOUBLE AS b, 'again' AS c");
  EXPECT_THAT(Rows(), ElementsAre("{'a': 1, 'd': NULL, 'b': 1.5, 'c': NULL}",
                                  "{'a': 5000000000, 'd': new, 'b': 2.5, 'c': NULL}",
                                  "{'a': 7, 'd': new, 'b': 2.5, 'c': again}"));
  EXPECT_EQ(Metadata()["schemas"].size(), 3u);
}

TEST_F(TableTest, ReadsNestedRowsOfOlderSchemas) {
  Change("SELECT 1 AS a, [{'x': 1, 'y': 'p'}] AS l, {'u': 1} AS s, MAP {'k': 1::FLOAT} AS m");
  Change(
      "SELECT 2 AS a, [{'y': 'q', 'z': 3, 'x': 2}] AS l, {'v': 9, 'u': 5000000000} AS s, MAP {'k': 2.5::DOUBLE} AS m");
  EXPECT_THAT(Rows(),
              ElementsAre("{'a': 1, 'l': [{'y': p, 'z': NULL, 'x': 1}], 's': {'v': NULL, 'u': 1}, 'm': {k=1.0}}",
                          "{'a': 2, 'l': [{'y': q, 'z': 3, 'x': 2}], 's': {'v': 9, 'u': 5000000000}, 'm': {k=2.5}}"));
}

TEST_F(TableTest, ReadsAnEmptyTable) {
  const Schema schema = SchemaOf(connection_.Describe("SELECT 1 AS id, [1] AS l"));
  Apply({.schema = schema});
  EXPECT_EQ(Reopened().snapshot(), std::nullopt);
  EXPECT_EQ(Reopened().record_count(), 0);
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_THAT(connection_.Describe("SELECT * FROM " + ReadFilesSql(*storage_, schema, {})),
              ElementsAre(duck::Column{"id", "INTEGER"}, duck::Column{"l", "INTEGER[]"}));
  Apply({.schema = schema, .summary = {{"leat.position", "{}"}}});
  ASSERT_TRUE(Reopened().snapshot().has_value());
  EXPECT_THAT(Reopened().files(), IsEmpty());
}

TEST_F(TableTest, KeepsPropertiesAndSourceTypes) {
  Schema schema = SchemaOf(connection_.Describe("SELECT 1 AS id, 2 AS n"));
  schema.fields[1].source_type = "smallint";
  Apply({.schema = schema, .properties = {{"leat.kind", "table"}, {"leat.key", "id"}}});
  EXPECT_EQ(Reopened().schema(), table_->schema());
  EXPECT_EQ(Reopened().Property("leat.source_type.2"), "smallint");
  schema.fields[1].source_type = "integer";
  Apply({.schema = schema, .properties = {{"leat.kind", "history"}}});
  EXPECT_EQ(Reopened().Property("leat.kind"), "history");
  EXPECT_EQ(Reopened().Property("leat.key"), "id");
  EXPECT_EQ(Reopened().schema().fields[1].source_type, "integer");
  EXPECT_EQ(Reopened().Property("absent"), std::nullopt);
  EXPECT_EQ(Metadata()["schemas"].size(), 1u);
}

TEST_F(TableTest, WritesAllThatTheSpecificationRequires) {
  Change("SELECT 1 AS id");
  const auto first = table_->metadata_location();
  Change("SELECT 2 AS id");
  const nlohmann::json json = Metadata();
  for (const char* key : {"format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms",
                          "last-column-id", "schemas", "current-schema-id", "partition-specs", "default-spec-id",
                          "last-partition-id", "properties", "current-snapshot-id", "snapshots", "snapshot-log",
                          "metadata-log", "sort-orders", "default-sort-order-id", "refs"})
    EXPECT_TRUE(json.contains(key)) << key;
  EXPECT_EQ(json["partition-specs"], nlohmann::json::parse(R"([{"spec-id": 0, "fields": []}])"));
  EXPECT_EQ(json["sort-orders"], nlohmann::json::parse(R"([{"order-id": 0, "fields": []}])"));
  EXPECT_EQ(json["metadata-log"][0]["metadata-file"], first);
  EXPECT_EQ(json["location"], "file://" + folder_ + "/processed/mart/t");
  EXPECT_EQ(json["last-updated-ms"], 1700000002000);
  EXPECT_THAT(table_->metadata_location(),
              MatchesRegex("file:///.*/processed/mart/t/metadata/00001-[0-9a-f-]+\\.metadata\\.json"));
}

TEST_F(TableTest, KeepsWhatOtherWritersNoted) {
  Change("SELECT 1 AS id");
  nlohmann::json json = Metadata();
  json["statistics"] = {{{"snapshot-id", 1}}};
  Damage(table_->metadata_location(), json.dump());
  table_ = Reopened();
  Change("SELECT 2 AS id");
  EXPECT_EQ(Metadata()["statistics"][0]["snapshot-id"], 1);
}

TEST_F(TableTest, NeverGoesBackInTime) {
  Change("SELECT 1 AS id");
  clock_.Advance(-std::chrono::hours(1));
  Change("SELECT 2 AS id");
  EXPECT_EQ(Metadata()["last-updated-ms"], 1700000001000);
}

TEST_F(TableTest, MergesManyManifests) {
  Change("SELECT 0 AS id");
  const DataFile file = table_->files()[0];
  for (int i = 1; i <= 101; ++i) {
    DataFile copy = file;
    copy.path = storage_->Uri("processed/mart/t/data/" + std::to_string(i) + ".parquet");
    Apply({.schema = table_->schema(), .added = {copy}});
  }
  EXPECT_LT(ManifestCount(), 5u);
  const Table table = Reopened();
  EXPECT_THAT(table.files(), SizeIs(102));
  EXPECT_EQ(table.record_count(), 102);
  EXPECT_EQ(table.files()[0].sequence_number, 1);
  EXPECT_EQ(Metadata()["metadata-log"].size(), 100u);
}

TEST_F(TableTest, PartsItsFilesByWhetherTheirRowsAreSuperseded) {
  Change("SELECT 1 AS id, false AS _leat_superseded", {.partition_by_superseded = true});
  Change("SELECT 2 AS id, true AS _leat_superseded");
  EXPECT_THAT(Partitions(), ElementsAre(false, true));
  const auto manifests = Manifests();
  ASSERT_THAT(manifests, SizeIs(2));
  for (const auto& manifest : manifests) EXPECT_EQ(manifest.spec_id, Metadata()["default-spec-id"]);
  EXPECT_EQ(manifests[0].partitions.at(0).upper, std::string(1, '\0'));
  EXPECT_EQ(manifests[1].partitions.at(0).lower, std::string(1, '\1'));
  Change("SELECT 3 AS id, false AS _leat_superseded", {.removed = {Reopened().files()[0].path}});
  EXPECT_THAT(Partitions(), ElementsAre(true, false));
  EXPECT_EQ(Metadata()["last-partition-id"], 1000);
}

TEST_F(TableTest, APartitionedTableTakesNoFileOfTwoPartitions) {
  Change("SELECT 1 AS id, false AS _leat_superseded", {.partition_by_superseded = true});
  try {
    Change("SELECT range AS id, range = 1 AS _leat_superseded FROM range(2)");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT9907");
    EXPECT_THAT(error.message(),
                HasSubstr("is to join table mart.t, but _leat_superseded is not the same in all of its rows"));
  }
  EXPECT_THROW(Change("SELECT 1 AS id, NULL::BOOLEAN AS _leat_superseded"), Error);
}

TEST_F(TableTest, PartsTheNewFilesOfATableThatWasNotParted) {
  Change("SELECT 1 AS id, false AS _leat_superseded");
  const auto add_copies = [&, file = table_->files()[0]](int first, int last) {
    for (int i = first; i <= last; ++i) {
      DataFile copy = file;
      copy.path = storage_->Uri(fmt::format("processed/mart/t/data/{}.parquet", i));
      copy.superseded = false;
      Apply({.schema = table_->schema(), .added = {copy}});
    }
  };
  add_copies(2, 60);
  EXPECT_EQ(Partitions(), std::vector<std::optional<bool>>(60, std::nullopt));
  Change("SELECT 61 AS id, true AS _leat_superseded", {.partition_by_superseded = true});
  EXPECT_EQ(Metadata()["partition-specs"].size(), 2u);
  // More manifests than a list keeps: what is merged stays apart by spec, and no file changes its partition.
  add_copies(62, 110);
  EXPECT_THAT(Manifests(), SizeIs(testing::Lt(20u)));
  std::map<std::optional<bool>, int> files;
  for (const auto& partition : Partitions()) ++files[partition];
  EXPECT_THAT(files, ElementsAre(testing::Pair(std::nullopt, 60), testing::Pair(false, 49), testing::Pair(true, 1)));
  std::map<int, int64_t> files_of_spec;
  for (const auto& manifest : Manifests()) {
    EXPECT_EQ(manifest.partitions.size(), manifest.spec_id == 0 ? 0u : 1u);
    files_of_spec[manifest.spec_id] += manifest.live_files();
  }
  EXPECT_THAT(files_of_spec, ElementsAre(testing::Pair(0, 60), testing::Pair(1, 50)));
}

TEST_F(TableTest, RefusesToAddToPartitionsOfOthers) {
  Change("SELECT 1 AS id");
  nlohmann::json json = Metadata();
  json["partition-specs"][0]["fields"] = {
      {{"source-id", 1}, {"field-id", 1000}, {"name", "id"}, {"transform", "identity"}}};
  Damage(table_->metadata_location(), json.dump());
  table_ = Reopened();
  try {
    Change("SELECT 2 AS id");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code() + ": " + error.message(),
              "LEAT0520: table mart.t was partitioned by another program; expected no partitions but leat's own, by "
              "_leat_superseded");
  }
  EXPECT_THAT(Rows(), ElementsAre("{'id': 1}"));
}

TEST_F(TableTest, SurvivesAMove) {
  Change("SELECT 1 AS id");
  const std::string location = table_->metadata_location();
  const std::string moved = folder_ + "/moved/lake=1 [x]";
  std::filesystem::create_directories(moved);
  std::filesystem::rename(folder_ + "/processed", moved + "/processed");
  storage_ = OpenLocalStorage(moved);
  table_ = Table::Load(*storage_, kName, location);
  EXPECT_THAT(Rows(table_->schema(), table_->files()), ElementsAre("{'id': 1}"));
  Change("SELECT 2 AS id");
  EXPECT_THAT(Rows(), ElementsAre("{'id': 1}", "{'id': 2}"));
  EXPECT_THAT(table_->metadata_location(), HasSubstr("/moved/lake=1 [x]/processed/mart/t/metadata/00001-"));
}

TEST_F(TableTest, SaysWhichMetadataIsDamaged) {
  Change("SELECT 1 AS id");
  const std::string path = storage_->DuckPath(storage_->NameOf(table_->metadata_location()));
  Damage(table_->metadata_location(), R"({"format-version": 1})");
  EXPECT_EQ(LoadError(),
            "LEAT0520: " + path + ", metadata of table mart.t, cannot be read: its format-version is 1; leat reads 2");
  Damage(table_->metadata_location(), "{");
  EXPECT_THAT(LoadError(), HasSubstr("cannot be read: [json.exception.parse_error"));
  RemoveFileQuietly(path);
  EXPECT_EQ(LoadError(), "LEAT0522: " + path + " is missing from the lake");
}

TEST_F(TableTest, SaysWhichManifestIsDamaged) {
  Change("SELECT 1 AS id");
  const std::string list = table_->snapshot()->manifest_list;
  const auto manifest = iceberg::DecodeManifestList(storage_->Read(storage_->NameOf(list))).at(0);
  const std::string bytes = storage_->Read(storage_->NameOf(manifest.path));
  Damage(manifest.path, bytes.substr(0, bytes.size() - 5));
  EXPECT_EQ(LoadError(), "LEAT0520: " + storage_->DuckPath(storage_->NameOf(manifest.path)) +
                             ", metadata of table mart.t, cannot be read: it ends in the middle of a value");
  Damage(list, "");
  EXPECT_THAT(LoadError(), HasSubstr("it is no Avro file"));
}

TEST_F(TableTest, RefusesFilesThatOthersHalfDeleted) {
  Change("SELECT 1 AS id");
  auto manifests = iceberg::DecodeManifestList(storage_->Read(storage_->NameOf(table_->snapshot()->manifest_list)));
  manifests[0].content = iceberg::ManifestFile::Content::kDeletes;
  Damage(table_->snapshot()->manifest_list, iceberg::EncodeManifestList(manifests, *table_->snapshot()));
  EXPECT_THAT(LoadError(),
              HasSubstr("another program has deleted single rows of data files, which leat does not read"));
}

}  // namespace
}  // namespace leat::lake
