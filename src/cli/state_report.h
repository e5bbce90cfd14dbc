#pragma once

#include <string>
#include <vector>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/table_state.h"

namespace leat::cli {

/// The answer of `leat state show`: streams with how far they were read, then models with what they were built from.
/// Moments as in `leat status`.
std::string FormatTableStates(const std::vector<pipeline::TableState>& states, Timestamp now, const Terminal& terminal);
Json TableStatesJson(const std::vector<pipeline::TableState>& states);

/// What forgetting a table's state does to its next run.
std::string ConsequenceOfReset(const pipeline::TableState& state);

}  // namespace leat::cli
