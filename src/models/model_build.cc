#include "models/model_build.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/ids.h"
#include "core/text.h"
#include "engine/compaction.h"
#include "models/query_fault.h"

namespace leat::models {
namespace {

std::optional<lake::Table> FindTable(const std::map<state::TableName, lake::Table>& tables,
                                     const state::TableName& name) {
  const auto found = tables.find(name);
  return found == tables.end() ? std::nullopt : std::optional(found->second);
}

std::string SummaryOf(const std::optional<lake::Table>& table, const std::string& key) {
  return table ? table->SummaryText(key) : "";
}

/// Of a snapshot, or of the state database if that was lost and rebuilt.
std::string LastFingerprint(const Builder::Options& options, const std::string& model,
                            const std::optional<lake::Table>& base) {
  const auto found = options.fingerprints.find(model);
  return found != options.fingerprints.end() ? found->second : SummaryOf(base, "leat.fingerprint");
}

bool IsStream(const config::Project& project, const std::string& table) {
  return project.FindSource(engine::ParseName(table).first) != nullptr;
}

}  // namespace

std::vector<lake::DataFile> WrittenFiles::Add(std::vector<lake::DataFile> files) {
  for (const lake::DataFile& file : files) paths_.push_back(file.path);
  return files;
}

void WrittenFiles::Remove(const std::vector<lake::DataFile>& files) {
  for (const lake::DataFile& file : files) {
    Remove(std::vector<std::string>{file.path});
    std::erase(paths_, file.path);
  }
}

void WrittenFiles::Remove(const std::vector<std::string>& paths) const noexcept {
  for (const std::string& path : paths) storage_.RemoveQuietly(storage_.NameOf(path));
}

ModelBuild::ModelBuild(BuildContext& context, const Node& node)
    : context_(context),
      node_(node),
      model_(*node.model),
      connection_(context.engine.connection()),
      name_(model_.name_space, model_.table),
      location_(fmt::format("processed/{}/{}", model_.name_space, model_.table)),
      base_(FindTable(context.options.committed, name_)),
      rejects_base_(FindTable(context.options.committed, {model_.name_space, model_.table + "__rejects"})),
      last_(Fingerprint::Parse(LastFingerprint(context.options, model_.name, base_))),
      written_(context.engine.storage()) {
  candidate_.model = &model_;
  if (!node.reads.parameters.empty()) parameters_.push_back({"run_time", context.options.run_time});
}

void ModelBuild::Run() {
  try {
    now_ = FingerprintOf(context_.engine, context_.macros, context_.graph, node_, context_.options.run_time);
    candidate_.fingerprint = now_.ToString();
    if (RowsStand())
      KeepRows();
    else
      Build();
  } catch (const duck::QueryError& error) {
    Fail(Explain(error));
  } catch (const Error& error) {
    Fail(error);
  }
}

void ModelBuild::Build() {
  Prepare();
  EvolveSchema();
  candidate_.outcome = Candidate::Outcome::kBuilt;
  switch (model_.kind) {
    case config::ModelKind::kTable:
      WriteTable();
      break;
    case config::ModelKind::kHistory:
      WriteHistory();
      break;
    case config::ModelKind::kDimDate:
      WriteDimDate();
      break;
    case config::ModelKind::kPeriod:
      WritePeriods();
      break;
    case config::ModelKind::kIncremental:
      WriteIncrement();
      break;
    case config::ModelKind::kScd2:
      WriteIntervals();
      break;
  }
  Finish();
  Judge();
  lost_keys_ = candidate_.ok() && (lost_keys_ || LostKeys());
}

/// The rows are those that are published; what they are judged by may be new.
void ModelBuild::KeepRows() {
  rows_stand_ = true;
  const bool is_unchanged = last_.ToString() == now_.ToString();
  candidate_.outcome = is_unchanged ? Candidate::Outcome::kUnchanged : Candidate::Outcome::kSame;
  candidate_.rows_total = base_->record_count();
  if (WasJudged()) return;
  Prepare();
  Judge();
}

/// A place counts only if the statement that broke was the model's text; for others, its text is run alone until it
/// breaks.
Error ModelBuild::Explain(const duck::QueryError& error) {
  if (!runs_own_text_ && model_.kind != config::ModelKind::kDimDate) {
    try {
      const auto result = connection_.Stream(SelectIn(model_.text), parameters_);
      while (result->Next()) {
      }
    } catch (const duck::QueryError& same) {
      return ExplainFault(context_.engine, same, model_.file, model_.text);
    }
  }
  duck::Fault fault = error.fault();
  if (!runs_own_text_) fault.position.reset();
  return ExplainFault(context_.engine, duck::QueryError(fault), model_.file, model_.text);
}

bool ModelBuild::RowsStand() const {
  if (!base_ || context_.options.full_refresh) return false;
  if (last_.definition != now_.definition || last_.inputs != now_.inputs) return false;
  // Rules that set rows aside are part of what makes the rows.
  return !SetsRowsAside() || (last_.rules == now_.rules && last_.references == now_.references);
}

bool ModelBuild::SetsRowsAside() const {
  const auto rejects = [](const config::CheckRule& rule) { return rule.severity == config::CheckSeverity::kReject; };
  return HasRejects() || std::any_of(model_.checks.begin(), model_.checks.end(), rejects);
}

/// Whether the published rows were found good, and nothing that happened since can have made them bad: what they refer
/// to is as it was then, but for keys that came in this run.
bool ModelBuild::WasJudged() const {
  const auto before = context_.references_before.find(model_.name);
  return last_.rules == now_.rules && before != context_.references_before.end() &&
         last_.references == before->second && !context_.fully_checked.contains(model_.name);
}

void ModelBuild::Prepare() {
  RequireTables();
  context_.engine.Bind(node_.reads.TableNames());
  context_.macros.Make(connection_, node_.reads.macros);
  output_ = OutputOf(context_.engine, model_);
  std::vector<Diagnostic> faults = CheckHeadColumns(model_, output_);
  rules_ = RulesOf(
      connection_, model_, output_, [this](const std::string& table) { return FindTarget(table); },
      engine::SqlName(name_), faults);
  if (faults.empty()) return;
  const Diagnostic first = faults.front();
  candidate_.diagnostics.assign(faults.begin() + 1, faults.end());
  throw Error(kConfig, first);
}

void ModelBuild::RequireTables() const {
  std::vector<std::string> needed = node_.reads.TableNames();
  for (const std::string& table : node_.references)
    if (!context_.dates_to_come.contains(table)) needed.push_back(table);
  for (const std::string& table : needed) {
    if (context_.engine.Knows(table)) continue;
    const std::string what = IsStream(context_.project, table) ? "was never loaded" : "was never built";
    throw Error(kConfig, "LEAT0219", model_.head_place.known() ? model_.head_place : Place{.file = model_.file},
                fmt::format("{} needs {}, which {}", model_.name, table, what))
        .Hint(fmt::format("leat run +{}", model_.name));
  }
}

std::optional<ReferenceTarget> ModelBuild::FindTarget(const std::string& table) {
  if (table != model_.name) return TargetOf(context_.engine, context_.project, table);
  ReferenceTarget target{.key = KeyOf(model_), .key_type = {}};
  for (const duck::Column& column : output_.columns)
    if (!target.key.empty() && column.name == target.key[0]) target.key_type = column.type;
  return target;
}

void ModelBuild::EvolveSchema() {
  if (!base_) {
    schema_ = output_.schema;
    schema_changed_ = true;
    return;
  }
  const lake::Schema current = WithoutChangedTypes(base_->schema(), output_.schema);
  lake::Evolution evolution = lake::Evolve(current, output_.schema, base_->last_column_id());
  schema_changed_ = evolution.changed || current != base_->schema();
  schema_ = std::move(evolution.schema);
  if (schema_changed_) schema_.id = base_->schema().id + 1;
}

/// A column whose type changed in a way that Iceberg forbids is a new column, which a full refresh fills; without one
/// it is an error at the place that makes it.
lake::Schema ModelBuild::WithoutChangedTypes(const lake::Schema& current, const lake::Schema& wanted) {
  lake::Schema kept = current;
  kept.fields.clear();
  for (const lake::Field& field : current.fields) {
    const std::optional<Diagnostic> refusal = RefuseType(context_.engine, model_, field, wanted);
    if (!refusal)
      kept.fields.push_back(field);
    else if (!context_.options.full_refresh)
      throw Error(kConfig, *refusal);
  }
  return kept;
}

std::vector<std::string> ModelBuild::CastColumns() const {
  std::vector<std::string> columns;
  for (const duck::Column& column : output_.columns)
    if (model_.kind != config::ModelKind::kScd2 || !IsIntervalColumn(column.name))
      columns.push_back(fmt::format("CAST({0} AS {1}) AS {0}", QuoteIdentifier(column.name),
                                    lake::DuckType(schema_.Find(column.name)->type)));
  return columns;
}

std::vector<lake::DataFile> ModelBuild::Write(const std::string& select) {
  return written_.Add(context_.writer.WriteRows(connection_, location_, schema_, select, parameters_));
}

std::string ModelBuild::RowsSql(const std::vector<lake::DataFile>& files) const {
  return lake::ReadFilesSql(context_.engine.storage(), schema_, files);
}

CheckRun ModelBuild::Checks() const {
  const auto tables = node_.reads.TableNames();
  return CheckRun(connection_, model_, KeyOf(model_), tables.empty() ? "" : tables.front(), parameters_);
}

void ModelBuild::PutIntoEngine(const std::vector<lake::DataFile>& files) {
  engine::Relation relation;
  relation.schema = schema_;
  relation.files = files;
  relation.key = KeyOf(model_);
  relation.version = "candidate " + NewUuid();
  context_.engine.Put(name_, std::move(relation));
}

void ModelBuild::Restore() {
  engine::Relation relation;
  if (base_) relation = engine::Relation::Of(*base_);
  if (!base_) relation.schema = schema_;
  context_.engine.Put(name_, std::move(relation));
}

bool ModelBuild::EqualsBase() const {
  if (!base_ || schema_changed_ || !base_->snapshot()) return false;
  const auto digest = DigestIn(base_->snapshot()->summary);
  return digest && *digest == digest_ && HasFilesOfBase();
}

/// Files that somebody removed are missing for good if the new rows, which are at hand, give way to them.
bool ModelBuild::HasFilesOfBase() const {
  const std::vector<std::string> names = context_.engine.storage().List(location_ + "/data");
  const std::set<std::string> present(names.begin(), names.end());
  const auto is_present = [&](const lake::DataFile& file) {
    return present.contains(context_.engine.storage().NameOf(file.path));
  };
  return std::all_of(base_->files().begin(), base_->files().end(), is_present);
}

/// Decide whether there is anything to publish, and let the engine read the result.
void ModelBuild::Finish() {
  const bool is_part = !replace_all_;
  candidate_.rows_total = digest_.rows;
  if (is_part ? added_.empty() && removed_.empty() && !schema_changed_ : EqualsBase()) {
    candidate_.outcome = Candidate::Outcome::kSame;
    candidate_.rows_total = base_->record_count();
    written_.Remove(added_);
    added_.clear();
    removed_.clear();
    schema_ = base_->schema();
    Restore();
    KeepProperties();
    return;
  }
  candidate_.rows_written += lake::CountRows(added_);
  PendingTable pending{.name = name_, .base = base_, .location = location_};
  pending.change.schema = schema_;
  pending.change.added = added_;
  pending.change.added.insert(pending.change.added.end(), rewritten_.begin(), rewritten_.end());
  pending.change.replace_all = replace_all_;
  for (const lake::DataFile& file : removed_) pending.change.removed.push_back(file.path);
  pending.change.properties = Properties();
  pending.change.summary = {{"leat.rows", std::to_string(digest_.rows)},
                            {"leat.hash", digest_.HashText()},
                            {"leat.fingerprint", candidate_.fingerprint},
                            {"leat.run", std::to_string(context_.options.run)}};
  if (model_.kind == config::ModelKind::kHistory) SetGeneration(pending.change);
  if (last_seq_) pending.change.summary["leat.last_seq"] = std::to_string(*last_seq_);
  if (!build_mark_.empty()) pending.change.summary["leat.read_to"] = build_mark_;
  // Each period has a file of its own.
  if (model_.kind != config::ModelKind::kPeriod) KeepInOrder(pending);
  PutIntoEngine(engine::Relation::Of(pending).files);
  candidate_.pending = std::move(pending);
}

std::map<std::string, std::string> ModelBuild::Properties() const {
  std::map<std::string, std::string> properties = {
      {"leat.kind", "model"}, {"leat.key", nlohmann::json(KeyOf(model_)).dump()}, {"leat.definition", now_.definition}};
  properties.insert(properties_.begin(), properties_.end());
  return properties;
}

/// The rows are those that are published, but what they were made from moved on: remember that without a snapshot.
void ModelBuild::KeepProperties() {
  const auto is_new = [&](const auto& property) { return base_->Property(property.first) != property.second; };
  if (properties_.empty() || std::ranges::none_of(Properties(), is_new)) return;
  PendingTable pending{.name = name_, .base = base_, .location = location_};
  pending.change.schema = schema_;
  pending.change.properties = Properties();
  candidate_.pending = std::move(pending);
}

/// A table that is only ever added to would consist of thousands of files one day.
void ModelBuild::KeepInOrder(lake::PendingTable& pending) {
  const auto first_merged = static_cast<std::ptrdiff_t>(pending.change.added.size());
  engine::Compact(context_.engine, connection_, context_.writer, pending);
  written_.Add({pending.change.added.begin() + first_merged, pending.change.added.end()});
}

/// Each renumbering begins a generation: its record ids mean other rows, so the warehouse replaces the table.
void ModelBuild::SetGeneration(lake::TableChange& change) const {
  const int64_t before = base_ ? std::stoll(base_->Property("leat.generation").value_or("1")) : 1;
  const std::string generation = std::to_string(before + (base_ && replace_all_ ? 1 : 0));
  change.properties["leat.generation"] = generation;
  change.summary["leat.generation"] = generation;
}

std::vector<const RowRule*> ModelBuild::RulesOfSeverity(bool reject) const {
  std::vector<const RowRule*> rules;
  for (const RowRule& rule : rules_.rows) {
    const bool is_reject = rule.severity == config::CheckSeverity::kReject;
    if (is_reject == reject && !context_.dates_to_come.contains(rule.references)) rules.push_back(&rule);
  }
  return rules;
}

bool ModelBuild::waits() const {
  const auto waits = [&](const RowRule& rule) { return context_.dates_to_come.contains(rule.references); };
  return candidate_.ok() && std::any_of(rules_.rows.begin(), rules_.rows.end(), waits);
}

void ModelBuild::BindReferences(const std::vector<const RowRule*>& rules) {
  std::vector<std::string> tables;
  for (const RowRule* rule : rules)
    if (!rule->references.empty()) tables.push_back(rule->references);
  context_.engine.Bind(tables);
}

/// A row that is published was judged when it came; so only new ones are, unless the rules changed.
bool ModelBuild::JudgesOnlyNew() const { return !replace_all_ && WasJudged(); }

void ModelBuild::Judge() {
  const std::string all = context_.engine.AllRowsSql(*context_.engine.Find(name_));
  const JudgedRows rows{.scope = JudgesOnlyNew() ? RowsSql(added_) : all, .all = all};
  const std::vector<const RowRule*> rules = RulesOfSeverity(/*reject=*/false);
  BindReferences(rules);
  CheckRun checks = Checks();
  std::vector<CheckOutcome> outcomes = checks.JudgeRows(rules, rows.scope);
  for (const UniqueRule& rule : rules_.unique) outcomes.push_back(checks.JudgeUnique(rule, rows));
  for (const CountRule& rule : rules_.counts) outcomes.push_back(checks.JudgeCount(rule, rows.all));
  Record(std::move(outcomes));
}

void ModelBuild::JudgePublished() {
  rows_stand_ = true;
  candidate_.outcome = Candidate::Outcome::kSame;
  try {
    Prepare();
    std::vector<RowRule> rejecting;
    for (const RowRule* rule : RulesOfSeverity(/*reject=*/true)) {
      rejecting.push_back(*rule);
      rejecting.back().severity = config::CheckSeverity::kWarn;  // it says what is so, and sets nothing aside
    }
    std::vector<const RowRule*> rules;
    for (const RowRule& rule : rejecting) rules.push_back(&rule);
    BindReferences(rules);
    std::vector<CheckOutcome> outcomes =
        Checks().JudgeRows(rules, context_.engine.AllRowsSql(*context_.engine.Find(name_)));
    for (CheckOutcome& outcome : outcomes) outcome.severity = config::CheckSeverity::kReject;
    Record(std::move(outcomes));
    Judge();
  } catch (const duck::QueryError& error) {
    Fail(Explain(error));
  } catch (const Error& error) {
    Fail(error);
  }
}

void ModelBuild::JudgeWaiting(const std::string& calendar) {
  std::vector<RowRule> waiting;
  for (const RowRule& rule : rules_.rows) {
    if (rule.references != calendar) continue;
    waiting.push_back(rule);
    // Too late to set a row aside: models below have read it. A calendar that grows with its dates refuses none.
    if (rule.severity == config::CheckSeverity::kReject) waiting.back().severity = config::CheckSeverity::kError;
  }
  std::vector<const RowRule*> rules;
  for (const RowRule& rule : waiting) rules.push_back(&rule);
  try {
    BindReferences(rules);
    Record(Checks().JudgeRows(
        rules, JudgesOnlyNew() ? RowsSql(added_) : context_.engine.AllRowsSql(*context_.engine.Find(name_))));
    if (candidate_.ok()) TakeVersionOfCalendar();
  } catch (const Error& error) {
    Fail(error);
  }
}

void ModelBuild::TakeVersionOfCalendar() {
  now_.references = ReferencesOf(context_.engine, node_);
  candidate_.fingerprint = now_.ToString();
  if (candidate_.pending) candidate_.pending->change.summary["leat.fingerprint"] = candidate_.fingerprint;
  const bool is_new = candidate_.outcome == Candidate::Outcome::kUnchanged && last_.ToString() != now_.ToString();
  if (is_new) candidate_.outcome = Candidate::Outcome::kSame;
}

void ModelBuild::Record(std::vector<CheckOutcome> outcomes) {
  bool failed = false;
  for (CheckOutcome& outcome : outcomes) {
    if (outcome.diagnostic) candidate_.diagnostics.push_back(*outcome.diagnostic);
    failed = failed || (outcome.diagnostic && outcome.severity == config::CheckSeverity::kError);
    candidate_.checks.push_back(std::move(outcome));
  }
  if (!failed) return;
  candidate_.outcome = Candidate::Outcome::kFailed;
  Drop("");
}

void ModelBuild::Fail(const Error& error) {
  candidate_.outcome = Candidate::Outcome::kFailed;
  candidate_.diagnostics.insert(candidate_.diagnostics.begin(), error.diagnostic());
  Drop("");
}

void ModelBuild::Drop(const std::string& because) {
  if (!because.empty()) candidate_.outcome = Candidate::Outcome::kSkipped;
  candidate_.because = because;
  candidate_.pending.reset();
  candidate_.rejects.reset();
  candidate_.fingerprint.clear();
  // Else the next run would find nothing changed, and be green.
  const bool is_red = because.empty() && rows_stand_;
  if (is_red)
    candidate_.fingerprint = Fingerprint{last_.definition, last_.rules, kFailedReferences, last_.inputs}.ToString();
  candidate_.rows_written = candidate_.rows_rejected = 0;
  candidate_.rows_total = base_ ? base_->record_count() : 0;
  written_.RemoveAll();
  const bool engine_reads_it = context_.engine.Find(name_) != nullptr;
  if (engine_reads_it) Restore();
}

void ModelBuild::FailCheck(const std::string& because, const Diagnostic& fault) {
  Drop(because);
  candidate_.outcome = Candidate::Outcome::kFailed;
  candidate_.diagnostics.push_back(fault);
}

Candidate ModelBuild::Take() {
  written_.Keep();
  return std::move(candidate_);
}

bool ModelBuild::LostKeys() {
  const std::vector<std::string> key = KeyOf(model_);
  if (!candidate_.pending || !base_ || key.empty() || (!replace_all_ && removed_.empty())) return false;
  // A full refresh must not need the old files, and a history that is made anew is rare.
  if (context_.options.full_refresh || model_.kind == config::ModelKind::kHistory) return true;
  for (const std::string& column : key)
    if (base_->schema().Find(column) == nullptr) return true;
  try {
    const std::vector<lake::DataFile>& left = replace_all_ ? base_->files() : removed_;
    return connection_.QueryInt64(fmt::format("SELECT count(*) FROM {} b ANTI JOIN {} c USING ({})",
                                              lake::ReadFilesSql(context_.engine.storage(), base_->schema(), left),
                                              context_.engine.AllRowsSql(*context_.engine.Find(name_)),
                                              QuoteList(key))) > 0;
  } catch (const duck::QueryError&) {
    return true;  // old files that cannot be read cannot tell; the new rows do not need them
  }
}

}  // namespace leat::models
