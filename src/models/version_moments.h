#pragma once

#include <optional>
#include <string>

#include "engine/engine.h"
#include "lake/table.h"

namespace leat::models {

/// The moment of the earliest version of `stream`, such as `totesys.sale`: by its `version_time`, else by when it was
/// seen. Nothing if the engine knows no version.
std::optional<Timestamp> EarliestVersion(engine::Engine& engine, const std::string& stream);

/// The versions that a stream's table has and had not at an older snapshot, or had and has no more.
struct VersionChange {
  bool is_known = false;              ///< else the snapshot is forgotten, or the columns are others: all may be new
  std::optional<Timestamp> earliest;  ///< nothing: the same versions, though in other files
};
VersionChange ChangeSince(engine::Engine& engine, const std::string& stream, const lake::Table& table,
                          int64_t snapshot_id);

}  // namespace leat::models
