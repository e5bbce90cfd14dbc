#pragma once

#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "models/models.h"
#include "pipeline/workspace.h"
#include "warehouse/warehouse.h"

namespace leat::pipeline {

/// Whether a model goes to the warehouse: the `load` patterns and its own `warehouse: false` decide. Without patterns
/// every model does, and no stream.
bool IsLoaded(const config::Project& project, const config::Model& model);
/// The same of a model or stream by its name.
bool IsLoaded(const config::Project& project, const std::string& table);

/// The first pattern of `load` that matches a name; null: none does. The project has a warehouse.
const config::Located<std::string>* PatternOf(const config::Project& project, const std::string& table);

/// How a model's table of `schema` is to be in the warehouse: columns in the model's order, keys, not-null and foreign
/// keys from its checks.
warehouse::TableSpec SpecOf(const config::Project& project, const config::Model& model, const lake::Schema& schema);

/// What a load needs to know of a published model: its spec, its rows, and what changed since an older snapshot.
warehouse::TableLoad LoadOf(const config::Project& project, const config::Model& model, const lake::Table& table,
                            const engine::Engine& engine);

/// What the warehouse is to hold of `tables`, names of models and streams, as published; in their order. Left out is
/// what is not loaded and what was never published. `epoch` and `is_full` are the run's to fill in. Valid as long as
/// `workspace`.
std::vector<warehouse::TableLoad> LoadsOf(const config::Project& project, Workspace& workspace,
                                          const std::vector<std::string>& tables);

/// Names of two tables that would be one of the warehouse: a fault of the project. `streams`: those known.
/// Throws: Error(kConfig, LEAT0611).
void RefuseDoubledTables(const config::Project& project, const std::set<std::string>& streams);

/// Whether a pattern of `load` may mean a stream of this source.
bool MayLoadFrom(const config::Warehouse& warehouse, const std::string& source);

/// A warning if a loaded model lost columns between two schemas of its table: the warehouse keeps them.
std::optional<Diagnostic> ColumnsLeftBehind(const config::Project& project, const config::Model& model,
                                            const lake::Schema& before, const lake::Schema& now);

/// A warning for each pattern of `load` that matches no model and none of `streams`. What the sources in `unasked` have
/// is not known, so a pattern that may mean one of theirs is let be.
std::vector<Diagnostic> UnmatchedLoads(const config::Project& project, const std::set<std::string>& streams,
                                       const std::set<std::string>& unasked);

}  // namespace leat::pipeline
