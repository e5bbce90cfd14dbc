#pragma once

#include "config/project.h"
#include "duck/database.h"

namespace leat::engine {

/// The seed whose file a fault of DuckDB's CSV reader names; nullptr for other faults.
const config::Seed* SeedOf(const config::Project& project, const duck::Fault& fault);

/// Say where and why DuckDB cannot read a seed: the line of its file, or the type in its .yaml that is at fault.
/// Where DuckDB gave up before it came to a line, the file is read once more.
/// Returns: Error(kConfig, LEAT0212).
Error SeedFault(duck::Database& database, const config::Project& project, const config::Seed& seed,
                const duck::Fault& fault);

}  // namespace leat::engine
