#include "pipeline/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/diagnostic_json.h"
#include "core/file_system.h"
#include "pipeline/history.h"
#include "pipeline/plan.h"

namespace leat::pipeline {
namespace {

bool IsGood(const state::Step& step) { return step.status != "failed" && step.status != "skipped"; }

/// Names and kinds of all tables of the project: its models, and the streams that the catalog holds.
std::map<std::string, std::string> TablesOf(const config::Project& project, state::Store* store) {
  std::map<std::string, std::string> kinds;
  for (const config::Model& model : project.models) kinds[model.name] = KindName(model.kind);
  if (store == nullptr) return kinds;
  for (const auto& [name, location] : store->Pointers())
    if (project.FindSource(name.first) != nullptr && name.second.ends_with(engine::kHistorySuffix))
      kinds[name.first + "." + engine::ProducerOf(name.second)] = "stream";
  return kinds;
}

void TakeChecks(TableStatus& table, const state::Step& step) {
  if (step.step != "check") return;
  table.checks = static_cast<int>(step.rows_read);
  table.checks_failed = static_cast<int>(step.rows_read - step.rows_written);
}

void TakeGood(TableStatus& table, const state::Step& step) {
  TakeChecks(table, step);
  if (step.step != "extract" && step.step != "build") return;
  table.rows = step.rows_total;
  table.loaded = step.ended;
  table.data_to = step.data_to;
}

void TakeFault(TableStatus& table, const state::Step& step) {
  table.state = "failing";
  TakeChecks(table, step);  // those that made it fail, not those of its last good rows
  const Diagnostic fault = ParseDiagnosticJson(step.diagnostic);
  table.reason = fault.code.empty() ? fmt::format("run {}: {} {}", step.run, step.step, step.status)
                                    : fmt::format("run {}: {} {}", step.run, fault.code, fault.message);
}

/// A failed check is over when a later run found the model good without judging it again: it is as it was published.
bool IsMended(const state::Step& step, const std::vector<state::Step>& newest) {
  return step.step == "check" && std::any_of(newest.begin(), newest.end(), [&](const state::Step& other) {
           return other.table == step.table && other.step == "build" && other.run > step.run && IsGood(other);
         });
}

}  // namespace

ProjectStatus ReadStatus(const config::Project& project) {
  ProjectStatus status{.target = project.target.value};
  const auto store = OpenStateToRead(project);
  std::map<std::string, TableStatus> tables;
  for (const auto& [name, kind] : TablesOf(project, store.get()))
    tables[name] = {.name = name, .kind = kind, .state = "never loaded"};
  if (store != nullptr) {
    status.last_run = store->LastRun();
    for (const state::Step& step : store->LatestSteps(state::Store::StepChoice::kGood))
      if (const auto found = tables.find(step.table); found != tables.end()) {
        if (found->second.state == "never loaded") found->second.state = "healthy";
        TakeGood(found->second, step);
      }
    const std::vector<state::Step> newest = store->LatestSteps(state::Store::StepChoice::kAny);
    for (const state::Step& step : newest)
      if (const auto found = tables.find(step.table); found != tables.end() && !IsGood(step) && !IsMended(step, newest))
        TakeFault(found->second, step);
  }
  for (auto& [name, table] : tables) status.tables.push_back(std::move(table));
  const auto rank = [](const TableStatus& table) {
    return table.state == "failing" ? 0 : table.state == "never loaded" ? 1 : 2;
  };
  std::stable_sort(status.tables.begin(), status.tables.end(),
                   [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  return status;
}

}  // namespace leat::pipeline
