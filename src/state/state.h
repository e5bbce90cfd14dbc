#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "state/process.h"

namespace leat::state {

/// Namespace and name of a table in the catalog, such as {"totesys", "sales_order__history"}.
using TableName = std::pair<std::string, std::string>;

/// The right of one run to write a source or a model. The epoch grows with each taker, so that a holder that was
/// replaced while it slept hits no row.
struct Lease {
  std::string name;  ///< `source:totesys`, `model:mart.dim_staff`
  int64_t epoch = 0;
};

/// Who holds a lease that another run wants.
struct LeaseHolder {
  std::string name;
  int64_t run = 0;
  std::string holder;  ///< `host, process 4711`
  Timestamp since;
};

/// Move one catalog pointer; the commit fails if it is not at `expected`.
struct PointerSwap {
  TableName table;
  std::optional<std::string> expected;  ///< nullopt: the table must not exist yet
  std::string wanted;
};

/// How far a stream was read, with all that is needed to go on; JSON that only its source understands.
struct Position {
  std::string stream;  ///< `totesys.sales_order`
  std::string value;
  int64_t commit_number = 0;
};

/// One step of a run on one table. read = written + repeated + rejected for extracts; deleted versions are counted
/// apart.
struct Step {
  int64_t run = 0;
  std::string table;   ///< `totesys.sales_order`, `mart.dim_staff`
  std::string step;    ///< extract, build, check, load
  std::string status;  ///< done, unchanged, failed, skipped, warned
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t rows_repeated = 0;
  int64_t rows_rejected = 0;
  int64_t rows_deleted = 0;
  int64_t rows_total = 0;            ///< rows of the table afterwards
  std::optional<Timestamp> data_to;  ///< the moment up to which what the table holds was read from its sources
  Timestamp started;
  Timestamp ended;
  std::string diagnostic;  ///< JSON of the first fault, or empty
};

/// What a model was last built from, or a check last judged from: one of `checks/`, or the rules of a stream.
struct ModelState {
  std::string model;  ///< or CheckKey
  std::string fingerprint;
};

inline constexpr std::string_view kCheckPrefix = "check:";
/// What a check is called among the models: `check:totals_agree`, `check:totesys.payment`.
inline std::string CheckKey(const std::string& name) { return std::string(kCheckPrefix) + name; }

/// What a table was made from the last time, as far as people can read it: what `leat plan` compares with.
struct Recipe {
  std::string table;  ///< `totesys.sales_order`, `mart.dim_staff`
  std::string text;   ///< JSON that only pipeline/ understands
};

/// Everything that becomes true at once.
struct Commit {
  std::string scope;              ///< `source:totesys` or `models`
  std::optional<int64_t> number;  ///< a source's, known when its files were written; nullopt: taken in the transaction,
                                  ///< or none at all if there are no swaps: then positions keep their number
  std::string attempt;            ///< UUID
  int64_t run = 0;
  std::vector<Lease> leases;  ///< checked first, by epoch
  std::vector<PointerSwap> swaps;
  std::vector<Position>
      positions;  ///< `commit_number` is the one expected now; 0: none stored by a commit with rows yet
  std::vector<Step> steps;
  std::vector<ModelState> models;
  std::vector<Recipe> recipes;
};

struct Run {
  int64_t number = 0;
  std::string status;  ///< running, succeeded, partial, failed, cancelled, crashed
  std::string selection;
  Timestamp started;
  std::optional<Timestamp> ended;
};

/// Where runs, leases, positions and catalog pointers are kept; the only place where something becomes true.
/// Used by one thread at a time; several processes may have one store open.
class Store {
 public:
  virtual ~Store() = default;

  /// Begin a run and take all its leases in one transaction. A lease is held while its run has not ended and lives: on
  /// this machine its process is looked at, of another machine it must have been renewed within the last minute. Runs
  /// that are dead by this rule become `crashed` and lose their leases. Throws: nothing for held leases: they are
  /// returned in `held`, nothing was taken then and no run was begun.
  struct Begun {
    Run run;
    std::vector<Lease> leases;
    std::vector<LeaseHolder> held;
  };
  virtual Begun BeginRun(const std::string& selection, const std::vector<std::string>& lease_names) = 0;

  /// Say that this run still lives. Throws: Error(kConflict, LEAT0511) if one of its leases was taken over.
  virtual void RenewLeases(const std::vector<Lease>& leases) = 0;

  /// End a run, record the steps that no commit recorded, give back its leases.
  virtual void FinishRun(int64_t run, const std::string& status, const std::vector<Step>& steps,
                         const std::vector<Lease>& leases) = 0;

  /// Publish. Returns the commit's number, 0 if it needed none.
  /// Throws: Error(kConflict, LEAT0511) for a lost lease, Error(kConflict, LEAT0512) for a pointer, position or number
  /// that moved, or an attempt that was published before; Error(kInternal) for a full or damaged disk. After any of
  /// them nothing was published, unless a note says that this is not known: then the next run finds out by what it
  /// reads here.
  virtual int64_t Publish(const Commit& commit) = 0;

  /// The last commit number of a scope; 0 before the first.
  virtual int64_t LastCommitNumber(const std::string& scope) = 0;

  /// Metadata location of every table of the catalog.
  virtual std::map<TableName, std::string> Pointers() = 0;
  virtual std::optional<Position> FindPosition(const std::string& stream) = 0;
  virtual std::optional<ModelState> FindModel(const std::string& model) = 0;
  /// All of them, by name.
  virtual std::vector<Position> Positions() = 0;
  virtual std::vector<ModelState> Models() = 0;
  virtual std::vector<Recipe> Recipes() = 0;

  /// Forget how far a stream was read, so that its next read compares all of it; or what a model was built from, so
  /// that it is built anew. Both are no-ops for a name that has nothing stored. Returns who holds `lease`, the one a
  /// run would take for it: then nothing was forgotten.
  virtual std::optional<LeaseHolder> ForgetPosition(const std::string& stream, const std::string& lease) = 0;
  virtual std::optional<LeaseHolder> ForgetModel(const std::string& model, const std::string& lease) = 0;

  /// Forget the recipes of tables that the project no longer makes.
  virtual void ForgetRecipes(const std::vector<std::string>& tables) = 0;

  /// The newest `limit` runs, newest first; `crashed` also if one was killed and nobody marked it yet.
  virtual std::vector<Run> Runs(int64_t limit) = 0;
  virtual std::optional<Run> FindRun(int64_t number) = 0;
  virtual std::optional<Run> LastRun() = 0;
  /// The steps of one run, in the order in which they were recorded. A run that goes on or was killed lacks those that
  /// no commit recorded.
  virtual std::vector<Step> StepsOf(int64_t run) = 0;
  enum class StepChoice {
    kAny,  ///< the newest
    kGood  ///< the newest that neither failed nor was skipped
  };
  /// For each table one step of each kind, by table and then by age.
  virtual std::vector<Step> LatestSteps(StepChoice choice) = 0;

  /// Remove the runs that began before `before` with their steps and commits, at most once a day. What is still told or
  /// needed stays: the newest step and the newest good one of each kind, the last commit of each scope. A thousand runs
  /// at a time, so that nobody waits; what is left is taken next time. Returns the number up to which runs are gone;
  /// nothing if it was too early.
  virtual std::optional<int64_t> Trim(Timestamp before) = 0;
};

struct SqliteOptions {
  std::chrono::milliseconds busy_timeout = std::chrono::seconds(30);  ///< wait for other processes' transactions
  Process process = ThisProcess();                                    ///< who takes the leases
  bool upgrades = true;  ///< else a file of an older leat stays as it is, and what it lacks is empty: for readers
};

/// Open, or make, the SQLite state database at `path`: WAL, `synchronous = FULL`, catalog name = `project`. Beside it
/// lies `reserve`, 1 MiB that is given up when the disk is full, so that the end of a run can be recorded all the same.
/// Throws: Error(kInternal, LEAT0514) damaged, LEAT0515 locked by another process for more than the timeout;
/// Error(kConfig, LEAT0513) made by a newer leat, LEAT0516 made for a project of another name.
std::unique_ptr<Store> OpenSqlite(const std::string& path, const std::string& project,
                                  const Clock& clock = SystemClock(), const SqliteOptions& options = {});

}  // namespace leat::state
