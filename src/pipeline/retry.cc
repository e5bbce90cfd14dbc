#include "pipeline/retry.h"

#include <fmt/format.h>

#include "pipeline/history.h"
#include "pipeline/load.h"
#include "pipeline/plan.h"
#include "pipeline/scope.h"
#include "pipeline/steps.h"

namespace leat::pipeline {
namespace {

using Tables = std::set<std::string>;

bool IsStillThere(const config::Project& project, const std::string& table) {
  return project.FindModel(table) != nullptr || project.FindSource(NamespaceOf(table)) != nullptr;
}

/// Tables that need no second try. One that goes to the warehouse is finished when it is there: a run that was
/// killed has no record of its loads.
Tables Finished(const config::Project& project, const std::vector<state::Step>& steps) {
  Tables done, loaded;
  for (const state::Step& step : steps) {
    done.insert(step.table);
    if (step.step == "load") loaded.insert(step.table);
  }
  for (const std::string& table : TablesUndone(steps)) done.erase(table);
  std::erase_if(done, [&](const std::string& table) {
    return IsStillThere(project, table) && IsLoaded(project, table) && !loaded.contains(table);
  });
  return done;
}

/// What is left of `run`; of the retry of a run, what is left of that one is what it had to do.
RunOptions LeftOf(const config::Project& project, state::Store& store, const state::Run& run) {
  const Scope scope = ParseScope(run.selection);
  RunOptions left{.select = scope.select,
                  .exclude = scope.exclude,
                  .full_refresh = scope.full_refresh,
                  .from_landing = scope.from_landing};
  if (scope.retry_of != 0) left = LeftOf(project, store, RequireRun(store, scope.retry_of));
  const std::vector<state::Step> steps = store.StepsOf(run.number);
  if (run.status == "succeeded" || run.status == "partial") {
    left = {.full_refresh = left.full_refresh, .from_landing = left.from_landing, .only = TablesUndone(steps)};
  } else {
    left.without.merge(Finished(project, steps));
  }
  if (left.only)
    std::erase_if(*left.only, [&](const std::string& table) {
      return !IsStillThere(project, table) || left.without.contains(table);
    });
  return left;
}

}  // namespace

std::optional<Retry> PlanRetry(const config::Project& project, std::optional<int64_t> run, LeaseWait& wait) {
  const auto store = OpenStateToRead(project);
  if (store == nullptr || (!run && !store->LastRun())) {
    if (run) ThrowUnknownRun(*run, std::nullopt);
    return std::nullopt;
  }
  const int64_t number = run ? *run : store->LastRun()->number;
  state::Run found = RequireRun(*store, number);
  while (found.status == "running") {
    wait.Pause({.name = "its tables", .run = number, .holder = "still at work", .since = found.started});
    found = RequireRun(*store, number);
  }
  Retry retry{.run = found, .options = LeftOf(project, *store, found)};
  retry.options.retry_of = number;
  return retry;
}

}  // namespace leat::pipeline
