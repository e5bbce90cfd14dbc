#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "models/graph.h"
#include "models/macros.h"
#include "models/model_output.h"

namespace leat::models {

/// What came of preparing all models.
struct Preparation {
  std::vector<Diagnostic> diagnostics;
  std::map<std::string, std::vector<Diagnostic>> of_models;  ///< those that came of preparing a model, by its name
  std::vector<Diagnostic> of_others;                         ///< those of streams' rules and of checks/
  std::map<std::string, ModelOutput> outputs;                ///< of the models that could be prepared, by name
};

/// Prepare every model's SQL, its checks, its warehouse settings, and the files of checks/, against empty tables of the
/// right columns, without reading a row: unknown columns, wrong types, names in the head that the SELECT does not give.
///
/// `streams`: columns of current rows, as discovered, for streams that were never loaded, by name
/// (`totesys.sales_order`). What reads a stream that is neither loaded nor listed is left unchecked, with everything
/// below it. The engine's views are replaced: use an engine of its own.
Preparation Prepare(engine::Engine& engine, Macros& macros, const config::Project& project, const Graph& graph,
                    const std::map<std::string, std::vector<duck::Column>>& streams = {});

/// The diagnostics alone.
std::vector<Diagnostic> Validate(engine::Engine& engine, Macros& macros, const config::Project& project,
                                 const Graph& graph,
                                 const std::map<std::string, std::vector<duck::Column>>& streams = {});

}  // namespace leat::models
