#pragma once

#include <optional>
#include <string>
#include <vector>

namespace leat::cli {

struct NewProject {
  std::string folder;         ///< as typed; may be absent
  std::string template_name;  ///< shop, billing, empty
  std::optional<std::string> source_url;
  std::optional<std::string> warehouse_url;
};

/// A file to write: path below the project, and its text.
struct ProjectFile {
  std::string path;
  std::string text;
};

/// Files of a new project, its name, connections and warehouse filled in.
/// Throws: Error(kConfig, LEAT0194) for a template without what it needs, or with what it has no use for; LEAT0192 and
/// LEAT0193 for its URLs.
std::vector<ProjectFile> ProjectFiles(const NewProject& project);

/// Write `files` into `folder`, all or none.
/// Throws: Error(kConfig, LEAT0191) if the folder holds anything: nothing is overwritten.
void WriteProject(const std::string& folder, const std::vector<ProjectFile>& files);

}  // namespace leat::cli
