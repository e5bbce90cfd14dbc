#include <fmt/format.h>

#include <algorithm>

#include "config/check_fields.h"
#include "config/fields.h"
#include "config/freshness.h"
#include "config/project_files.h"
#include "config/scalars.h"
#include "config/targets.h"
#include "core/text.h"
#include "duck/time_zone.h"

namespace leat::config {
namespace {

/// A URL would bring its password along, and libpq would take it for a host's name.
bool IsHost(const Values& values, const std::string& name, std::vector<Diagnostic>& diagnostics) {
  const auto host = values.OptionalText("host");
  if (!host || host->value.find("://") == std::string::npos) return true;
  diagnostics.push_back(MakeFault("LEAT0105", host->place,
                                  fmt::format("connections.{}.host is a URL; expected a name or an address", name),
                                  "give its parts as host, port, database and user"));
  return false;
}

Connection ReadConnection(const YamlEntry& entry, const Values& values, const std::string& folder,
                          const Environment& environment, std::vector<Diagnostic>& diagnostics) {
  Connection connection;
  connection.name = entry.key;
  connection.place = entry.key_place;
  connection.type = values.Text("type");
  if (IsHost(values, entry.key, diagnostics)) connection.host = values.Text("host");
  connection.port = values.Text("port");
  connection.database = values.Text("database");
  connection.user = values.Text("user");
  connection.service = values.Text("service");
  connection.sslmode = values.Text("sslmode");
  connection.path = AbsoluteFrom(folder, values.LocatedText("path"));
  const auto password = values.OptionalText("password").value_or(Located<std::string>{"", entry.key_place});
  connection.password = SecretReference(entry.key, password.value, password.place, environment);
  return connection;
}

constexpr std::string_view kNamespace = "{namespace}";

/// `text` with `replacement` for each `{namespace}`.
std::string FillIn(std::string text, std::string_view replacement) {
  for (size_t at = text.find(kNamespace); at != std::string::npos; at = text.find(kNamespace, at + replacement.size()))
    text.replace(at, kNamespace.size(), replacement);
  return text;
}

/// Anything else in braces would pass for a name of the server's.
void CheckSchema(const Values& values, std::vector<Diagnostic>& diagnostics) {
  const auto schema = values.OptionalText("schema");
  if (!schema || FillIn(schema->value, "").find_first_of("{}") == std::string::npos) return;
  diagnostics.push_back(
      MakeFault("LEAT0620", schema->place,
                fmt::format("warehouse.schema is '{}'; only {} is filled in", schema->value, kNamespace),
                "write  schema: \"{namespace}\"  for a schema per source and model folder"));
}

/// The schema that every database of a type has.
std::string DefaultSchema(const Project& project, const std::string& connection) {
  const auto found = project.connections.find(connection);
  return found != project.connections.end() && found->second.type == "duckdb" ? "main" : "public";
}

Warehouse ReadWarehouse(const Values& values, const Project& project, std::vector<Diagnostic>& diagnostics) {
  CheckSchema(values, diagnostics);
  Warehouse warehouse{
      .place = values.place(), .connection = values.LocatedText("connection"), .load = values.List("load")};
  warehouse.schema = values.Has("schema") ? values.Text("schema") : DefaultSchema(project, warehouse.connection.value);
  return warehouse;
}

constexpr std::string_view kUtc = "UTC";

/// The database that computes with it must know it; most projects have none, and then nobody asks.
Located<std::string> ReadTimezone(const Values& values, std::vector<Diagnostic>& diagnostics) {
  Located<std::string> timezone = values.LocatedText("timezone");
  if (timezone.value.empty() || timezone.value == kUtc) return {std::string(kUtc), timezone.place};
  const std::vector<std::string> names = duck::TimeZoneNames();
  if (std::ranges::find(names, timezone.value) != names.end()) return timezone;
  Diagnostic unknown{.code = "LEAT0240", .place = timezone.place};
  unknown.message = fmt::format("timezone is '{}'; expected a name of the IANA time zone database", timezone.value);
  SuggestNearest(unknown, timezone.value, names);
  if (unknown.help.empty()) unknown.help.push_back("write a region and a city, such as  timezone: Europe/London");
  diagnostics.push_back(std::move(unknown));
  return {std::string(kUtc), timezone.place};
}

/// Files that leat removes, or that are another database, are no place for a warehouse.
void CheckFiles(const Project& project, std::vector<Diagnostic>& diagnostics) {
  for (const auto& [name, connection] : project.connections) {
    const Located<std::string>& path = connection.path;
    if (path.value.empty()) continue;
    if (path.value == project.lake.value || path.value.starts_with(project.lake.value + "/")) {
      ReportContradiction(path.place, fmt::format("connections.{}.path is inside the lake", name),
                          "choose a folder beside the lake", diagnostics);
    } else if (path.value == project.state.value) {
      ReportContradiction(path.place, fmt::format("connections.{}.path is the file of the state database", name),
                          "choose another file", diagnostics);
    }
  }
}

/// A default that no field can declare, since it depends on another value: list it behind that one.
void ListDefault(std::vector<Setting>& settings, const std::vector<std::string>& path, const std::string& value,
                 const std::string& behind) {
  if (std::ranges::find(settings, path, &Setting::path) != settings.end()) return;
  const auto after = std::ranges::find(settings, behind, &Setting::name);
  if (after == settings.end()) return;
  YamlNode node{.kind = YamlNode::Kind::kScalar, .text = value, .plain = true, .origin = Origin::kDefault};
  settings.insert(after + 1, {path, std::make_shared<const YamlNode>(std::move(node))});
}

/// Check what counts, then what would count with the other targets.
Values CheckEffective(const Targets& targets, const Environment& environment, const Project& project,
                      std::vector<Diagnostic>& diagnostics) {
  std::vector<Diagnostic> found;
  const YamlPointer given = ApplyEnvironment(targets.With(project.target.value), kProjectSection, environment);
  Values values = CheckFields(given, kProjectSection, found);
  AddNew(found, diagnostics);
  targets.CheckOthers(project.target.value, environment, diagnostics);
  targets.CheckHomes(project.folder, diagnostics);
  return values;
}

}  // namespace

std::string Warehouse::SchemaOf(const std::string& name_space) const { return FillIn(schema, name_space); }

ConnectionNames ReadProjectFile(const FileText& file, const Environment& environment, const std::string& target,
                                Project& project, std::vector<Diagnostic>& diagnostics) {
  const YamlPointer root = ParseYaml(file.file, file.text, 0, file.text.size(), diagnostics);
  const Targets targets(root, diagnostics);
  project.targets = targets.Names();
  project.target = targets.Choose(target, environment);
  const Values values = CheckEffective(targets, environment, project, diagnostics);
  project.settings = ListSettings(values, kProjectSection);
  project.name = values.Text("name");
  project.timezone = ReadTimezone(values, diagnostics);
  project.lake = AbsoluteFrom(project.folder, values.LocatedText("lake"));
  project.state = AbsoluteFrom(project.folder, values.LocatedText("state"));
  if (const YamlNode* connections = values.Find("connections"))
    for (const YamlEntry& entry : connections->entries) project.connections[entry.key].name = entry.key;
  for (const auto& [entry, connection] : values.Sections("connections"))
    project.connections[entry.key] = ReadConnection(entry, connection, project.folder, environment, diagnostics);
  CheckFiles(project, diagnostics);
  if (const auto warehouse = values.Section("warehouse"))
    project.warehouse = ReadWarehouse(*warehouse, project, diagnostics);
  if (project.warehouse)
    ListDefault(project.settings, {"warehouse", "schema"}, project.warehouse->schema, "warehouse.connection");
  if (const auto limits = values.Section("limits")) {
    project.limits.threads = static_cast<int>(limits->Integer("threads").value_or(0));
    project.limits.memory_bytes = limits->Bytes("memory");
  }
  project.freshness = ReadFreshness(values, diagnostics).value_or(Freshness{});
  if (const auto retention = values.Section("retention"))
    project.retention.runs = ParseDuration(retention->Text("runs")).value_or(project.retention.runs);
  return values.Faulty("connections") ? ConnectionNames::kUnknown : ConnectionNames::kKnown;
}

}  // namespace leat::config
