#include "cli/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "cli/yaml_json.h"
#include "config/scalars.h"
#include "core/file_system.h"

namespace leat::cli {
namespace {

using config::Field;
using config::FieldShape;
using config::FieldType;
using config::Section;

// Beside what these say, `__` and a leading `_leat` are reserved.
constexpr const char* kName = "(?!_leat)(?![a-z0-9_]*__)[a-z_][a-z0-9_]{0,62}";

Json Pattern(const std::string& pattern) { return {{"type", "string"}, {"pattern", "^" + pattern + "$"}}; }

/// Any single value is text to leat, be it quoted or not.
Json AnyText() { return {{"type", {"string", "number", "boolean"}}}; }

Json OrNull(Json schema) { return {{"anyOf", {std::move(schema), {{"type", "null"}}}}}; }

Json IntegerSchema(const Field& field) {
  Json schema = {{"type", "integer"}};
  const bool limited = field.min != 0 || field.max != 0;
  if (limited) schema["minimum"] = field.min;
  if (limited && field.max != INT64_MAX) schema["maximum"] = field.max;
  return schema;
}

Json DurationSchema(const Field& field) {
  const Json duration = Pattern(config::DurationPattern());
  if (field.choices.empty()) return duration;
  return {{"anyOf", {{{"enum", field.choices}}, duration}}};
}

Json ScalarSchema(const Field& field) {
  switch (field.type) {
    case FieldType::kText:
    case FieldType::kGlob: {
      Json schema = AnyText();
      schema["minLength"] = 1;
      return schema;
    }
    case FieldType::kScalar:
    case FieldType::kTemplate:
      return AnyText();
    case FieldType::kJsonPath:
      return Pattern(R"(\$(\.[^.\[\]]+|\['[^']+'\]|\[\*\])*)");
    case FieldType::kCredential:
      return Pattern(R"(\$\{([A-Za-z_][A-Za-z0-9_]*|file:/.*)\}|\{[a-z_][a-z0-9_]*\})");
    case FieldType::kName:
      return Pattern(kName);
    case FieldType::kTable:
      return Pattern(fmt::format("{}\\.{}", kName, kName));
    case FieldType::kInteger:
      return IntegerSchema(field);
    case FieldType::kBoolean:
      return {{"type", "boolean"}};
    case FieldType::kSize:
      return Pattern(config::SizePattern());
    case FieldType::kDuration:
      return DurationSchema(field);
    case FieldType::kDate:
      return Pattern("[0-9]{4}-[0-9]{2}-[0-9]{2}");
    case FieldType::kPath:
      return Pattern("(?!~)(?!.*://).+");
    case FieldType::kSqlType:
      return Pattern(R"([A-Za-z_][A-Za-z0-9_ .,()\[\]]{0,199})");
    case FieldType::kSecret:
      return Pattern(R"(\$\{([A-Za-z_][A-Za-z0-9_]*|file:/.*)\})");
    case FieldType::kChoice:
      return {{"enum", field.choices}};
    case FieldType::kAny:
    case FieldType::kSection:
      break;
  }
  return Json::object();
}

Json DefaultOf(const Field& field) {
  if (field.type == FieldType::kBoolean) return field.default_value == "true";
  if (const auto number = config::ParseInteger(field.default_value); field.type == FieldType::kInteger && number)
    return *number;
  return field.default_value;
}

/// Writes the schema of a section with all that is in it.
class SchemaWriter {
 public:
  /// \param type  in force where a section has none of its own; empty: any
  explicit SchemaWriter(bool overlay, std::string_view type = "") : overlay_(overlay), type_(type) {}

  Json OfSection(const Section& section) const {
    if (section.overlay && !overlay_) return SchemaWriter(true).OfSection(section);
    const std::vector<std::string_view> types = overlay_ ? std::vector<std::string_view>() : TypesOf(section);
    if (types.empty()) return OfFields(section, overlay_ ? "" : type_);
    Json branches = Json::array();
    for (const std::string_view type : types) branches.push_back(OfFields(section, type));
    return {{"oneOf", branches}};
  }

 private:
  /// The values of `type` if it decides which other fields there are.
  static std::vector<std::string_view> TypesOf(const Section& section) {
    const auto fields = section.AllFields();
    const Field* type = section.Find("type");
    if (type == nullptr ||
        std::all_of(fields.begin(), fields.end(), [](const Field* field) { return field->of_type.empty(); }))
      return {};
    const auto choices = type->choices;
    return {choices.begin(), choices.end()};
  }

  /// \param type  empty: the fields of all types
  Json OfFields(const Section& section, std::string_view type) const {
    Json schema = {{"type", "object"}, {"additionalProperties", section.open}};
    schema["properties"] = Json::object();
    Json required = Json::array();
    for (const Field* field : section.AllFields()) {
      if (!type.empty() && !field->of_type.empty() && field->of_type != type) continue;
      Json& property = schema["properties"][std::string(field->name)] = SchemaWriter(overlay_, type).OfField(*field);
      if (!type.empty() && field->name == "type") property["enum"] = property["examples"] = {type};
      if (field->required && !overlay_) required.push_back(field->name);
    }
    if (!required.empty()) schema["required"] = required;
    return schema;
  }

  Json OfField(const Field& field) const {
    Json schema = OfShape(field);
    const bool container = field.type == FieldType::kSection || field.shape != FieldShape::kOne;
    if (overlay_ || field.nullable || (container && !field.required)) schema = OrNull(std::move(schema));
    schema["description"] = field.text;
    if (!field.default_value.empty() && !overlay_) schema["default"] = DefaultOf(field);
    schema["examples"] = Json::array({YamlTextToJson(field.example)});
    return schema;
  }

  Json OfOne(const Field& field) const {
    if (field.type != FieldType::kSection) return ScalarSchema(field);
    Json schema = OfSection(*field.section);
    if (!field.list_of.empty()) {
      Json list = OfField(*field.section->Find(field.list_of));
      return {{"anyOf", {schema, std::move(list)}}};
    }
    if (field.key_alone) return {{"anyOf", {schema, {{"enum", NamesOf(*field.section)}}}}};
    return field.or_false ? Json{{"anyOf", {schema, {{"const", false}}}}} : schema;
  }

  static std::vector<std::string_view> NamesOf(const Section& section) {
    std::vector<std::string_view> names;
    for (const Field* field : section.AllFields()) names.push_back(field->name);
    return names;
  }

  Json OfShape(const Field& field) const {
    switch (field.shape) {
      case FieldShape::kOne:
        return OfOne(field);
      case FieldShape::kList:
        return ListOf(field);
      case FieldShape::kMap:
      case FieldShape::kMapOfLists:
        return MapOf(field);
    }
    return Json::object();
  }

  Json ListOf(const Field& field) const {
    const Json one = OfOne(field);
    Json list = {{"type", "array"}, {"items", one}};
    if (field.distinct) list["uniqueItems"] = true;
    return field.single ? Json{{"anyOf", {one, list}}} : list;
  }

  Json MapOf(const Field& field) const {
    Json value = field.shape == FieldShape::kMap ? OfOne(field) : ListOf(field);
    if (overlay_ || field.nullable_values || (field.nullable && field.type == FieldType::kSection))
      value = OrNull(std::move(value));
    const Json key = field.key_type == FieldType::kName ? Pattern(kName) : Json{{"minLength", 1}};
    return {{"type", "object"}, {"propertyNames", key}, {"additionalProperties", value}};
  }

  const bool overlay_;  ///< what is written about is laid over other values
  const std::string_view type_;
};

}  // namespace

Json JsonSchemaOf(const config::FileKind& kind) {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"},
                 {"title", fmt::format("leat: {}", kind.files)},
                 {"description", kind.text}};
  schema.update(SchemaWriter(kind.section->overlay).OfSection(*kind.section));
  return schema;
}

std::vector<std::string> WriteSchemas(const std::string& folder) {
  const std::string schemas = ".leat/schema";
  MakeDirectories(JoinPath(folder, schemas));
  std::vector<std::string> paths;
  for (const config::FileKind& kind : config::FileKinds()) {
    paths.push_back(fmt::format("{}/{}.json", schemas, kind.name));
    ReplaceFile(JoinPath(folder, paths.back()), JsonSchemaOf(kind).dump(2) + "\n");
  }
  return paths;
}

}  // namespace leat::cli
