#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/hash.h"
#include "core/text.h"
#include "duck/row_hash.h"
#include "models/model_build.h"
#include "models/periods.h"
#include "models/utc_bounds.h"
#include "models/version_moments.h"

namespace leat::models {
namespace {

/// So many rows are evaluated before they are compared and written.
constexpr int64_t kRowsAtOnce = 1'000'000;
/// Inputs of more periods than this are read from copies.
constexpr size_t kPeriodsFromFilesMax = 2;
/// What was read is not believed to be older; who knows better says `from:`.
constexpr std::chrono::years kYearsOfMonthsMax{200}, kYearsOfDaysMax{30};

constexpr const char* kFirstProperty = "leat.period_first";
constexpr const char* kUntilProperty = "leat.period_until";
constexpr const char* kInputsProperty = "leat.period_inputs";

constexpr std::string_view kRows = "leat_period_rows";
constexpr std::string_view kGoodRows = "leat_period_good_rows";
constexpr std::string_view kDue = "leat_periods_due";

/// Lets names read copies of their rows until it goes.
class HeldRows {
 public:
  explicit HeldRows(engine::Engine& engine) : engine_(engine) {}
  HeldRows(const HeldRows&) = delete;
  HeldRows& operator=(const HeldRows&) = delete;
  ~HeldRows() {
    try {
      engine_.ReleaseRows();
    } catch (...) {
      // Who stops the run needs no views, and a seed that vanished shows at the next statement that reads it.
    }
  }
  void Hold(const std::vector<std::string>& names) { engine_.HoldRows(names); }

 private:
  engine::Engine& engine_;
};

}  // namespace

/// What a period model was last built from and to, as its table's properties say.
struct ModelBuild::PeriodsBuilt {
  std::optional<std::chrono::sys_days> first;  ///< of the first period
  std::optional<Timestamp> until;              ///< the end of the last one; nothing: none had ended
  nlohmann::json inputs;                       ///< name -> {version, snapshot}

  static PeriodsBuilt Of(const std::optional<lake::Table>& table) {
    PeriodsBuilt built;
    if (!table) return built;
    if (const auto first = table->Property(kFirstProperty)) built.first = ParseDay(*first);
    if (const auto until = table->Property(kUntilProperty)) built.until = ParseTimestamp(*until);
    built.inputs = nlohmann::json::parse(table->Property(kInputsProperty).value_or("{}"));
    return built;
  }

  bool Holds(const Period& period) const {
    return first && until && period.first_day >= *first && period.end <= *until;
  }
};

/// Evaluates the periods that may have other rows than are published, and writes those that do.
class ModelBuild::PeriodBuild {
 public:
  explicit PeriodBuild(ModelBuild& build)
      : b_(build),
        engine_(build.context_.engine),
        select_(WithUtcBounds(SelectIn(build.model_.text))),
        built_(PeriodsBuilt::Of(build.base_)),
        unit_(*TimeUnitOf(build.output_.Find(build.model_.time.value)->type)),
        time_("r." + QuoteIdentifier(ToLower(build.model_.time.value))),
        time_type_(lake::DuckType(build.schema_.Find(ToLower(build.model_.time.value))->type)) {}

  void Run() {
    FindPeriods();
    TakeFilesOfBase();
    b_.replace_all_ = !IsBuiltOn();
    FindDue();
    Evaluate();
    b_.digest_ = Digest();
    RequireKey();
    NoteBuilt();
  }

 private:
  /// A period to be evaluated.
  struct Due {
    size_t index;  ///< in periods_
    TableDigest digest;
  };

  // --- which periods ---

  void FindPeriods() {
    first_ = FirstDay();
    // A clock that went back does not undo a period.
    const Timestamp now =
        std::max(b_.context_.options.run_time, IsDefinedAsBuilt() ? built_.until.value_or(Timestamp()) : Timestamp());
    if (first_) periods_ = EndedPeriods(b_.connection_, engine_.project(), b_.model_, *first_, now);
  }

  bool IsDefinedAsBuilt() const { return b_.base_ && b_.base_->Property("leat.definition") == b_.now_.definition; }

  /// The first period never moves on: what is no longer known of an early one does not undo it.
  std::optional<std::chrono::sys_days> FirstDay() {
    if (b_.model_.periods_from) return ParseDay(b_.model_.periods_from->value);
    std::set<std::string> seen;
    const bool has_origin = AddEarliest(b_.node_, seen);
    if (!has_origin)
      throw Error(kConfig, "LEAT0244", b_.model_.head_place,
                  fmt::format("{} reads no stream and no period model, so nothing says which its first period is",
                              b_.model_.name))
          .Hint("say it in the head:  from: <yyyy-mm-dd>");
    std::optional<std::chrono::sys_days> first;
    if (earliest_) first = DayAt(b_.connection_, engine_.project(), *earliest_);
    if (first) RequireCredible(*first);
    if (IsDefinedAsBuilt() && built_.first && (!first || *built_.first < *first)) first = built_.first;
    return first;
  }

  /// A stamp such as 0001-01-01 is no beginning: the SELECT would run for each of the periods since.
  void RequireCredible(std::chrono::sys_days first) const {
    const bool is_month = b_.model_.period == config::PeriodLength::kMonth;
    const auto years = is_month ? kYearsOfMonthsMax : kYearsOfDaysMax;
    if (b_.context_.options.run_time - first <= years) return;
    throw Error(kConfig, "LEAT0245", b_.model_.head_place,
                fmt::format("{} would begin on {}, since {} has a row of {}; expected at most {} years of {}s",
                            b_.model_.name, FormatDay(first), earliest_in_, FormatTimestamp(*earliest_), years.count(),
                            config::PeriodName(b_.model_.period)))
        .Hint("say in the head where it begins:  from: <yyyy-mm-dd>");
  }

  /// Find the earliest moment of what a model reads, through the tables between. Returns whether there is anything
  /// that could have one.
  bool AddEarliest(const Node& node, std::set<std::string>& seen) {
    bool has_origin = false;
    for (const std::string& name : node.reads.TableNames()) {
      const std::string table = engine::ProducerOf(name);
      if (!seen.insert(table).second) continue;
      if (engine_.project().FindSource(engine::ParseName(table).first) != nullptr) {
        has_origin = true;
        Earlier(table, EarliestVersion(engine_, table));
      } else if (const Node* other = b_.context_.graph.Find(table)) {
        const bool is_period = other->model->kind == config::ModelKind::kPeriod;
        if (is_period) Earlier(table, EarliestTimeOf(*other->model));
        has_origin = (is_period || AddEarliest(*other, seen)) || has_origin;
      }
    }
    return has_origin;
  }

  void Earlier(const std::string& table, const std::optional<Timestamp>& moment) {
    if (!moment || (earliest_ && *earliest_ <= *moment)) return;
    earliest_ = moment;
    earliest_in_ = table;
  }

  std::optional<Timestamp> EarliestTimeOf(const config::Model& model) {
    const engine::Relation* relation = engine_.Find({model.name_space, model.table});
    if (relation == nullptr) return std::nullopt;
    const std::string time = QuoteIdentifier(ToLower(model.time.value));
    const lake::Field* field = relation->schema.Find(ToLower(model.time.value));
    if (field == nullptr) return std::nullopt;  // its head names another column since it was built
    const bool is_day = field->type.kind == lake::Type::Kind::kDate;
    const std::string zone = QuoteLiteral(engine_.project().timezone.value);
    const auto result =
        b_.connection_.Query(fmt::format("SELECT min({}) FROM {}",
                                         is_day ? fmt::format("timezone({}, CAST({} AS TIMESTAMP))", zone, time)
                                                : fmt::format("CAST({} AS TIMESTAMPTZ)", time),
                                         engine_.AllRowsSql(*relation)));
    const auto chunk = result->Next();
    if (chunk->IsNull(0, 0)) return std::nullopt;
    return Timestamp(std::chrono::microseconds(chunk->At<int64_t>(0, 0)));
  }

  /// Sort the published files by their period. One that is in none, or in two, is not of this program's making.
  void TakeFilesOfBase() {
    files_.resize(periods_.size());
    if (!b_.base_) return;
    const lake::Field* field = b_.base_->schema().Find(ToLower(b_.model_.time.value));
    for (const lake::DataFile& file : b_.base_->files()) {
      const auto bounds = field == nullptr ? std::nullopt : file.Int64Bounds(field->id);
      const auto first = bounds ? FindPeriod(periods_, unit_, bounds->first) : std::nullopt;
      if (!first || first != FindPeriod(periods_, unit_, bounds->second)) {
        has_stray_files_ = true;
        return;
      }
      files_[*first].push_back(file);
    }
  }

  /// Whether periods can be exchanged one by one, since what is published was built in the same way.
  bool IsBuiltOn() const {
    return IsDefinedAsBuilt() && b_.last_.definition == b_.now_.definition && !b_.context_.options.full_refresh &&
           !b_.schema_changed_ && !has_stray_files_ && b_.base_->snapshot() &&
           DigestIn(b_.base_->snapshot()->summary) && b_.HasFilesOfBase();
  }

  void FindDue() {
    const std::optional<Timestamp> reopened = b_.replace_all_ ? Timestamp::min() : ReopenedFrom();
    for (size_t i = 0; i < periods_.size(); ++i)
      if (!built_.Holds(periods_[i]) || (reopened && periods_[i].end >= *reopened)) due_.push_back({.index = i});
  }

  /// Periods that end at this moment or later may have other rows, because of what changed since the last build;
  /// nothing: none may. Whatever a change cannot be dated by re-opens them all, since rows that come out equal cost a
  /// look and no more.
  std::optional<Timestamp> ReopenedFrom() {
    if (DependsOnMoment(b_.node_.reads) || b_.SetsRowsAside()) return Timestamp::min();
    const PeriodReads how = PeriodReadsOf(b_.connection_, b_.context_.macros, b_.model_, b_.node_.reads);
    std::optional<Timestamp> from;
    for (const std::string& name : b_.node_.reads.TableNames()) {
      const auto known = built_.inputs.find(name);
      if (known != built_.inputs.end() && known->at("version") == VersionOf(name)) continue;
      const std::string stream = engine::ProducerOf(name);
      const lake::Table* table = VersionsOf(stream);
      const bool is_dated = known != built_.inputs.end() && known->contains("snapshot") && table != nullptr &&
                            how.IsSeenAtPeriods(name) && (!ChildrenOf(name) || HaveOnlyCome(*known, *ChildrenOf(name)));
      if (!is_dated) return Timestamp::min();
      const VersionChange change = ChangeSince(engine_, stream, *table, known->at("snapshot"));
      if (!change.is_known) return Timestamp::min();
      if (change.earliest && (!from || *change.earliest < *from)) from = change.earliest;
    }
    return from;
  }

  std::string VersionOf(const std::string& input) const { return HashOfText(InputVersion(engine_, input)); }

  /// The table of a keyed stream's versions; null for anything else.
  const lake::Table* VersionsOf(const std::string& stream) const {
    return CommittedOf(stream, engine::Relation::Kind::kKeyedStream);
  }

  /// The table of all rows of a child, which SQL may name `x__at()` too; null for anything else.
  const lake::Table* ChildrenOf(const std::string& name) const {
    return CommittedOf(engine::CurrentName(name), engine::Relation::Kind::kChild);
  }

  const lake::Table* CommittedOf(const std::string& stream, engine::Relation::Kind kind) const {
    const auto [name_space, name] = engine::ParseName(stream);
    const state::TableName table{name_space, name + std::string(engine::kHistorySuffix)};
    const engine::Relation* relation = engine_.Find(table);
    const auto committed = b_.context_.options.committed.find(table);
    const bool is_it = relation != nullptr && relation->kind == kind;
    return is_it && committed != b_.context_.options.committed.end() ? &committed->second : nullptr;
  }

  /// Rows of a child come with a version of what holds them, which dates them. Files that leave may have held others.
  static bool HaveOnlyCome(const nlohmann::json& known, const lake::Table& children) {
    const auto before = known.contains("children") ? children.FindSnapshot(known.at("children")) : std::nullopt;
    if (!before || !children.snapshot() || before->schema_id != children.snapshot()->schema_id) return false;
    return std::ranges::all_of(children.FilesOf(*before), [&](const lake::DataFile& file) {
      return std::ranges::find(children.files(), file.path, &lake::DataFile::path) != children.files().end();
    });
  }

  // --- their rows ---

  void Evaluate() {
    const std::vector<const RowRule*> rejecting = b_.RulesOfSeverity(/*reject=*/true);
    MakeTables();
    HeldRows held(engine_);
    if (due_.size() > kPeriodsFromFilesMax) held.Hold(NamesToHold());
    size_t begin = 0;
    int64_t rows = 0;
    for (size_t i = 0; i < due_.size(); ++i) {
      rows += AddRows(i);
      // Rows that are set aside become one table, and are counted once.
      const bool is_enough = rejecting.empty() && rows >= kRowsAtOnce;
      if (!is_enough && i + 1 < due_.size()) continue;
      SetAside(rejecting);
      Write(begin, i + 1);
      begin = i + 1;
      rows = 0;
    }
    b_.connection_.Execute(fmt::format("DROP TABLE {}", kRows));
  }

  void MakeTables() {
    b_.connection_.Execute(fmt::format(
        "CREATE OR REPLACE TEMP TABLE {0} (_leat_due INTEGER, _leat_start {1}, _leat_end {1})", kDue, time_type_));
    std::vector<std::string> rows;
    for (size_t i = 0; i < due_.size(); ++i) {
      const Period& period = periods_[due_[i].index];
      rows.push_back(fmt::format("({}, {}, {})", i, BoundSql(period.first_day, period.start),
                                 BoundSql(period.end_day, period.end)));
    }
    if (!rows.empty()) b_.connection_.Execute(fmt::format("INSERT INTO {} VALUES {}", kDue, Join(rows, ", ")));
    ClearRows();
  }

  /// A bound of a period in the type of the time column: compared with it, no row is cast.
  std::string BoundSql(std::chrono::sys_days day, Timestamp moment) const {
    if (unit_ == TimeUnit::kDay) return fmt::format("DATE '{}'", FormatDay(day));
    const char* make = time_type_ == "TIMESTAMP" ? "make_timestamp" : "make_timestamptz";
    return fmt::format("{}({})", make, moment.time_since_epoch().count());
  }

  void ClearRows() {
    std::vector<std::string> columns;
    for (const lake::Field& field : b_.schema_.fields)
      columns.push_back(fmt::format("{} {}", QuoteIdentifier(field.name), lake::DuckType(field.type)));
    b_.connection_.Execute(
        fmt::format("CREATE OR REPLACE TEMP TABLE {} ({}, _leat_due INTEGER)", kRows, Join(columns, ", ")));
  }

  std::vector<std::string> NamesToHold() const {
    std::vector<std::string> names;
    const PeriodReads how = PeriodReadsOf(b_.connection_, b_.context_.macros, b_.model_, b_.node_.reads);
    for (const std::string& name : b_.node_.reads.TableNames())
      if (how.tables.contains(name)) names.push_back(name);
    return names;
  }

  /// Evaluate the SELECT for one period. Returns how many rows it has.
  int64_t AddRows(size_t due) {
    const Period& period = periods_[due_[due].index];
    b_.parameters_ = {{"run_time", b_.context_.options.run_time}};
    for (const auto& bounds : {ParametersOf(period), UtcBoundsOf(period)})
      b_.parameters_.insert(b_.parameters_.end(), bounds.begin(), bounds.end());
    std::vector<std::string> columns;
    for (const lake::Field& field : b_.schema_.fields)
      columns.push_back(fmt::format("CAST({} AS {})", QuoteIdentifier(field.name), lake::DuckType(field.type)));
    try {
      return b_.connection_
          .Query(fmt::format("INSERT INTO {} SELECT {}, {} FROM ({}\n)", kRows, Join(columns, ", "), due, select_),
                 b_.parameters_)
          ->RowsChanged();
    } catch (const duck::QueryError& error) {
      throw b_.Explain(error).Note(fmt::format("in the period {}", period.Name(b_.model_.period)));
    }
  }

  void RequireInside() {
    const auto result = b_.connection_.Query(fmt::format(
        "SELECT p._leat_due, count(*), min(CAST({0} AS VARCHAR)) FROM {1} r JOIN {2} p ON p._leat_due = r._leat_due "
        "WHERE ({0} >= p._leat_start AND {0} < p._leat_end) IS NOT TRUE GROUP BY p._leat_due "
        "ORDER BY p._leat_due LIMIT 1",
        time_, kRows, kDue));
    const auto chunk = result->Next();
    if (!chunk || chunk->size() == 0) return;
    const Period& period = periods_[due_[static_cast<size_t>(chunk->At<int32_t>(0, 0))].index];
    const int64_t count = chunk->At<int64_t>(1, 0);
    const std::string column = ToLower(b_.model_.time.value);
    const std::string& zone = engine_.project().timezone.value;
    throw Error(kConfig, "LEAT0243", PlaceOfOutputColumn(engine_, b_.model_, column),
                fmt::format("{}: {} of period {} {} outside of it, {} {}; expected {}", b_.model_.name,
                            count == 1 ? "a row" : GroupDigits(count) + " rows", period.Name(b_.model_.period),
                            count == 1 ? "lies" : "lie", count == 1 ? column : "such as one of " + column,
                            chunk->IsNull(2, 0) ? "NULL" : chunk->Text(2, 0), Expected(period)))
        .Label("not in its period")
        .Hint("select the rows of the period alone, from $period_start on and before $period_end")
        .Hint(fmt::format("a DATE is a day in {0}: cast by  CAST(x AT TIME ZONE '{0}' AS DATE)", zone));
  }

  std::string Expected(const Period& period) const {
    if (unit_ == TimeUnit::kDay)
      return fmt::format("{} or later and before {}", FormatDay(period.first_day), FormatDay(period.end_day));
    return fmt::format("{} or later and before {}", FormatTimestamp(period.start), FormatTimestamp(period.end));
  }

  /// What was set aside before is of all periods, as is what is now: where there is any, all are due.
  void SetAside(const std::vector<const RowRule*>& rules) {
    const bool replaces = std::exchange(b_.replace_all_, true);
    int64_t failing = 0;
    if (!rules.empty()) {
      b_.BindReferences(rules);
      std::vector<CheckOutcome> outcomes = b_.Checks().JudgeRows(rules, std::string(kRows));
      for (const CheckOutcome& outcome : outcomes) failing += outcome.failing_rows;
      b_.Record(std::move(outcomes));
    }
    if (failing > 0) {
      b_.WriteRejects(rules, std::string(kRows));
      b_.connection_.Execute(fmt::format("CREATE OR REPLACE TEMP TABLE {} AS SELECT * FROM {} r WHERE NOT {}",
                                         kGoodRows, kRows, AnyBroken(rules)));
      b_.connection_.Execute(fmt::format("DROP TABLE {0}; ALTER TABLE {1} RENAME TO {0}", kRows, kGoodRows));
    } else {
      b_.ClearRejects();
    }
    b_.replace_all_ = replaces;
  }

  // --- their files ---

  /// Write the periods of due_[begin, end) whose rows are not those that are published, and forget the rows.
  void Write(size_t begin, size_t end) {
    RequireInside();
    for (const auto& [due, digest] : DigestsOf(std::string(kRows))) due_[due].digest = digest;
    const std::map<size_t, TableDigest> before =
        b_.replace_all_ ? std::map<size_t, TableDigest>() : DigestsBefore(begin, end);
    for (size_t i = begin; i < end; ++i) {
      const std::vector<lake::DataFile>& files = files_[due_[i].index];
      const auto known = before.find(i);
      const bool is_equal = known == before.end() ? files.empty() && due_[i].digest.rows == 0 && !b_.replace_all_
                                                  : known->second == due_[i].digest;
      if (is_equal) continue;
      if (known != before.end()) removed_digest_ = removed_digest_ + known->second;
      if (!b_.replace_all_) b_.removed_.insert(b_.removed_.end(), files.begin(), files.end());
      added_digest_ = added_digest_ + due_[i].digest;
      if (due_[i].digest.rows > 0)
        for (lake::DataFile& file :
             b_.Write(fmt::format("SELECT {} FROM {} WHERE _leat_due = {}", QuoteList(b_.schema_.Names()), kRows, i)))
          b_.added_.push_back(std::move(file));
    }
    ClearRows();
  }

  /// Digests of the rows of each of due_, by their place there. `rows` have a column `_leat_due`.
  std::map<size_t, TableDigest> DigestsOf(const std::string& rows) {
    std::vector<duck::HashedColumn> columns;
    for (const lake::Field& field : b_.schema_.fields) columns.emplace_back(field.id, QuoteIdentifier(field.name));
    const auto result =
        b_.connection_.Query(fmt::format("SELECT _leat_due, count(*), sum(leat_hash_low(_leat_hash))::VARCHAR, "
                                         "sum(leat_hash_high(_leat_hash))::VARCHAR "
                                         "FROM (SELECT _leat_due, {} AS _leat_hash FROM {}) GROUP BY _leat_due",
                                         duck::RowHashSql(columns), rows));
    std::map<size_t, TableDigest> digests;
    while (const auto chunk = result->Next())
      for (idx_t row = 0; row < chunk->size(); ++row)
        digests[static_cast<size_t>(chunk->At<int32_t>(0, row))] = {
            chunk->At<int64_t>(1, row), std::string(chunk->Text(2, row)), std::string(chunk->Text(3, row))};
    return digests;
  }

  /// The same of what is published.
  std::map<size_t, TableDigest> DigestsBefore(size_t begin, size_t end) {
    std::vector<lake::DataFile> files;
    for (size_t i = begin; i < end; ++i)
      files.insert(files.end(), files_[due_[i].index].begin(), files_[due_[i].index].end());
    if (files.empty()) return {};
    return DigestsOf(fmt::format("(SELECT r.*, p._leat_due FROM {} r ASOF JOIN {} p ON {} >= p._leat_start)",
                                 b_.RowsSql(files), kDue, time_));
  }

  TableDigest Digest() const {
    if (b_.replace_all_) return added_digest_;
    return *DigestIn(b_.base_->snapshot()->summary) - removed_digest_ + added_digest_;
  }

  // --- the whole ---

  std::string RowsToBe() const {
    if (b_.replace_all_) return b_.RowsSql(b_.added_);
    std::vector<lake::DataFile> files = b_.base_->files();
    std::erase_if(files, [&](const lake::DataFile& file) {
      return std::ranges::find(b_.removed_, file.path, &lake::DataFile::path) != b_.removed_.end();
    });
    files.insert(files.end(), b_.added_.begin(), b_.added_.end());
    return b_.RowsSql(files);
  }

  /// A key is one of the whole table, so new rows are looked up among all.
  void RequireKey() {
    if (b_.model_.key.empty() || b_.added_.empty()) return;
    const std::string added = b_.RowsSql(b_.added_);
    b_.Checks().RequireKey(added);
    if (!b_.replace_all_)
      b_.Checks().RequireKey(fmt::format("(SELECT * FROM {} t SEMI JOIN {} a USING ({}))", RowsToBe(), added,
                                         QuoteList(KeyOf(b_.model_))));
  }

  void NoteBuilt() {
    nlohmann::json inputs = nlohmann::json::object();
    for (const std::string& name : b_.node_.reads.TableNames()) {
      inputs[name]["version"] = VersionOf(name);
      const lake::Table* table = VersionsOf(engine::ProducerOf(name));
      if (table != nullptr && table->snapshot()) inputs[name]["snapshot"] = table->snapshot()->id;
      const lake::Table* children = ChildrenOf(name);
      if (children != nullptr && children->snapshot()) inputs[name]["children"] = children->snapshot()->id;
    }
    b_.properties_[kInputsProperty] = inputs.dump();
    if (first_) b_.properties_[kFirstProperty] = FormatDay(periods_.empty() ? *first_ : periods_.front().first_day);
    if (!periods_.empty()) b_.properties_[kUntilProperty] = FormatTimestamp(periods_.back().end);
  }

  ModelBuild& b_;
  engine::Engine& engine_;
  const std::string select_;
  const PeriodsBuilt built_;
  const TimeUnit unit_;
  const std::string time_;  ///< of a row `r`
  const std::string time_type_;
  std::optional<Timestamp> earliest_;
  std::string earliest_in_;  ///< the table that has it
  std::optional<std::chrono::sys_days> first_;
  std::vector<Period> periods_;                     ///< all that had ended
  std::vector<std::vector<lake::DataFile>> files_;  ///< that are published, beside periods_
  bool has_stray_files_ = false;
  std::vector<Due> due_;
  TableDigest added_digest_, removed_digest_;
};

void ModelBuild::WritePeriods() { PeriodBuild(*this).Run(); }

}  // namespace leat::models
