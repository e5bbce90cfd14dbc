#pragma once

#include <string>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/lineage.h"

namespace leat::cli {

/// Two trees for people: what the subject comes from, and what uses it. A dashed branch only decides.
std::string FormatLineage(const pipeline::LineageGraph& lineage, const Terminal& terminal);

/// A graph for Graphviz, from left to right.
std::string LineageDot(const pipeline::LineageGraph& lineage);

/// `{"subject", "nodes", "edges"}`; names of nodes are their ids.
Json LineageJson(const pipeline::LineageGraph& lineage);

}  // namespace leat::cli
