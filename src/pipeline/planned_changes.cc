#include "pipeline/planned_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"
#include "engine/engine.h"
#include "models/fingerprint.h"
#include "models/model_output.h"
#include "pipeline/comparison.h"
#include "pipeline/load.h"
#include "pipeline/load_guard.h"
#include "pipeline/plan.h"
#include "pipeline/recipes.h"
#include "pipeline/stream_load.h"
#include "pipeline/workspace.h"
#include "warehouse/open.h"

namespace leat::pipeline {
namespace {

using Change = PlannedTable::Change;
using Work = PlannedTable::Work;

/// Nobody watches what is only foreseen.
class NoReadObserver : public sources::ReadObserver {
 public:
  void Started(const sources::StreamInfo&, std::function<int64_t()>) override {}
  void Finished(const sources::StreamOutcome&) override {}
  void Aborted(const sources::StreamInfo&) override {}
};

/// What a model was, and what it would be now.
struct ModelComparison {
  models::Fingerprint before, now;
  std::optional<models::Recipe> recipe_before;
  models::Recipe recipe;
  bool was_reset = false;

  bool is_other_definition() const { return before.definition != now.definition; }
  bool has_other_rules() const { return before.rules != now.rules; }
  bool is_loaded_otherwise() const { return recipe_before && recipe_before->warehouse != recipe.warehouse; }
};

class Planner {
 public:
  Planner(const config::Project& project, const RunOptions& options, const CancelFlag& cancel)
      : project_(project),
        options_(options),
        cancel_(cancel),
        workspace_(project, Workspace::Access::kRead, cancel),
        macros_(workspace_.engine().connection(), project.macros) {}

  PlannedChanges Plan() {
    plan_ = MakePlan(project_, options_, workspace_, macros_, cancel_);
    RefuseDoubledTables(project_, plan_.streams);
    recipes_ = ReadRecipes(workspace_.store());
    ReadHistory();
    for (PlannedSource& source : plan_.sources) AddStreams(source);
    AddModels();
    AddGone();
    AddWarehouse();
    return std::move(changes_);
  }

 private:
  // --- what was ---

  void ReadHistory() {
    if (workspace_.store() == nullptr) return;
    changes_.last_run = workspace_.store()->LastRun();
    for (const state::Step& step : workspace_.store()->LatestSteps(state::Store::StepChoice::kGood))
      if (step.step == "extract" || step.step == "build") last_steps_[step.table] = step;
    for (const state::Position& position : workspace_.store()->Positions())
      positions_[position.stream] = position.value;
  }

  const lake::Table* TableOf(const state::TableName& name) const {
    const auto found = workspace_.tables().find(name);
    return found == workspace_.tables().end() ? nullptr : &found->second;
  }

  std::optional<models::Recipe> RecipeBefore(const std::string& table) const {
    const auto found = recipes_.find(table);
    return found == recipes_.end() ? std::nullopt : std::optional(found->second);
  }

  PlannedTable& Add(PlannedTable table) {
    if (const auto step = last_steps_.find(table.name); step != last_steps_.end()) {
      table.rows = step->second.rows_total;
      table.took = step->second.ended - step->second.started;
    }
    return changes_.tables.emplace_back(std::move(table));
  }

  void Tell(Diagnostic diagnostic, const Place& place) {
    if (!diagnostic.place.known()) diagnostic.place = place;
    changes_.diagnostics.push_back(std::move(diagnostic));
  }

  void Refuse(PlannedTable& table, Change change = Change::kRefused) {
    table.change = change;
    table.work = Work::kNone;
    refused_.insert(table.name);
  }

  /// What does not answer says nothing about its tables, and the rest can be planned all the same.
  void TellUnreachable(const Error& error, const Place& place, const std::string& note) {
    Diagnostic diagnostic = error.diagnostic();
    diagnostic.severity = Severity::kWarning;
    diagnostic.notes.push_back(note);
    Tell(std::move(diagnostic), place);
  }

  // --- streams ---

  void AddStreams(PlannedSource& source) {
    try {
      if (source.fault) throw Error(*source.fault);
      std::map<std::string, sources::ReadForecast> forecasts = Foresee(source);
      for (const sources::StreamInfo& stream : source.streams) {
        const auto forecast = forecasts.find(stream.name);
        AddStream(*source.config, stream, forecast == forecasts.end() ? nullptr : &forecast->second);
      }
    } catch (const Error& error) {
      AddUnasked(source, error);
    }
    source.source.reset();  // its snapshot holds back the source's vacuum
  }

  std::map<std::string, sources::ReadForecast> Foresee(PlannedSource& source) {
    std::vector<sources::StreamInfo> readable;
    for (const sources::StreamInfo& stream : source.streams)
      if (!stream.fault) readable.push_back(stream);
    NoReadObserver observer;
    std::map<std::string, sources::ReadForecast> forecasts;
    for (sources::ReadForecast& forecast : source.source->Foresee(readable, {.engine = workspace_.engine(),
                                                                            .writer = workspace_.writer(),
                                                                            .now = SystemClock().Now(),
                                                                            .full_refresh = options_.full_refresh,
                                                                            .cancel = cancel_,
                                                                            .observer = observer,
                                                                            .tables = workspace_.tables(),
                                                                            .positions = positions_}))
      forecasts[forecast.stream] = std::move(forecast);
    return forecasts;
  }

  void AddUnasked(const PlannedSource& source, const Error& error) {
    if (IsUnreachable(error))
      return TellUnreachable(
          error, source.config->connection.place,
          fmt::format("the streams of {} stand in this plan as they are in the lake", source.config->name));
    Tell(error.diagnostic(), source.config->connection.place);
    for (const sources::StreamInfo& stream : source.streams)
      Refuse(Add({.name = stream.name, .is_stream = true, .file = source.config->file}));
  }

  void AddStream(const config::Source& source, const sources::StreamInfo& stream,
                 const sources::ReadForecast* forecast) {
    PlannedTable& table = Add({.name = stream.name, .is_stream = true, .file = source.file});
    const std::optional<Diagnostic>& fault = stream.fault ? stream.fault : forecast->diagnostic;
    if (fault) Tell(*fault, source.connection.place);
    if (fault && fault->severity == Severity::kError) return Refuse(table);
    table.read = *forecast;
    const std::vector<duck::Column> columns = ColumnsOf(forecast->schema);
    // An API tells its columns with its first rows: until then, what reads them is not checked.
    const bool has_columns = !columns.empty();
    if (has_columns) stream_columns_[stream.name] = columns;
    if (has_columns && IsLoaded(project_, stream.name))
      stream_specs_[stream.name] =
          SpecOfStream(project_, stream.name, forecast->schema, stream.key, PatternOf(project_, stream.name)->place);
    const lake::Table* published = TableOf(stream.table());
    const auto before = RecipeBefore(stream.name);
    if (published == nullptr) {
      table.change = Change::kNew;
      if (stream.rows_estimate >= 0) table.rows = stream.rows_estimate;
    }
    table.columns =
        CompareColumns(published == nullptr ? std::vector<duck::Column>() : ColumnsOf(published->schema()), columns);
    if (published != nullptr && before) table.settings = CompareSettings(*before, RecipeOf(project_, source, stream));
    for (SettingChange& setting : table.settings)
      if (setting.part == "head") setting.part = "rules";
    const bool is_read_otherwise =
        !table.columns.empty() || forecast->has_new_shape ||
        std::ranges::find(table.settings, "rules", &SettingChange::part) != table.settings.end();
    if (table.change == Change::kUnchanged && (is_read_otherwise || !table.settings.empty())) {
      table.change = Change::kChanged;
      if (!is_read_otherwise && !options_.full_refresh) table.work = Work::kCheck;
    }
    if (table.change == Change::kUnchanged && options_.full_refresh) {
      table.change = Change::kRebuilt;
      table.because = "--full-refresh";
    }
    if (table.change != Change::kUnchanged && table.work == Work::kNone) table.work = Work::kRead;
    if (published == nullptr || !table.columns.empty() || forecast->has_new_shape) has_other_rows_.insert(stream.name);
  }

  // --- models ---

  void AddModels() {
    const Timestamp now = SystemClock().Now();
    std::map<std::string, ModelComparison> comparisons;
    for (const models::Node& node : plan_.graph.nodes)
      if (plan_.models.contains(node.model->name)) comparisons[node.model->name] = Compare(node, now);
    // From here on the engine shows empty tables of the columns that there will be.
    prepared_ = models::Prepare(workspace_.engine(), macros_, project_, plan_.graph, stream_columns_);
    for (const models::Node& node : plan_.graph.nodes)
      if (plan_.models.contains(node.model->name)) AddModel(node, comparisons.at(node.model->name));
    TellOtherFaults();
  }

  ModelComparison Compare(const models::Node& node, Timestamp now) {
    const config::Model& model = *node.model;
    ModelComparison comparison{.before = {},
                               .now = FingerprintOf(workspace_.engine(), macros_, plan_.graph, node, now),
                               .recipe_before = RecipeBefore(model.name),
                               .recipe = models::RecipeOf(workspace_.engine(), macros_, plan_.graph, node)};
    const lake::Table* published = TableOf({model.name_space, model.table});
    if (published == nullptr) return comparison;
    const auto stored = workspace_.store()->FindModel(model.name);
    const std::string text = stored ? stored->fingerprint : published->SummaryText("leat.fingerprint");
    comparison.before = models::Fingerprint::Parse(text);
    comparison.was_reset = text.empty();
    return comparison;
  }

  /// Two models may fail by one macro.
  void TellOnce(const Diagnostic& diagnostic) {
    if (std::ranges::find(changes_.diagnostics, diagnostic) == changes_.diagnostics.end())
      changes_.diagnostics.push_back(diagnostic);
  }

  /// Those of streams, and of checks/ unless they follow from a refused model. Those of models outside the selection
  /// are not this plan's.
  void TellOtherFaults() {
    std::set<std::string> left_out;
    for (size_t i = 0; i < project_.checks.size(); ++i) {
      const auto& reads = plan_.graph.check_reads[i];
      if (reads && !RefusedAmong(reads->TableNames()).empty()) left_out.insert(project_.checks[i].file);
    }
    for (const Diagnostic& diagnostic : prepared_.of_others)
      if (!left_out.contains(diagnostic.place.file)) TellOnce(diagnostic);
  }

  void AddModel(const models::Node& node, const ModelComparison& comparison) {
    const config::Model& model = *node.model;
    const lake::Table* published = TableOf({model.name_space, model.table});
    PlannedTable& table = Add({.name = model.name, .file = model.file});
    if (const std::string needed = RefusedAmong(NeedsOf(node)); !needed.empty()) {
      table.because = "needs " + needed;
      return Refuse(table, Change::kSkipped);
    }
    if (const std::string absent = AbsentAmong(node.reads.TableNames()); !absent.empty()) {
      table.because = fmt::format("needs {}, which was never made: leat plan +{}", absent, model.name);
      return Refuse(table);
    }
    Classify(node, comparison, published != nullptr, table);
    CompareModelColumns(model, published, table);
    if (comparison.recipe_before) {
      table.settings = CompareSettings(*comparison.recipe_before, comparison.recipe);
      if (comparison.is_other_definition()) table.sql = CompareSql(model, *comparison.recipe_before);
    }
    const std::vector<Diagnostic>& faults = prepared_.of_models.at(model.name);
    for (const Diagnostic& fault : faults) TellOnce(fault);
    if (HasErrors(faults)) Refuse(table);
    if (table.work == Work::kBuild) has_other_rows_.insert(model.name);
    const bool is_numbered_anew = model.kind == config::ModelKind::kHistory && table.change == Change::kChanged &&
                                  table.work == Work::kBuild && comparison.is_other_definition();
    if (is_numbered_anew) renumbered_.insert(model.name);
  }

  void Classify(const models::Node& node, const ModelComparison& comparison, bool is_published, PlannedTable& table) {
    const auto set = [&](Change change, Work work, std::string because = "") {
      table.change = change;
      table.work = work;
      table.because = std::move(because);
    };
    const std::string news = NewsOfInputs(node, comparison);
    if (!is_published) return set(Change::kNew, Work::kBuild, FormerName(comparison));
    if (comparison.was_reset) return set(Change::kRebuilt, Work::kBuild, "what it was built from was reset");
    if (comparison.is_other_definition()) return set(Change::kChanged, Work::kBuild);
    if (comparison.has_other_rules())
      return set(Change::kChanged, SetsRowsAside(*node.model) || !news.empty() ? Work::kBuild : Work::kCheck);
    if (!news.empty())
      return set(comparison.is_loaded_otherwise() ? Change::kChanged : Change::kRebuilt, Work::kBuild, news);
    if (options_.full_refresh) return set(Change::kRebuilt, Work::kBuild, "--full-refresh");
    const bool has_new_period = node.model->kind == config::ModelKind::kPeriod &&
                                !models::DependsOnMoment(node.reads) &&
                                comparison.before.inputs != comparison.now.inputs;
    if (has_new_period)
      return set(Change::kRebuilt, Work::kBuild, fmt::format("a {} ended", config::PeriodName(node.model->period)));
    if (comparison.is_loaded_otherwise()) return set(Change::kChanged, Work::kLoad);
  }

  /// Why the tables that a model reads have other rows than those it was built from; empty: they have not.
  std::string NewsOfInputs(const models::Node& node, const ModelComparison& comparison) const {
    std::vector<std::string> planned, newer, changed;
    for (const auto& [input, version] : comparison.recipe.inputs) {
      const std::string producer = engine::ProducerOf(input);
      const bool is_seed = std::ranges::find(project_.seeds, input, &config::Seed::name) != project_.seeds.end();
      if (has_other_rows_.contains(producer)) {
        planned.push_back(producer);
      } else if (HasOtherVersion(comparison, input, version)) {
        (is_seed ? changed : newer).push_back(is_seed ? input : producer);
      }
    }
    if (!comparison.recipe_before && planned.empty() && !models::DependsOnMoment(node.reads) &&
        comparison.before.inputs != comparison.now.inputs)
      return "new rows of what it reads";
    std::vector<std::string> parts;
    if (!planned.empty()) parts.push_back("reads " + Join(planned, ", "));
    if (!changed.empty()) parts.push_back(Join(changed, ", ") + " changed");
    if (!newer.empty()) parts.push_back("new rows of " + Join(newer, ", "));
    return Join(parts, "; ");
  }

  static bool HasOtherVersion(const ModelComparison& comparison, const std::string& input, const std::string& version) {
    if (!comparison.recipe_before) return false;
    const auto before = comparison.recipe_before->inputs.find(input);
    return before != comparison.recipe_before->inputs.end() && before->second != version;
  }

  /// The gone model whose SQL this one has.
  std::string FormerName(const ModelComparison& comparison) const {
    for (const auto& [table, recipe] : recipes_)
      if (project_.FindModel(table) == nullptr && !recipe.sql.empty() && recipe.sql == comparison.recipe.sql)
        return "was " + table;
    return "";
  }

  /// Rules that set rows aside are part of what makes the rows, those of before too.
  bool SetsRowsAside(const config::Model& model) const {
    const lake::Table* rejects = TableOf({model.name_space, model.table + std::string(engine::kRejectsSuffix)});
    const bool has_rejects = rejects != nullptr && rejects->record_count() > 0;
    return has_rejects || std::ranges::any_of(model.checks, [](const config::CheckRule& rule) {
             return rule.severity == config::CheckSeverity::kReject;
           });
  }

  void CompareModelColumns(const config::Model& model, const lake::Table* published, PlannedTable& table) {
    const auto output = prepared_.outputs.find(model.name);
    if (output == prepared_.outputs.end() || table.work != Work::kBuild) return;
    const lake::Schema before = published == nullptr ? lake::Schema() : published->schema();
    table.columns = CompareColumns(ColumnsOf(before), ColumnsOf(output->second.schema));
    for (ColumnChange& column : table.columns) {
      const lake::Field* field = before.Find(column.name);
      if (field == nullptr) continue;
      const auto refusal = models::RefuseType(workspace_.engine(), model, *field, output->second.schema);
      if (!refusal) continue;
      column.kind = options_.full_refresh ? ColumnChange::Kind::kReplaced : ColumnChange::Kind::kRefused;
      if (options_.full_refresh) continue;
      changes_.diagnostics.push_back(*refusal);
      Refuse(table);
    }
  }

  static std::vector<Hunk> CompareSql(const config::Model& model, const models::Recipe& before) {
    const models::SqlPart now = models::SqlOf(model);
    std::vector<Hunk> hunks = DiffLines(before.sql, now.sql);
    for (Hunk& hunk : hunks) hunk.line += now.line - 1;
    return hunks;
  }

  /// An open calendar takes what refers to it as it is.
  static std::vector<std::string> NeedsOf(const models::Node& node) {
    std::vector<std::string> needs = node.reads.TableNames();
    if (!models::Graph::IsOpenDimDate(*node.model))
      needs.insert(needs.end(), node.builds_after.begin(), node.builds_after.end());
    return needs;
  }

  std::string RefusedAmong(const std::vector<std::string>& tables) const {
    for (const std::string& table : tables)
      if (refused_.contains(engine::ProducerOf(table))) return engine::ProducerOf(table);
    return "";
  }

  /// What neither the lake has nor this plan makes.
  std::string AbsentAmong(const std::vector<std::string>& tables) {
    for (const std::string& table : tables)
      if (!workspace_.engine().Knows(table) && !has_other_rows_.contains(engine::ProducerOf(table))) return table;
    return "";
  }

  // --- what is gone ---

  void AddGone() {
    if (!IsOfEverything(options_)) return;
    for (const std::string& name : TablesGone(project_, plan_, recipes_)) {
      const config::Source* source = project_.FindSource(NamespaceOf(name));
      PlannedTable& table = Add({.name = name, .is_stream = source != nullptr, .change = Change::kGone});
      table.because =
          source != nullptr ? fmt::format("{} does not read it any more; its rows stay", source->file) : NewName(name);
    }
  }

  std::string NewName(const std::string& gone) const {
    for (const PlannedTable& table : changes_.tables)
      if (table.change == Change::kNew && table.because == "was " + gone)
        return fmt::format("now {}; its rows stay", table.name);
    return "no file makes it any more; its rows stay";
  }

  // --- warehouse ---

  void AddWarehouse() {
    if (!project_.warehouse) return;
    const std::vector<warehouse::TableLoad> loads = LoadsOfPlan();
    if (loads.empty()) return;
    try {
      const config::Connection& target = project_.connections.at(project_.warehouse->connection.value);
      LoadGuard guard(project_, cancel_);
      const auto warehouse = warehouse::Open(
          target, {.cancel = &cancel_, .guard = [&](const auto& at) { guard.Check(at); }, .wait = options_.wait});
      for (warehouse::PlannedChange& change : warehouse->PlanChanges(project_.name, loads))
        AddWarehouseChange(std::move(change));
    } catch (const Error& error) {
      const bool is_held = error.code() == "LEAT0614";
      if (!IsUnreachable(error) && !is_held) return Tell(error.diagnostic(), project_.warehouse->connection.place);
      TellUnreachable(error, project_.warehouse->connection.place, "what would change in the warehouse is not known");
    }
  }

  /// Each table of the selection as it would be loaded.
  std::vector<warehouse::TableLoad> LoadsOfPlan() {
    std::vector<warehouse::TableLoad> loads;
    for (const auto& [stream, spec] : stream_specs_) {
      std::vector<warehouse::TableLoad> published = LoadsOf(project_, workspace_, {stream});
      warehouse::TableLoad& load =
          loads.emplace_back(published.empty() ? warehouse::TableLoad() : std::move(published.front()));
      const bool has_other_key = load.snapshot_id != 0 && load.spec.primary_key != spec.primary_key;
      if (has_other_key) load.replaces = [](int64_t) { return true; };
      load.spec = spec;
    }
    for (const PlannedTable& table : changes_.tables) {
      const config::Model* model = project_.FindModel(table.name);
      if (model == nullptr || refused_.contains(table.name) || !IsLoaded(project_, *model)) continue;
      const lake::Table* published = TableOf({model->name_space, model->table});
      const auto output = prepared_.outputs.find(table.name);
      if (output == prepared_.outputs.end() && published == nullptr) continue;
      const bool is_built = table.work == Work::kBuild && output != prepared_.outputs.end();
      warehouse::TableLoad load;
      if (published != nullptr && published->snapshot()) {
        load = LoadOf(project_, *model, *published, workspace_.engine());
        load.commit_number = workspace_.store()->LastCommitNumber("models");
      }
      if (is_built) load.spec = SpecOf(project_, *model, output->second.schema);
      if (renumbered_.contains(table.name)) load.replaces = [](int64_t) { return true; };
      loads.push_back(std::move(load));
    }
    for (warehouse::TableLoad& load : loads) load.is_full = options_.full_refresh;
    return loads;
  }

  void AddWarehouseChange(warehouse::PlannedChange change) {
    PlannedTable& table = *std::ranges::find(changes_.tables, change.model, &PlannedTable::name);
    if (change.diagnostic) return Tell(*change.diagnostic, project_.warehouse->place);
    if (table.work == Work::kNone && !change.is_pending) return TellAlteredByHand(change);
    if (table.change == Change::kUnchanged) {
      table.change = Change::kChanged;
      table.work = Work::kLoad;
      table.because = WhyLoaded(change);
    }
    if (!change.statements.empty()) changes_.warehouse.push_back(std::move(change));
  }

  static const char* WhyLoaded(const warehouse::PlannedChange& change) {
    if (change.is_new) return "not in the warehouse yet";
    return change.statements.empty() ? "the warehouse lacks rows" : "the warehouse has it otherwise";
  }

  const Place& PlaceOf(const std::string& table) const {
    const config::Model* model = project_.FindModel(table);
    return model != nullptr ? model->head_place : stream_specs_.at(table).place;
  }

  void TellAlteredByHand(const warehouse::PlannedChange& change) {
    changes_.diagnostics.push_back(
        {.severity = Severity::kWarning,
         .code = "LEAT0531",
         .message = fmt::format("the warehouse's table of {} was altered since it was loaded", change.model),
         .place = PlaceOf(change.model),
         .help = {fmt::format("bring it back:  leat run {} --full-refresh", change.model)},
         .notes = {fmt::format("that would be {}", Join(change.statements, "; ")),
                   "until its rows change a run leaves it as it is"}});
  }

  const config::Project& project_;
  const RunOptions& options_;
  const CancelFlag& cancel_;
  Workspace workspace_;
  models::Macros macros_;
  pipeline::Plan plan_;
  Recipes recipes_;
  std::map<std::string, state::Step> last_steps_;                    ///< that read or built a table, by its name
  std::map<std::string, std::string> positions_;                     ///< of streams
  std::map<std::string, std::vector<duck::Column>> stream_columns_;  ///< after the read that is foreseen
  std::map<std::string, warehouse::TableSpec> stream_specs_;         ///< of those that are loaded
  models::Preparation prepared_;
  std::set<std::string> refused_;         ///< tables that the run would refuse or skip
  std::set<std::string> has_other_rows_;  ///< tables that this plan gives other rows or columns
  std::set<std::string> renumbered_;      ///< histories whose record ids mean other rows after the build
  PlannedChanges changes_;
};

}  // namespace

int PlannedChanges::Count(Change change) const {
  return static_cast<int>(std::ranges::count(tables, change, &PlannedTable::change));
}

bool PlannedChanges::IsEmpty() const {
  return std::ranges::all_of(tables, [](const PlannedTable& table) { return table.change == Change::kUnchanged; });
}

PlannedChanges PlanChanges(const config::Project& project, const RunOptions& options, const CancelFlag& cancel) {
  return Planner(project, options, cancel).Plan();
}

}  // namespace leat::pipeline
