#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"

namespace leat::pipeline {

/// LEAT0134 for each stream that schema.yml describes, or refers to, and that is none of `streams`. Only sources of
/// which `is_known` says that their streams are known count; what the project leaves out may be described all the same.
std::vector<Diagnostic> UnknownStreams(const config::Project& project, const std::set<std::string>& streams,
                                       const std::function<bool(const std::string& source)>& is_known);

/// Streams that schema.yml describes or refers to, but for those left out.
std::set<std::string> DescribedStreams(const config::Project& project);

}  // namespace leat::pipeline
