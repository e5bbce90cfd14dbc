#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/project_files.h"
#include "config/project_folder.h"

namespace leat::config {

/// Reads the files in dbt's shape below models/ into a project whose other files are read: descriptions, owners, tags,
/// promises and checks. What the table's own file says wins, key by key; a rule that it demands of all rows of a
/// column is not added once more.
class SchemaYml {
 public:
  /// `files`: which models, seeds and sources there are, faulty ones among them. All must outlive the reader.
  SchemaYml(const ProjectFolder& files, Project& project, std::vector<Diagnostic>& diagnostics);

  /// Reports what CheckFields does; LEAT0130 to LEAT0132 what is dbt's alone; LEAT0133 what is neither ref('…') nor
  /// source('…', '…'); LEAT0134 a table that does not exist or is not the only one of its name; LEAT0137 one that was
  /// described before. Which streams a source has is not known here. Throws: as ParseYaml.
  void Read(const FileText& file);

 private:
  const ProjectFolder& files_;
  Project& project_;
  std::vector<Diagnostic>& diagnostics_;
  std::map<std::string, Place> described_;  ///< tables, and where
};

}  // namespace leat::config
