#include "models/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/hash.h"
#include "core/text.h"
#include "models/check_rules.h"
#include "models/periods.h"

namespace leat::models {
namespace {

/// Raised when a release builds other rows from the same SQL.
constexpr int kBuildFormat = 1;

std::string DefinitionOf(const config::Project& project, const Macros& macros, const Node& node) {
  const config::Model& model = *node.model;
  std::string text = fmt::format("{}\n{}\n{}\n", kBuildFormat, static_cast<int>(model.kind), node.reads.normalised);
  text += macros.TextOf(node.reads.macros);
  for (const std::string& column : KeyOf(model)) text += fmt::format("key {}\n", column);
  if (model.record_id) text += fmt::format("record_id {}\n", model.record_id->value);
  text += fmt::format("{} {}\n", model.keep_deleted, model.history_keeps_deletes);
  if (model.kind == config::ModelKind::kDimDate)
    text += fmt::format("{} {} {}", model.date_from ? model.date_from->value : "",
                        model.date_to ? model.date_to->value : "", model.day_of_week);
  if (model.kind == config::ModelKind::kPeriod)
    text += fmt::format("{} {} from {} in {}", config::PeriodName(model.period), ToLower(model.time.value),
                        model.periods_from ? model.periods_from->value : "", project.timezone.value);
  return text;
}

std::string VersionsOf(const engine::Engine& engine, const SelectReads& reads, Timestamp run_time) {
  std::string text;
  for (const std::string& name : reads.TableNames()) text += fmt::format("{} {}\n", name, InputVersion(engine, name));
  if (DependsOnMoment(reads)) text += FormatTimestamp(run_time);
  return text;
}

/// What a reference means also depends on the key of the table that it names.
std::string RulesOfNode(const Graph& graph, const Node& node) {
  std::string text = TextOfRules(*node.model);
  for (const std::string& table : node.references)
    if (const Node* referenced = graph.Find(table))
      text += fmt::format("\n{} ({})", table, Join(KeyOf(*referenced->model), ", "));
  return text;
}

/// An open calendar spans what these columns hold.
std::string UsesOf(const engine::Engine& engine, const Graph& graph, const std::string& calendar) {
  std::string text;
  for (const Node& node : graph.nodes) {
    std::string columns;
    for (const config::CheckRule& rule : node.model->checks)
      for (const auto& reference : rule.references)
        if (reference.table.value == calendar) columns += " " + ToLower(reference.column.value);
    if (!columns.empty())
      text += fmt::format("{}{} {}\n", node.model->name, columns, InputVersion(engine, node.model->name));
  }
  return text;
}

}  // namespace

Fingerprint Fingerprint::Parse(const std::string& text) {
  const std::vector<std::string> parts = Split(text, '-');
  if (parts.size() != 4) return {};
  return {parts[0], parts[1], parts[2], parts[3]};
}

Fingerprint FingerprintOf(engine::Engine& engine, const Macros& macros, const Graph& graph, const Node& node,
                          Timestamp run_time) {
  std::string inputs = VersionsOf(engine, node.reads, run_time);
  if (node.model->kind == config::ModelKind::kScd2)
    for (const std::string& name : node.reads.TableNames())
      inputs += engine::TextOfVersionOrder(engine.project(), engine::CurrentName(name));
  if (Graph::IsOpenDimDate(*node.model)) inputs += UsesOf(engine, graph, node.model->name);
  if (node.model->kind == config::ModelKind::kPeriod)
    inputs += FormatTimestamp(LastEndedPeriod(engine.connection(), engine.project(), *node.model, run_time).end);
  return {HashOfText(DefinitionOf(engine.project(), macros, node)), HashOfText(RulesOfNode(graph, node)),
          ReferencesOf(engine, node), HashOfText(inputs)};
}

std::string ReferencesOf(const engine::Engine& engine, const Node& node) {
  std::string text;
  for (const std::string& table : node.references) text += fmt::format("{} {}\n", table, InputVersion(engine, table));
  return HashOfText(text);
}

std::string FingerprintOfCheck(const engine::Engine& engine, const Macros& macros, const SelectReads& reads,
                               Timestamp run_time) {
  return HashOfText(reads.normalised + "\n" + macros.TextOf(reads.macros) + VersionsOf(engine, reads, run_time));
}

bool DependsOnMoment(const SelectReads& reads) {
  return reads.varies || std::ranges::find(reads.parameters, "run_time") != reads.parameters.end();
}

std::string InputVersion(const engine::Engine& engine, const std::string& name) {
  const engine::Relation* relation = engine.Find(engine::ParseName(name));
  if (relation == nullptr || relation->kind != engine::Relation::Kind::kModel) return engine.VersionOf(name);
  std::vector<std::string> paths;
  for (const lake::DataFile& file : relation->files) paths.push_back(file.path);
  std::sort(paths.begin(), paths.end());
  return HashOfText(Join(paths, "\n"));
}

}  // namespace leat::models
