#include "models/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/model_head.h"
#include "core/hash.h"
#include "core/text.h"
#include "models/fingerprint.h"
#include "models/model_output.h"

namespace leat::models {
namespace {

void Set(Recipe::Texts& texts, const std::string& name, const std::string& text) {
  if (!text.empty()) texts[name] = text;
}

Recipe::Texts SettingsOf(const config::Model& model) {
  Recipe::Texts settings;
  const bool is_of_usual_kind = model.kind == config::ModelKind::kTable || model.kind == config::ModelKind::kDimDate;
  if (!is_of_usual_kind) settings["kind"] = KindName(model.kind);
  if (const auto key = KeyOf(model); !key.empty()) settings["key"] = fmt::format("({})", Join(key, ", "));
  if (model.record_id) settings["record_id"] = model.record_id->value;
  if (model.keep_deleted) settings["keep_deleted"] = "true";
  if (model.history_keeps_deletes) settings["deletes"] = "keep";
  if (model.date_from) settings["from"] = model.date_from->value;
  if (model.date_to) settings["to"] = model.date_to->value;
  if (model.kind == config::ModelKind::kDimDate) Set(settings, "day_of_week", model.day_of_week);
  if (model.kind == config::ModelKind::kPeriod) {
    settings["period"] = config::PeriodName(model.period);
    settings["time"] = model.time.value;
    if (model.periods_from) settings["from"] = model.periods_from->value;
  }
  return settings;
}

const char* WordOf(config::CheckSeverity severity) {
  switch (severity) {
    case config::CheckSeverity::kWarn:
      return "warn";
    case config::CheckSeverity::kReject:
      return "reject";
    case config::CheckSeverity::kError:
      break;
  }
  return "error";
}

std::string RangeText(const config::CheckRule::Range& range) {
  return fmt::format("{} to {}", range.min.value_or("any"), range.max.value_or("any"));
}

std::string RowsText(const config::CheckRule& rule) {
  if (!rule.rows_max) return fmt::format("at least {}", rule.rows_min.value_or(0));
  if (!rule.rows_min) return fmt::format("at most {}", *rule.rows_max);
  return fmt::format("{} to {}", *rule.rows_min, *rule.rows_max);
}

/// Each column's part of a rule is a check of its own, as outcomes name them.
void AddRule(const config::CheckRule& rule, Recipe::Texts& checks) {
  const bool is_error = rule.severity == config::CheckSeverity::kError;
  std::vector<std::string> how;
  if (!is_error) how.emplace_back(WordOf(rule.severity));
  if (!rule.where.empty()) how.push_back("where " + rule.where);
  std::vector<std::string> columns;
  for (const auto& column : rule.columns) columns.push_back(column.value);
  const auto add = [&](const std::string& of, const std::string& text) {
    std::vector<std::string> parts = how;
    if (!text.empty()) parts.insert(parts.begin(), text);
    std::string& known = checks[fmt::format("{}({})", rule.rule, of)];
    known += (known.empty() ? "" : "; ") + Join(parts, ", ");
  };
  if (rule.rule == "unique") {
    add(Join(columns, ", "), "");
  } else {
    for (const std::string& column : columns) add(column, "");
  }
  for (const auto& accepted : rule.accepted) add(accepted.column.value, Join(accepted.values, ", "));
  for (const auto& reference : rule.references) add(reference.column.value, reference.table.value);
  for (const auto& range : rule.ranges) add(range.column.value, RangeText(range));
  if (rule.rows_min || rule.rows_max) add("", RowsText(rule));
}

Recipe::Texts WarehouseOf(const config::ModelWarehouse& warehouse) {
  Recipe::Texts texts;
  if (!warehouse.load) texts["load"] = "false";
  Set(texts, "table", warehouse.table);
  for (const auto& [column, name] : warehouse.rename) texts["rename " + column] = name.value;
  for (const auto& [column, type] : warehouse.types) texts["types " + column] = type.value;
  return texts;
}

Recipe::Texts InputsOf(const engine::Engine& engine, const Graph& graph, const Node& node) {
  Recipe::Texts inputs;
  for (const std::string& name : node.reads.TableNames()) inputs[name] = HashOfText(InputVersion(engine, name));
  if (!Graph::IsOpenDimDate(*node.model)) return inputs;
  for (const Node& other : graph.nodes)
    if (std::ranges::find(other.references, node.model->name) != other.references.end())
      inputs[other.model->name] = HashOfText(InputVersion(engine, other.model->name));
  return inputs;
}

}  // namespace

std::string FormatRecipe(const Recipe& recipe) {
  const nlohmann::ordered_json json = {{"sql", recipe.sql},       {"settings", recipe.settings},
                                       {"checks", recipe.checks}, {"warehouse", recipe.warehouse},
                                       {"macros", recipe.macros}, {"inputs", recipe.inputs}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::optional<Recipe> ParseRecipe(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    return Recipe{.sql = json.at("sql"),
                  .settings = json.at("settings"),
                  .checks = json.at("checks"),
                  .warehouse = json.at("warehouse"),
                  .macros = json.at("macros"),
                  .inputs = json.at("inputs")};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

Recipe RecipeOf(const engine::Engine& engine, const Macros& macros, const Graph& graph, const Node& node) {
  const config::Model& model = *node.model;
  Recipe recipe{.sql = SqlOf(model).sql,
                .settings = SettingsOf(model),
                .checks = ChecksOf(model.checks),
                .warehouse = WarehouseOf(model.warehouse),
                .macros = {},
                .inputs = InputsOf(engine, graph, node)};
  for (const std::string& macro : node.reads.macros) recipe.macros[macro] = HashOfText(macros.TextOf({macro}));
  return recipe;
}

Recipe::Texts ChecksOf(const std::vector<config::CheckRule>& rules) {
  Recipe::Texts checks;
  for (const config::CheckRule& rule : rules) AddRule(rule, checks);
  return checks;
}

SqlPart SqlOf(const config::Model& model) {
  if (model.kind == config::ModelKind::kDimDate) return {};
  size_t head_end = 0;
  if (const auto head = config::FindHead(model.file, model.text)) head_end = model.text.find("*/", head->end) + 2;
  const size_t first = std::min(model.text.find_first_not_of(" \t\r\n", head_end), model.text.size());
  const size_t begin = std::max(head_end, model.text.rfind('\n', first) + 1);  // npos + 1 is 0
  const auto lines = std::count(model.text.begin(), model.text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
  return {model.text.substr(begin), static_cast<int>(lines) + 1};
}

}  // namespace leat::models
