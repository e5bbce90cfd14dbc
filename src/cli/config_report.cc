#include "cli/config_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/yaml_json.h"
#include "config/fields.h"
#include "core/text.h"
#include "pipeline/connections.h"
#include "pipeline/workspace.h"

namespace leat::cli {
namespace {

constexpr int kOriginColumnMax = 60;
constexpr std::string_view kThreads = "limits.threads";

class EffectiveList {
 public:
  EffectiveList(const config::Project& project, std::optional<int> threads) : project_(project), threads_(threads) {}

  std::vector<EffectiveValue> Take() {
    for (const config::Field* field : config::kProjectSection.AllFields()) {
      if (field->name == "connections") {
        for (const pipeline::ConnectionView& view : pipeline::DescribeConnections(project_)) AddConnection(view);
        continue;
      }
      if (field->name == "limits") AddThreads();
      for (const config::Setting& setting : project_.settings)
        if (setting.path.front() == field->name && setting.name() != kThreads) AddSetting(setting);
      if (field->name == "limits") AddMemoryOfMachine();
    }
    return std::move(values_);
  }

 private:
  void Add(std::vector<std::string> path, std::string yaml, std::string origin) {
    Json json = YamlTextToJson(yaml);
    values_.push_back({std::move(path), std::move(yaml), std::move(json), std::move(origin)});
  }

  void AddSetting(const config::Setting& setting) {
    Add(setting.path, config::FormatYaml(*setting.value), config::OriginText(*setting.value, project_.target.value));
  }

  /// The one value that a flag may give.
  void AddThreads() {
    const auto given = std::find_if(project_.settings.begin(), project_.settings.end(),
                                    [](const config::Setting& setting) { return setting.name() == kThreads; });
    if (!threads_ && given != project_.settings.end()) return AddSetting(*given);
    Add({"limits", "threads"}, fmt::format("{}", pipeline::ThreadCount(project_.limits)),
        threads_ ? "flag --threads" : "default: all cores");
  }

  void AddMemoryOfMachine() {
    if (project_.limits.memory_bytes > 0) return;
    Add({"limits", "memory"}, fmt::format("{}B", pipeline::MemoryBytes(project_.limits)),
        "default: half of the machine's memory");
  }

  void AddConnection(const pipeline::ConnectionView& view) {
    for (const pipeline::ConnectionView::Value& value : view.values)
      Add({"connections", view.name, value.key}, config::QuoteYaml(value.text), value.origin);
    if (view.password_written.empty() && view.password_origin.empty()) return;
    EffectiveValue password{{"connections", view.name, "password"}, "", nullptr, view.password_origin};
    if (!view.password_written.empty()) {
      password.yaml = config::QuoteYaml(view.password_written);
      password.json = view.password_written;
    }
    if (password.origin.empty()) password.origin = "not found; looked in " + Join(view.looked_in, ", ");
    values_.push_back(std::move(password));
  }

  const config::Project& project_;
  const std::optional<int> threads_;
  std::vector<EffectiveValue> values_;
};

/// What chose the target.
std::string TargetOrigin(const config::Project& project) {
  if (project.target.place.known()) return "variable " + project.target.place.file;
  return project.target.value == config::kNoTarget ? "default" : "flag --target";
}

/// A line of YAML and what is to stand behind it.
struct ConfigLine {
  std::string text;
  std::string origin;
};

std::vector<ConfigLine> Lines(const std::vector<EffectiveValue>& values) {
  std::vector<ConfigLine> lines;
  std::vector<std::string> open;  // maps that the last line stands in
  for (const EffectiveValue& value : values) {
    const std::vector<std::string> maps(value.path.begin(), value.path.end() - 1);
    const auto common =
        static_cast<size_t>(std::mismatch(maps.begin(), maps.end(), open.begin(), open.end()).first - maps.begin());
    const auto indentation = [](size_t depth) { return std::string(depth * 2, ' '); };
    for (size_t depth = common; depth < maps.size(); ++depth)
      lines.push_back({indentation(depth) + maps[depth] + ":", ""});
    const std::string& key = value.path.back();
    lines.push_back(
        {indentation(maps.size()) + (value.yaml.empty() ? "# " + key : key + ": " + value.yaml), value.origin});
    open = maps;
  }
  return lines;
}

}  // namespace

std::vector<EffectiveValue> EffectiveValues(const config::Project& project, std::optional<int> threads) {
  return EffectiveList(project, threads).Take();
}

std::string FormatConfig(const config::Project& project, const std::vector<EffectiveValue>& values, Origins origins,
                         const Terminal& terminal) {
  std::string text;
  if (origins == Origins::kShown)
    text = Paint(terminal, Tint::kDim, fmt::format("# target {} ({})", project.target.value, TargetOrigin(project))) +
           "\n";
  const std::vector<ConfigLine> lines = Lines(values);
  int column = 0;
  for (const ConfigLine& line : lines)
    if (!line.origin.empty()) column = std::max(column, std::min(DisplayWidth(line.text), kOriginColumnMax));
  for (const ConfigLine& line : lines) {
    const bool is_comment = Trim(line.text).starts_with('#');
    if (origins == Origins::kHidden && is_comment) continue;
    text += origins == Origins::kHidden || line.origin.empty()
                ? line.text
                : PadRight(line.text, column) + Paint(terminal, Tint::kDim, "  # " + line.origin);
    text += "\n";
  }
  return text;
}

Json ConfigJson(const config::Project& project, const std::vector<EffectiveValue>& values) {
  Json json;
  json["project"] = project.name;
  json["target"] = {{"name", project.target.value}, {"origin", TargetOrigin(project)}};
  json["config"] = Json::object();
  json["origins"] = Json::object();
  for (const EffectiveValue& value : values) {
    json["origins"][Join(value.path, ".")] = value.origin;
    if (value.yaml.empty()) continue;
    Json* place = &json["config"];
    for (const std::string& key : value.path) place = &(*place)[key];
    *place = value.json;
  }
  return json;
}

}  // namespace leat::cli
