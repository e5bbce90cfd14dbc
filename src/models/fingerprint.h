#pragma once

#include <string>

#include "core/clock.h"
#include "engine/engine.h"
#include "models/graph.h"
#include "models/macros.h"

namespace leat::models {

/// What a model was built from and judged by, in four parts that are compared apart.
struct Fingerprint {
  std::string definition;  ///< normalised SQL, macros, and the keys of the head that decide which rows there are
  std::string rules;       ///< of its checks
  std::string references;  ///< versions of the tables that its checks look into; kFailedReferences after a red check
  std::string inputs;      ///< versions of the tables it reads, and the moment if it depends on that

  /// `d1c…-77a…-5f0…-0be…`
  std::string ToString() const { return definition + "-" + rules + "-" + references + "-" + inputs; }
  /// Parts of what ToString wrote; empty ones for any other text.
  static Fingerprint Parse(const std::string& text);
};

/// In place of versions: published rows broke a rule, so the next run judges them again whatever has changed by then.
inline constexpr const char* kFailedReferences = "failed";

/// Bind nothing, read nothing: versions come from the engine. `graph` tells what refers to an open calendar. Of the
/// moment a period model takes the last period that had ended.
Fingerprint FingerprintOf(engine::Engine& engine, const Macros& macros, const Graph& graph, const Node& node,
                          Timestamp run_time);

/// The part `references` alone: a calendar grows after those that refer to it were built.
std::string ReferencesOf(const engine::Engine& engine, const Node& node);

/// The same for a file of checks/: its statement and the versions of what it reads.
std::string FingerprintOfCheck(const engine::Engine& engine, const Macros& macros, const SelectReads& reads,
                               Timestamp run_time);

/// Whether the same inputs may give other rows at another moment.
bool DependsOnMoment(const SelectReads& reads);

/// Stands for the rows behind a name. Those of a model are known by its files, so that a candidate has the version that
/// it will have once it is published.
std::string InputVersion(const engine::Engine& engine, const std::string& name);

}  // namespace leat::models
