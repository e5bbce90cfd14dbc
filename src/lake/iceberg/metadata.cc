#include "lake/iceberg/metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/error.h"
#include "core/ids.h"
#include "lake/iceberg/avro.h"

namespace leat::lake::iceberg {
namespace {

using Json = Metadata::Json;
using Kind = Type::Kind;

/// What metadata keeps of the past. It is read as a whole by each run, at about a kilobyte for a snapshot.
constexpr size_t kSnapshotsMax = 100;
constexpr size_t kLogEntriesMax = 100;
/// Partition fields count from 1000; an unpartitioned table has used none.
constexpr int kLastPartitionId = 999;
constexpr std::string_view kSourceType = "leat.source_type.";
constexpr std::string_view kPath = "leat.path.";

constexpr std::pair<const char*, Kind> kPrimitives[] = {{"boolean", Kind::kBoolean},
                                                        {"int", Kind::kInt},
                                                        {"long", Kind::kLong},
                                                        {"float", Kind::kFloat},
                                                        {"double", Kind::kDouble},
                                                        {"date", Kind::kDate},
                                                        {"time", Kind::kTime},
                                                        {"timestamp", Kind::kTimestamp},
                                                        {"timestamptz", Kind::kTimestampTz},
                                                        {"string", Kind::kString},
                                                        {"uuid", Kind::kUuid},
                                                        {"binary", Kind::kBinary}};

Json FormatFields(const std::vector<Field>& fields);

Json FormatType(const Type& type) {
  switch (type.kind) {
    case Kind::kDecimal:
      return fmt::format("decimal({}, {})", type.precision, type.scale);
    case Kind::kStruct:
      return {{"type", "struct"}, {"fields", FormatFields(type.fields)}};
    case Kind::kList: {
      const Field& element = type.fields[0];
      return {{"type", "list"},
              {"element-id", element.id},
              {"element", FormatType(element.type)},
              {"element-required", element.required}};
    }
    case Kind::kMap: {
      const Field &key = type.fields[0], &value = type.fields[1];
      return {{"type", "map"},
              {"key-id", key.id},
              {"key", FormatType(key.type)},
              {"value-id", value.id},
              {"value", FormatType(value.type)},
              {"value-required", value.required}};
    }
    default:
      for (const auto& [name, kind] : kPrimitives)
        if (kind == type.kind) return name;
      throw std::logic_error("a type of no kind");
  }
}

Json FormatFields(const std::vector<Field>& fields) {
  Json list = Json::array();
  for (const Field& field : fields)
    list.push_back(
        {{"id", field.id}, {"name", field.name}, {"required", field.required}, {"type", FormatType(field.type)}});
  return list;
}

std::vector<Field> ParseFields(const Json& json);

Type ParseTypeName(const std::string& name) {
  for (const auto& [known, kind] : kPrimitives)
    if (name == known) return {.kind = kind};
  Type type{.kind = Kind::kDecimal};
  if (std::sscanf(name.c_str(), "decimal(%d ,%d )", &type.precision, &type.scale) == 2) return type;
  if (name.starts_with("fixed[")) return {.kind = Kind::kBinary};
  avro::Damaged(fmt::format("a column has type {}, which leat does not read", name));
}

Type ParseType(const Json& json) {
  if (json.is_string()) return ParseTypeName(json.get<std::string>());
  const auto name = json.at("type").get<std::string>();
  if (name == "struct") return {.kind = Kind::kStruct, .fields = ParseFields(json.at("fields"))};
  if (name == "list")
    return {.kind = Kind::kList,
            .fields = {{json.at("element-id").get<int>(), "element", ParseType(json.at("element")),
                        json.at("element-required").get<bool>(), "", ""}}};
  if (name == "map")
    return {.kind = Kind::kMap,
            .fields = {{json.at("key-id").get<int>(), "key", ParseType(json.at("key")), true, "", ""},
                       {json.at("value-id").get<int>(), "value", ParseType(json.at("value")),
                        json.at("value-required").get<bool>(), "", ""}}};
  avro::Damaged(fmt::format("a column has type {}, which leat does not read", name));
}

std::vector<Field> ParseFields(const Json& json) {
  std::vector<Field> fields;
  for (const Json& field : json)
    fields.push_back({field.at("id").get<int>(), field.at("name").get<std::string>(), ParseType(field.at("type")),
                      field.at("required").get<bool>(), "", ""});
  return fields;
}

/// The member of `list` whose `key` is `id`.
template <typename Id>
const Json* FindById(const Json& document, const char* list, const char* key, Id id) {
  const auto it = document.find(list);
  if (it == document.end()) return nullptr;
  for (const Json& member : *it)
    if (member.at(key).get<Id>() == id) return &member;
  return nullptr;
}

/// What of a field stands beside the schema.
void SetOrigins(std::vector<Field>& fields, const std::map<std::string, std::string>& properties) {
  const auto property = [&](std::string_view prefix, const Field& field) {
    const auto it = properties.find(fmt::format("{}{}", prefix, field.id));
    return it != properties.end() ? it->second : std::string();
  };
  for (Field& field : fields) {
    field.source_type = property(kSourceType, field);
    field.path = property(kPath, field);
    SetOrigins(field.type.fields, properties);
  }
}

void AddOrigins(const std::vector<Field>& fields, Json& properties) {
  for (const Field& field : fields) {
    if (!field.source_type.empty()) properties[fmt::format("{}{}", kSourceType, field.id)] = field.source_type;
    if (!field.path.empty()) properties[fmt::format("{}{}", kPath, field.id)] = field.path;
    AddOrigins(field.type.fields, properties);
  }
}

Json FormatSchema(int id, const Json& fields) { return {{"type", "struct"}, {"schema-id", id}, {"fields", fields}}; }

PartitionSpec ParseSpec(const Json& json) {
  const Json& fields = json.at("fields");
  PartitionSpec spec{.id = json.at("spec-id").get<int>(), .fields = fields.dump()};
  const bool is_ours =
      fields.size() == 1 && fields[0].at("name") == kSupersededColumn && fields[0].at("transform") == "identity";
  if (is_ours) spec.superseded_id = fields[0].at("field-id").get<int>();
  return spec;
}

Snapshot ParseSnapshot(const Json& json) {
  Snapshot snapshot;
  snapshot.id = json.at("snapshot-id").get<int64_t>();
  if (const auto it = json.find("parent-snapshot-id"); it != json.end() && !it->is_null())
    snapshot.parent_id = it->get<int64_t>();
  snapshot.sequence_number = json.value("sequence-number", int64_t{0});
  snapshot.timestamp_ms = json.value("timestamp-ms", int64_t{0});
  snapshot.manifest_list = json.at("manifest-list").get<std::string>();
  snapshot.schema_id = json.value("schema-id", 0);
  if (const auto it = json.find("summary"); it != json.end())
    snapshot.summary = it->get<std::map<std::string, std::string>>();
  return snapshot;
}

Json FormatSnapshot(const Snapshot& snapshot) {
  Json json = {{"snapshot-id", snapshot.id}};
  if (snapshot.parent_id) json["parent-snapshot-id"] = *snapshot.parent_id;
  json["sequence-number"] = snapshot.sequence_number;
  json["timestamp-ms"] = snapshot.timestamp_ms;
  json["manifest-list"] = snapshot.manifest_list;
  json["summary"] = snapshot.summary;
  json["schema-id"] = snapshot.schema_id;
  return json;
}

}  // namespace

Metadata Metadata::Parse(const std::string& text) {
  try {
    Metadata metadata(Json::parse(text));
    const int version = metadata.document_.at("format-version").get<int>();
    if (version != 2) avro::Damaged(fmt::format("its format-version is {}; leat reads 2", version));
    metadata.ReadProperties();
    metadata.ReadSchema();
    metadata.ReadSnapshot();
    metadata.last_column_id();
    return metadata;
  } catch (const Json::exception& error) {
    avro::Damaged(error.what());
  }
}

Metadata Metadata::New(const std::string& location) {
  return Metadata({{"format-version", 2},
                   {"table-uuid", NewUuid()},
                   {"location", location},
                   {"last-sequence-number", 0},
                   {"last-updated-ms", 0},
                   {"last-column-id", 0},
                   {"current-schema-id", -1},
                   {"schemas", Json::array()},
                   {"default-spec-id", 0},
                   {"partition-specs", Json::array({{{"spec-id", 0}, {"fields", Json::array()}}})},
                   {"last-partition-id", kLastPartitionId},
                   {"default-sort-order-id", 0},
                   {"sort-orders", Json::array({{{"order-id", 0}, {"fields", Json::array()}}})},
                   {"properties", Json::object()},
                   {"current-snapshot-id", -1},
                   {"refs", Json::object()},
                   {"snapshots", Json::array()},
                   {"snapshot-log", Json::array()},
                   {"metadata-log", Json::array()}});
}

void Metadata::ReadSchema() {
  const int id = document_.at("current-schema-id").get<int>();
  const Json* json = FindById(document_, "schemas", "schema-id", id);
  if (json == nullptr) avro::Damaged(fmt::format("it has no schema {}", id));
  schema_ = {.id = id, .fields = ParseFields(json->at("fields"))};
  SetOrigins(schema_.fields, properties_);
}

void Metadata::ReadProperties() {
  properties_.clear();
  if (const auto it = document_.find("properties"); it != document_.end() && !it->is_null())
    properties_ = it->get<std::map<std::string, std::string>>();
}

void Metadata::ReadSnapshot() {
  const auto it = document_.find("current-snapshot-id");
  // Older writers say -1 where newer ones leave it out.
  if (it == document_.end() || it->is_null() || it->get<int64_t>() == -1) return;
  snapshot_ = FindSnapshot(it->get<int64_t>());
  if (!snapshot_) avro::Damaged(fmt::format("it has no snapshot {}", it->get<int64_t>()));
}

std::string Metadata::SchemaJson() const { return FormatSchema(schema_.id, FormatFields(schema_.fields)).dump(); }

std::optional<Snapshot> Metadata::FindSnapshot(int64_t id) const {
  const Json* json = FindById(document_, "snapshots", "snapshot-id", id);
  return json != nullptr ? std::optional(ParseSnapshot(*json)) : std::nullopt;
}

PartitionSpec Metadata::FindSpec(int id) const {
  const Json* json = FindById(document_, "partition-specs", "spec-id", id);
  return json != nullptr ? ParseSpec(*json) : PartitionSpec{.id = id};
}

bool Metadata::is_partitioned_by_others() const {
  const auto specs = document_.find("partition-specs");
  const auto is_others = [](const Json& spec) { return !spec.at("fields").empty() && !ParseSpec(spec).superseded_id; };
  return specs != document_.end() && std::any_of(specs->begin(), specs->end(), is_others);
}

void Metadata::PartitionBySuperseded() {
  if (default_spec().superseded_id) return;
  int greatest = -1;
  Json& specs = document_["partition-specs"];
  for (const Json& spec : specs) greatest = std::max(greatest, spec.at("spec-id").get<int>());
  const int field_id = document_.value("last-partition-id", kLastPartitionId) + 1;
  const Json field = {{"source-id", schema_.Find(kSupersededColumn)->id},
                      {"field-id", field_id},
                      {"name", kSupersededColumn},
                      {"transform", "identity"}};
  specs.push_back({{"spec-id", greatest + 1}, {"fields", Json::array({field})}});
  document_["default-spec-id"] = greatest + 1;
  document_["last-partition-id"] = field_id;
}

void Metadata::SetSchema(const Schema& schema) {
  const Json fields = FormatFields(schema.fields);
  int id = -1, greatest = -1;
  for (const Json& known : document_.at("schemas")) {
    greatest = std::max(greatest, known.at("schema-id").get<int>());
    // Compared in our own form: other writers order the keys of JSON otherwise.
    if (FormatFields(ParseFields(known.at("fields"))) == fields) id = known.at("schema-id").get<int>();
  }
  if (id < 0) {
    id = greatest + 1;
    document_["schemas"].push_back(FormatSchema(id, fields));
  }
  document_["current-schema-id"] = id;
  document_["last-column-id"] = std::max(last_column_id(), schema.LastColumnId());
  schema_ = {.id = id, .fields = schema.fields};
  Json& properties = document_["properties"];
  for (const auto& [key, value] : properties_)
    if (key.starts_with(kSourceType) || key.starts_with(kPath)) properties.erase(key);
  AddOrigins(schema.fields, properties);
  ReadProperties();
}

void Metadata::SetProperties(const std::map<std::string, std::string>& properties) {
  for (const auto& [key, value] : properties) document_["properties"][key] = value;
  ReadProperties();
}

void Metadata::AddSnapshot(const Snapshot& snapshot) {
  document_["last-sequence-number"] = snapshot.sequence_number;
  document_["current-snapshot-id"] = snapshot.id;
  document_["refs"]["main"] = {{"snapshot-id", snapshot.id}, {"type", "branch"}};
  document_["snapshots"].push_back(FormatSnapshot(snapshot));
  document_["snapshot-log"].push_back({{"timestamp-ms", snapshot.timestamp_ms}, {"snapshot-id", snapshot.id}});
  snapshot_ = snapshot;
  DropOldSnapshots();
  DropUnusedSchemas();
}

void Metadata::DropOldSnapshots() {
  Json& snapshots = document_["snapshots"];
  if (snapshots.size() <= kSnapshotsMax) return;
  std::set<int64_t> kept, dropped;
  for (const auto& [name, reference] : document_["refs"].items())
    kept.insert(reference.at("snapshot-id").get<int64_t>());
  // Written in the order in which they came, by whichever program.
  for (size_t i = 0; i + kSnapshotsMax < snapshots.size(); ++i) {
    const auto id = snapshots[i].at("snapshot-id").get<int64_t>();
    if (!kept.contains(id)) dropped.insert(id);
  }
  const auto is_dropped = [&](const Json& member) { return dropped.contains(member.at("snapshot-id").get<int64_t>()); };
  for (const char* list : {"snapshots", "statistics", "partition-statistics"})
    if (const auto it = document_.find(list); it != document_.end() && it->is_array())
      it->erase(std::remove_if(it->begin(), it->end(), is_dropped), it->end());
  // The log tells which snapshot was current when: with a gap it would tell something false, so what is before one
  // goes.
  Json& log = document_["snapshot-log"];
  const auto last = std::find_if(log.rbegin(), log.rend(), is_dropped);
  log.erase(log.begin(), last.base());
}

void Metadata::DropUnusedSchemas() {
  std::set<int> used = {schema_.id};
  for (const Json& snapshot : document_["snapshots"]) used.insert(snapshot.value("schema-id", schema_.id));
  Json& schemas = document_["schemas"];
  const auto is_unused = [&](const Json& schema) { return !used.contains(schema.at("schema-id").get<int>()); };
  schemas.erase(std::remove_if(schemas.begin(), schemas.end(), is_unused), schemas.end());
}

void Metadata::Touch(int64_t now_ms, const std::string& previous_file) {
  if (!previous_file.empty()) {
    Json& log = document_["metadata-log"];
    log.push_back({{"timestamp-ms", last_updated_ms()}, {"metadata-file", previous_file}});
    if (log.size() > kLogEntriesMax) log.erase(log.begin(), log.end() - static_cast<std::ptrdiff_t>(kLogEntriesMax));
  }
  document_["last-updated-ms"] = now_ms;
}

}  // namespace leat::lake::iceberg
