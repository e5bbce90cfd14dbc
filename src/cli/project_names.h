#pragma once

#include <string>
#include <vector>

#include "cli/complete_line.h"

namespace leat::cli {

/// The names behind a noun of the usage lines, for the project in `folder` (empty: here): TABLE, SELECT, RUN, NAME (of
/// a connection) and TARGET from its files and its state database, CODE from the pages of `explain`. Made for a shell
/// that waits between two keys: opens no DuckDB, asks no server, waits for no lock, and of what cannot be read it is
/// silent.
std::vector<Candidate> ProjectNames(const std::string& noun, const std::string& folder);

}  // namespace leat::cli
