#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "state/state.h"

namespace leat::pipeline {

/// How one table stands, in the words of the interface: healthy, failing, never loaded.
struct TableStatus {
  std::string name;  ///< `totesys.sales_order`, `mart.dim_staff`
  std::string kind;  ///< `stream`, or the model's kind
  std::string state;
  std::optional<Timestamp> data_to;  ///< the moment up to which its sources were read
  std::optional<Timestamp> loaded;   ///< when its last good rows were published
  std::optional<int64_t> rows;
  int checks = 0;
  int checks_failed = 0;
  std::string reason;  ///< `run 42: LEAT0203 column … does not exist`
};

struct ProjectStatus {
  std::string target{config::kNoTarget};
  std::optional<state::Run> last_run;
  std::vector<TableStatus> tables;  ///< worst first, then by name
};

/// Read the state of every table of the project; opens no lake file and no DuckDB.
ProjectStatus ReadStatus(const config::Project& project);

}  // namespace leat::pipeline
