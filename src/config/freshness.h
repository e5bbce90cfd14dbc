#pragma once

#include <optional>
#include <vector>

#include "config/check_fields.h"
#include "config/project.h"

namespace leat::config {

/// Read `freshness:` with durations, as leat's own files give it; null is the promise of nothing. nullopt: not given.
/// Reports LEAT0115 where `error_after` is the shorter of the two.
std::optional<Freshness> ReadFreshness(const Values& values, std::vector<Diagnostic>& diagnostics);

/// The same in dbt's shape: `{count: 20, period: minute}`.
std::optional<Freshness> ReadDbtFreshness(const Values& values, std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
