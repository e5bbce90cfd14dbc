#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "duck/database.h"
#include "models/macros.h"
#include "models/tables_read.h"

namespace leat::models {

/// One model and what must be there before it.
struct Node {
  const config::Model* model = nullptr;
  SelectReads reads;                      ///< of its SQL; empty for generated tables
  std::vector<std::string> references;    ///< tables that its `references` checks name, itself excepted
  std::vector<std::string> builds_after;  ///< models whose rows must be written before its own
};

/// What is built from what.
///
/// A `dim_date` without both bounds spans the dates of the models that refer to it, so it comes after them; a reference
/// to it is an edge in Below() alone. One with both bounds comes before them, as any other table.
struct Graph {
  std::vector<Node> nodes;                              ///< in an order in which they can be built
  std::vector<std::optional<SelectReads>> check_reads;  ///< beside project.checks; nothing for a faulty one

  const Node* Find(const std::string& model) const;
  /// The models below: everything that reads or references `model`, directly or not.
  std::set<std::string> Below(const std::string& model) const;
  /// `selected` and the open dim_dates that its models reference: they must grow before the references are checked.
  std::set<std::string> WithDates(const std::set<std::string>& selected) const;
  /// Whether its span follows the models that refer to it.
  static bool IsOpenDimDate(const config::Model& model);
};

/// Order the models. Collects every fault instead of throwing: LEAT0204 unknown tables with the nearest name, LEAT0208
/// cycles naming their models, and what ReadsOf throws; a faulty model is left out of the graph with everything below
/// it. `known` are the names of streams and seeds; their `__history` and `__rejects`, and models' `__rejects`, follow
/// from them.
Graph MakeGraph(duck::Connection& connection, const config::Project& project, const Macros& macros,
                const std::vector<std::string>& known, std::vector<Diagnostic>& diagnostics);

}  // namespace leat::models
