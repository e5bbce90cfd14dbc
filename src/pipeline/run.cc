// One run from end to end: the first file to read.
//
//   plan     ask the sources what they have, order the models, evaluate the selection
//   begin    take a run number and all leases, in one transaction
//   extract  read each source as of one moment; publish what changed, one commit per source
//   build    build and check the models on candidate rows; publish those that passed, one commit for all
//   load     bring the warehouse to what is published, one transaction for all tables
//   finish   record what no commit recorded, give the leases back
//
// Whatever happens in between, what was published stays as it was: nothing counts before its commit.

#include "pipeline/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "core/diagnostic_json.h"
#include "core/fail_point.h"
#include "core/ids.h"
#include "pipeline/freshness.h"
#include "pipeline/history.h"
#include "pipeline/lease_keeper.h"
#include "pipeline/lease_wait.h"
#include "pipeline/load.h"
#include "pipeline/load_guard.h"
#include "pipeline/plan.h"
#include "pipeline/progress.h"
#include "pipeline/recipes.h"
#include "pipeline/scope.h"
#include "pipeline/steps.h"
#include "warehouse/open.h"

namespace leat::pipeline {
namespace {

using sources::StreamOutcome;

class Runner {
 public:
  Runner(const config::Project& project, const RunOptions& options, RunObserver& observer, const CancelFlag& cancel)
      : project_(project),
        options_(options),
        observer_(observer),
        cancel_(cancel),
        workspace_(project, Workspace::Access::kWrite, cancel),
        load_guard_(project, cancel),
        macros_(workspace_.engine().connection(), project.macros) {}

  RunSummary Run() {
    summary_.run.selection = Recorded();
    try {
      plan_ = MakePlan(project_, options_, workspace_, macros_, cancel_);
      RefuseDoubledTables(project_, plan_.streams);
      FailPoint("pipeline.run.after_plan");
      if (options_.retry_of != 0 && plan_.tables() == 0) {
        summary_.run.status = "succeeded";
        return std::move(summary_);
      }
      Begin();
    } catch (const Cancelled&) {
      summary_.run.status = "cancelled";
      return std::move(summary_);
    }
    try {
      StartAgainIfOvertaken();
      const LeaseKeeper keeper(project_, leases_);
      FailPoint("pipeline.run.after_begin");
      for (PlannedSource& source : plan_.sources) Extract(source);
      JudgeStreams();
      FailPoint("pipeline.run.before_build");
      Build();
      FailPoint("pipeline.run.before_load");
      Load();
      ForgetWhatIsGone();
      FailPoint("pipeline.run.before_finish");
    } catch (const Cancelled&) {
      cancelled_ = true;
    } catch (const Error& error) {
      summary_.diagnostics.push_back(error.diagnostic());
      broken_ = true;
    }
    return Finish();
  }

 private:
  std::string Recorded() const {
    return FormatScope({.select = options_.select,
                        .exclude = options_.exclude,
                        .full_refresh = options_.full_refresh,
                        .from_landing = options_.from_landing,
                        .retry_of = options_.retry_of});
  }

  void Begin() {
    std::vector<std::string> names;
    for (const PlannedSource& source : plan_.sources)
      if (!source.streams.empty()) names.push_back("source:" + source.config->name);
    for (const std::string& model : plan_.models) names.push_back("model:" + model);
    LeaseWait wait(options_.wait, cancel_, [&](const auto& holder) { observer_.Waiting(holder); });
    state::Store::Begun begun = workspace_.store()->BeginRun(Recorded(), names);
    while (!begun.held.empty()) {
      // A snapshot that is held open holds back the source's vacuum; StartAgainIfOvertaken takes another.
      for (PlannedSource& source : plan_.sources) source.source.reset();
      wait.Pause(begun.held.front());
      begun = workspace_.store()->BeginRun(Recorded(), names);
    }
    run_ = begun.run;
    leases_ = begun.leases;
    summary_.run = run_;
    summary_.tables = plan_.tables();
    summary_.diagnostics = UnmatchedLoads(project_, plan_.streams, Unasked());
    for (const state::Step& step : workspace_.store()->LatestSteps(state::Store::StepChoice::kGood))
      if (step.data_to) data_to_[step.table] = step.data_to;
    observer_.RunStarted(run_, summary_.tables, workspace_.threads());
    progress_ = std::make_unique<Progress>(observer_, run_.number);
  }

  /// Sources of which only those streams are known that the lake has or models read.
  std::set<std::string> Unasked() const {
    std::set<std::string> unasked;
    for (const config::Source& source : project_.sources) unasked.insert(source.name);
    for (const PlannedSource& source : plan_.sources)
      if (!source.fault) unasked.erase(source.config->name);
    return unasked;
  }

  /// What was looked at before the leases were ours may be old by now: another run may have published, and then our
  /// view of the source could be older than the lake.
  void StartAgainIfOvertaken() {
    if (!workspace_.WasOvertaken(run_)) return;
    workspace_.Reload();
    for (PlannedSource& source : plan_.sources) {
      if (source.fault || source.streams.empty()) continue;
      std::set<std::string> wanted;
      for (const auto& stream : source.streams) wanted.insert(stream.name);
      source = OpenPlanned(project_, *source.config, workspace_, cancel_);
      std::erase_if(source.streams, [&](const auto& stream) { return !wanted.contains(stream.name); });
    }
  }

  // --- extract ---

  void Extract(PlannedSource& source) {
    if (source.fault) return FailSource(source, *source.fault, source.streams);
    if (source.streams.empty()) {
      source.source.reset();
      return;
    }
    cancel_.Check();
    std::vector<sources::StreamInfo> streams = source.streams;
    try {
      while (!streams.empty()) {
        ReadRound(source, streams);
        cancel_.Check();
      }
    } catch (const Error& error) {
      FailSource(source, error, streams);
    }
    source.source.reset();  // its snapshot holds back the source's vacuum
  }

  /// Read and publish a source, or as much of it as belongs into one commit. Takes those out of `streams` of which
  /// there is no more to read.
  void ReadRound(PlannedSource& source, std::vector<sources::StreamInfo>& streams) {
    const std::string scope = "source:" + source.config->name;
    state::Commit commit{.scope = scope,
                         .number = workspace_.store()->LastCommitNumber(scope) + 1,
                         .attempt = NewUuid(),
                         .run = run_.number,
                         .leases = LeasesOf({scope})};
    for (const auto& stream : streams) {
      const auto stored = workspace_.store()->FindPosition(stream.name);
      commit.positions.push_back({stream.name, "", stored ? stored->commit_number : 0});
      if (stored) positions_[stream.name] = stored->value;
    }
    std::vector<StreamOutcome> outcomes = ReadStreams(source, streams, *commit.number);
    for (StreamOutcome& outcome : outcomes) FindNewest(outcome);
    FailPoint("pipeline.streams.before_publish");
    PublishStreams(source, outcomes, std::move(commit));
    FailPoint("pipeline.streams.after_publish");
    std::erase_if(streams, [&](const sources::StreamInfo& stream) {
      return std::none_of(outcomes.begin(), outcomes.end(),
                          [&](const StreamOutcome& o) { return o.stream == stream.name && o.has_more; });
    });
  }

  std::vector<StreamOutcome> ReadStreams(PlannedSource& source, const std::vector<sources::StreamInfo>& streams,
                                         int64_t commit_number) {
    std::vector<StreamOutcome> outcomes;
    std::vector<sources::StreamInfo> readable;
    for (const sources::StreamInfo& stream : streams) {
      if (!stream.fault) {
        readable.push_back(stream);
        continue;
      }
      const Timestamp now = SystemClock().Now();
      outcomes.push_back({.stream = stream.name, .started = now, .ended = now, .diagnostic = stream.fault});
      progress_->Finished(outcomes.back());
    }
    if (readable.empty()) return outcomes;
    sources::ReadResult read = source.source->Read(readable, ContextFor(commit_number));
    for (StreamOutcome& outcome : read.outcomes) RefuseUnequal(outcome);
    std::move(read.outcomes.begin(), read.outcomes.end(), std::back_inserter(outcomes));
    std::move(read.warnings.begin(), read.warnings.end(), std::back_inserter(summary_.diagnostics));
    return outcomes;
  }

  void RefuseUnequal(StreamOutcome& outcome) {
    if (!FailUnequal(outcome)) return;
    for (const lake::PendingTable* table : outcome.Tables())
      lake::RemoveFiles(workspace_.storage(), table->change.added);
    outcome.pending.reset();
    outcome.others.clear();
    outcome.position.clear();
    outcome.has_more = false;
    progress_->Finished(outcome);
  }

  /// With `loaded_at_field` a stream has data up to that column's newest value, whenever it was read. Kept with the
  /// step, so that `leat status` need not look.
  void FindNewest(StreamOutcome& outcome) {
    const config::StreamProperties* stream = project_.FindStream(outcome.stream);
    if (stream == nullptr || !stream->loaded_at_field || outcome.kind == StreamOutcome::Kind::kFailed) return;
    std::optional<Timestamp>& newest = newest_[outcome.stream];
    try {
      if (outcome.pending)
        newest = models::NewestLoad(workspace_.engine(), *stream, engine::Relation::Of(*outcome.pending));
      else if (const auto* relation =
                   workspace_.engine().Find(engine::ParseName(outcome.stream + std::string(engine::kHistorySuffix))))
        newest = models::NewestLoad(workspace_.engine(), *stream, *relation);
    } catch (const Error& error) {
      if (outcome.diagnostic) summary_.diagnostics.push_back(*outcome.diagnostic);
      outcome.diagnostic = error.diagnostic();  // its rows are good, but the stream needs to be looked after
      return;
    }
    auto late = JudgeFreshness(outcome.stream, project_.FreshnessOf(outcome.stream), newest, run_.started);
    if (!late) return;
    late->severity = Severity::kWarning;  // the run did what it could
    late->help = {"see whether rows still come in at the source"};
    summary_.diagnostics.push_back(std::move(*late));
  }

  state::Step ExtractStepOf(const StreamOutcome& outcome) const {
    state::Step step = StepOf(outcome, run_.number);
    if (const auto newest = newest_.find(outcome.stream); newest != newest_.end()) step.data_to = newest->second;
    return step;
  }

  sources::ReadContext ContextFor(int64_t commit_number) {
    return {.engine = workspace_.engine(),
            .writer = workspace_.writer(),
            .run = run_.number,
            .commit_number = commit_number,
            .now = run_.started,
            .threads = workspace_.threads(),
            .full_refresh = options_.full_refresh,
            .from_landing = options_.from_landing,
            .cancel = cancel_,
            .observer = *progress_,
            .tables = workspace_.tables(),
            .positions = positions_};
  }

  /// Publish all streams of one source at once: their rows and how far they were read. `commit` holds what was expected
  /// before the read.
  void PublishStreams(const PlannedSource& source, const std::vector<StreamOutcome>& outcomes, state::Commit commit) {
    std::vector<lake::Table> tables;
    std::erase_if(commit.positions, [&](state::Position& position) {
      const auto outcome =
          std::find_if(outcomes.begin(), outcomes.end(), [&](const auto& o) { return o.stream == position.stream; });
      const bool stands = outcome == outcomes.end() || outcome->position.empty();
      if (stands) return true;
      position.value = outcome->position;
      return false;
    });
    for (const StreamOutcome& outcome : outcomes) {
      commit.steps.push_back(ExtractStepOf(outcome));
      for (const sources::StreamInfo& stream : source.streams)
        if (stream.name == outcome.stream && !outcome.position.empty())
          commit.recipes.push_back({stream.name, models::FormatRecipe(RecipeOf(project_, *source.config, stream))});
      for (const lake::PendingTable* table : outcome.Tables()) tables.push_back(AddTo(commit, *table));
    }
    workspace_.store()->Publish(commit);
    for (const lake::Table& table : tables) workspace_.Published(table);
    for (const StreamOutcome& outcome : outcomes) {
      if (outcome.has_more) continue;
      Record(ExtractStepOf(outcome), outcome.diagnostic);
      if (outcome.kind == StreamOutcome::Kind::kFailed) failed_inputs_.insert(outcome.stream);
    }
  }

  lake::Table AddTo(state::Commit& commit, const lake::PendingTable& pending) {
    lake::Table table = workspace_.writer().Apply(pending.base, pending.name, pending.location, pending.change);
    std::optional<std::string> expected;
    if (pending.base) expected = pending.base->metadata_location();
    commit.swaps.push_back({pending.name, expected, table.metadata_location()});
    return table;
  }

  /// These streams of a source could not be read to their end: each keeps its rows, and what reads them is skipped.
  void FailSource(const PlannedSource& source, Error error, const std::vector<sources::StreamInfo>& open) {
    error.SetPlace(source.config->connection.place);
    if (IsUnreachable(error)) ++unreachable_;
    state::Step step{.run = run_.number,
                     .table = source.config->name,
                     .step = "extract",
                     .status = "failed",
                     .started = run_.started,
                     .ended = SystemClock().Now(),
                     .diagnostic = FormatDiagnosticJson(error.diagnostic())};
    progress_->StepFinished(step, error.diagnostic());
    std::set<std::string> streams;
    for (const auto& stream : open) streams.insert(stream.name);
    for (const std::string& stream : streams) {
      failed_inputs_.insert(stream);
      step.table = stream;
      unrecorded_.push_back(Record(step, std::nullopt));
    }
    if (streams.empty()) unrecorded_.push_back(Record(step, std::nullopt));
    summary_.diagnostics.push_back(error.diagnostic());
  }

  // --- the rules of schema.yml about streams ---

  /// Judge the streams that were read, or that a model of this run reads. One that breaks a rule has its new rows all
  /// the same, for they are the source's; what is built from it keeps its last good ones.
  void JudgeStreams() {
    state::Commit commit{.scope = "models", .attempt = NewUuid(), .run = run_.number};
    for (const config::StreamProperties& stream : project_.streams) {
      if (!stream.CanFail() || failed_inputs_.contains(stream.name) || !IsUsed(stream.name)) continue;
      cancel_.Check();
      const std::string key = state::CheckKey(stream.name);
      const std::string fingerprint = models::FingerprintOfStream(workspace_.engine(), stream);
      const auto last = workspace_.store()->FindModel(key);
      if (last && last->fingerprint == fingerprint && !options_.full_refresh) continue;
      const Timestamp started = SystemClock().Now();
      const models::StreamVerdict verdict = models::JudgeStream(workspace_.engine(), project_, stream);
      commit.steps.push_back(StepOf(verdict, stream.name, run_.number, started));
      // What failed is judged again whatever has changed by then.
      commit.models.push_back({key, verdict.ok() ? fingerprint : ""});
      TakeVerdict(commit.steps.back(), verdict);
    }
    if (!commit.steps.empty()) workspace_.store()->Publish(commit);
  }

  void TakeVerdict(const state::Step& step, const models::StreamVerdict& verdict) {
    progress_->StepFinished(step, FirstOf(verdict.diagnostics));
    Record(step, std::nullopt);
    if (!verdict.ok()) failed_inputs_.insert(step.table);
    summary_.checks.insert(summary_.checks.end(), verdict.checks.begin(), verdict.checks.end());
    summary_.diagnostics.insert(summary_.diagnostics.end(), verdict.diagnostics.begin(), verdict.diagnostics.end());
  }

  bool IsUsed(const std::string& stream) const {
    if (!workspace_.tables().contains(engine::ParseName(stream + std::string(engine::kHistorySuffix)))) return false;
    const bool was_read = std::any_of(summary_.steps.begin(), summary_.steps.end(),
                                      [&](const state::Step& step) { return step.table == stream; });
    return was_read || std::any_of(plan_.models.begin(), plan_.models.end(), [&](const std::string& model) {
             const auto reads = plan_.graph.Find(model)->reads.TableNames();
             return std::any_of(reads.begin(), reads.end(),
                                [&](const std::string& table) { return engine::ProducerOf(table) == stream; });
           });
  }

  // --- build ---

  void Build() {
    if (plan_.models.empty()) return;
    std::map<std::string, Timestamp> started;
    models::Builder builder(workspace_.engine(), workspace_.writer(), project_, plan_.graph, macros_, BuildOptions());
    const models::Builder::Result result = builder.BuildAll({
        .started =
            [&](const config::Model& model) {
              cancel_.Check();
              started[model.name] = SystemClock().Now();
              progress_->StepStarted(model.name, "build");
            },
        .finished =
            [&](const models::Candidate& candidate) {
              progress_->StepFinished(StepOf(candidate, run_.number, started[candidate.model->name]),
                                      FirstOf(candidate.diagnostics));
            },
    });
    for (const models::Candidate& candidate : result.candidates)
      if (candidate.because.starts_with("check "))  // it was good until a query of checks/ looked at it
        progress_->StepFinished(StepOf(candidate, run_.number, started[candidate.model->name]),
                                FirstOf(candidate.diagnostics));
    FailPoint("pipeline.models.before_publish");
    PublishModels(result, started);
    FailPoint("pipeline.models.after_publish");
  }

  models::Builder::Options BuildOptions() {
    models::Builder::Options options{.run = run_.number,
                                     .run_time = run_.started,
                                     .full_refresh = options_.full_refresh,
                                     .selected = plan_.models,
                                     .fully_checked = ModelsToCheckInFull(),
                                     .failed_tables = failed_inputs_,
                                     .committed = workspace_.tables()};
    for (const config::Model& model : project_.models) AddFingerprint(options, model.name);
    for (const config::CheckQuery& check : project_.checks) AddFingerprint(options, state::CheckKey(check.name));
    return options;
  }

  void AddFingerprint(models::Builder::Options& options, const std::string& name) {
    if (const auto stored = workspace_.store()->FindModel(name)) options.fingerprints[name] = stored->fingerprint;
  }

  /// Rows that vanish from a referenced table can break references that earlier runs found good.
  std::set<std::string> ModelsToCheckInFull() const {
    std::set<std::string> models;
    for (const state::Step& step : summary_.steps)
      if (step.rows_deleted > 0) models.merge(plan_.graph.Below(step.table));
    return models;
  }

  /// A model's rows are as old as the oldest of its inputs; nothing if the age of one is not known.
  std::optional<Timestamp> DataTo(const std::string& model) const {
    std::optional<Timestamp> oldest;
    for (const std::string& input : plan_.graph.Find(model)->reads.TableNames()) {
      const std::string table = engine::ProducerOf(input);
      if (!HasStreams(project_, table, [&](const auto& name) { return InputsInPlan(name); })) continue;
      const auto found = data_to_.find(table);
      const bool is_known =
          found != data_to_.end() && found->second && !IsInFuture(*found->second, SystemClock().Now());
      if (!is_known) return std::nullopt;
      if (!oldest || *found->second < *oldest) oldest = found->second;
    }
    return oldest;
  }

  std::optional<std::vector<std::string>> InputsInPlan(const std::string& model) const {
    const models::Node* node = plan_.graph.Find(model);
    return node == nullptr ? std::nullopt : std::optional(node->reads.TableNames());
  }

  /// Publish all models that were built and passed at once, with what they were built from.
  void PublishModels(const models::Builder::Result& result, const std::map<std::string, Timestamp>& started) {
    state::Commit commit{.scope = "models", .attempt = NewUuid(), .run = run_.number};
    std::set<std::string> leases;
    std::vector<lake::Table> tables;
    for (const models::Candidate& candidate : result.candidates) {
      const std::string& name = candidate.model->name;
      leases.insert("model:" + name);
      if (candidate.outcome == models::Candidate::Outcome::kFailed) failed_models_.insert(name);
      if (candidate.ok()) data_to_[name] = DataTo(name);
      const auto begun = started.find(name);
      for (state::Step& step : StepsOf(candidate, run_.number, begun == started.end() ? run_.started : begun->second)) {
        step.data_to = data_to_[name];
        commit.steps.push_back(step);
      }
      if (!candidate.fingerprint.empty()) commit.models.push_back({name, candidate.fingerprint});
      if (candidate.ok())
        commit.recipes.push_back({name, models::FormatRecipe(models::RecipeOf(workspace_.engine(), macros_, plan_.graph,
                                                                              *plan_.graph.Find(name)))});
      if (candidate.pending) {
        tables.push_back(AddTo(commit, *candidate.pending));
        if (candidate.pending->base)
          if (auto left = ColumnsLeftBehind(project_, *candidate.model, candidate.pending->base->schema(),
                                            candidate.pending->change.schema))
            summary_.diagnostics.push_back(std::move(*left));
      }
      if (candidate.rejects) tables.push_back(AddTo(commit, *candidate.rejects));
    }
    for (const auto& [name, fingerprint] : result.check_fingerprints) commit.models.push_back({name, fingerprint});
    commit.leases = LeasesOf(leases);
    workspace_.store()->Publish(commit);
    for (const lake::Table& table : tables) workspace_.Published(table);
    for (const state::Step& step : commit.steps) Record(step, std::nullopt);
    RecordFaults(result);
  }

  void RecordFaults(const models::Builder::Result& result) {
    for (const models::Candidate& candidate : result.candidates) {
      summary_.rows_sorted_out += candidate.rows_rejected;
      summary_.checks.insert(summary_.checks.end(), candidate.checks.begin(), candidate.checks.end());
      summary_.diagnostics.insert(summary_.diagnostics.end(), candidate.diagnostics.begin(),
                                  candidate.diagnostics.end());
    }
    for (const models::CheckOutcome& check : result.checks) {
      if (!check.unchanged) summary_.checks.push_back(check);
      if (check.diagnostic) summary_.diagnostics.push_back(*check.diagnostic);
    }
    // A query over several models is the fault of each of them, but is told once.
    std::vector<Diagnostic> once;
    for (Diagnostic& diagnostic : summary_.diagnostics)
      if (std::find(once.begin(), once.end(), diagnostic) == once.end()) once.push_back(std::move(diagnostic));
    summary_.diagnostics = std::move(once);
  }

  // --- load ---

  void Load() {
    if (!project_.warehouse) return;
    cancel_.Check();
    std::vector<warehouse::TableLoad> loads = TablesToLoad();
    if (loads.empty()) return;
    const Timestamp started = SystemClock().Now();
    for (const warehouse::TableLoad& load : loads) progress_->StepStarted(load.spec.model, "load");
    try {
      const config::Connection& target = project_.connections.at(project_.warehouse->connection.value);
      const auto warehouse = warehouse::Open(
          target, {.cancel = &cancel_, .guard = [&](const auto& at) { load_guard_.Check(at); }, .wait = options_.wait});
      duck::Connection connection(workspace_.database());
      for (const warehouse::LoadOutcome& outcome : warehouse->Load(connection, project_.name, loads))
        EndLoad(StepOf(outcome, run_.number, started), outcome.diagnostic);
    } catch (const Error& error) {
      FailLoads(loads, error, started);
    }
  }

  /// The published tables of this run. One that failed is left out: its file may speak of another table than the one
  /// published.
  std::vector<warehouse::TableLoad> TablesToLoad() {
    std::vector<std::string> tables;
    for (const PlannedSource& source : plan_.sources)
      for (const auto& stream : source.streams)
        if (!failed_inputs_.contains(stream.name)) tables.push_back(stream.name);
    for (const models::Node& node : plan_.graph.nodes)
      if (plan_.models.contains(node.model->name) && !failed_models_.contains(node.model->name))
        tables.push_back(node.model->name);
    std::vector<warehouse::TableLoad> loads = LoadsOf(project_, workspace_, tables);
    for (warehouse::TableLoad& load : loads) {
      const std::string& table = load.spec.model;
      load.is_full = options_.full_refresh;
      load.epoch = LeasesOf({load.spec.is_stream ? "source:" + NamespaceOf(table) : "model:" + table}).front().epoch;
    }
    return loads;
  }

  void EndLoad(const state::Step& step, const std::optional<Diagnostic>& fault) {
    progress_->StepFinished(step, fault);
    unrecorded_.push_back(Record(step, fault));
  }

  void FailLoads(const std::vector<warehouse::TableLoad>& loads, Error error, Timestamp started) {
    error.SetPlace(project_.warehouse->connection.place);
    if (IsUnreachable(error)) ++unreachable_;
    for (const warehouse::TableLoad& load : loads) {
      const state::Step step{.run = run_.number,
                             .table = load.spec.model,
                             .step = "load",
                             .status = "failed",
                             .started = started,
                             .ended = SystemClock().Now(),
                             .diagnostic = FormatDiagnosticJson(error.diagnostic())};
      progress_->StepFinished(step, error.diagnostic());
      unrecorded_.push_back(Record(step, std::nullopt));
    }
    summary_.diagnostics.push_back(error.diagnostic());
  }

  // --- finish ---

  /// Tables that nobody makes any more keep their rows, and are told of by the plan only until this run.
  void ForgetWhatIsGone() {
    if (!IsOfEverything(options_)) return;
    const auto gone = TablesGone(project_, plan_, ReadRecipes(workspace_.store()));
    if (!gone.empty()) workspace_.store()->ForgetRecipes(gone);
  }

  std::vector<state::Lease> LeasesOf(const std::set<std::string>& names) const {
    std::vector<state::Lease> leases;
    for (const state::Lease& lease : leases_)
      if (names.contains(lease.name)) leases.push_back(lease);
    return leases;
  }

  state::Step Record(state::Step step, const std::optional<Diagnostic>& fault) {
    if (fault) summary_.diagnostics.push_back(*fault);
    if (step.step == "extract") {
      summary_.rows_read += step.rows_read;
      summary_.rows_written += step.rows_written;
      summary_.rows_repeated += step.rows_repeated;
      summary_.rows_rejected += step.rows_rejected;
      summary_.rows_deleted += step.rows_deleted;
    }
    if (step.step == "extract" && step.status != "failed") data_to_[step.table] = step.data_to;
    summary_.steps.push_back(step);
    return step;
  }

  RunSummary Finish() {
    progress_.reset();
    TakeCounts();
    summary_.run.status = cancelled_ ? "cancelled" : broken_ ? "failed" : Verdict();
    summary_.run.ended = SystemClock().Now();
    workspace_.store()->FinishRun(run_.number, summary_.run.status, unrecorded_, leases_);
    FailPoint("pipeline.run.after_finish");
    TrimHistory(project_, *workspace_.store(), *summary_.run.ended);
    return std::move(summary_);
  }

  void TakeCounts() {
    const TableCounts counts = CountTables(summary_.steps);
    summary_.tables_done = counts.done;
    summary_.tables_failed = counts.failed;
    summary_.tables_skipped = counts.skipped;
    const bool worked = std::any_of(summary_.steps.begin(), summary_.steps.end(), [](const state::Step& step) {
      // That the warehouse needed nothing is no work.
      const bool is_idle_load = step.step == "load" && step.status == "unchanged";
      return step.status != "failed" && step.status != "skipped" && !is_idle_load;
    });
    summary_.connection_lost_everywhere = unreachable_ > 0 && !worked;
  }

  /// A run that cannot prove its counts is not green.
  std::string Verdict() const {
    const bool reconciled =
        summary_.rows_read == summary_.rows_written + summary_.rows_repeated + summary_.rows_rejected;
    if (summary_.tables_failed == 0 && summary_.tables_skipped == 0 && !HasErrors(summary_.diagnostics))
      return reconciled ? "succeeded" : "failed";
    return summary_.tables_done == 0 ? "failed" : "partial";
  }

  const config::Project& project_;
  const RunOptions& options_;
  RunObserver& observer_;
  const CancelFlag& cancel_;
  Workspace workspace_;
  LoadGuard load_guard_;
  models::Macros macros_;
  Plan plan_;
  state::Run run_;
  std::vector<state::Lease> leases_;
  std::unique_ptr<Progress> progress_;
  std::map<std::string, std::string> positions_;  ///< of streams, as stored before the read
  std::set<std::string> failed_models_;
  std::set<std::string> failed_inputs_;                      ///< streams without good rows in this run, by name
  std::map<std::string, std::optional<Timestamp>> newest_;   ///< of streams with `loaded_at_field`
  std::map<std::string, std::optional<Timestamp>> data_to_;  ///< of tables, as published
  std::vector<state::Step> unrecorded_;                      ///< steps that no commit holds
  RunSummary summary_;
  int unreachable_ = 0;  ///< connections that did not answer or let us in
  bool cancelled_ = false;
  bool broken_ = false;
};

}  // namespace

RunSummary Run(const config::Project& project, const RunOptions& options, RunObserver& observer,
               const CancelFlag& cancel) {
  return Runner(project, options, observer, cancel).Run();
}

}  // namespace leat::pipeline
