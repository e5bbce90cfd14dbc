#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "state/state.h"

namespace leat::pipeline {

/// How one table stands, in the words of the interface: failing, unknown, late, never loaded, healthy.
struct TableStatus {
  std::string name;  ///< `totesys.sales_order`, `mart.dim_staff`; of a source none of whose tables is known, its own
  std::string kind;  ///< `stream`, `source`, or the model's kind
  std::string state;
  std::optional<Timestamp> data_to;     ///< the moment up to which its sources were read, or had data
  std::optional<Timestamp> deletes_to;  ///< of a stream: the moment up to which deleted rows were looked for
  config::Freshness promise;            ///< how old its data may be
  std::optional<Timestamp> loaded;      ///< when its last good rows were published
  std::optional<int64_t> rows;
  int checks = 0;
  int checks_failed = 0;
  std::string reason;  ///< `run 42: LEAT0203 column … does not exist`
};

struct ProjectStatus {
  std::string target{config::kNoTarget};
  std::optional<state::Run> last_run;
  std::vector<TableStatus> tables;  ///< worst first, then by name
  std::optional<Diagnostic> fault;  ///< why the state could not be read
};

/// Read the state of every table of the project at `now`; opens no lake file and no DuckDB. A state database that
/// cannot be read leaves its models unknown, with why in `fault`. Throws: Error(kConfig) for one that is not this
/// project's.
ProjectStatus ReadStatus(const config::Project& project, Timestamp now);

}  // namespace leat::pipeline
