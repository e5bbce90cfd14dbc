#include "cli/reference_pages.h"

#include <fmt/format.h>

#include <cctype>
#include <map>

#include "cli/command_line.h"
#include "config/check_fields.h"
#include "config/fields.h"

namespace leat::cli {
namespace {

using config::Field;
using config::FieldShape;
using config::FieldType;

constexpr const char* kNote = "<!-- Written by `make reference` from the declarations in src/; edit those. -->\n\n";

/// A cell of a table: `|` would end it.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
  return cell;
}

std::string Code(std::string_view text) { return text.empty() ? "" : fmt::format("`{}`", text); }

std::string KeyNoun(const Field& field) {
  if (field.key_type == FieldType::kName) return "names";
  return field.key_type == FieldType::kGlob ? "names or patterns" : "names";
}

/// What a field takes, with its shape and limits.
std::string ValueText(const Field& field) {
  const std::string one = config::ExpectedOne(field);
  std::string text = one;
  if (field.shape == FieldShape::kList) text = (field.single ? one + ", or a list: each " : "a list: each ") + one;
  if (field.shape == FieldShape::kMap) text = fmt::format("a map from {}: each {}", KeyNoun(field), one);
  if (field.shape == FieldShape::kMapOfLists)
    text = fmt::format("a map from {} to lists: each {}", KeyNoun(field), one);
  if (field.distinct) text += ", none twice";
  if (field.or_false) text += ", or false";
  if (field.nullable) text += "; null removes what was inherited";
  return text;
}

/// The path of what stands below a field: `connections.<name>`.
std::string PathBelow(const std::string& path, const Field& field) {
  const std::string below = path.empty() ? std::string(field.name) : fmt::format("{}.{}", path, field.name);
  if (field.shape == FieldShape::kMap) return below + ".<name>";
  return field.shape == FieldShape::kList ? below + "[]" : below;
}

/// The part of a link to a heading that is a path: its letters and digits.
std::string Anchor(const std::string& path) {
  std::string anchor;
  for (const char c : path)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-') anchor += c;
  return anchor;
}

/// Where a section is described: each once, below the first field that has it; the others refer to it.
class SectionTables {
 public:
  void Add(const config::Section& section, const std::string& path) {
    if (!path.empty()) text_ += fmt::format("\n## {}\n\n", Code(path));
    text_ += "| key | value | default | | example |\n| --- | --- | --- | --- | --- |\n";
    const std::vector<const Field*> fields = section.AllFields();
    std::vector<const Field*> opening;
    for (const Field* field : fields) {
      const bool is_new = field->section != nullptr && !section.overlay &&
                          paths_.try_emplace(field->section, PathBelow(path, *field)).second;
      if (is_new) opening.push_back(field);
      text_ += Row(*field, section.overlay);
    }
    if (section.overlay) {
      text_ +=
          "\nEach of these is laid over the value of the same name at the top of the file and may be given in "
          "part; null removes it. Where it changes the `type` of a connection, that is given whole.\n";
      return;
    }
    for (const Field* field : opening) Add(*field->section, paths_.at(field->section));
  }

  std::string Take() { return std::move(text_); }

 private:
  std::string Row(const Field& field, bool overlay) const {
    const std::string example = fmt::format("{}: {}", field.name, field.example);
    const std::string only = field.of_type.empty() ? "" : fmt::format(" Of type {} only.", field.of_type);
    const std::string text = std::string(field.text) + only;
    const auto described = paths_.find(field.section);
    const std::string keys = described == paths_.end() ? "" : fmt::format(" ([keys](#{}))", Anchor(described->second));
    return fmt::format("| {}{} | {} | {} | {} | {} |\n", Code(field.name),
                       field.required && !overlay ? " (required)" : "", Cell(ValueText(field)) + keys,
                       overlay ? "" : Code(Cell(field.default_value)), Cell(text), Code(Cell(example)));
  }

  std::map<const config::Section*, std::string> paths_;  ///< the headings of sections
  std::string text_;
};

ReferencePage PageOf(const config::FileKind& kind) {
  SectionTables tables;
  tables.Add(*kind.section, "");
  return {fmt::format("{}.md", kind.name),
          fmt::format("{}# {}\n\n{}\n\n{}", kNote, kind.files, kind.text, tables.Take())};
}

ReferencePage CommandsPage() {
  std::string text = fmt::format("{}# Commands\n\n```text\n{}```\n", kNote, HelpText(""));
  for (const CommandInfo& command : CommandInfos())
    text += fmt::format("\n## leat {}\n\n```text\n{}```\n", command.name, OwnHelpText(command.name));
  return {"commands.md", text};
}

}  // namespace

std::vector<ReferencePage> ReferencePages() {
  std::vector<ReferencePage> pages;
  std::string index = fmt::format("{}# Reference\n\n| page | is about |\n| --- | --- |\n", kNote);
  for (const config::FileKind& kind : config::FileKinds()) {
    pages.push_back(PageOf(kind));
    index += fmt::format("| [{}]({}) | {} |\n", pages.back().file, pages.back().file, Cell(Code(kind.files)));
  }
  pages.push_back(CommandsPage());
  index += "| [commands.md](commands.md) | every command and flag |\n";
  pages.insert(pages.begin(), {"README.md", index});
  return pages;
}

}  // namespace leat::cli
