#pragma once

#include <string>
#include <vector>

#include "core/error.h"

namespace leat::cli {

/// Workflow commands by which a GitHub job shows diagnostics at their lines, one line each:
///
///     ::error file=models/mart/dim_staff.sql,line=7,col=10,endColumn=24,title=LEAT0203::column "department_nam" …
///
/// `folder` stands before the files' names: where the project lies in the repository, empty for its root.
std::string FormatAnnotations(const std::vector<Diagnostic>& diagnostics, const std::string& folder);

/// Where the project's folder lies below the workspace that the job checked out; empty if it is that or lies elsewhere.
std::string FolderInWorkspace(const std::string& project, const std::string& workspace);

}  // namespace leat::cli
