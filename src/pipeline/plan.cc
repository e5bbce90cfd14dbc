#include "pipeline/plan.h"

#include <algorithm>
#include <map>

#include "core/text.h"

namespace leat::pipeline {
namespace {

std::string NamespaceOf(const std::string& name) { return name.substr(0, name.find('.')); }

/// What the models read, as far as their SQL can be parsed; faults are the graph's to report.
std::map<std::string, std::vector<std::string>> ReadsOfModels(const config::Project& project, Workspace& workspace,
                                                              const models::Macros& macros) {
  std::map<std::string, std::vector<std::string>> reads;
  for (const config::Model& model : project.models) {
    std::vector<std::string>& names = reads[model.name];
    if (model.kind == config::ModelKind::kDimDate) continue;
    try {
      for (const auto& table : models::TablesRead(workspace.engine().connection(), macros, model.file, model.text))
        names.push_back(table.Name());
    } catch (const Error&) {
      continue;
    }
  }
  return reads;
}

using Reads = std::map<std::string, std::vector<std::string>>;

std::vector<Selectable> Nodes(const config::Project& project, const Reads& reads, const std::set<std::string>& streams) {
  std::vector<Selectable> nodes;
  for (const std::string& stream : streams)
    nodes.push_back({.name = stream, .source = NamespaceOf(stream), .kind = "stream"});
  for (const config::Model& model : project.models) {
    Selectable node{.name = model.name, .kind = KindName(model.kind), .file = model.file, .tags = model.tags};
    for (const std::string& input : reads.at(model.name)) node.inputs.push_back(ProducerOf(input));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

/// Streams known without asking: those in the lake and those that models name.
std::set<std::string> KnownStreams(const config::Project& project, const Reads& reads, Workspace& workspace) {
  std::set<std::string> streams;
  for (const auto& [name, table] : workspace.tables())
    if (project.FindSource(name.first) != nullptr && name.second.ends_with(kHistorySuffix))
      streams.insert(name.first + "." + ProducerOf(name.second));
  for (const auto& [model, inputs] : reads)
    for (const std::string& input : inputs)
      if (project.FindSource(NamespaceOf(input)) != nullptr) streams.insert(ProducerOf(input));
  return streams;
}

/// Sources whose streams the selection may touch.
std::set<std::string> SourcesNeeded(const config::Project& project, const std::vector<Selectable>& nodes, const RunOptions& options) {
  std::set<std::string> needed = SourcesNamed(options.select);
  const auto need_all = [&] {
    for (const config::Source& source : project.sources) needed.insert(source.name);
  };
  try {
    if (Trim(options.select).empty()) need_all();
    for (const std::string& name : Select(nodes, options.select, ""))
      for (const Selectable& node : nodes)
        if (node.name == name && !node.source.empty()) needed.insert(node.source);
  } catch (const Error&) {
    need_all();  // a name that only a source can know
  }
  return needed;
}

PlannedSource OpenPlanned(const config::Project& project, const config::Source& config, const CancelFlag& cancel) {
  PlannedSource planned{.config = &config};
  try {
    planned.source = sources::OpenSource(project, config, cancel);
    planned.streams = planned.source->Discover();
  } catch (const Error& error) {
    planned.fault = error;
  }
  return planned;
}

/// The names that SQL may read: streams that exist, and, of sources that do not answer, whatever models read of them.
std::vector<std::string> NamesForSql(const std::set<std::string>& known, const std::vector<PlannedSource>& sources,
                                     const config::Project& project) {
  std::set<std::string> names;
  std::set<std::string> answered;
  for (const PlannedSource& source : sources) {
    if (source.fault) continue;
    answered.insert(source.config->name);
    for (const auto& stream : source.streams) names.insert(stream.name);
  }
  for (const std::string& stream : known)
    if (!answered.contains(NamespaceOf(stream))) names.insert(stream);
  std::vector<std::string> all;
  for (const std::string& stream : names) {
    all.push_back(stream);
    all.push_back(stream + std::string(kHistorySuffix));
  }
  for (const config::Seed& seed : project.seeds) all.push_back(seed.name);
  return all;
}

}  // namespace

std::string ProducerOf(const std::string& name) {
  return name.ends_with(kHistorySuffix) ? name.substr(0, name.size() - kHistorySuffix.size()) : name;
}

const char* KindName(config::ModelKind kind) {
  switch (kind) {
    case config::ModelKind::kTable: return "table";
    case config::ModelKind::kHistory: return "history";
    case config::ModelKind::kDimDate: return "dim_date";
  }
  return "table";
}

int Plan::tables() const {
  size_t count = models.size();
  for (const PlannedSource& source : sources) count += source.streams.size();
  return static_cast<int>(count);
}

Plan MakePlan(const config::Project& project, const RunOptions& options, Workspace& workspace, models::Macros& macros,
              const CancelFlag& cancel) {
  const Reads reads = ReadsOfModels(project, workspace, macros);
  std::set<std::string> streams = KnownStreams(project, reads, workspace);
  const std::set<std::string> needed = SourcesNeeded(project, Nodes(project, reads, streams), options);

  Plan plan;
  for (const config::Source& source : project.sources)
    if (needed.contains(source.name)) plan.sources.push_back(OpenPlanned(project, source, cancel));

  std::vector<Diagnostic> diagnostics;
  plan.graph = models::MakeGraph(workspace.engine().connection(), project, macros, NamesForSql(streams, plan.sources, project), diagnostics);
  if (std::any_of(diagnostics.begin(), diagnostics.end(), [](const auto& d) { return d.severity == Severity::kError; }))
    throw InvalidProject{std::move(diagnostics)};

  for (const PlannedSource& source : plan.sources)
    for (const auto& stream : source.streams) streams.insert(stream.name);
  const std::set<std::string> selected = Select(Nodes(project, reads, streams), options.select, options.exclude);
  for (PlannedSource& source : plan.sources)
    std::erase_if(source.streams, [&](const auto& stream) { return !selected.contains(stream.name); });
  for (const config::Model& model : project.models)
    if (selected.contains(model.name)) plan.models.insert(model.name);
  plan.models = plan.graph.WithDates(plan.models);
  return plan;
}

}  // namespace leat::pipeline
