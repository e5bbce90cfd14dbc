#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "state/state.h"

namespace leat::state {

/// What a look at a state database tells.
struct StateFile {
  int64_t version = 0;        ///< of its schema
  int64_t version_known = 0;  ///< the newest that this leat knows
  std::string damage;         ///< what SQLite's own check found; empty: it is sound

  struct Held {
    LeaseHolder lease;
    std::optional<bool> alive;  ///< whether its process lives; nothing: it is of another machine
  };
  std::vector<Held> held;  ///< by run and name
};

/// Look at the SQLite state database at `path` and change nothing, not even its schema.
/// Throws: Error(kInternal), LEAT0514 for a file that is no sound database, LEAT0515, LEAT0502.
StateFile InspectSqlite(const std::string& path);

}  // namespace leat::state
