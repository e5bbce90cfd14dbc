#include "cli/yaml_json.h"

#include "config/scalars.h"

namespace leat::cli {
namespace {

using config::YamlNode;

Json ScalarToJson(const YamlNode& node) {
  if (node.plain && (node.text == "true" || node.text == "false")) return node.text == "true";
  if (const auto number = config::ParseInteger(node.text); node.plain && number) return *number;
  return node.text;
}

}  // namespace

Json ToJson(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return nullptr;
    case YamlNode::Kind::kScalar:
      return ScalarToJson(node);
    case YamlNode::Kind::kList: {
      Json list = Json::array();
      for (const config::YamlPointer& item : node.items) list.push_back(ToJson(*item));
      return list;
    }
    case YamlNode::Kind::kMap: {
      Json map = Json::object();
      for (const config::YamlEntry& entry : node.entries) map[entry.key] = ToJson(*entry.value);
      return map;
    }
  }
  return nullptr;
}

Json YamlTextToJson(std::string_view text) {
  const std::string document = "value: " + std::string(text);
  std::vector<Diagnostic> duplicates;
  return ToJson(*config::ParseYaml("", document, 0, document.size(), duplicates)->entries.front().value);
}

}  // namespace leat::cli
