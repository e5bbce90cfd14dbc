#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/environment.h"
#include "config/fields.h"
#include "config/project.h"
#include "config/yaml.h"

namespace leat::config {

/// A map of a project file, checked against its section: every value it gives is of its field's type and within its
/// limits, defaults are filled in. What was faulty is absent and known as such, so that nobody reports it twice.
class Values {
 public:
  explicit Values(YamlPointer map) : map_(std::move(map)) {}

  const Place& place() const { return map_->place; }
  const YamlNode& map() const { return *map_; }
  const std::vector<YamlEntry>& entries() const { return map_->entries; }
  /// Whether there is a right value, from the file, the environment or the default.
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  /// Whether the author gave a value that was reported.
  bool Faulty(std::string_view name) const;
  /// Whether the file gives the key, be it right, faulty or null.
  bool Given(std::string_view name) const { return map_->Find(name) != nullptr; }
  /// Whether keys were reported as unknown.
  bool HasUnknownKeys() const { return map_->has_unknown_keys; }
  /// Whether a part of the map that `name` gives was reported.
  bool HasFaultyPart(std::string_view name) const;
  /// Where the key stands; the section's place if it is absent.
  Place KeyPlace(std::string_view name) const;
  /// The value; nullptr if it is absent, null or faulty.
  const YamlNode* Find(std::string_view name) const;

  /// The accessors below give an empty value for what is absent or faulty.
  std::string Text(std::string_view name) const;
  Located<std::string> LocatedText(std::string_view name) const;
  std::optional<Located<std::string>> OptionalText(std::string_view name) const;
  std::vector<Located<std::string>> List(std::string_view name) const;
  std::vector<std::string> Texts(std::string_view name) const;
  std::map<std::string, Located<std::string>> Map(std::string_view name) const;
  std::optional<int64_t> Integer(std::string_view name) const;
  int64_t Bytes(std::string_view name) const;
  bool Boolean(std::string_view name) const { return Text(name) == "true"; }
  /// A section inside; nullopt if it is absent, faulty or `false`.
  std::optional<Values> Section(std::string_view name) const;
  /// The sections of a map or list of them; faulty ones are left out.
  std::vector<std::pair<YamlEntry, Values>> Sections(std::string_view name) const;

 private:
  YamlPointer map_;
};

/// What one value of a field may be, as messages and the reference say it: `a whole number from 1 to 256`.
std::string ExpectedOne(const Field& field);

/// Check a tree against a section. Reports unknown keys (LEAT0102), wrong types (LEAT0104), values out of their limits
/// (LEAT0105), missing keys (LEAT0106), secrets that stand in the file (LEAT0108) and invalid names (LEAT0110).
Values CheckFields(const YamlPointer& root, const Section& section, std::vector<Diagnostic>& diagnostics);

/// Lay the environment's values (`LEAT_LAKE`, …) over a tree, before it is checked. They have the variable as the file
/// of their place. Lists are parted by commas; secrets are left to SecretReference; maps gain no keys.
YamlPointer ApplyEnvironment(const YamlPointer& root, const Section& section, const Environment& environment);

/// A diagnostic with its place and help.
Diagnostic MakeFault(std::string_view code, const Place& place, std::string message, std::string help);

/// Add LEAT0115: keys that contradict each other.
void ReportContradiction(const Place& place, std::string message, std::string help,
                         std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
