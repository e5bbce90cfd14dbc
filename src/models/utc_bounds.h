#pragma once

#include <string>

#include "duck/database.h"
#include "models/periods.h"

namespace leat::models {

/// Let the bounds of a period that stand beside a comparison sign (`created_at >= $period_start`) be bound as TIMESTAMP
/// in UTC. The answer is the same, since the session's time zone is UTC; but a column of TIMESTAMP would be turned into
/// one of TIMESTAMP WITH TIME ZONE row by row, 100 ns each, and no file would be passed over by its bounds. Every byte
/// of the rest stays where it is.
std::string WithUtcBounds(const std::string& sql);

/// `$period_start` and `$period_end` for such a statement.
std::vector<duck::Parameter> UtcBoundsOf(const Period& period);

}  // namespace leat::models
