#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/cancel.h"
#include "core/line_diff.h"
#include "pipeline/run.h"
#include "sources/source.h"
#include "warehouse/warehouse.h"

namespace leat::pipeline {

/// A column of a table that comes, goes, or gets another type.
struct ColumnChange {
  enum class Kind {
    kAdded,
    kDropped,
    kWidened,
    kReplaced,  ///< another type, which a full refresh fills
    kRefused    ///< another type that is no wider one
  };
  Kind kind = Kind::kAdded;
  std::string name;
  std::string before;  ///< types as SQL writes them; empty: the column was not there
  std::string after;   ///< empty: it is not there any more
};

/// One setting of a head, a rule of a source, a check.
struct SettingChange {
  std::string part;  ///< `head`, `checks`, `macros`, `rules`, `warehouse`
  std::string name;
  std::optional<std::string> before, after;
};

/// What a run would do with one table because of what the project and the source's catalog say, whatever rows wait.
struct PlannedTable {
  std::string name;
  bool is_stream = false;
  enum class Change {
    kNew,
    kChanged,
    kRebuilt,  ///< only because of what it reads, or since that was asked for
    kGone,     ///< nothing makes it any more; its rows stay
    kRefused,  ///< the run would refuse it; a diagnostic says why
    kSkipped,  ///< it needs a refused one
    kUnchanged
  };
  Change change = Change::kUnchanged;
  std::string file;     ///< that makes it
  std::string because;  ///< `reads mart.sales_detail`; may be empty
  enum class Work { kNone, kRead, kBuild, kCheck, kLoad } work = Work::kNone;
  std::vector<ColumnChange> columns;
  std::vector<SettingChange> settings;
  std::vector<Hunk> sql;                          ///< lines count in the file
  std::optional<sources::ReadForecast> read;      ///< of a stream whose source answered
  std::optional<int64_t> rows;                    ///< after the last run; of a new stream the source's estimate
  std::optional<std::chrono::microseconds> took;  ///< to read or build it the last time
};

struct PlannedChanges {
  std::optional<state::Run> last_run;
  std::vector<PlannedTable> tables;  ///< of the selection: streams, then models in the order in which they are built,
                                     ///< then what is gone
  std::vector<warehouse::PlannedChange> warehouse;  ///< of tables that would be loaded
  std::vector<Diagnostic> diagnostics;

  int Count(PlannedTable::Change change) const;
  bool IsEmpty() const;  ///< nothing would change
};

/// Compare the project with what the last runs made of it. Asks sources for their catalogs and the warehouse for its;
/// one that does not answer is a warning, and its tables stand as they are. Reads no row of a source and writes
/// nothing. Throws: as Run before it begins.
PlannedChanges PlanChanges(const config::Project& project, const RunOptions& options, const CancelFlag& cancel);

}  // namespace leat::pipeline
