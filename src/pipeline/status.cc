#include "pipeline/status.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "core/diagnostic_json.h"
#include "core/text.h"
#include "pipeline/described_streams.h"
#include "pipeline/freshness.h"
#include "pipeline/history.h"
#include "pipeline/load.h"
#include "pipeline/plan.h"
#include "pipeline/recipes.h"
#include "pipeline/steps.h"

namespace leat::pipeline {
namespace {

bool IsGood(const state::Step& step) { return step.status != "failed" && step.status != "skipped"; }

class StatusReader {
 public:
  StatusReader(const config::Project& project, Timestamp now) : project_(project), now_(now) { ListTables(); }

  ProjectStatus Read() {
    ProjectStatus status{.target = project_.target.value};
    try {
      if (const auto store = OpenStateToRead(project_)) ReadStore(*store, status);
    } catch (const Error& error) {
      if (error.kind() == kConfig) throw;
      status.fault = error.diagnostic();
      for (auto& [name, table] : tables_) {
        table.state = "unknown";
        table.reason = fmt::format("{} {}", error.code(), error.message());
      }
    }
    for (auto& [name, table] : tables_) status.tables.push_back(std::move(table));
    std::stable_sort(status.tables.begin(), status.tables.end(),
                     [](const auto& a, const auto& b) { return Rank(a.state) < Rank(b.state); });
    return status;
  }

 private:
  static int Rank(const std::string& state) {
    static constexpr const char* kWorstFirst[] = {"failing", "unknown", "late", "never loaded", "healthy"};
    return static_cast<int>(std::find(std::begin(kWorstFirst), std::end(kWorstFirst), state) - std::begin(kWorstFirst));
  }

  void Add(const std::string& name, const std::string& kind) {
    if (tables_.contains(name)) return;
    tables_[name] = {.name = name, .kind = kind, .state = "never loaded", .promise = project_.FreshnessOf(name)};
  }

  /// What the files alone name; globs say nothing.
  void ListTables() {
    for (const config::Model& model : project_.models) Add(model.name, KindName(model.kind));
    for (const std::string& stream : DescribedStreams(project_)) Add(stream, "stream");
    for (const config::Source& source : project_.sources)
      for (const config::StreamRule& entry : source.streams)
        if (entry.exact() && !project_.IsLeftOut(source.StreamName(entry.pattern.value)))
          Add(source.StreamName(entry.pattern.value), "stream");
  }

  void ReadStore(state::Store& store, ProjectStatus& status) {
    status.last_run = store.LastRun();
    for (const auto& [name, location] : store.Pointers())
      if (project_.FindSource(name.first) != nullptr && name.second.ends_with(engine::kHistorySuffix))
        Add(name.first + "." + engine::ProducerOf(name.second), "stream");
    newest_ = store.LatestSteps(state::Store::StepChoice::kAny);
    // A stream that failed at its first read is in no catalog yet.
    for (const state::Step& step : newest_)
      if (step.step == "extract" && project_.FindSource(NamespaceOf(step.table)) != nullptr &&
          step.table.find('.') != std::string::npos && !project_.IsLeftOut(step.table))
        Add(step.table, "stream");
    for (const state::Step& step : store.LatestSteps(state::Store::StepChoice::kGood))
      if (const auto found = tables_.find(step.table); found != tables_.end()) TakeGood(found->second, step);
    for (const state::Step& step : newest_)
      if (!IsGood(step)) TakeBad(step);
    for (const state::Position& position : store.Positions())
      if (const auto found = tables_.find(position.stream); found != tables_.end())
        found->second.deletes_to = DeletesTo(position.value);
    DropVainPromises(ReadRecipes(&store));
    for (auto& [name, table] : tables_) JudgeAgeOf(table);
  }

  /// The promise of the whole project is not about models over seeds alone, whose data has no age.
  void DropVainPromises(const Recipes& recipes) {
    const auto inputs_of = [&](const std::string& model) -> std::optional<std::vector<std::string>> {
      const auto recipe = recipes.find(model);
      if (recipe == recipes.end()) return std::nullopt;
      std::vector<std::string> inputs;
      for (const auto& [input, version] : recipe->second.inputs) inputs.push_back(input);
      return inputs;
    };
    for (const config::Model& model : project_.models)
      if (!model.freshness && !HasStreams(project_, model.name, inputs_of)) tables_.at(model.name).promise = {};
  }

  static void TakeChecks(TableStatus& table, const state::Step& step) {
    if (step.step != "check") return;
    table.checks = static_cast<int>(step.rows_read);
    table.checks_failed = static_cast<int>(step.rows_read - step.rows_written);
  }

  static void TakeGood(TableStatus& table, const state::Step& step) {
    TakeChecks(table, step);
    if (step.step != "extract" && step.step != "build") return;
    table.state = "healthy";
    table.rows = step.rows_total;
    table.loaded = step.ended;
    table.data_to = step.data_to;
    if (IsWarnedOfError(step)) Fail(table, step);
  }

  static void Fail(TableStatus& table, const state::Step& step) {
    table.state = "failing";
    const Diagnostic fault = ParseDiagnosticJson(step.diagnostic);
    table.reason = fault.code.empty() ? fmt::format("run {}: {} {}", step.run, step.step, step.status)
                                      : fmt::format("run {}: {} {}", step.run, fault.code, fault.message);
  }

  void TakeBad(const state::Step& step) {
    const bool is_source = project_.FindSource(step.table) != nullptr;
    if (is_source && !WasReadSince(step)) Add(step.table, "source");
    const auto found = tables_.find(step.table);
    if (found == tables_.end() || IsMended(step)) return;
    TableStatus& table = found->second;
    TakeChecks(table, step);  // those that made it fail, not those of its last good rows
    Fail(table, step);
  }

  /// A source that did not answer before anybody knew its tables: they say more by now.
  bool WasReadSince(const state::Step& failed) const {
    return std::any_of(newest_.begin(), newest_.end(), [&](const state::Step& step) {
      return step.step == "extract" && step.run >= failed.run && step.table.starts_with(failed.table + ".");
    });
  }

  /// What was wrong and is over: a stream that is left out now; a check of a model that a later run found good without
  /// judging it again, or of a stream that has no rules any more; a load of what is not loaded any more.
  bool IsMended(const state::Step& step) const {
    if (step.step == "load") return !IsLoaded(project_, step.table);
    if (project_.FindModel(step.table) != nullptr)
      return step.step == "check" && std::any_of(newest_.begin(), newest_.end(), [&](const state::Step& other) {
               return other.table == step.table && other.step == "build" && other.run > step.run && IsGood(other);
             });
    if (step.table.find('.') == std::string::npos) return false;
    const config::StreamProperties* stream = project_.FindStream(step.table);
    const bool without_rules = step.step == "check" && (stream == nullptr || !stream->CanFail());
    return without_rules || project_.IsLeftOut(step.table);
  }

  void JudgeAgeOf(TableStatus& table) const {
    if (table.kind == "stream" && project_.IsLeftOut(table.name)) {
      table.reason = "read no more; these are its last rows";
      table.checks = table.checks_failed = 0;
    }
    if (table.state != "healthy") return;
    switch (JudgeAge(table.promise, table.data_to, now_)) {
      case Age::kFresh:
        return;
      case Age::kLate:
      case Age::kTooLate:
        table.state = "late";
        table.reason = AgeText(table.promise, *table.data_to, now_);
        return;
      case Age::kUnknown:
        table.state = "unknown";
        table.reason = UnknownAgeText(table.data_to);
        return;
    }
  }

  /// Only the source understands its position; this key is part of the format.
  static std::optional<Timestamp> DeletesTo(const std::string& position) {
    const auto json = nlohmann::json::parse(position, nullptr, /*allow_exceptions=*/false);
    const auto found = json.is_object() ? json.find("deletes_as_of_us") : json.end();
    if (!json.is_object() || found == json.end() || !found->is_number_integer()) return std::nullopt;
    return Timestamp(std::chrono::microseconds(found->get<int64_t>()));
  }

  const config::Project& project_;
  const Timestamp now_;
  std::map<std::string, TableStatus> tables_;
  std::vector<state::Step> newest_;
};

}  // namespace

ProjectStatus ReadStatus(const config::Project& project, Timestamp now) { return StatusReader(project, now).Read(); }

}  // namespace leat::pipeline
