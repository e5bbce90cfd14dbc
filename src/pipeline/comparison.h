#pragma once

#include <vector>

#include "models/recipe.h"
#include "pipeline/planned_changes.h"

namespace leat::pipeline {

/// What tells the columns of a table from those that it had. A column of another type counts as widened.
std::vector<ColumnChange> CompareColumns(const std::vector<duck::Column>& before,
                                         const std::vector<duck::Column>& after);

/// What tells the settings of two recipes apart, part by part; SQL and inputs are left out.
std::vector<SettingChange> CompareSettings(const models::Recipe& before, const models::Recipe& after);

/// Columns as SQL sees them, without leat's own.
std::vector<duck::Column> ColumnsOf(const lake::Schema& schema);

}  // namespace leat::pipeline
