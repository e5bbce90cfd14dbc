#pragma once

#include <vector>

#include "config/check_fields.h"
#include "config/project.h"

namespace leat::config {

/// Read `checks:` of a model. Reports what no field alone can be wrong in: LEAT0106 an entry without a rule, LEAT0115
/// two rules in one entry, limits that contradict each other, `severity: reject` for a rule that is not about single
/// rows.
std::vector<CheckRule> ReadCheckRules(const Values& model, std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
