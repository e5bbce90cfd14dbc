#include "pipeline/table_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "pipeline/history.h"
#include "pipeline/plan.h"

namespace leat::pipeline {
namespace {

/// A position's own word for how it was read; only its source understands the rest.
std::string ReadModeIn(const std::string& position) {
  const auto json = nlohmann::json::parse(position, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("read") || !json["read"].is_string()) return "";
  return json["read"].get<std::string>();
}

std::vector<TableState> AllStates(state::Store& store) {
  std::map<std::string, std::optional<Timestamp>> data_to;
  for (const state::Step& step : store.LatestSteps(state::Store::StepChoice::kGood))
    if (step.data_to) data_to[step.table] = step.data_to;
  std::vector<TableState> states;
  for (const state::Position& position : store.Positions())
    states.push_back({.table = position.stream,
                      .kind = TableState::Kind::kStream,
                      .data_to = data_to[position.stream],
                      .read = ReadModeIn(position.value),
                      .commit_number = position.commit_number,
                      .position = position.value});
  for (const state::ModelState& model : store.Models())
    if (!model.model.starts_with(state::kCheckPrefix))
      states.push_back({.table = model.model,
                        .kind = TableState::Kind::kModel,
                        .data_to = data_to[model.model],
                        .fingerprint = model.fingerprint});
  std::sort(states.begin(), states.end(), [](const auto& a, const auto& b) { return a.table < b.table; });
  return states;
}

[[noreturn]] void ThrowNothingKept(const std::vector<TableState>& states, const std::string& table) {
  std::vector<std::string> known;
  for (const TableState& state : states) known.push_back(state.table);
  Diagnostic fault{
      .code = "LEAT0518",
      .message = fmt::format("nothing is kept of '{}': it is no stream that was read and no model that was "
                             "built",
                             table)};
  SuggestNearest(fault, table, known);
  if (fault.help.empty()) fault.help.emplace_back("leat state show  lists what is kept");
  throw Error(kConfig, std::move(fault));
}

TableState FindState(const std::vector<TableState>& states, const std::string& table) {
  for (const TableState& state : states)
    if (state.table == table) return state;
  ThrowNothingKept(states, table);
}

}  // namespace

std::vector<TableState> ReadTableStates(const config::Project& project, const std::string& table) {
  const auto store = OpenStateToRead(project);
  const std::vector<TableState> states = store != nullptr ? AllStates(*store) : std::vector<TableState>();
  if (table.empty()) return states;
  return {FindState(states, table)};
}

TableState ResetTable(const config::Project& project, const std::string& table, LeaseWait& wait) {
  const auto store = OpenStateToRead(project);
  if (store == nullptr) ThrowNothingKept({}, table);
  const TableState state = FindState(AllStates(*store), table);
  const auto forget = [&] {
    if (state.kind == TableState::Kind::kModel) return store->ForgetModel(table, "model:" + table);
    return store->ForgetPosition(table, "source:" + NamespaceOf(table));
  };
  while (const auto holder = forget()) wait.Pause(*holder);
  return state;
}

}  // namespace leat::pipeline
