#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "state/sqlite/database.h"
#include "state/sqlite/reserve.h"
#include "state/state.h"

namespace leat::state::sqlite {

/// A process as people are told of it: `host, process 4711`.
std::string DescribeHolder(const std::string& host, int64_t pid);

/// The store in one SQLite file. The contract is Store's; `runs.cc` has the leases, `publish.cc` the commit,
/// `history.cc` what was, and its end.
class SqliteStore : public Store {
 public:
  SqliteStore(const std::string& path, const std::string& project, const Clock& clock, SqliteOptions options);

  Begun BeginRun(const std::string& selection, const std::vector<std::string>& lease_names) override;
  void RenewLeases(const std::vector<Lease>& leases) override;
  void FinishRun(int64_t run, const std::string& status, const std::vector<Step>& steps,
                 const std::vector<Lease>& leases) override;
  int64_t Publish(const Commit& commit) override;

  int64_t LastCommitNumber(const std::string& scope) override;
  std::map<TableName, std::string> Pointers() override;
  std::optional<Position> FindPosition(const std::string& stream) override;
  std::optional<ModelState> FindModel(const std::string& model) override;
  std::vector<Position> Positions() override;
  std::vector<ModelState> Models() override;
  std::vector<Recipe> Recipes() override;
  std::optional<LeaseHolder> ForgetPosition(const std::string& stream, const std::string& lease) override;
  std::optional<LeaseHolder> ForgetModel(const std::string& model, const std::string& lease) override;
  void ForgetRecipes(const std::vector<std::string>& tables) override;

  std::vector<Run> Runs(int64_t limit) override;
  std::optional<Run> FindRun(int64_t number) override;
  std::optional<Run> LastRun() override;
  std::vector<Step> StepsOf(int64_t run) override;
  std::vector<Step> LatestSteps(StepChoice choice) override;
  std::optional<int64_t> Trim(Timestamp before) override;

 private:
  /// A run that has not ended, and its last sign of life.
  struct Unfinished {
    int64_t number;
    Process process;
    Timestamp touched;
  };
  std::vector<Unfinished> ListUnfinished();
  bool IsDead(const Unfinished& run) const;
  void MarkCrashed();
  std::vector<Run> ReadRuns(Statement& rows);
  void RecordEnd(int64_t run, const std::string& status, const std::vector<Step>& steps,
                 const std::vector<Lease>& leases);
  std::optional<LeaseHolder> Forget(const std::string& sql, const std::string& name, const std::string& lease);
  void RemoveRuns(int64_t above, int64_t to);
  std::vector<LeaseHolder> FindHolders(const std::vector<std::string>& lease_names);
  Run InsertRun(const std::string& selection);
  Lease TakeLease(const std::string& name, int64_t run);
  /// Move the sign of life on, which also locks out rivals. Throws: Error(kConflict, LEAT0511).
  void TouchLease(const Lease& lease);
  void InsertStep(const Step& step);

  int64_t Write(const Commit& commit);
  int64_t InsertCommit(const Commit& commit);
  void SwapPointer(const PointerSwap& swap);
  void CreateTable(const PointerSwap& swap);
  void MovePosition(const Position& position, int64_t number);
  void StoreModel(const ModelState& model, int64_t run);
  void StoreRecipe(const Recipe& recipe);
  [[noreturn]] void ThrowMoved(const PointerSwap& swap);
  void SettleUnknown(const std::string& attempt, const Error& fault);
  void MoveLogIntoFile();
  bool IsPublished(const std::string& attempt);

  std::string project_;
  const Clock& clock_;
  SqliteOptions options_;
  Database database_;
  Reserve reserve_;
};

}  // namespace leat::state::sqlite
