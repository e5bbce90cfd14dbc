#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "engine/engine.h"
#include "models/builder.h"
#include "models/check_rules.h"

namespace leat::models {

/// What the rules of schema.yml found in a stream.
struct StreamVerdict {
  std::vector<CheckOutcome> checks;
  std::vector<Diagnostic> diagnostics;  ///< of rules that were broken or cannot be judged

  bool ok() const { return !HasErrors(diagnostics); }
};

/// Judge the rules of a stream on all its current rows, as the engine reads them. Writes nothing. Throws: Cancelled.
StreamVerdict JudgeStream(engine::Engine& engine, const config::Project& project,
                          const config::StreamProperties& stream);

/// What a verdict depends on: the rules, and the versions of the rows that they look at.
std::string FingerprintOfStream(const engine::Engine& engine, const config::StreamProperties& stream);

/// The newest value of the stream's `loaded_at_field` among the current rows of `relation`; nothing if there is none.
/// Throws: Error(kConfig, LEAT0712) for a column that is absent or holds no times.
std::optional<Timestamp> NewestLoad(engine::Engine& engine, const config::StreamProperties& stream,
                                    const engine::Relation& relation);

/// Prepare what is said of a stream against its columns, reading no row: LEAT0135, LEAT0136, LEAT0217, LEAT0218,
/// LEAT0712.
std::vector<Diagnostic> ValidateStream(duck::Connection& connection, const config::StreamProperties& stream,
                                       const std::vector<duck::Column>& columns, const FindTarget& find_target);

}  // namespace leat::models
