#pragma once

#include <set>
#include <string>
#include <vector>

namespace leat::pipeline {

/// A stream or model as selectors see it.
struct Selectable {
  std::string name;    ///< `totesys.sales_order`, `mart.dim_staff`
  std::string source;  ///< of a stream: `totesys`; empty for models
  std::string kind;    ///< `stream`, or the model's kind
  std::string file;    ///< of a model: `models/mart/dim_staff.sql`
  std::vector<std::string> tags;
  std::vector<std::string> inputs;  ///< names it is made from
};

/// Evaluate a selection in dbt's form: `mart.dim_staff`, `mart.*`, `+x` (and what it needs), `x+` (and what needs it),
/// `2+x` (two levels), `source:totesys`, `tag:monthly`, `kind:history`, `path:models/mart`; blank means or, comma means
/// and. An empty selection is everything. Names of `exclude` are taken out. `sources` are the project's, also those
/// whose streams nobody knows yet: for suggestions. Throws: Error(kConfig, LEAT0120) for a term that matches nothing,
/// with the nearest name.
std::set<std::string> Select(const std::vector<Selectable>& nodes, const std::string& selection,
                             const std::string& exclude, const std::vector<std::string>& sources);

/// Names of sources that a selection asks for by `source:`.
std::set<std::string> SourcesNamed(const std::string& selection);

}  // namespace leat::pipeline
