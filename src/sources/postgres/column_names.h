#pragma once

#include <vector>

#include "sources/postgres/streams.h"

namespace leat::sources {

/// Look for every column that the project names in `columns` and `rename` in the tables it is said of: the table of an
/// exact name, any of those that a glob or the top of the file is about. LEAT0420 for a name that is in none is the
/// fault of its stream, or thrown where it is said of many, since a misspelt `exclude` would let a column travel.
/// Returns LEAT0421 as a warning for each glob that matches nothing.
std::vector<Diagnostic> CheckColumnNames(const config::Source& source, std::vector<PostgresStream>& streams);

}  // namespace leat::sources
