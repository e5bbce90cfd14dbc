#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "engine/engine.h"
#include "lake/pending.h"
#include "lake/table.h"
#include "models/graph.h"
#include "models/macros.h"

namespace leat::models {

using lake::PendingTable;

/// What came of one rule of a model, or of one file of checks/.
struct CheckOutcome {
  std::string table;  ///< `mart.fact_sales_order`; empty for checks/
  std::string rule;   ///< `not_null(design_id)`, or the name of a file in checks/
  config::CheckSeverity severity = config::CheckSeverity::kError;
  int64_t failing_rows = 0;
  bool unchanged = false;                ///< not run: nothing that it reads changed since it last passed
  std::optional<Diagnostic> diagnostic;  ///< of a failure; a warning for `warn` and `reject`
};

/// What building one model came to.
struct Candidate {
  const config::Model* model = nullptr;
  enum class Outcome {
    kUnchanged,  ///< not built: the fingerprint is that of its last commit
    kSame,       ///< built, but equal in count and hash, or judged by what changed: the old snapshot stays, the
                 ///< fingerprint is to be stored
    kBuilt,      ///< `pending` is to be published
    kFailed,     ///< `diagnostics` say why; the last good rows stay
    kSkipped     ///< not built, or dropped, since `because` failed; the last good rows stay
  };
  Outcome outcome = Outcome::kFailed;
  std::string because;  ///< the table or check that failed
  /// To be stored with kSame and kBuilt; with kFailed too unless it is empty: published rows broke a rule, and what is
  /// stored makes the next run judge them again.
  std::string fingerprint;
  std::optional<PendingTable> pending;  ///< with kSame properties alone: there is no snapshot in it
  std::optional<PendingTable> rejects;  ///< also with kSame; to be published in the same commit
  int64_t rows_written = 0;
  int64_t rows_rejected = 0;
  int64_t rows_total = 0;  ///< of the table afterwards
  std::vector<CheckOutcome> checks;
  std::vector<Diagnostic> diagnostics;  ///< of what failed, and warnings

  bool ok() const { return outcome != Outcome::kFailed && outcome != Outcome::kSkipped; }
};

/// Told of as models are built, in the thread that builds; each model once, in both.
struct BuildProgress {
  std::function<void(const config::Model&)> started;
  /// Its rows are written and its own rules judged. A file of checks/ may still drop it: the returned candidates are
  /// final.
  std::function<void(const Candidate&)> finished;
};

struct BuildContext;

/// Builds the candidates of one run. Used by one thread, for one BuildAll.
class Builder {
 public:
  struct Options {
    int64_t run = 0;
    Timestamp run_time;
    bool full_refresh = false;
    std::set<std::string> selected;       ///< model names; Graph::WithDates() adds the calendars they need
    std::set<std::string> fully_checked;  ///< models whose referenced streams lost rows: checked in full
    std::set<std::string> failed_tables;  ///< streams without good rows in this run: models below them are skipped
    std::map<state::TableName, lake::Table> committed;  ///< models and `__rejects` as published
    std::map<std::string, std::string> fingerprints;    ///< of the last commits: by model name, or `check:NAME`
  };

  /// What is passed must outlive the builder. The engine must read the committed tables.
  Builder(engine::Engine& engine, const lake::TableWriter& writer, const config::Project& project, const Graph& graph,
          Macros& macros, Options options);

  struct Result {
    std::vector<Candidate> candidates;  ///< of the selected models, in the order in which they were built
    std::vector<CheckOutcome> checks;   ///< of the files of checks/ that read a selected model, or no model at all
    std::map<std::string, std::string>
        check_fingerprints;  ///< `check:NAME`, of those that passed; to be stored as ModelState
  };

  /// Build the selected models in the graph's order, check their rows, let the engine read each good candidate at once,
  /// skip what is below a failure, run checks/, and drop the models a failed check reads with everything below them.
  ///
  /// All that is left as kBuilt can be published together. Files of failed and dropped candidates are removed, and the
  /// engine reads the committed tables again in their place. Throws: Cancelled, at the latest before the next model or
  /// check; the files written so far are removed.
  Result BuildAll(const BuildProgress& progress = {});

  /// Judge the rules of the selected models, `reject` among them, and run checks/ over the rows as published, all of
  /// them whatever was judged before. Writes and drops nothing: of a candidate `checks` and `diagnostics` count.
  /// Throws: Cancelled.
  Result JudgePublished();

 private:
  BuildContext Context();

  engine::Engine& engine_;
  const lake::TableWriter& writer_;
  const config::Project& project_;
  const Graph& graph_;
  Macros& macros_;
  Options options_;
};

}  // namespace leat::models
