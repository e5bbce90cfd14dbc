#pragma once

#include <vector>

#include "config/project.h"
#include "core/cancel.h"
#include "pipeline/finding.h"

namespace leat::pipeline {

/// Look at what a run needs of this machine, in a project or outside: clock, time zones, memory, open files, the file
/// of passwords. Speaks to no server and changes nothing.
std::vector<Finding> ExamineMachine(const config::Limits& limits);

/// Look at what a run needs of a project's folders, state database, lake, SQL and secrets. Writes a small file into
/// lake and state folder and removes it again; upgrades and creates nothing.
std::vector<Finding> ExamineProject(const config::Project& project, const CancelFlag& cancel);

/// Log in to each connection that sources or the warehouse name, for at most five seconds each, and look at its clock
/// and at what its role may do: too much at a source, too little in the warehouse. Of a warehouse that is a file:
/// whether it can be opened and written. Throws: Cancelled.
std::vector<Finding> ExamineConnections(const config::Project& project, const CancelFlag& cancel);

}  // namespace leat::pipeline
