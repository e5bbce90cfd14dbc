#pragma once

#include <string>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/status.h"

namespace leat::cli {

enum class HealthyTables { kFew, kAll };

/// The answer of `leat status`: one line about the last run, then the tables, worst first; of the healthy ones a few.
/// Moments are UTC: of today (`now`) `14:05`, of other days `20 Nov`; off a terminal RFC 3339.
std::string FormatStatus(const std::string& project, const pipeline::ProjectStatus& status, HealthyTables healthy,
                         Timestamp now, const Terminal& terminal);

/// `data` of `leat status --json`.
Json StatusJson(const std::string& project, const pipeline::ProjectStatus& status);

}  // namespace leat::cli
