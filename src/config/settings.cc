#include "config/settings.h"

#include <fmt/format.h>

#include "config/check_fields.h"
#include "config/fields.h"
#include "core/text.h"

namespace leat::config {
namespace {

class SettingList {
 public:
  void AddSection(const YamlNode& map, const Section& section, const std::vector<std::string>& path) {
    for (const Field* field : section.AllFields()) {
      const YamlEntry* entry = map.Find(field->name);
      if (entry == nullptr) AddDefaults(*field, Below(path, std::string(field->name)));
      if (entry == nullptr || entry->value == nullptr || entry->value->kind == YamlNode::Kind::kNull) continue;
      AddField(entry->value, *field, Below(path, entry->key));
    }
  }

  std::vector<Setting> Take() { return std::move(settings_); }

 private:
  static std::vector<std::string> Below(std::vector<std::string> path, const std::string& key) {
    path.push_back(key);
    return path;
  }

  /// A section that is absent has its defaults all the same, unless something in it would be required.
  void AddDefaults(const Field& field, const std::vector<std::string>& path) {
    if (field.type != FieldType::kSection || field.shape != FieldShape::kOne) return;
    std::vector<Diagnostic> missing;
    const auto empty = std::make_shared<const YamlNode>(YamlNode{.kind = YamlNode::Kind::kMap});
    const Values defaults = CheckFields(empty, *field.section, missing);
    if (missing.empty()) AddSection(defaults.map(), *field.section, path);
  }

  void AddField(const YamlPointer& value, const Field& field, const std::vector<std::string>& path) {
    const bool is_map = field.type == FieldType::kSection && value->kind == YamlNode::Kind::kMap;
    if (!is_map) {
      settings_.push_back({path, value});
    } else if (field.shape == FieldShape::kOne) {
      AddSection(*value, *field.section, path);
    } else {
      for (const YamlEntry& entry : value->entries)
        if (entry.value != nullptr && entry.value->kind == YamlNode::Kind::kMap)
          AddSection(*entry.value, *field.section, Below(path, entry.key));
    }
  }

  std::vector<Setting> settings_;
};

}  // namespace

std::string Setting::name() const { return Join(path, "."); }

std::string OriginText(const YamlNode& value, std::string_view target) {
  switch (value.origin) {
    case Origin::kFile:
      return value.place.ToString();
    case Origin::kTarget:
      return fmt::format("target {} {}", target, value.place.ToString());
    case Origin::kVariable:
      return "variable " + value.place.file;
    case Origin::kDefault:
      return "default";
  }
  return "";
}

std::vector<Setting> ListSettings(const Values& values, const Section& section) {
  SettingList list;
  list.AddSection(values.map(), section, {});
  return list.Take();
}

}  // namespace leat::config
