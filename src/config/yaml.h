#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace leat::config {

struct YamlNode;
using YamlPointer = std::shared_ptr<const YamlNode>;

/// A key of a map with its value.
struct YamlEntry {
  std::string key;
  Place key_place;
  YamlPointer value;  ///< never null as read; a checked tree has null where a value was faulty
};

/// Which place gave a value of leat.yaml.
enum class Origin {
  kFile,
  kTarget,    ///< an entry of `targets:`
  kVariable,  ///< of the environment; its name is the file of the place
  kDefault
};

/// A value of a YAML file that knows its place. Scalars stay text: nothing turns `on` into true or `036` into 36.
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  std::string text;    ///< of a scalar
  bool plain = false;  ///< a scalar without quotes, which may be a number or a boolean
  Place place;
  Origin origin = Origin::kFile;
  std::vector<YamlPointer> items;  ///< of a list
  std::vector<YamlEntry> entries;  ///< of a map, in the order of the file, each key once
  bool has_unknown_keys = false;   ///< of a checked map: some keys were left out

  const YamlEntry* Find(std::string_view key) const;
};

/// A single value as one writes it: plain where that is clear, else in double quotes.
std::string QuoteYaml(std::string_view text);
/// A value on one line; lists and maps with brackets.
std::string FormatYaml(const YamlNode& node);

/// Read the one YAML document between `begin` and `end` of a file's text; places are those of the whole file. Anchors
/// and aliases are resolved; an empty document is an empty map. Duplicate keys go to `diagnostics` (LEAT0103), the
/// first one counts. At most 200,000 values may come from aliases. Throws: Error(kConfig, LEAT0107) for what is not
/// such a document.
YamlPointer ParseYaml(const std::string& file, std::string_view text, size_t begin, size_t end,
                      std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
