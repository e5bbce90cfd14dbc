#include "pipeline/recipes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.h"

namespace leat::pipeline {
namespace {

/// `2h`, `90s`: in the largest unit that needs no fraction.
std::string IntervalText(std::chrono::milliseconds interval) {
  constexpr std::array<std::pair<int64_t, const char*>, 4> kUnits = {
      {{86'400'000, "d"}, {3'600'000, "h"}, {60'000, "m"}, {1'000, "s"}}};
  for (const auto& [unit_ms, name] : kUnits)
    if (interval.count() % unit_ms == 0) return fmt::format("{}{}", interval.count() / unit_ms, name);
  return fmt::format("{}ms", interval.count());
}

std::string DeletesText(const config::DeleteRule& rule) {
  switch (rule.when) {
    case config::DeleteRule::When::kEveryRun:
      return "every_run";
    case config::DeleteRule::When::kNever:
      return "never";
    case config::DeleteRule::When::kEvery:
      return IntervalText(rule.interval);
    case config::DeleteRule::When::kAuto:
      break;
  }
  return "auto";
}

std::string ListText(const std::vector<config::Located<std::string>>& globs) {
  std::vector<std::string> texts;
  for (const auto& glob : globs) texts.push_back(glob.value);
  return Join(texts, ", ");
}

void AddColumnRules(const config::ColumnRules& rules, models::Recipe::Texts& settings) {
  using Rules = config::ColumnRules;
  if (!rules.include.empty()) settings["columns include"] = ListText(rules.include);
  for (const auto& [column, type] : rules.types) settings["columns types " + column] = type.value;
  if (!rules.exclude.empty()) settings["columns exclude"] = ListText(rules.exclude);
  if (rules.on_new != Rules::New::kAdd)
    settings["columns new"] = rules.on_new == Rules::New::kIgnore ? "ignore" : "stop";
  if (rules.on_missing == Rules::Missing::kStop) settings["columns missing"] = "stop";
  if (rules.on_changed == Rules::Changed::kStop) settings["columns changed"] = "stop";
}

void AddHttpRules(const sources::StreamInfo& stream, const config::HttpRules& rules, models::Recipe::Texts& settings) {
  settings["asks"] = stream.origin;
  settings["records"] = rules.records.value;
  settings["read"] = rules.position ? "changes of " + rules.position->from.value : "full";
  for (const auto& [name, value] : rules.params)
    if (value) settings["params " + name] = value->value;
  if (rules.deleted) settings["deleted"] = fmt::format("{}: {}", rules.deleted->first.value, rules.deleted->second);
  if (!rules.timestamps.empty()) settings["timestamps"] = ListText(rules.timestamps);
  if (!rules.finds_children) settings["children"] = ListText(rules.children);
  settings["flatten"] = std::to_string(rules.flatten);
}

bool IsMade(const config::Project& project, const Plan& plan, const std::string& table) {
  if (project.FindModel(table) != nullptr) return true;
  return std::ranges::any_of(plan.sources, [&](const PlannedSource& source) {
    const bool is_listed =
        std::ranges::any_of(source.streams, [&](const sources::StreamInfo& stream) { return stream.name == table; });
    return is_listed || (source.fault && source.config->name == NamespaceOf(table));
  });
}

}  // namespace

Recipes ReadRecipes(state::Store* store) {
  Recipes recipes;
  if (store == nullptr) return recipes;
  for (const state::Recipe& stored : store->Recipes())
    if (auto recipe = models::ParseRecipe(stored.text)) recipes[stored.table] = std::move(*recipe);
  return recipes;
}

models::Recipe RecipeOf(const config::Project& project, const config::Source& source,
                        const sources::StreamInfo& stream) {
  models::Recipe recipe;
  if (const auto* described = project.FindStream(stream.name)) recipe.checks = models::ChecksOf(described->checks);
  const std::optional<config::StreamRule> rule = source.RuleOfStream(engine::ParseName(stream.name).second);
  if (!rule) return recipe;
  if (source.type == "http") {
    AddHttpRules(stream, rule->http, recipe.settings);
  } else {
    recipe.settings["read"] = rule->read == config::ReadMode::kFull ? "full" : "changes";
    recipe.settings["deletes"] = DeletesText(rule->deletes);
  }
  if (!stream.key.empty()) recipe.settings["key"] = fmt::format("({})", Join(stream.key, ", "));
  AddColumnRules(rule->columns, recipe.settings);
  for (const auto& [column, name] : rule->rename) recipe.settings["rename " + column] = name.value;
  return recipe;
}

std::vector<std::string> TablesGone(const config::Project& project, const Plan& plan, const Recipes& recipes) {
  std::vector<std::string> gone;
  for (const auto& [table, recipe] : recipes)
    if (!IsMade(project, plan, table)) gone.push_back(table);
  return gone;
}

bool IsOfEverything(const RunOptions& options) {
  return Trim(options.select).empty() && Trim(options.exclude).empty() && !options.only && options.without.empty();
}

}  // namespace leat::pipeline
