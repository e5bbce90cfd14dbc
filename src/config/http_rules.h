#pragma once

#include <string>
#include <vector>

#include "config/check_fields.h"
#include "config/project.h"

namespace leat::config {

// How the keys of a source of type `http` become what http_source.h describes.

/// Read what stands at the top of the file once for all streams.
HttpSource ReadHttpSource(const Values& values, const std::string& source, const Environment& environment,
                          std::vector<Diagnostic>& diagnostics);

/// Read what an entry of `streams:`, or the top of the file, gives; the rest keeps its default.
HttpRules ReadHttpRules(const Values& values, std::vector<Diagnostic>& diagnostics);

/// Lay what the entry `over` gives over `rules`.
void ApplyHttpRules(const StreamRule& over, HttpRules& rules);

/// Check what only shows when all of a stream is known: names in braces that nothing gives a value to (LEAT0121), keys
/// that need others (LEAT0122).
void CheckHttpStreams(const Source& source, std::vector<Diagnostic>& diagnostics);

}  // namespace leat::config
