#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/build_mark.h"
#include "models/builder.h"
#include "models/check_rules.h"
#include "models/check_run.h"
#include "models/fingerprint.h"
#include "models/model_output.h"
#include "models/table_digest.h"

namespace leat::models {

/// Data files of a candidate, removed again unless they are kept.
class WrittenFiles {
 public:
  explicit WrittenFiles(const lake::Storage& storage) : storage_(storage) {}
  WrittenFiles(const WrittenFiles&) = delete;
  WrittenFiles& operator=(const WrittenFiles&) = delete;
  ~WrittenFiles() { Remove(paths_); }

  std::vector<lake::DataFile> Add(std::vector<lake::DataFile> files);
  void Remove(const std::vector<lake::DataFile>& files);
  void RemoveAll() { Remove(std::exchange(paths_, {})); }
  void Keep() { paths_.clear(); }

 private:
  void Remove(const std::vector<std::string>& paths) const noexcept;

  const lake::Storage& storage_;
  std::vector<std::string> paths_;
};

/// A model's text as it stands inside brackets: blanks for a `;` at its end, so that places stay.
std::string SelectIn(const std::string& text);

/// The newest `_leat_seq` that was looked at when this table of a history model was last written; nothing if it does
/// not say.
std::optional<int64_t> LastSeqOf(const std::optional<lake::Table>& table);

/// What all models of one run are built with.
struct BuildContext {
  engine::Engine& engine;
  const lake::TableWriter& writer;
  const config::Project& project;
  const Graph& graph;
  Macros& macros;
  const Builder::Options& options;
  std::set<std::string> dates_to_come;  ///< calendars that this run builds later: rules that refer to them wait
  std::set<std::string> fully_checked;
  std::map<std::string, std::string> references_before;  ///< by model: ReferencesOf before anything was built
};

/// One model on its way from SQL to candidate.
class ModelBuild {
 public:
  ModelBuild(BuildContext& context, const Node& node);

  /// Compare fingerprints; unless nothing changed, write the rows, let the engine read them, and judge every rule that
  /// does not wait for a calendar. Sets the candidate's outcome; faults become its diagnostics. Throws: Cancelled.
  void Run();
  /// Judge all rules in full over the published rows, which must be there. Rows that a rule with `reject` would set
  /// aside are counted as those of a warning. Sets the candidate's checks and diagnostics. Throws: Cancelled.
  void JudgePublished();
  /// Whether rules wait for a calendar of BuildContext::dates_to_come.
  bool waits() const;
  /// Judge the rules that waited for `calendar`, which the engine reads by now.
  void JudgeWaiting(const std::string& calendar);
  /// A calendar that the rules look into grew after they were judged: its new version is the one they hold for.
  void TakeVersionOfCalendar();
  /// Take the candidate back, since `because` failed; the engine reads the published rows again.
  void Drop(const std::string& because);
  /// The same, for a file of checks/ that found fault with this model's own rows.
  void FailCheck(const std::string& because, const Diagnostic& fault);
  /// Hand out the candidate; its files stay.
  Candidate Take();

  const Candidate& candidate() const { return candidate_; }
  const config::Model& model() const { return model_; }
  /// Whether keys of the published table may be gone from the candidate.
  bool lost_keys() const { return lost_keys_; }

 private:
  // model_build.cc: what all kinds share
  void Prepare();
  void Build();
  void KeepRows();
  bool RowsStand() const;
  bool SetsRowsAside() const;
  bool WasJudged() const;
  bool LostKeys();
  void RequireTables() const;
  std::optional<ReferenceTarget> FindTarget(const std::string& table);
  void EvolveSchema();
  lake::Schema WithoutChangedTypes(const lake::Schema& current, const lake::Schema& wanted);
  void Judge();
  void Record(std::vector<CheckOutcome> outcomes);
  void BindReferences(const std::vector<const RowRule*>& rules);
  void SetGeneration(lake::TableChange& change) const;
  std::vector<const RowRule*> RulesOfSeverity(bool reject) const;
  void PutIntoEngine(const std::vector<lake::DataFile>& files);
  void Restore();
  void Fail(const Error& error);
  Error Explain(const duck::QueryError& error);
  bool JudgesOnlyNew() const;
  void Finish();
  std::map<std::string, std::string> Properties() const;
  void KeepProperties();
  void KeepInOrder(lake::PendingTable& pending);
  bool EqualsBase() const;
  bool HasFilesOfBase() const;
  std::string RowsSql(const std::vector<lake::DataFile>& files) const;
  /// `CAST("price" AS DECIMAL(10,2)) AS "price"` for each column of the SELECT: as the table has it.
  std::vector<std::string> CastColumns() const;
  CheckRun Checks() const;
  std::vector<lake::DataFile> Write(const std::string& select);

  // table_build.cc
  void WriteTable();
  void WriteDimDate();
  void SetRejectedRowsAside();
  std::vector<lake::DataFile> WriteVanishedRows();

  // period_build.cc
  struct PeriodsBuilt;
  class PeriodBuild;
  void WritePeriods();

  // history_build.cc
  struct HistoryInput;
  void WriteHistory();
  HistoryInput ReadHistoryInput();
  bool MustRebuild(int64_t newest_seq);
  bool AreRejectsOutdated();
  bool HasRejects() const { return rejects_base_ && rejects_base_->record_count() > 0; }
  std::string VersionsSql(const HistoryInput& input, bool keys_are_unique) const;
  int64_t LastRecordId() const;

  // incremental_build.cc
  void WriteIncrement();
  std::optional<Timestamp> Since(const BuildMark& now);
  std::optional<BuildMark> LastBuildMark() const;
  void MergeRows();
  void MakeIncoming();
  void FindHeld(const std::vector<lake::DataFile>& files);
  void PartByKey();
  bool IsMerge() const { return !merged_keys_.empty(); }

  // scd2_build.cc
  void WriteIntervals();
  std::string DatedVersionsSql();
  std::string DatedKeysSql(const std::string& all, const engine::VersionOrder& order);

  // rejects.cc
  /// Write the rows of `rows` that break a rule with `reject` to `<model>__rejects`. Returns the others, behind FROM.
  std::string SetAside(const std::string& rows);
  /// Write the rows `r` of `rows` that break one of `rules` to `<model>__rejects`.
  void WriteRejects(const std::vector<const RowRule*>& rules, const std::string& rows);
  std::vector<lake::DataFile> WriteOtherRejects(const lake::Schema& schema);
  void ClearRejects();
  void AddRejects(const lake::Schema& schema, std::vector<lake::DataFile> files);

  BuildContext& context_;
  const Node& node_;
  const config::Model& model_;
  duck::Connection& connection_;
  const state::TableName name_;
  const std::string location_;
  std::optional<lake::Table> base_;
  std::optional<lake::Table> rejects_base_;
  Fingerprint last_;  ///< of the last commit
  Fingerprint now_;
  std::vector<duck::Parameter> parameters_;
  ModelOutput output_;
  RuleSet rules_;
  lake::Schema schema_;
  bool schema_changed_ = false;
  bool runs_own_text_ =
      false;  ///< the statement that runs is the model's text, so places in errors are places in the file
  WrittenFiles written_;

  std::vector<lake::DataFile> added_;              ///< new rows
  std::vector<lake::DataFile> rewritten_;          ///< rows that stay, of files in which others do not
  std::vector<lake::DataFile> removed_;            ///< published files that leave, unless all do
  std::map<std::string, std::string> properties_;  ///< of the table, what its kind has to remember
  bool replace_all_ = true;
  bool rows_stand_ = false;  ///< the published rows are judged, and no others
  bool lost_keys_ = false;
  std::optional<int64_t> last_seq_;  ///< of history: the newest version that was looked at
  std::string build_mark_;           ///< of incremental: what was looked at
  std::string merged_keys_;          ///< of incremental: the table of what came; empty: all rows are made anew
  TableDigest digest_;
  Candidate candidate_;
};

}  // namespace leat::models
