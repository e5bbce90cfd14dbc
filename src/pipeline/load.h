#pragma once

#include <vector>

#include "config/project.h"
#include "models/models.h"
#include "pipeline/workspace.h"
#include "warehouse/warehouse.h"

namespace leat::pipeline {

/// Whether a model goes to the warehouse: the `load` patterns and its own `warehouse: false` decide.
bool IsLoaded(const config::Project& project, const config::Model& model);

/// How a model's table of `schema` is to be in the warehouse: columns in the model's order, keys, not-null and foreign
/// keys from its checks.
warehouse::TableSpec SpecOf(const config::Project& project, const config::Model& model, const lake::Schema& schema);

/// What a load needs to know of a published model: its spec, its rows, and what changed since an older snapshot.
warehouse::TableLoad LoadOf(const config::Project& project, const config::Model& model, const lake::Table& table,
                            const engine::Engine& engine);

/// Names of two models that would be one table of the warehouse: a fault of the project.
/// Throws: Error(kConfig, LEAT0611).
void RefuseDoubledTables(const config::Project& project);

}  // namespace leat::pipeline
