#pragma once

#include <string>

#include "core/error.h"

namespace leat {

/// Format a diagnostic as one JSON object: severity, code, message, file, line, column, end_column, label, looked_in[],
/// help[], notes[], candidates[]. What is empty is left out.
std::string FormatDiagnosticJson(const Diagnostic& diagnostic);

/// Parse what FormatDiagnosticJson writes. A text that is no such object gives a diagnostic with the text as its
/// message.
Diagnostic ParseDiagnosticJson(const std::string& json);

}  // namespace leat
