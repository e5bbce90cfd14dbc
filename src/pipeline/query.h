#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/project.h"
#include "core/cancel.h"
#include "duck/database.h"

namespace leat::pipeline {

/// Run one SELECT over the lake's tables as published, in a DuckDB of its own that can read the lake and nothing else,
/// and hand its rows to `use` while they are made. DESCRIBE and SUMMARIZE of a table or a SELECT are taken too. `file`
/// names the origin for messages (`query`, or a path); empty: nobody typed the SQL, so no place in it is told. Throws:
/// Error(kConfig) with place and caret text for faults of the SQL, LEAT0202 for anything but one SELECT.
void Query(const config::Project& project, const std::string& file, const std::string& sql, const CancelFlag& cancel,
           const std::function<void(duck::Result&)>& use);

/// The SELECT behind `preview`: of a table's name, or the text of a model's file below the project.
std::string PreviewSql(const config::Project& project, const std::string& table_or_file, int rows);

}  // namespace leat::pipeline
