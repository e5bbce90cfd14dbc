#pragma once

#include <string>

#include "duck/database.h"
#include "engine/engine.h"

namespace leat::models {

struct SqlSource;

/// Say in leat's words, with place, label and suggestions, why DuckDB refused the statement that `text` is, or broke
/// while running it. `file` empty: the text was typed, the place has no file.
///
/// LEAT0201 syntax error, LEAT0203 column that does not exist, LEAT0204 table, LEAT0213 anything else that does not
/// bind, LEAT0221 (kData) a value that a cast or a function could not take. What no SQL can mend (memory, disk) stays
/// kInternal.
Error ExplainFault(engine::Engine& engine, const duck::QueryError& error, const std::string& file,
                   const std::string& text);

/// The same without looking into tables, for the part of a file from byte `begin`.
Error UnboundError(const duck::Fault& fault, const SqlSource& source, size_t begin);

}  // namespace leat::models
