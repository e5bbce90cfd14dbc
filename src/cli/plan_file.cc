#include "cli/plan_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/file_system.h"
#include "core/text.h"

namespace leat::cli {
namespace {

constexpr int kFormat = 1;
constexpr size_t kDifferencesShown = 5;

Error NoPlan(const std::string& path, const std::string& why) {
  return Error(kConfig, "LEAT0532", fmt::format("{} is no plan that can be applied: {}", path, why))
      .Hint(fmt::format("leat plan -o {}", path));
}

/// What is said about each table, by its name.
std::map<std::string, Json> ByTable(const Json& plan, const char* list) {
  std::map<std::string, Json> entries;
  for (const Json& entry : plan.at(list)) entries[entry.at("table")] = entry;
  return entries;
}

/// `mart.a: new then, unchanged now`, for each table whose entry differs.
void AddDifferences(const Json& before, const Json& now, std::vector<std::string>& differences) {
  const auto then = ByTable(before, "changes"), since = ByTable(now, "changes");
  std::set<std::string> tables;
  for (const auto& [table, entry] : then) tables.insert(table);
  for (const auto& [table, entry] : since) tables.insert(table);
  const auto word = [](const std::map<std::string, Json>& entries, const std::string& table) -> std::string {
    return entries.contains(table) ? entries.at(table).at("change").get<std::string>() : "unchanged";
  };
  for (const std::string& table : tables) {
    if (then.contains(table) && since.contains(table) && then.at(table) == since.at(table)) continue;
    const std::string was = word(then, table), is = word(since, table);
    differences.push_back(was == is ? fmt::format("{}: {} in another way than planned", table, is)
                                    : fmt::format("{}: {} in the plan, {} now", table, was, is));
  }
  if (before.at("warehouse") != now.at("warehouse"))
    differences.emplace_back("other statements would run in the warehouse");
}

}  // namespace

std::string FormatPlanFile(const Json& data) {
  Json file = {{"format", kFormat}};
  file.update(data);
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

SavedPlan ReadPlanFile(const std::string& path, const config::Project& project) {
  SavedPlan saved{.path = path, .options = {}, .data = {}};
  const std::string text = ReadFile(path);
  try {
    saved.data = Json::parse(text);
    if (saved.data.at("format") != kFormat)
      throw NoPlan(path, fmt::format("it has format {}; expected {}", saved.data.at("format").dump(), kFormat));
    const Json& selection = saved.data.at("selection");
    saved.options.select = selection.at("select");
    saved.options.exclude = selection.at("exclude");
    saved.options.full_refresh = selection.at("full_refresh");
    ByTable(saved.data, "changes");
    ByTable(saved.data, "warehouse");
    const std::string name = saved.data.at("project");
    if (name != project.name)
      throw NoPlan(path, fmt::format("it is of project {}, and this is {}", name, project.name));
    const std::string target = saved.data.at("target");
    if (target != project.target.value)
      throw Error(
          kConfig, "LEAT0532",
          fmt::format("{} is a plan of target {}, and this run is of target {}", path, target, project.target.value))
          .Hint(fmt::format("leat -t {} run --apply {}", target, path));
  } catch (const Json::exception&) {
    throw NoPlan(path, "it is not what  leat plan -o  writes");
  }
  return saved;
}

void RequireStillTrue(const SavedPlan& saved, const Json& now) {
  std::vector<std::string> differences;
  AddDifferences(saved.data, now, differences);
  if (differences.empty()) return;
  Diagnostic stale{.code = "LEAT0530",
                   .message = fmt::format("{} is not what a run would do any more; nothing was run", saved.path)};
  for (size_t i = 0; i < std::min(differences.size(), kDifferencesShown); ++i) stale.notes.push_back(differences[i]);
  if (differences.size() > kDifferencesShown)
    stale.notes.push_back(fmt::format("and {} more", differences.size() - kDifferencesShown));
  stale.help = {fmt::format("look at the plan of now and save it:  leat plan -o {}", saved.path)};
  throw Error(kConfig, std::move(stale));
}

}  // namespace leat::cli
