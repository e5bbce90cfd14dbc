#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lake/table.h"
#include "sources/postgres/streams.h"

namespace leat::sources {

/// What a stream reads from now on, and the schema of its table in the lake.
struct StreamSchema {
  std::vector<StreamColumn> columns;  ///< to read
  lake::Schema schema;                ///< those, then columns of before that are NULL from now on, then `_leat_…`
  std::vector<std::string> missing;   ///< columns that the lake has and the source no longer
};

/// Bring the columns of the source together with those that the lake has, by what the project says of new, missing and
/// changed ones.
/// Throws: Error(kConfig): LEAT0414 for a new column, LEAT0415 for a missing one where the project stops at them;
/// LEAT0410 for a type that does not widen, or where the project stops at any change.
StreamSchema BringTogether(const PostgresStream& stream, const std::optional<lake::Table>& published);

/// LEAT0415 as a warning: these columns are NULL from now on.
Diagnostic MissingColumns(const PostgresStream& stream, const std::vector<std::string>& missing);

}  // namespace leat::sources
