#include "config/project_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "config/check_fields.h"
#include "core/file_system.h"
#include "core/text.h"

namespace leat::config {
namespace {

constexpr size_t kFilesMax = 10'000;

/// A folder of a project, what is read in it and how deep.
struct FolderRule {
  std::string_view folder;
  std::array<std::string_view, 2> endings;
  size_t depth;  ///< names of the path below the folder: 1 is a file directly in it
};

constexpr FolderRule kFolderRules[] = {
    {"sources", {".yaml", ""}, 1}, {"models", {".sql", ".yaml"}, 2}, {"seeds", {".csv", ".yaml"}, 1},
    {"macros", {".sql", ""}, 1},   {"checks", {".sql", ""}, 1},
};

bool IsRead(const FolderRule& rule, std::string_view ending) {
  return !ending.empty() && std::find(rule.endings.begin(), rule.endings.end(), ending) != rule.endings.end();
}

/// The ending that the author of another one may have meant; empty if there is none.
std::string MeantEnding(const FolderRule& rule, const std::string& ending) {
  const std::string lower = ToLower(ending) == ".yml" ? ".yaml" : ToLower(ending);
  return IsRead(rule, lower) ? lower : "";
}

ProjectFile Describe(const FolderRule& rule, const std::string& below) {
  const auto parts = Split(below, '/');
  const std::string& name = parts.back();
  const size_t dot = std::min(name.rfind('.'), name.size());
  return {.file = fmt::format("{}/{}", rule.folder, below),
          .name_space = parts.size() > 1 ? parts[0] : "",
          .stem = name.substr(0, dot),
          .ending = name.substr(dot)};
}

bool IsNamedAsSchema(const ProjectFile& file) { return file.stem == "schema" || file.stem.starts_with('_'); }

/// schema.yml and _anything.yml below models/ are in dbt's shape, in whatever folder they stand.
bool IsSchemaYml(const FolderRule& rule, const ProjectFile& file) {
  return rule.folder == "models" && file.ending == ".yml" && IsNamedAsSchema(file);
}

bool IsHidden(const std::string& below) {
  const auto parts = Split(below, '/');
  return std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return part.starts_with('.'); });
}

class FolderReader {
 public:
  FolderReader(const std::string& folder, std::vector<Diagnostic>& diagnostics)
      : folder_(folder), diagnostics_(diagnostics) {}

  std::vector<ProjectFile> List(const FolderRule& rule) {
    std::vector<ProjectFile> files;
    const auto paths = ListFilesBelow(JoinPath(folder_, rule.folder));
    for (const std::string& below : paths) {
      if (IsHidden(below)) continue;
      ProjectFile file = Describe(rule, below);
      if (IsSchemaYml(rule, file))
        schema_yml.push_back(std::move(file));
      else if (!IsRead(rule, file.ending))
        ReportEnding(rule, file, paths, below);
      else if (IsPlaced(rule, file, below) && IsNamed(file))
        files.push_back(std::move(file));
    }
    if (files.size() > kFilesMax) {
      diagnostics_.push_back(
          MakeFault("LEAT0116", {.file = std::string(rule.folder)},
                    fmt::format("{}/ has {} files; expected at most {}", rule.folder, files.size(), kFilesMax),
                    "split the project"));
    }
    return files;
  }

  std::vector<ProjectFile> schema_yml;  ///< of the folders listed so far

 private:
  void ReportEnding(const FolderRule& rule, const ProjectFile& file, const std::vector<std::string>& paths,
                    const std::string& below) {
    const std::string meant = MeantEnding(rule, file.ending);
    if (meant.empty()) return;
    const std::string right = below.substr(0, below.size() - file.ending.size()) + meant;
    if (std::find(paths.begin(), paths.end(), right) != paths.end()) {
      diagnostics_.push_back(MakeFault("LEAT0111", {.file = file.file},
                                       fmt::format("{} and {}/{} have one name", file.file, rule.folder, right),
                                       fmt::format("remove {}", file.file)));
      return;
    }
    const bool may_be_dbt = rule.folder == "models" && file.ending == ".yml";
    Warn(file, fmt::format("{} is not read: it ends in {}, not {}", file.file, file.ending, meant),
         fmt::format("rename it to {}/{}", rule.folder, right) +
             (may_be_dbt ? fmt::format(", or to _{}.yml if it is in dbt's shape", file.stem) : ""));
  }

  bool IsPlaced(const FolderRule& rule, const ProjectFile& file, const std::string& below) {
    const size_t depth = Split(below, '/').size();
    if (depth == rule.depth) return true;
    if (rule.depth == 1) {
      Warn(file, fmt::format("{} is not read: {}/ has no folders below it", file.file, rule.folder),
           fmt::format("move it to {}/{}{}", rule.folder, file.stem, file.ending));
      return false;
    }
    const std::string name_space = depth == 1 ? "mart" : file.name_space;
    diagnostics_.push_back(
        MakeFault("LEAT0114", {.file = file.file},
                  fmt::format("{} stands {}; expected it in a folder of models/, which is its namespace", file.file,
                              depth == 1 ? "directly in models/" : "too deep"),
                  file.ending == ".yaml" && IsNamedAsSchema(file)
                      ? fmt::format("rename it to {}/{}.yml", rule.folder, file.stem)
                      : fmt::format("move it to {}/{}/{}{}", rule.folder, name_space, file.stem, file.ending)));
    return false;
  }

  enum class Named { kFile, kFolder };

  bool IsNamed(const ProjectFile& file) {
    if (!file.name_space.empty() && !IsValidName(file.name_space)) {
      if (bad_folders_.insert(file.name_space).second) ReportName(file, file.name_space, Named::kFolder);
      return false;
    }
    if (!IsValidName(file.stem)) {
      ReportName(file, file.stem, Named::kFile);
      return false;
    }
    return true;
  }

  void ReportName(const ProjectFile& file, const std::string& name, Named named) {
    const bool is_folder = named == Named::kFolder;
    const std::string clean = CleanName(name).substr(0, 63);
    diagnostics_.push_back(MakeFault(
        "LEAT0110", {.file = file.file},
        fmt::format(
            "{} '{}' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters",
            is_folder ? "the folder" : "the file", Shorten(name, 80)),
        IsValidName(clean) ? fmt::format("rename it to {}{}", clean, is_folder ? "" : file.ending)
                           : "choose another name"));
  }

  void Warn(const ProjectFile& file, std::string message, std::string help) {
    Diagnostic warning = MakeFault("LEAT0118", {.file = file.file}, std::move(message), std::move(help));
    warning.severity = Severity::kWarning;
    diagnostics_.push_back(std::move(warning));
  }

  std::string folder_;
  std::vector<Diagnostic>& diagnostics_;
  std::set<std::string> bad_folders_;
};

/// Part the .yaml files beside seeds from the seeds; one without a seed is not read.
void SplitSeeds(ProjectFolder& found, std::vector<Diagnostic>& diagnostics) {
  std::vector<ProjectFile> all = std::move(found.seeds);
  found.seeds.clear();
  for (ProjectFile& file : all) (file.ending == ".csv" ? found.seeds : found.seed_types).push_back(std::move(file));
  std::erase_if(found.seed_types, [&](const ProjectFile& types) {
    const bool has_seed = std::any_of(found.seeds.begin(), found.seeds.end(),
                                      [&](const ProjectFile& seed) { return seed.stem == types.stem; });
    if (has_seed) return false;
    Diagnostic warning = MakeFault("LEAT0118", {.file = types.file},
                                   fmt::format("{} is not read: there is no seeds/{}.csv", types.file, types.stem),
                                   fmt::format("add seeds/{}.csv or remove the file", types.stem));
    warning.severity = Severity::kWarning;
    diagnostics.push_back(std::move(warning));
    return true;
  });
}

/// `a.sql` and `a.yaml` would be one table.
void RefuseTwins(std::vector<ProjectFile>& models, std::vector<Diagnostic>& diagnostics) {
  std::map<std::string, std::string> file_of;
  std::erase_if(models, [&](const ProjectFile& model) {
    const std::string name = fmt::format("{}.{}", model.name_space, model.stem);
    const auto [first, added] = file_of.emplace(name, model.file);
    if (!added) {
      diagnostics.push_back(MakeFault("LEAT0111", {.file = model.file},
                                      fmt::format("{} and {} are both the model {}", first->second, model.file, name),
                                      "rename or remove one of the two"));
    }
    return !added;
  });
}

}  // namespace

std::string FindProjectFolder(const std::string& folder) {
  const std::string start = AbsolutePath(folder.empty() ? "." : folder);
  for (std::string path = start;; path = ParentPath(path)) {
    if (PathExists(JoinPath(path, "leat.yaml"))) return path;
    if (path == "/" || path.empty()) break;
  }
  Error error(kConfig, "LEAT0101", fmt::format("no leat.yaml in {} or in a folder above it", start));
  if (PathExists(JoinPath(start, "leat.yml"))) throw std::move(error).Hint("rename leat.yml to leat.yaml");
  throw std::move(error).Hint("go to the project's folder, name it with  -C DIR , or make one with  leat init DIR");
}

ProjectFolder ListProjectFolder(const std::string& folder, std::vector<Diagnostic>& diagnostics) {
  FolderReader reader(folder, diagnostics);
  ProjectFolder found;
  std::vector<ProjectFile>* lists[] = {&found.sources, &found.models, &found.seeds, &found.macros, &found.checks};
  for (size_t i = 0; i < std::size(kFolderRules); ++i) *lists[i] = reader.List(kFolderRules[i]);
  found.schema_yml = std::move(reader.schema_yml);
  SplitSeeds(found, diagnostics);
  RefuseTwins(found.models, diagnostics);
  return found;
}

}  // namespace leat::config
