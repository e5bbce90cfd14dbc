#pragma once

#include <string>
#include <vector>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/finding.h"

namespace leat::cli {

/// One line a finding, with its remedy below it, and how many there are.
std::string FormatFindings(const std::vector<pipeline::Finding>& findings, const Terminal& terminal);

/// `{"findings": [{"state", "subject", "text", "remedy"}], "faults", "warnings"}`; states are good, warning, fault.
Json FindingsJson(const std::vector<pipeline::Finding>& findings);

}  // namespace leat::cli
