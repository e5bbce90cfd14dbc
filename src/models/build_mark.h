#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "engine/engine.h"

namespace leat::models {

/// What an incremental model had seen when it was built: `leat.read_to` in the summary of its snapshot.
struct BuildMark {
  /// How far a stream was read by then.
  struct Stream {
    int64_t seq = 0;      ///< greatest `_leat_seq`
    Timestamp time;       ///< greatest `_leat_time`
    std::string rebuilt;  ///< engine::Relation::rebuilt
  };
  Timestamp run_time;                     ///< of the run that built it
  std::map<std::string, Stream> streams;  ///< those it reads itself, by name

  std::string ToString() const;
  /// Nothing for a text that ToString did not write.
  static std::optional<BuildMark> Parse(const std::string& text);
};

/// How far the engine's streams go among the tables `names`.
BuildMark BuildMarkOf(engine::Engine& engine, const std::vector<std::string>& names, Timestamp run_time);

/// `$since`: what was read after it, and no other version, may be news since `last`. The least of what the streams had
/// then; the run time of then if there is no stream.
/// Nothing if that cannot be said, so that all rows are to be made anew: a stream was not read then, or its numbers
/// went back since it was read anew from nothing, or it was rebuilt.
std::optional<Timestamp> SinceOf(engine::Engine& engine, const BuildMark& last, const BuildMark& now);

}  // namespace leat::models
