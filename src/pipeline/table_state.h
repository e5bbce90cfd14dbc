#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "pipeline/lease_wait.h"
#include "state/state.h"

namespace leat::pipeline {

/// What the state database keeps of a table, so that the next run knows where to go on.
struct TableState {
  std::string table;
  enum class Kind { kStream, kModel } kind = Kind::kStream;
  std::optional<Timestamp> data_to;  ///< the moment up to which its sources were read
  std::string read;                  ///< of a stream: how it was read last; empty: its position does not say
  int64_t commit_number = 0;         ///< of a stream: the commit of its source that stored the position
  std::string position;              ///< of a stream: JSON
  std::string fingerprint;           ///< of a model; empty: forgotten
};

/// Of `table`, or of all tables, by name. Throws: Error(kConfig, LEAT0518) for a table of which nothing is kept.
std::vector<TableState> ReadTableStates(const config::Project& project, const std::string& table);

/// Forget how far a stream was read, or what a model was built from, unless a run holds the lease for longer than
/// `wait`. Returns what was kept until now. Throws: as ReadTableStates; Error(kConflict, LEAT0510); Cancelled.
TableState ResetTable(const config::Project& project, const std::string& table, LeaseWait& wait);

}  // namespace leat::pipeline
