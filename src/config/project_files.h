#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/environment.h"
#include "config/project.h"

namespace leat::config {

/// The text of one file of a project, with its path relative to the project's folder.
struct FileText {
  std::string file;
  std::string text;
};

/// Each Read… turns one file into its struct. Faults of the file go to `diagnostics`; what was faulty keeps its
/// default. Throws: Error(kConfig) LEAT0107 and LEAT0119 for a file that cannot be parsed.

enum class ConnectionNames {
  kKnown,   ///< project.connections has them all, faulty ones with nothing but their name
  kUnknown  ///< `connections:` was faulty as a whole
};

/// Read leat.yaml, with `target` laid over it, into `project`, whose folder is known.
/// Throws: also Error(kConfig, LEAT0140) for a target that does not exist.
ConnectionNames ReadProjectFile(const FileText& file, const Environment& environment, const std::string& target,
                                Project& project, std::vector<Diagnostic>& diagnostics);
Source ReadSourceFile(const FileText& file, const std::string& name, const Environment& environment,
                      std::vector<Diagnostic>& diagnostics);
/// `name_space` and `table` come from the path.
Model ReadSqlModelFile(const FileText& file, const std::string& name_space, const std::string& table,
                       std::vector<Diagnostic>& diagnostics);
Model ReadGeneratedModelFile(const FileText& file, const std::string& name_space, const std::string& table,
                             std::vector<Diagnostic>& diagnostics);
std::map<std::string, Located<std::string>> ReadSeedTypes(const FileText& file, std::vector<Diagnostic>& diagnostics);
CheckQuery ReadCheckFile(const FileText& file, const std::string& name, std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
