#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/error.h"
#include "state/state.h"

namespace leat::cli {

/// Keeps the order in which fields were set.
using Json = nlohmann::ordered_json;

/// A diagnostic with every field of its form; what is unknown of a place is null.
Json ToJson(const Diagnostic& diagnostic);
Json ToJson(const std::vector<Diagnostic>& diagnostics);

/// `{"number", "status", "selection", "started_at", "ended_at", "dur_s"}`.
Json ToJson(const state::Run& run);
/// A step with its counts: `rows_read`, `rows_written`, …; of a check `checks` and `checks_failed`.
Json ToJson(const state::Step& step);
/// RFC 3339 in UTC, or null.
Json ToJson(const std::optional<Timestamp>& time);

/// Seconds to the millisecond.
Json SecondsJson(std::chrono::microseconds duration);

/// The document of `--json`: `{"format": 1, "command", "data", "diagnostics"}` and a line end.
std::string JsonDocument(const std::string& command, const Json& data, const std::vector<Diagnostic>& diagnostics);

/// JSON on one line, broken UTF-8 replaced: what a log line and a document need never to fail at.
std::string DumpLine(const Json& json);

}  // namespace leat::cli
