#pragma once

#include <string>
#include <vector>

#include "config/project.h"
#include "engine/engine.h"
#include "warehouse/warehouse.h"

namespace leat::pipeline {

/// How the table of a stream is to be in the warehouse: its columns with the types that they have at the source, its
/// key, no foreign keys. `schema` is that of its versions; `pattern` of `load` takes it to the warehouse.
warehouse::TableSpec SpecOfStream(const config::Project& project, const std::string& stream, const lake::Schema& schema,
                                  const std::vector<std::string>& key, const Place& pattern);

/// The current rows of a published stream, and those that changed since an older snapshot. Valid as long as `engine`.
warehouse::TableLoad LoadOfStream(warehouse::TableSpec spec, const lake::Table& table, const engine::Engine& engine);

}  // namespace leat::pipeline
