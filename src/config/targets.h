#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/environment.h"
#include "config/project.h"
#include "config/yaml.h"

namespace leat::config {

/// The values of leat.yaml with each of its targets. The file alone counts as one that is called `default`.
class Targets {
 public:
  /// Take `targets:` out of the file and check it against its section. Reports faults of all targets, be they chosen or
  /// not, and LEAT0141 for one called `default`.
  Targets(const YamlPointer& root, std::vector<Diagnostic>& diagnostics);

  /// `default`, then those of the file.
  std::vector<std::string> Names() const;

  /// Which one counts: `wanted`, else what LEAT_TARGET says, else `default`.
  /// Throws: Error(kConfig, LEAT0140) for one that does not exist.
  Located<std::string> Choose(const std::string& wanted, const Environment& environment) const;

  /// The file with a target laid over: maps merge unless their `type` changes; lists, single values and such maps
  /// replace; null removes. The values a target gave have it as their origin and keep their place.
  YamlPointer With(std::string_view target) const;

  /// Check the file with each target but `chosen` laid over. Faults that are in `diagnostics` already are not repeated.
  void CheckOthers(std::string_view chosen, const Environment& environment, std::vector<Diagnostic>& diagnostics) const;

  /// Report LEAT0142: a lake belongs to one state database, and the logs of runs stand beside that. Two targets have
  /// both in common or neither; what the environment says is no target's.
  /// \param folder  of the project
  void CheckHomes(const std::string& folder, std::vector<Diagnostic>& diagnostics) const;

 private:
  void CheckShape(const YamlEntry& given, std::vector<Diagnostic>& diagnostics);

  YamlPointer file_;                ///< without `targets:`
  std::vector<YamlEntry> targets_;  ///< as written
  bool known_;                      ///< the names of all targets are known
};

/// Add the faults that are not there yet: those of values that several targets share are found with each of them.
void AddNew(const std::vector<Diagnostic>& found, std::vector<Diagnostic>& diagnostics);

/// A relative path starts at the project.
Located<std::string> AbsoluteFrom(const std::string& folder, Located<std::string> path);

}  // namespace leat::config
