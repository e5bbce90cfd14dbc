#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/models.h"
#include "pipeline/run.h"
#include "pipeline/select.h"
#include "pipeline/workspace.h"
#include "sources/source.h"

namespace leat::pipeline {

/// A source that a run reads, opened.
struct PlannedSource {
  const config::Source* config = nullptr;
  std::unique_ptr<sources::Source> source;
  std::vector<sources::StreamInfo> streams;  ///< those the run reads
  std::optional<Error> fault;                ///< it could not be opened: none of its streams can be read
};

/// Names of the tables that each model reads.
using Reads = std::map<std::string, std::vector<std::string>>;

/// Read the SQL of all models, as far as it can be parsed; its faults are the graph's to report.
Reads ReadsOfModels(const config::Project& project, Workspace& workspace, const models::Macros& macros);

/// Whether an error says that a connection did not answer or did not let us in, so that no file of the project is at
/// fault.
bool IsUnreachable(const Error& error);

/// Open a source and ask what it has. A stream that the lake holds and the source has no longer carries its fault; a
/// source that cannot be opened carries its own.
PlannedSource OpenPlanned(const config::Project& project, const config::Source& config, Workspace& workspace,
                          const CancelFlag& cancel);

/// What a run will do.
struct Plan {
  std::vector<PlannedSource> sources;
  models::Graph graph;
  std::set<std::string> models;          ///< names of models to build
  std::set<std::string> streams;         ///< names of all that are known, also of those that are not read
  std::set<std::string> chosen_streams;  ///< of a plan without sources: those that were selected
  int tables() const;
};

/// The source or folder of a table's name: `totesys` of `totesys.sales_order`.
std::string NamespaceOf(const std::string& name);

/// Open the sources that the selection needs, order the models, and evaluate the selection.
/// Throws: InvalidProject for SQL that cannot be ordered; Error(kConfig, LEAT0120) for a selection that matches
/// nothing.
Plan MakePlan(const config::Project& project, const RunOptions& options, Workspace& workspace, models::Macros& macros,
              const CancelFlag& cancel);

/// Order the models of `workspace` and select among them and the streams that the lake has or models read, without
/// asking any source: a plan without sources. Throws: as MakePlan.
Plan MakePlanOfLake(const config::Project& project, const RunOptions& options, Workspace& workspace,
                    models::Macros& macros);

}  // namespace leat::pipeline
