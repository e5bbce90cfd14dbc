#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "duck/database.h"
#include "models/tables_read.h"

namespace leat::models {

/// A value that leat binds to `$name` in SQL.
struct ParameterRule {
  const char* name;
  std::optional<config::ModelKind> kind;  ///< the only one whose models have it; nothing: every statement has it
};

/// All that there are.
const std::vector<ParameterRule>& ParameterRules();

/// Refuse parameters that a statement has no value for. `kind`: of the model whose statement it is; nothing: of none.
/// Throws: Error(kConfig, LEAT0230) with the place of the first.
void RefuseParametersOfOthers(const SelectReads& reads, std::optional<config::ModelKind> kind, const std::string& file,
                              const std::string& text);

/// `$since` of an incremental model. DuckDB's '-infinity' is duck::kBeforeAll.
duck::Parameter SinceParameter(Timestamp since);

}  // namespace leat::models
