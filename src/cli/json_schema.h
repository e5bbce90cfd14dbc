#pragma once

#include <string>
#include <vector>

#include "cli/json_document.h"
#include "config/fields.h"

namespace leat::cli {

/// The JSON Schema (draft-07) of a kind of file: completion and hover text of every key, and most of what `leat
/// validate` says of a file by itself. Limits of sizes, days that the calendar lacks and keys that contradict each
/// other are left to leat.
Json JsonSchemaOf(const config::FileKind& kind);

/// Write the schemas of all kinds into `.leat/schema` of a project's folder, where the first line of its files points.
/// Gives their paths, relative to the folder.
std::vector<std::string> WriteSchemas(const std::string& folder);

}  // namespace leat::cli
