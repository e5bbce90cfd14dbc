#pragma once

#include <string>

#include "cli/json_document.h"
#include "cli/terminal.h"
#include "pipeline/lineage.h"

namespace leat::cli {

/// Two trees for people: what the subject comes from, and what uses it. A dashed branch only decides.
std::string FormatLineage(const pipeline::Lineage& lineage, const Terminal& terminal);

/// A graph for Graphviz, from left to right.
std::string LineageDot(const pipeline::Lineage& lineage);

/// `{"subject", "nodes", "edges"}`; names of nodes are their ids.
Json LineageJson(const pipeline::Lineage& lineage);

}  // namespace leat::cli
