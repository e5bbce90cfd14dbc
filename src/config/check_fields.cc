#include "config/check_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/redact.h"
#include "config/scalars.h"
#include "config/secret_reference.h"
#include "core/text.h"

namespace leat::config {
namespace {

constexpr int kShownCharactersMax = 80;

std::string Choices(const Field& field) {
  if (field.choices.size() == 1) return std::string(field.choices[0]);
  return fmt::format("one of {}", fmt::join(field.choices, ", "));
}

std::string IntegerLimits(const Field& field) {
  if (field.min == 0 && field.max == 0) return "";
  if (field.max == INT64_MAX) return fmt::format(" from {} up", field.min);
  return fmt::format(" from {} to {}", field.min, field.max);
}

std::string SizeLimits(const Field& field) {
  return fmt::format(" from {}MiB to {}TiB", field.min >> 20, field.max >> 40);
}

std::string Expected(const Field& field) {
  switch (field.shape) {
    case FieldShape::kOne:
      return ExpectedOne(field) + (field.or_false ? " or false" : "");
    case FieldShape::kList:
      return field.single ? ExpectedOne(field) + " or a list" : "a list";
    case FieldShape::kMap:
    case FieldShape::kMapOfLists:
      return "a map";
  }
  return "";
}

std::string Found(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "empty";
    case YamlNode::Kind::kScalar:
      return fmt::format("'{}'", Shorten(RedactUrls(node.text), kShownCharactersMax));
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

std::string Example(const Field& field) { return fmt::format("for example  {}: {}", field.name, field.example); }

/// Whether `text` is a name in braces and nothing else.
bool IsPlaceholder(std::string_view text) {
  const auto names = PlaceholdersIn(text);
  return names.size() == 1 && text == fmt::format("{{{}}}", names[0]);
}

std::string Extend(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

/// Checks one tree. Each Check… returns the value as it is to be used, or nullptr after it has reported a fault.
class Checker {
 public:
  Checker(bool overlay, std::vector<Diagnostic>& diagnostics) : overlay_(overlay), diagnostics_(diagnostics) {}

  YamlPointer CheckSection(const YamlNode& node, const Section& section, const std::string& path) {
    const std::string outer_type = type_;
    if (section.Find("type") != nullptr) type_ = TypeIn(node);
    YamlPointer checked = CheckKeys(node, section, path);
    type_ = outer_type;
    return checked;
  }

 private:
  static std::string TypeIn(const YamlNode& node) {
    const YamlEntry* entry = node.Find("type");
    return entry == nullptr || entry->value->kind != YamlNode::Kind::kScalar ? "" : entry->value->text;
  }

  YamlPointer CheckKeys(const YamlNode& node, const Section& section, const std::string& path) {
    auto checked = std::make_shared<YamlNode>();
    checked->kind = YamlNode::Kind::kMap;
    checked->place = node.place;
    for (const YamlEntry& entry : node.entries) CheckEntry(entry, section, path, *checked);
    checked->has_unknown_keys =
        !section.open && std::any_of(node.entries.begin(), node.entries.end(),
                                     [&](const YamlEntry& entry) { return section.Find(entry.key) == nullptr; });
    for (const Field* field : section.AllFields()) {
      if (overlay_ || !IsOfType(*field, section, *checked, path) || checked->Find(field->name) != nullptr) continue;
      if (field->required && !HasSlipFor(node, section, *field)) ReportMissing(node, *field, path);
      if (!field->default_value.empty()) AddDefault(*field, *checked);
    }
    return checked;
  }

  /// Whether a field belongs to the `type` beside it or above; one that is given and does not is reported.
  bool IsOfType(const Field& field, const Section& section, const YamlNode& checked, const std::string& path) {
    if (field.of_type.empty()) return true;
    if (!IsKnownType(section)) return false;  // reported already, or about to be
    if (type_ == field.of_type) return true;
    const YamlEntry* given = checked.Find(field.name);
    if (given == nullptr) return false;
    std::vector<std::string_view> own;
    for (const Field* other : section.AllFields())
      if (other->of_type == type_) own.push_back(other->name);
    const bool is_beside = section.Find("type") != nullptr;
    ReportContradiction(given->key_place,
                        fmt::format("{} belongs to type {}; {} has type {}", Extend(path, field.name), field.of_type,
                                    is_beside && !path.empty() ? path : "this source", type_),
                        fmt::format("remove it; type {} has: {}", type_, fmt::join(own, ", ")), diagnostics_);
    return false;
  }

  /// Whether the type in force is one that fields of this section belong to.
  bool IsKnownType(const Section& section) const {
    const Field* type = section.Find("type");
    return type == nullptr ? !type_.empty()
                           : std::find(type->choices.begin(), type->choices.end(), type_) != type->choices.end();
  }

  void CheckEntry(const YamlEntry& entry, const Section& section, const std::string& path, YamlNode& checked) {
    const Field* field = section.Find(entry.key);
    if (field == nullptr && section.open) return;
    if (field == nullptr) return ReportUnknown(entry, section);
    const bool null = entry.value->kind == YamlNode::Kind::kNull;
    const bool nullable = field->nullable || overlay_;
    const bool container = field->type == FieldType::kSection || field->shape != FieldShape::kOne;
    // `connections:` with all its entries commented out is a map without entries, not a slip.
    if (null && !nullable && container && !field->required) return;
    YamlPointer value = null && nullable ? entry.value : CheckShape(entry.value, *field, Extend(path, entry.key));
    checked.entries.push_back({entry.key, entry.key_place, std::move(value)});
  }

  static void AddDefault(const Field& field, YamlNode& checked) {
    auto value = std::make_shared<YamlNode>();
    value->kind = YamlNode::Kind::kScalar;
    value->plain = true;
    value->text = field.default_value;
    value->place = checked.place;
    value->origin = Origin::kDefault;
    YamlPointer given = value;
    if (field.shape == FieldShape::kList) given = ListOf(value);
    checked.entries.push_back({std::string(field.name), checked.place, given});
  }

  static YamlPointer ListOf(const YamlPointer& value) {
    auto list = std::make_shared<YamlNode>();
    list->kind = YamlNode::Kind::kList;
    list->place = value->place;
    list->origin = value->origin;
    list->items.push_back(value);
    return list;
  }

  YamlPointer CheckShape(const YamlPointer& value, const Field& field, const std::string& path) {
    switch (field.shape) {
      case FieldShape::kOne:
        return CheckOne(value, field, path);
      case FieldShape::kList:
        return CheckList(value, field, path);
      case FieldShape::kMap:
      case FieldShape::kMapOfLists:
        return CheckMap(value, field, path);
    }
    return nullptr;
  }

  YamlPointer CheckList(const YamlPointer& value, const Field& field, const std::string& path) {
    const bool one = field.single && value->kind == YamlNode::Kind::kScalar;
    if (!one && value->kind != YamlNode::Kind::kList) return WrongType(*value, field, path, Expected(field));
    const YamlPointer list = one ? ListOf(value) : value;
    auto checked = std::make_shared<YamlNode>(*list);
    checked->items.clear();
    std::set<std::string> seen;
    for (const YamlPointer& item : list->items) {
      const bool itself = one || field.type == FieldType::kSection;
      YamlPointer right = CheckOne(item, field, itself ? path : fmt::format("an entry of {}", path));
      if (right == nullptr) continue;
      if (field.distinct && !seen.insert(right->text).second)
        ReportRepeated(*right, path);
      else
        checked->items.push_back(std::move(right));
    }
    // A list that lost an entry is not what its author meant: rules about it would report the same fault once more.
    return checked->items.size() == list->items.size() ? checked : nullptr;
  }

  YamlPointer CheckMap(const YamlPointer& value, const Field& field, const std::string& path) {
    if (value->kind != YamlNode::Kind::kMap) return WrongType(*value, field, path, Expected(field));
    auto checked = std::make_shared<YamlNode>(*value);
    checked->entries.clear();
    for (const YamlEntry& entry : value->entries) {
      const bool key_right = CheckKey(entry, field, path);
      checked->entries.push_back(
          {entry.key, entry.key_place, key_right ? CheckMapValue(entry, field, Extend(path, entry.key)) : nullptr});
    }
    return checked;
  }

  YamlPointer CheckMapValue(const YamlEntry& entry, const Field& field, const std::string& path) {
    if ((overlay_ || field.nullable_values) && entry.value->kind == YamlNode::Kind::kNull) return entry.value;
    // A stream's value may be empty: its name alone says that it is wanted.
    if (field.nullable && field.type == FieldType::kSection && entry.value->kind == YamlNode::Kind::kNull) {
      YamlNode empty;
      empty.kind = YamlNode::Kind::kMap;
      empty.place = entry.key_place;
      return CheckSection(empty, *field.section, path);
    }
    if (field.shape == FieldShape::kMap) return CheckOne(entry.value, field, path);
    Field item = field;
    item.shape = FieldShape::kList;
    return CheckList(entry.value, item, path);
  }

  bool CheckKey(const YamlEntry& entry, const Field& field, const std::string& path) {
    if (field.key_type == FieldType::kName) return CheckName(entry.key, entry.key_place, path);
    if (!entry.key.empty() && entry.key.find('\0') == std::string::npos) return true;
    Report("LEAT0105", entry.key_place, fmt::format("{} has an empty key; expected a name", path), Example(field));
    return false;
  }

  YamlPointer CheckOne(const YamlPointer& value, const Field& field, const std::string& path) {
    if (field.type == FieldType::kSection) return CheckNested(value, field, path);
    if (field.type == FieldType::kAny) return value;
    if (value->kind != YamlNode::Kind::kScalar) return WrongType(*value, field, path, ExpectedOne(field));
    return CheckScalar(*value, field, path) ? value : nullptr;
  }

  YamlPointer CheckNested(const YamlPointer& value, const Field& field, const std::string& path) {
    if (field.or_false && value->plain && value->text == "false") return value;
    if (field.key_alone && value->kind == YamlNode::Kind::kScalar)
      return CheckSection(*KeyAlone(*value), *field.section, path);
    if (!field.list_of.empty() && value->kind == YamlNode::Kind::kList)
      return CheckSection(*MapOf(field.list_of, value), *field.section, path);
    if (value->kind != YamlNode::Kind::kMap)
      return WrongType(*value, field, path, ExpectedOne(field) + (field.or_false ? " or false" : ""));
    return CheckSection(*value, *field.section, path);
  }

  static YamlPointer KeyAlone(const YamlNode& key) {
    return MapOf(key.text, std::make_shared<const YamlNode>(YamlNode{.place = key.place}));
  }

  static YamlPointer MapOf(std::string_view key, const YamlPointer& value) {
    auto map = std::make_shared<YamlNode>();
    map->kind = YamlNode::Kind::kMap;
    map->place = value->place;
    map->entries.push_back({std::string(key), value->place, value});
    return map;
  }

  bool CheckScalar(const YamlNode& node, const Field& field, const std::string& path) {
    const std::string& text = node.text;
    switch (field.type) {
      case FieldType::kText:
        if (text.starts_with("${") && text.ends_with('}')) return RefuseVariable(node, path);
        [[fallthrough]];
      case FieldType::kGlob:
        return Require(!text.empty() && text.find('\0') == std::string::npos, "LEAT0105", node, field, path);
      case FieldType::kScalar:
        return Require(text.find('\0') == std::string::npos, "LEAT0105", node, field, path);
      case FieldType::kName:
        return CheckName(text, node.place, path);
      case FieldType::kTable:
        return CheckTable(node, field, path);
      case FieldType::kInteger:
        return CheckNumber(node, field, path, node.plain ? ParseInteger(text) : std::nullopt);
      case FieldType::kSize:
        return CheckNumber(node, field, path, ParseSize(text));
      case FieldType::kBoolean:
        return Require(node.plain && (text == "true" || text == "false"), "LEAT0104", node, field, path);
      case FieldType::kDuration:
        return CheckDuration(node, field, path);
      case FieldType::kDate:
        return Require(IsDate(text), "LEAT0105", node, field, path);
      case FieldType::kPath:
        return CheckPath(node, field, path);
      case FieldType::kSqlType:
        return Require(IsSqlType(text), "LEAT0105", node, field, path);
      case FieldType::kSecret:
        return CheckSecret(node, field, path);
      case FieldType::kCredential:
        return IsPlaceholder(text) || CheckSecret(node, field, path);
      case FieldType::kTemplate:
        return CheckTemplate(node, field, path);
      case FieldType::kJsonPath:
        return Require(ParseJsonPath(text).has_value(), "LEAT0105", node, field, path);
      case FieldType::kChoice:
        return CheckChoice(node, field, path);
      case FieldType::kAny:
      case FieldType::kSection:
        return false;
    }
    return false;
  }

  /// Credentials may be secrets; other texts of a request are sent as they are.
  bool CheckTemplate(const YamlNode& node, const Field& field, const std::string& path) {
    const bool is_credential = path.starts_with("auth.");
    if (is_credential && SecretReference::IsReference(node.text)) return true;
    if (node.text.starts_with("${") && node.text.ends_with('}')) return RefuseVariable(node, path);
    return Require(node.text.find_first_of(std::string_view("\0\r\n", 3)) == std::string::npos, "LEAT0105", node, field,
                   path);
  }

  /// It would be taken for the value itself.
  bool RefuseVariable(const YamlNode& node, const std::string& path) {
    Report("LEAT0105", node.place, fmt::format("{} is '{}'; variables stand in for secrets only", path, node.text),
           path.starts_with("connections.") ? fmt::format("leave the key out and set  {}", VariableName(path))
                                            : "write the value itself");
    return false;
  }

  bool CheckNumber(const YamlNode& node, const Field& field, const std::string& path, std::optional<int64_t> number) {
    if (!Require(number.has_value(), "LEAT0104", node, field, path)) return false;
    const bool limited = field.min != 0 || field.max != 0;
    return Require(!limited || (*number >= field.min && *number <= field.max), "LEAT0105", node, field, path);
  }

  bool CheckDuration(const YamlNode& node, const Field& field, const std::string& path) {
    const bool is_word = std::find(field.choices.begin(), field.choices.end(), node.text) != field.choices.end();
    return Require(is_word || ParseDuration(node.text), "LEAT0105", node, field, path);
  }

  bool CheckTable(const YamlNode& node, const Field& field, const std::string& path) {
    const auto parts = Split(node.text, '.');
    return Require(parts.size() == 2 && IsValidName(parts[0]) && IsValidName(parts[1]), "LEAT0105", node, field, path);
  }

  bool CheckPath(const YamlNode& node, const Field& field, const std::string& path) {
    const bool local = !node.text.empty() && node.text.find("://") == std::string::npos &&
                       !node.text.starts_with('~') && node.text.find('\0') == std::string::npos;
    return Require(local, "LEAT0105", node, field, path);
  }

  bool CheckChoice(const YamlNode& node, const Field& field, const std::string& path) {
    if (std::find(field.choices.begin(), field.choices.end(), node.text) != field.choices.end()) return true;
    Diagnostic& fault = Report("LEAT0105", node.place,
                               fmt::format("{} is {}; expected {}", path, Found(node), Choices(field)), Example(field));
    SuggestNearest(fault, node.text, {field.choices.begin(), field.choices.end()});
    return false;
  }

  /// The message never repeats the value: it may be the secret.
  bool CheckSecret(const YamlNode& node, const Field& field, const std::string& path) {
    if (SecretReference::IsReference(node.text)) return true;
    Diagnostic& fault =
        Report("LEAT0108", node.place, fmt::format("{} stands in the file; expected {}", path, ExpectedOne(field)),
               Example(field));
    fault.label = "secrets stay out of project files";
    fault.notes.push_back("if this file was shared or committed, change the secret");
    return false;
  }

  bool CheckName(const std::string& text, const Place& place, const std::string& path) {
    if (IsValidName(text)) return true;
    const std::string clean = CleanName(text).substr(0, 63);
    Report("LEAT0110", place,
           fmt::format("{}: '{}' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most "
                       "63 characters",
                       path, Shorten(text, kShownCharactersMax)),
           IsValidName(clean) ? fmt::format("write {}", clean) : "choose another name");
    return false;
  }

  bool Require(bool right, std::string_view code, const YamlNode& node, const Field& field, const std::string& path) {
    if (!right)
      Report(code, node.place, fmt::format("{} is {}; expected {}", path, Found(node), ExpectedOne(field)),
             Example(field));
    return right;
  }

  YamlPointer WrongType(const YamlNode& node, const Field& field, const std::string& path,
                        const std::string& expected) {
    // What stands where a secret is expected may be one.
    const std::string found = (field.type == FieldType::kSecret || field.type == FieldType::kCredential) &&
                                      node.kind == YamlNode::Kind::kScalar
                                  ? "text"
                                  : Found(node);
    Report("LEAT0104", node.place, fmt::format("{} is {}; expected {}", path, found, expected), Example(field));
    return nullptr;
  }

  void ReportUnknown(const YamlEntry& entry, const Section& section) {
    std::vector<std::string> known;
    for (const Field* field : section.AllFields())
      if (field->of_type.empty() || field->of_type == type_ || !IsKnownType(section)) known.emplace_back(field->name);
    std::string key = entry.key;
    // `{password hunter2}` is one key in YAML: show only the word that is known not to be secret.
    if (const size_t blank = key.find_first_of(" \t"); blank != std::string::npos && NamesSecret(key.substr(0, blank)))
      key.resize(blank);
    const auto near = NearestNames(key, known);
    std::string message = fmt::format("unknown key '{}'", Shorten(key, kShownCharactersMax));
    if (!near.empty()) message += fmt::format("; did you mean {}?", near.front());
    Report("LEAT0102", entry.key_place, std::move(message), fmt::format("keys here: {}", fmt::join(known, ", ")))
        .candidates = near;
  }

  /// Whether a key that was reported as unknown was meant to be this one.
  static bool HasSlipFor(const YamlNode& node, const Section& section, const Field& field) {
    return std::any_of(node.entries.begin(), node.entries.end(), [&](const YamlEntry& entry) {
      return section.Find(entry.key) == nullptr && !NearestNames(entry.key, {std::string(field.name)}).empty();
    });
  }

  void ReportMissing(const YamlNode& node, const Field& field, const std::string& path) {
    Place place = node.place;
    // The whole map lacks it; underline only where it begins.
    if (place.column != 0) place.end_column = place.column + 1;
    Report("LEAT0106", place, fmt::format("{} is missing", Extend(path, field.name)),
           fmt::format("add  {}: {}", field.name, field.example));
  }

  void ReportRepeated(const YamlNode& node, const std::string& path) {
    Report("LEAT0103", node.place, fmt::format("{} names '{}' twice", path, Shorten(node.text, kShownCharactersMax)),
           "remove one of the two");
  }

  Diagnostic& Report(std::string_view code, const Place& place, std::string message, std::string help) {
    return diagnostics_.emplace_back(MakeFault(code, place, std::move(message), std::move(help)));
  }

  const bool overlay_;  ///< what is checked is laid over other values
  std::string type_;    ///< in force: of the section at hand, or of the nearest one around it that has a type
  std::vector<Diagnostic>& diagnostics_;
};

YamlPointer FromVariable(const Field& field, const std::string& variable, const std::string& value) {
  const auto scalar = [&](std::string_view text) {
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::kScalar;
    node->plain = true;
    node->text = text;
    node->place.file = variable;
    node->origin = Origin::kVariable;
    return node;
  };
  if (field.shape != FieldShape::kList) return scalar(value);
  auto list = std::make_shared<YamlNode>();
  list->kind = YamlNode::Kind::kList;
  list->place.file = variable;
  list->origin = Origin::kVariable;
  for (const std::string& part : Split(value, ',')) list->items.push_back(scalar(Trim(part)));
  return list;
}

void SetEntry(YamlNode& map, const std::string& key, YamlPointer value) {
  const auto found =
      std::find_if(map.entries.begin(), map.entries.end(), [&](const YamlEntry& entry) { return entry.key == key; });
  if (found != map.entries.end())
    found->value = std::move(value);
  else
    map.entries.push_back({key, value->place, value});
}

YamlPointer Overlay(const YamlPointer& node, const Section& section, const std::string& path,
                    const Environment& environment);

/// The overlaid value of a section field; nullptr if nothing is given.
YamlPointer OverlayField(const YamlPointer& given, const Field& field, const std::string& path,
                         const Environment& environment) {
  if (field.shape == FieldShape::kOne) {
    if (given != nullptr && given->kind != YamlNode::Kind::kNull)
      return Overlay(given, *field.section, path, environment);
    const auto empty = std::make_shared<const YamlNode>(YamlNode{.kind = YamlNode::Kind::kMap});
    auto made = std::make_shared<YamlNode>(*Overlay(empty, *field.section, path, environment));
    if (made->entries.empty()) return given;
    made->place = made->entries.front().key_place;
    return made;
  }
  if (given == nullptr || given->kind != YamlNode::Kind::kMap) return given;
  auto overlaid = std::make_shared<YamlNode>(*given);
  for (YamlEntry& entry : overlaid->entries)
    entry.value = Overlay(entry.value, *field.section, Extend(path, entry.key), environment);
  return overlaid;
}

YamlPointer Overlay(const YamlPointer& node, const Section& section, const std::string& path,
                    const Environment& environment) {
  if (node->kind != YamlNode::Kind::kMap) return node;
  auto overlaid = std::make_shared<YamlNode>(*node);
  for (const Field* field : section.AllFields()) {
    const std::string name(field->name);
    const std::string field_path = Extend(path, name);
    if (field->type == FieldType::kSecret || field->type == FieldType::kCredential) continue;
    if (field->type == FieldType::kSection) {
      const YamlEntry* entry = node->Find(name);
      const YamlPointer value =
          OverlayField(entry == nullptr ? nullptr : entry->value, *field, field_path, environment);
      if (value != nullptr) SetEntry(*overlaid, name, value);
      continue;
    }
    const std::string variable = VariableName(field_path);
    if (const auto value = environment(variable)) SetEntry(*overlaid, name, FromVariable(*field, variable, *value));
  }
  return overlaid;
}

Located<std::string> LocatedOf(const YamlNode& node) { return {node.text, node.place}; }

}  // namespace

std::string ExpectedOne(const Field& field) {
  switch (field.type) {
    case FieldType::kText:
      return "text";
    case FieldType::kScalar:
      return "a single value";
    case FieldType::kName:
      return "a name";
    case FieldType::kTable:
      return "a table as namespace.name";
    case FieldType::kGlob:
      return "a name or a pattern with *";
    case FieldType::kInteger:
      if (field.min != 0 && field.min == field.max) return std::to_string(field.min);
      return "a whole number" + IntegerLimits(field);
    case FieldType::kBoolean:
      return "true or false";
    case FieldType::kSize:
      return "a size such as 64MB or 64MiB" + SizeLimits(field);
    case FieldType::kDuration:
      return (field.choices.empty() ? "" : fmt::format("{}, or ", fmt::join(field.choices, ", "))) +
             "a duration such as 5m";
    case FieldType::kDate:
      return "a day as yyyy-mm-dd";
    case FieldType::kPath:
      return "a path in the file system";
    case FieldType::kSqlType:
      return "a type such as numeric(10,2)";
    case FieldType::kSecret:
      return "${NAME} or ${file:/path}";
    case FieldType::kCredential:
      return "${NAME}, ${file:/path} or {name}";
    case FieldType::kTemplate:
      return "a single value";
    case FieldType::kJsonPath:
      return "a path of names and [*], such as $.list[*].invoice";
    case FieldType::kAny:
      return "any value";
    case FieldType::kChoice:
      return Choices(field);
    case FieldType::kSection:
      return "a map";
  }
  return "";
}

bool Values::Faulty(std::string_view name) const {
  const YamlEntry* entry = map_->Find(name);
  return entry != nullptr && entry->value == nullptr;
}

const YamlNode* Values::Find(std::string_view name) const {
  const YamlEntry* entry = map_->Find(name);
  if (entry == nullptr || entry->value == nullptr || entry->value->kind == YamlNode::Kind::kNull) return nullptr;
  return entry->value.get();
}

bool Values::HasFaultyPart(std::string_view name) const {
  const YamlNode* node = Find(name);
  if (node == nullptr) return Faulty(name);
  return node->has_unknown_keys || std::any_of(node->entries.begin(), node->entries.end(),
                                               [](const YamlEntry& entry) { return entry.value == nullptr; });
}

Place Values::KeyPlace(std::string_view name) const {
  const YamlEntry* entry = map_->Find(name);
  return entry == nullptr ? map_->place : entry->key_place;
}

std::string Values::Text(std::string_view name) const {
  const YamlNode* node = Find(name);
  return node == nullptr ? "" : node->text;
}

Located<std::string> Values::LocatedText(std::string_view name) const {
  return OptionalText(name).value_or(Located<std::string>{});
}

std::optional<Located<std::string>> Values::OptionalText(std::string_view name) const {
  const YamlNode* node = Find(name);
  if (node == nullptr) return std::nullopt;
  return LocatedOf(*node);
}

std::vector<Located<std::string>> Values::List(std::string_view name) const {
  std::vector<Located<std::string>> list;
  if (const YamlNode* node = Find(name))
    for (const YamlPointer& item : node->items) list.push_back(LocatedOf(*item));
  return list;
}

std::vector<std::string> Values::Texts(std::string_view name) const {
  std::vector<std::string> texts;
  for (Located<std::string>& item : List(name)) texts.push_back(std::move(item.value));
  return texts;
}

std::map<std::string, Located<std::string>> Values::Map(std::string_view name) const {
  std::map<std::string, Located<std::string>> map;
  if (const YamlNode* node = Find(name))
    for (const YamlEntry& entry : node->entries)
      if (entry.value != nullptr) map.emplace(entry.key, LocatedOf(*entry.value));
  return map;
}

std::optional<int64_t> Values::Integer(std::string_view name) const { return ParseInteger(Text(name)); }

int64_t Values::Bytes(std::string_view name) const { return ParseSize(Text(name)).value_or(0); }

std::optional<Values> Values::Section(std::string_view name) const {
  const YamlEntry* entry = map_->Find(name);
  if (entry == nullptr || entry->value == nullptr || entry->value->kind != YamlNode::Kind::kMap) return std::nullopt;
  return Values(entry->value);
}

std::vector<std::pair<YamlEntry, Values>> Values::Sections(std::string_view name) const {
  std::vector<std::pair<YamlEntry, Values>> sections;
  const YamlNode* node = Find(name);
  if (node == nullptr) return sections;
  for (const YamlEntry& entry : node->entries)
    if (entry.value != nullptr) sections.emplace_back(entry, Values(entry.value));
  for (const YamlPointer& item : node->items) sections.emplace_back(YamlEntry{"", item->place, item}, Values(item));
  return sections;
}

Values CheckFields(const YamlPointer& root, const Section& section, std::vector<Diagnostic>& diagnostics) {
  if (root->kind == YamlNode::Kind::kMap)
    return Values(Checker(section.overlay, diagnostics).CheckSection(*root, section, ""));
  diagnostics.push_back(
      MakeFault("LEAT0104", root->place, fmt::format("the file is {}; expected a map of keys", Found(*root)),
                fmt::format("begin with  {}: {}", section.fields[0].name, section.fields[0].example)));
  // Every field counts as faulty, so that nothing is said to be missing.
  auto faulty = std::make_shared<YamlNode>(YamlNode{.kind = YamlNode::Kind::kMap, .place = root->place});
  for (const Field* field : section.AllFields())
    faulty->entries.push_back({std::string(field->name), root->place, nullptr});
  return Values(faulty);
}

YamlPointer ApplyEnvironment(const YamlPointer& root, const Section& section, const Environment& environment) {
  return Overlay(root, section, "", environment);
}

Diagnostic MakeFault(std::string_view code, const Place& place, std::string message, std::string help) {
  Diagnostic fault;
  fault.code = code;
  fault.place = place;
  fault.message = std::move(message);
  fault.help.push_back(std::move(help));
  return fault;
}

void ReportContradiction(const Place& place, std::string message, std::string help,
                         std::vector<Diagnostic>& diagnostics) {
  diagnostics.push_back(MakeFault("LEAT0115", place, std::move(message), std::move(help)));
}

}  // namespace leat::config
