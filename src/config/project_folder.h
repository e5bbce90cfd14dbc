#pragma once

#include <string>
#include <vector>

#include "core/error.h"

namespace leat::config {

/// A file of a project that counts, by its place in the folders.
struct ProjectFile {
  std::string file;        ///< relative to the project's folder: `models/mart/dim_staff.sql`
  std::string name_space;  ///< of a model: `mart`
  std::string stem;        ///< the file's name without its ending: `dim_staff`
  std::string ending;      ///< `.sql`
};

/// The files of a project's folders, each list sorted by path.
struct ProjectFolder {
  std::vector<ProjectFile> sources;
  std::vector<ProjectFile> models;
  std::vector<ProjectFile> seeds;       ///< the .csv files
  std::vector<ProjectFile> seed_types;  ///< the .yaml files beside them
  std::vector<ProjectFile> macros;
  std::vector<ProjectFile> checks;
  std::vector<ProjectFile> schema_yml;  ///< schema.yml and _NAME.yml in models/ and its folders, in dbt's shape
};

/// The nearest folder with a leat.yaml, from `folder` upwards; absolute.
/// Throws: Error(kConfig, LEAT0101) if there is none.
std::string FindProjectFolder(const std::string& folder);

/// List the files of a project. Reports LEAT0110 a file name that is none of leat's names, LEAT0111 two files of one
/// name, LEAT0114 a model that is not exactly one folder below models/, LEAT0118 (a warning) a file that looks meant
/// but is not read. Hidden files and other endings are left alone.
ProjectFolder ListProjectFolder(const std::string& folder, std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
