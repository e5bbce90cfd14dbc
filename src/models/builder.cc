#include "models/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "core/text.h"
#include "duck/row_hash.h"
#include "models/fingerprint.h"
#include "models/model_build.h"
#include "models/query_fault.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

/// All models of one run.
class RunOfModels {
 public:
  RunOfModels(BuildContext context, const BuildProgress& progress) : context_(std::move(context)), progress_(progress) {
    for (const Node& node : context_.graph.nodes)
      if (IsSelected(node.model->name) && Graph::IsOpenDimDate(*node.model))
        context_.dates_to_come.insert(node.model->name);
    for (const Node& node : context_.graph.nodes)
      if (IsSelected(node.model->name))
        context_.references_before[node.model->name] = ReferencesOf(context_.engine, node);
  }

  Builder::Result Run() {
    for (const Node& node : context_.graph.nodes)
      if (IsSelected(node.model->name)) BuildOne(node);
    DropWhatFailed(RunChecks());
    return Take();
  }

  Builder::Result JudgePublished() {
    context_.dates_to_come.clear();  // they are as they are
    for (const Node& node : context_.graph.nodes) {
      if (!IsSelected(node.model->name)) continue;
      StopIfCancelled();
      builds_.emplace_back(std::make_unique<ModelBuild>(context_, node))->JudgePublished();
    }
    RunChecks();
    return Take();
  }

 private:
  using FailedChecks = std::vector<std::pair<const SelectReads*, CheckOutcome>>;

  Builder::Result Take() {
    for (const auto& build : builds_) result_.candidates.push_back(build->Take());
    return std::move(result_);
  }

  bool IsSelected(const std::string& model) const { return context_.options.selected.contains(model); }

  /// Statements look at it too, but not every model needs one.
  void StopIfCancelled() const {
    if (const CancelFlag* cancel = context_.engine.database().cancel()) cancel->Check();
  }

  void BuildOne(const Node& node) {
    StopIfCancelled();
    ModelBuild& build = *builds_.emplace_back(std::make_unique<ModelBuild>(context_, node));
    if (progress_.started) progress_.started(*node.model);
    if (const std::string because = WhatFailedBefore(node); !because.empty()) {
      build.Drop(because);
    } else {
      build.Run();
      if (build.lost_keys()) CheckReferrersInFull(node.model->name);
    }
    if (!build.waits()) ReportFinished(build);
    if (context_.dates_to_come.contains(node.model->name)) JudgeRulesThatWaitFor(node.model->name);
  }

  /// The table for whose sake a model cannot be built; empty: none.
  std::string WhatFailedBefore(const Node& node) const {
    for (const TableReference& table : node.reads.tables) {
      const std::string stream = engine::ProducerOf(table.Name());
      if (context_.options.failed_tables.contains(stream)) return stream;
    }
    // A calendar reads what refers to it as it is published where a candidate failed.
    if (Graph::IsOpenDimDate(*node.model)) return {};
    for (const auto& build : builds_) {
      const bool is_before =
          std::find(node.builds_after.begin(), node.builds_after.end(), build->model().name) != node.builds_after.end();
      if (is_before && !build->candidate().ok()) return build->model().name;
    }
    return {};
  }

  void CheckReferrersInFull(const std::string& table) {
    for (const Node& node : context_.graph.nodes)
      if (std::find(node.references.begin(), node.references.end(), table) != node.references.end())
        context_.fully_checked.insert(node.model->name);
  }

  void JudgeRulesThatWaitFor(const std::string& calendar) {
    std::vector<ModelBuild*> waiting;
    for (const auto& build : builds_)
      if (build->waits()) waiting.push_back(build.get());
    for (ModelBuild* build : waiting) {
      if (!build->candidate().ok()) continue;  // dropped with one before it
      if (context_.engine.Knows(calendar))
        build->JudgeWaiting(calendar);
      else
        build->Drop(calendar);
      if (!build->candidate().ok()) DropBelow(build->model().name, build->model().name);
    }
    for (const auto& build : builds_) TakeVersionOf(calendar, *build);
    context_.dates_to_come.erase(calendar);
    for (ModelBuild* build : waiting)
      if (!build->waits()) ReportFinished(*build);
  }

  /// Rows that did not wait for a calendar were judged before; more days cannot make them bad.
  void TakeVersionOf(const std::string& calendar, ModelBuild& build) const {
    const auto& references = context_.graph.Find(build.model().name)->references;
    const bool refers = std::find(references.begin(), references.end(), calendar) != references.end();
    const bool stands = build.candidate().ok() && !build.waits();
    if (refers && stands && !context_.fully_checked.contains(build.model().name)) build.TakeVersionOfCalendar();
  }

  void DropBelow(const std::string& model, const std::string& because) {
    const std::set<std::string> below = context_.graph.Below(model);
    for (const auto& build : builds_)
      if (below.contains(build->model().name) && build->candidate().ok()) build->Drop(because);
  }

  void ReportFinished(const ModelBuild& build) const {
    if (progress_.finished) progress_.finished(build.candidate());
  }

  /// Returns those whose failure drops what they read.
  FailedChecks RunChecks() {
    const auto& checks = context_.project.checks;
    FailedChecks failed;
    for (size_t i = 0; i < checks.size(); ++i) {
      const auto& reads = context_.graph.check_reads[i];
      if (!reads || !IsWanted(*reads)) continue;
      StopIfCancelled();
      CheckOutcome outcome = RunCheck(checks[i], *reads);
      const bool drops = outcome.diagnostic && outcome.severity == config::CheckSeverity::kError;
      if (drops) failed.emplace_back(&*reads, outcome);
      result_.checks.push_back(std::move(outcome));
    }
    return failed;
  }

  /// Only when all were judged: a check must not see half of what it reads gone.
  void DropWhatFailed(const FailedChecks& failed) {
    for (const auto& [reads, outcome] : failed) DropWhatIsRead(*reads, outcome);
  }

  bool IsWanted(const SelectReads& reads) const {
    bool reads_model = false;
    for (const std::string& table : reads.TableNames()) {
      if (!context_.engine.Knows(table) || WasNeverGood(table)) return false;  // there is nothing to judge yet
      if (IsSelected(table)) return true;
      reads_model = reads_model || context_.project.FindModel(table) != nullptr;
    }
    return !reads_model;
  }

  bool WasNeverGood(const std::string& model) const {
    for (const auto& build : builds_)
      if (build->model().name == model && !build->candidate().ok())
        return !context_.options.committed.contains({build->model().name_space, build->model().table});
    return false;
  }

  CheckOutcome RunCheck(const config::CheckQuery& check, const SelectReads& reads) {
    CheckOutcome outcome{.rule = check.name, .severity = check.severity};
    const std::string fingerprint =
        FingerprintOfCheck(context_.engine, context_.macros, reads, context_.options.run_time);
    const auto last = context_.options.fingerprints.find(state::CheckKey(check.name));
    if (last != context_.options.fingerprints.end() && last->second == fingerprint && !context_.options.full_refresh) {
      outcome.unchanged = true;
      return outcome;
    }
    try {
      context_.engine.Bind(reads.TableNames());
      context_.macros.Make(context_.engine.connection(), reads.macros);
      CountFailing(check, reads, outcome);
      if (!outcome.diagnostic) result_.check_fingerprints[state::CheckKey(check.name)] = fingerprint;
    } catch (const duck::QueryError& error) {
      outcome.diagnostic = ExplainFault(context_.engine, error, check.file, check.text).diagnostic();
    } catch (const Error& error) {
      outcome.diagnostic = error.diagnostic();
    }
    return outcome;
  }

  void CountFailing(const config::CheckQuery& check, const SelectReads& reads, CheckOutcome& outcome) {
    std::vector<duck::Parameter> parameters;
    if (!reads.parameters.empty()) parameters.push_back({"run_time", context_.options.run_time});
    std::vector<std::string> samples;
    // The check's own text runs, so that places in errors are places in its file.
    const auto rows = context_.engine.connection().Stream(check.text, parameters);
    while (const auto chunk = rows->Next()) outcome.failing_rows += static_cast<int64_t>(chunk->size());
    if (outcome.failing_rows == 0) return;
    const std::vector<Token> tokens = Tokens(check.text);
    Diagnostic diagnostic{.code = "LEAT0707", .place = PlaceOfToken(check.file, check.text, tokens.front().begin)};
    diagnostic.severity = check.severity == config::CheckSeverity::kError ? Severity::kError : Severity::kWarning;
    diagnostic.message = fmt::format("check {} failed: {} {}; expected none", check.name,
                                     GroupDigits(outcome.failing_rows), outcome.failing_rows == 1 ? "row" : "rows");
    if (!check.description.empty()) diagnostic.label = check.description;
    diagnostic.notes.push_back("for example " + Join(SampleRows(check, parameters), "; "));
    diagnostic.help.push_back(fmt::format("see the rows:  leat query \"$(cat {})\"", check.file));
    outcome.diagnostic = std::move(diagnostic);
  }

  /// Up to three rows as `payment_id 5, transaction_id 9`.
  std::vector<std::string> SampleRows(const config::CheckQuery& check, const std::vector<duck::Parameter>& parameters) {
    const auto rows = context_.engine.connection().Query(
        fmt::format("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({}\n) ORDER BY ALL LIMIT 3", SelectIn(check.text)),
        parameters);
    std::vector<std::string> samples;
    while (const auto chunk = rows->Next()) {
      for (idx_t row = 0; row < chunk->size(); ++row) {
        std::vector<std::string> values;
        for (idx_t column = 0; column < chunk->column_count(); ++column)
          values.push_back(fmt::format("{} {}", rows->ColumnName(column),
                                       chunk->IsNull(column, row) ? "NULL" : chunk->Text(column, row)));
        samples.push_back(Shorten(Join(values, ", "), 80));
      }
    }
    return samples;
  }

  void DropWhatIsRead(const SelectReads& reads, const CheckOutcome& outcome) {
    const std::string because = "check " + outcome.rule;
    for (const std::string& table : reads.TableNames()) {
      for (const auto& build : builds_)
        if (build->model().name == table && build->candidate().ok()) build->FailCheck(because, *outcome.diagnostic);
      if (context_.project.FindModel(table) != nullptr) DropBelow(table, because);
    }
  }

  BuildContext context_;
  const BuildProgress& progress_;
  std::vector<std::unique_ptr<ModelBuild>> builds_;
  Builder::Result result_;
};

}  // namespace

Builder::Builder(engine::Engine& engine, const lake::TableWriter& writer, const config::Project& project,
                 const Graph& graph, Macros& macros, Options options)
    : engine_(engine),
      writer_(writer),
      project_(project),
      graph_(graph),
      macros_(macros),
      options_(std::move(options)) {}

BuildContext Builder::Context() {
  return {.engine = engine_,
          .writer = writer_,
          .project = project_,
          .graph = graph_,
          .macros = macros_,
          .options = options_,
          .dates_to_come = {},
          .fully_checked = options_.fully_checked,
          .references_before = {}};
}

Builder::Result Builder::BuildAll(const BuildProgress& progress) { return RunOfModels(Context(), progress).Run(); }

Builder::Result Builder::JudgePublished() {
  options_.full_refresh = true;  // what was judged before does not count
  return RunOfModels(Context(), {}).JudgePublished();
}

}  // namespace leat::models
