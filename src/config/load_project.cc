#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <tuple>

#include "config/check_fields.h"
#include "config/project.h"
#include "config/project_files.h"
#include "config/project_folder.h"
#include "config/schema_yml.h"
#include "core/file_system.h"
#include "core/text.h"

namespace leat::config {
namespace {

constexpr int64_t kFileBytesMax = 1'000'000;

/// Schemas that DuckDB or leat have already.
constexpr std::string_view kReservedNamespaces[] = {"seeds",  "warehouse",          "main",      "temp",
                                                    "system", "information_schema", "pg_catalog"};

class Loader {
 public:
  Loader(std::string folder, const Environment& environment, std::string target)
      : environment_(environment), target_(std::move(target)) {
    project().folder = std::move(folder);
  }

  LoadResult Load() {
    ReadOne("leat.yaml", [&](const FileText& file) {
      connection_names_ = ReadProjectFile(file, environment_, target_, project(), faults());
    });
    const ProjectFolder files = ListProjectFolder(project().folder, faults());
    ReadSources(files);
    ReadModels(files);
    ReadOthers(files);
    CheckNamespaces(files);
    CheckConnections();
    ReadSchemaYml(files);
    std::sort(project().models.begin(), project().models.end(),
              [](const Model& a, const Model& b) { return a.name < b.name; });
    std::sort(project().streams.begin(), project().streams.end(),
              [](const StreamProperties& a, const StreamProperties& b) { return a.name < b.name; });
    return std::move(result_);
  }

 private:
  Project& project() { return result_.project; }
  std::vector<Diagnostic>& faults() { return result_.diagnostics; }

  /// Read one file, with its faults in the order of its lines. What cannot be parsed is one fault.
  void ReadOne(const std::string& file, const std::function<void(const FileText&)>& read) {
    const auto first = static_cast<ptrdiff_t>(faults().size());
    try {
      const std::string path = JoinPath(project().folder, file);
      if (FileSize(path) > kFileBytesMax) {
        throw Error(kConfig, "LEAT0116", {.file = file},
                    fmt::format("{} has {} bytes; expected at most {}", file, FileSize(path), kFileBytesMax))
            .Hint("split it");
      }
      read({file, ReadText(path, file)});
    } catch (const Error& error) {
      faults().push_back(error.diagnostic());
    }
    std::stable_sort(faults().begin() + first, faults().end(), [](const Diagnostic& a, const Diagnostic& b) {
      return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
  }

  static std::string ReadText(const std::string& path, const std::string& file) {
    try {
      return ReadFile(path);
    } catch (const Error& error) {
      throw Error(kConfig, "LEAT0116", {.file = file}, error.message()).Hint("check the file and who may read it");
    }
  }

  void ReadSources(const ProjectFolder& files) {
    for (const ProjectFile& entry : files.sources)
      ReadOne(entry.file, [&](const FileText& file) {
        project().sources.push_back(ReadSourceFile(file, entry.stem, environment_, faults()));
      });
  }

  void ReadModels(const ProjectFolder& files) {
    for (const ProjectFile& entry : files.models) {
      const auto read = entry.ending == ".sql" ? ReadSqlModelFile : ReadGeneratedModelFile;
      ReadOne(entry.file, [&](const FileText& file) {
        project().models.push_back(read(file, entry.name_space, entry.stem, faults()));
      });
    }
  }

  void ReadOthers(const ProjectFolder& files) {
    for (const ProjectFile& entry : files.seeds)
      project().seeds.push_back({.name = "seeds." + entry.stem, .file = entry.file, .types = {}});
    for (const ProjectFile& entry : files.seed_types) {
      const auto seed = std::find_if(project().seeds.begin(), project().seeds.end(),
                                     [&](const Seed& other) { return other.name == "seeds." + entry.stem; });
      ReadOne(entry.file, [&](const FileText& file) { seed->types = ReadSeedTypes(file, faults()); });
    }
    for (const ProjectFile& entry : files.macros)
      ReadOne(entry.file, [&](const FileText& file) { project().macros.push_back({file.file, file.text}); });
    for (const ProjectFile& entry : files.checks)
      ReadOne(entry.file,
              [&](const FileText& file) { project().checks.push_back(ReadCheckFile(file, entry.stem, faults())); });
  }

  void ReadSchemaYml(const ProjectFolder& files) {
    SchemaYml schema_yml(files, project(), faults());
    for (const ProjectFile& entry : files.schema_yml)
      ReadOne(entry.file, [&](const FileText& file) { schema_yml.Read(file); });
  }

  /// Names come from the files that stand there, be they faulty or not.
  void CheckNamespaces(const ProjectFolder& files) {
    for (const ProjectFile& source : files.sources) RefuseReserved(source.stem, source.file, "rename the file");
    std::set<std::string> seen;
    for (const ProjectFile& model : files.models) {
      if (!seen.insert(model.name_space).second) continue;
      RefuseReserved(model.name_space, model.file, "rename the folder");
      const auto source = std::find_if(files.sources.begin(), files.sources.end(),
                                       [&](const ProjectFile& other) { return other.stem == model.name_space; });
      if (source == files.sources.end()) continue;
      faults().push_back(MakeFault("LEAT0111", {.file = model.file},
                                   fmt::format("the namespace {} is of the source {} and of the folder models/{}",
                                               model.name_space, source->file, model.name_space),
                                   "rename the folder"));
    }
  }

  void RefuseReserved(const std::string& name, const std::string& file, const std::string& help) {
    if (std::find(std::begin(kReservedNamespaces), std::end(kReservedNamespaces), name) ==
        std::end(kReservedNamespaces))
      return;
    faults().push_back(
        MakeFault("LEAT0111", {.file = file}, fmt::format("the namespace {} is taken by leat itself", name), help));
  }

  void CheckConnections() {
    if (connection_names_ == ConnectionNames::kUnknown) return;
    if (project().warehouse) CheckConnection(project().warehouse->connection);
    for (const Source& source : project().sources) {
      if (source.type == "http") continue;
      CheckConnection(source.connection);
      CheckConnectionType(source);
      const auto& warehouse = project().warehouse;
      const bool same = warehouse && !source.connection.value.empty() &&
                        warehouse->connection.value == source.connection.value && warehouse->schema == source.schema;
      if (!same) continue;
      faults().push_back(
          MakeFault("LEAT0115", source.connection.place,
                    fmt::format("the source {} reads what the warehouse writes: connection {}, schema {}", source.name,
                                source.connection.value, source.schema),
                    "give the warehouse a schema of its own"));
    }
  }

  void CheckConnection(const Located<std::string>& connection) {
    if (connection.value.empty() || project().connections.contains(connection.value)) return;
    std::vector<std::string> known;
    for (const auto& [name, entry] : project().connections) known.push_back(name);
    const auto near = NearestNames(connection.value, known);
    std::string message = fmt::format("connection '{}' does not exist", connection.value);
    if (!near.empty()) message += fmt::format("; did you mean {}?", near.front());
    Diagnostic fault =
        MakeFault("LEAT0112", connection.place, std::move(message),
                  fmt::format("add  {}: {{type: postgres, …}}  to connections in leat.yaml", connection.value));
    if (!known.empty()) fault.notes.push_back(fmt::format("connections: {}", Shorten(Join(known, ", "), 80)));
    fault.candidates = near;
    faults().push_back(std::move(fault));
  }

  void CheckConnectionType(const Source& source) {
    const auto found = project().connections.find(source.connection.value);
    if (found == project().connections.end() || found->second.type.empty() || source.type.empty()) return;
    if (found->second.type == source.type) return;
    faults().push_back(MakeFault("LEAT0115", source.connection.place,
                                 fmt::format("the source {} has type {}, but connection {} has type {}", source.name,
                                             source.type, source.connection.value, found->second.type),
                                 fmt::format("name a connection of type {}", source.type)));
  }

  const Environment& environment_;
  const std::string target_;
  LoadResult result_;
  ConnectionNames connection_names_ = ConnectionNames::kUnknown;
};

}  // namespace

const Source* Project::FindSource(const std::string& source) const {
  const auto found =
      std::find_if(sources.begin(), sources.end(), [&](const Source& candidate) { return candidate.name == source; });
  return found == sources.end() ? nullptr : &*found;
}

const Model* Project::FindModel(const std::string& model) const {
  const auto found =
      std::find_if(models.begin(), models.end(), [&](const Model& candidate) { return candidate.name == model; });
  return found == models.end() ? nullptr : &*found;
}

bool LoadResult::ok() const { return !HasErrors(diagnostics); }

LoadResult LoadProject(const std::string& folder) { return LoadProject(folder, ProcessEnvironment()); }

LoadResult LoadProject(const std::string& folder, const Environment& environment, const std::string& target) {
  return Loader(FindProjectFolder(folder), environment, target).Load();
}

}  // namespace leat::config
