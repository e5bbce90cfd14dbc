#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/history.h"

namespace leat::cli {

/// The answer of `leat runs list`: one line for each run, newest first. Moments as in `leat status`.
std::string FormatRuns(const std::vector<pipeline::RunRecord>& runs, Timestamp now, const Terminal& terminal);
Json RunsJson(const std::vector<pipeline::RunRecord>& runs);

/// The answer of `leat runs show`: the run, then its steps in the order in which they were recorded.
std::string FormatRunRecord(const pipeline::RunRecord& record, Timestamp now, const Terminal& terminal);
Json RunRecordJson(const pipeline::RunRecord& record);

/// The tables that a run's log tells of, each once.
std::vector<std::string> TablesInLog(const std::string& log);

/// Lines of a run's log that are about `table` (empty: all) as `leat run` writes them off a terminal; with kJson as
/// they stand in the file. A line that is no JSON object, the half of a broken disk, is left out.
std::string FormatLog(const std::string& log, const std::string& table, LogFormat format);

}  // namespace leat::cli
