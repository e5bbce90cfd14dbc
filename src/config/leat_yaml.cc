#include <fmt/format.h>

#include "config/check_fields.h"
#include "config/fields.h"
#include "config/freshness.h"
#include "config/project_files.h"
#include "config/scalars.h"
#include "core/file_system.h"

namespace leat::config {
namespace {

Located<std::string> AbsoluteFrom(const std::string& folder, Located<std::string> path) {
  if (!path.value.empty())
    path.value = AbsolutePath(path.value.starts_with('/') ? path.value : JoinPath(folder, path.value));
  return path;
}

/// A URL would bring its password along, and libpq would take it for a host's name.
bool IsHost(const Values& values, const std::string& name, std::vector<Diagnostic>& diagnostics) {
  const auto host = values.OptionalText("host");
  if (!host || host->value.find("://") == std::string::npos) return true;
  diagnostics.push_back(MakeFault("LEAT0105", host->place,
                                  fmt::format("connections.{}.host is a URL; expected a name or an address", name),
                                  "give its parts as host, port, database and user"));
  return false;
}

Connection ReadConnection(const YamlEntry& entry, const Values& values, const Environment& environment,
                          std::vector<Diagnostic>& diagnostics) {
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
  const auto password = values.OptionalText("password").value_or(Located<std::string>{"", entry.key_place});
  connection.password = SecretReference(entry.key, password.value, password.place, environment);
  return connection;
}

Warehouse ReadWarehouse(const Values& values) {
  return {.place = values.place(),
          .connection = values.LocatedText("connection"),
          .schema = values.Text("schema"),
          .load = values.List("load")};
}

}  // namespace

ConnectionNames ReadProjectFile(const FileText& file, const Environment& environment, Project& project,
                                std::vector<Diagnostic>& diagnostics) {
  const YamlPointer root = ParseYaml(file.file, file.text, 0, file.text.size(), diagnostics);
  const Values values = CheckFields(ApplyEnvironment(root, kProjectSection, environment), kProjectSection, diagnostics);
  project.name = values.Text("name");
  project.lake = AbsoluteFrom(project.folder, values.LocatedText("lake"));
  project.state = AbsoluteFrom(project.folder, values.LocatedText("state"));
  if (const YamlNode* connections = values.Find("connections"))
    for (const YamlEntry& entry : connections->entries) project.connections[entry.key].name = entry.key;
  for (const auto& [entry, connection] : values.Sections("connections"))
    project.connections[entry.key] = ReadConnection(entry, connection, environment, diagnostics);
  if (const auto warehouse = values.Section("warehouse")) project.warehouse = ReadWarehouse(*warehouse);
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
