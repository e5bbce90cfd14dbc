#pragma once

#include <string>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/check.h"

namespace leat::cli {

/// The answer of `leat check`: a line for each check with its state and failing rows, then how many passed.
std::string FormatChecks(const pipeline::CheckReport& report, const Terminal& terminal);
Json ChecksJson(const pipeline::CheckReport& report);

}  // namespace leat::cli
