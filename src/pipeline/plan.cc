#include "pipeline/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/text.h"
#include "pipeline/described_streams.h"

namespace leat::pipeline {
namespace {

std::vector<Selectable> Nodes(const config::Project& project, const Reads& reads,
                              const std::set<std::string>& streams) {
  std::vector<Selectable> nodes;
  for (const std::string& stream : streams)
    nodes.push_back({.name = stream, .source = NamespaceOf(stream), .kind = "stream", .tags = project.TagsOf(stream)});
  for (const config::Model& model : project.models) {
    Selectable node{.name = model.name, .kind = KindName(model.kind), .file = model.file, .tags = model.tags};
    for (const std::string& input : reads.at(model.name)) node.inputs.push_back(engine::ProducerOf(input));
    for (const config::CheckRule& rule : model.checks)
      for (const auto& reference : rule.references)
        if (reference.table.value != model.name) node.inputs.push_back(reference.table.value);
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::set<std::string> StreamsInLake(const config::Project& project, Workspace& workspace) {
  std::set<std::string> streams;
  for (const auto& [name, table] : workspace.tables())
    if (project.FindSource(name.first) != nullptr && name.second.ends_with(engine::kHistorySuffix))
      streams.insert(name.first + "." + engine::ProducerOf(name.second));
  return streams;
}

/// Streams that models name; whether they exist only their source can say.
std::set<std::string> StreamsRead(const config::Project& project, const Reads& reads) {
  std::set<std::string> streams;
  for (const auto& [model, inputs] : reads)
    for (const std::string& input : inputs)
      if (project.FindSource(NamespaceOf(input)) != nullptr) streams.insert(engine::ProducerOf(input));
  return streams;
}

std::vector<std::string> SourceNames(const config::Project& project) {
  std::vector<std::string> names;
  for (const config::Source& source : project.sources) names.push_back(source.name);
  return names;
}

/// Sources whose streams the selection may touch.
std::set<std::string> SourcesNeeded(const config::Project& project, const std::vector<Selectable>& nodes,
                                    const RunOptions& options) {
  if (options.only) {
    std::set<std::string> needed;
    for (const std::string& table : *options.only)
      if (project.FindSource(NamespaceOf(table)) != nullptr) needed.insert(NamespaceOf(table));
    return needed;
  }
  std::set<std::string> needed = SourcesNamed(options.select);
  const auto need_all = [&] {
    for (const config::Source& source : project.sources) needed.insert(source.name);
  };
  try {
    if (Trim(options.select).empty()) need_all();
    for (const std::string& name : Select(nodes, options.select, "", {}))
      for (const Selectable& node : nodes)
        if (node.name == name && !node.source.empty()) needed.insert(node.source);
  } catch (const Error&) {
    need_all();  // a name that only a source can know
  }
  return needed;
}

/// Whether the table that was the stream `name` is read as another stream now, by `rename`.
bool HasAnotherName(const PlannedSource& planned, const std::string& name) {
  return std::any_of(planned.streams.begin(), planned.streams.end(), [&](const sources::StreamInfo& stream) {
    return CleanName(stream.origin.substr(stream.origin.find('.') + 1)) == name;
  });
}

/// A stream of the lake whose table is gone keeps its rows, but what is below it must not pass for fresh.
void AddVanished(const config::Project& project, PlannedSource& planned, Workspace& workspace) {
  for (const auto& [name, table] : workspace.tables()) {
    if (name.first != planned.config->name || !name.second.ends_with(engine::kHistorySuffix)) continue;
    const std::string origin = engine::ProducerOf(name.second);
    const std::string stream = name.first + "." + origin;
    const bool is_there =
        std::any_of(planned.streams.begin(), planned.streams.end(), [&](const auto& s) { return s.name == stream; });
    if (is_there || project.IsLeftOut(stream) || HasAnotherName(planned, origin)) continue;
    Diagnostic gone{.code = "LEAT0412",
                    .message = fmt::format("the table of stream {} is gone from the database", stream),
                    .place = planned.config->connection.place,
                    .help = {fmt::format("if that is meant, keep its last rows by  {}: {{skip: true}}  in {}", origin,
                                         planned.config->file)}};
    planned.streams.push_back({.name = stream, .fault = std::move(gone)});
  }
}

bool Answered(const std::vector<PlannedSource>& sources, const std::string& name) {
  return std::any_of(sources.begin(), sources.end(),
                     [&](const auto& source) { return !source.fault && source.config->name == name; });
}

/// The streams that SQL may read: those in the lake, those that sources have, and, of sources that were not asked or do
/// not answer, whatever models read of them.
std::set<std::string> StreamsForSql(const std::set<std::string>& lake, const std::set<std::string>& read,
                                    const std::vector<PlannedSource>& sources) {
  std::set<std::string> streams = lake;
  for (const PlannedSource& source : sources)
    for (const auto& stream : source.streams) streams.insert(stream.name);
  for (const std::string& stream : read)
    if (!Answered(sources, NamespaceOf(stream))) streams.insert(stream);
  return streams;
}

/// What schema.yml says must be about streams that there are, as far as their sources were asked.
void RefuseUnknownStreams(const config::Project& project, const std::set<std::string>& streams,
                          const std::vector<PlannedSource>& sources) {
  const auto unknown =
      UnknownStreams(project, streams, [&](const std::string& source) { return Answered(sources, source); });
  if (!unknown.empty()) throw InvalidProject{unknown};
}

/// What models read of a source that does not answer fails with it, also if it was never loaded.
void AddRead(PlannedSource& source, const std::set<std::string>& read) {
  for (const std::string& stream : read) {
    const bool is_there =
        std::any_of(source.streams.begin(), source.streams.end(), [&](const auto& s) { return s.name == stream; });
    if (NamespaceOf(stream) == source.config->name && !is_there) source.streams.push_back({.name = stream});
  }
}

std::vector<std::string> WithSeeds(const std::set<std::string>& streams, const config::Project& project) {
  std::vector<std::string> names(streams.begin(), streams.end());
  for (const config::Seed& seed : project.seeds) names.push_back(seed.name);
  return names;
}

/// The tables that the options ask for.
std::set<std::string> Chosen(const config::Project& project, const std::vector<Selectable>& nodes,
                             const RunOptions& options) {
  std::set<std::string> chosen = Select(nodes, options.select, options.exclude, SourceNames(project));
  if (options.only)
    std::erase_if(chosen, [&](const std::string& table) {
      const std::string name_space = NamespaceOf(table);
      const bool is_of_source = project.FindSource(name_space) != nullptr && options.only->contains(name_space);
      return !is_of_source && !options.only->contains(table);
    });
  std::erase_if(chosen, [&](const std::string& table) { return options.without.contains(table); });
  return chosen;
}

models::Graph OrderModels(const config::Project& project, Workspace& workspace, const models::Macros& macros,
                          const std::set<std::string>& streams) {
  std::vector<Diagnostic> diagnostics;
  models::Graph graph =
      models::MakeGraph(workspace.engine().connection(), project, macros, WithSeeds(streams, project), diagnostics);
  if (HasErrors(diagnostics)) throw InvalidProject{std::move(diagnostics)};
  return graph;
}

/// The models to build: those selected and the calendars they refer to, but none that was excluded.
std::set<std::string> ModelsToBuild(const config::Project& project, const models::Graph& graph,
                                    const std::set<std::string>& selected, const std::set<std::string>& excluded) {
  std::set<std::string> models;
  for (const config::Model& model : project.models)
    if (selected.contains(model.name)) models.insert(model.name);
  models = graph.WithDates(models);
  std::erase_if(models, [&](const std::string& model) { return excluded.contains(model); });
  return models;
}

}  // namespace

Reads ReadsOfModels(const config::Project& project, Workspace& workspace, const models::Macros& macros) {
  Reads reads;
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

std::string NamespaceOf(const std::string& name) { return engine::ParseName(name).first; }

bool IsUnreachable(const Error& error) {
  const bool is_secret = error.code() == "LEAT0109" || error.code() == "LEAT0113" || error.code() == "LEAT0310";
  return error.kind() == kConnection || is_secret;
}

PlannedSource OpenPlanned(const config::Project& project, const config::Source& config, Workspace& workspace,
                          const CancelFlag& cancel) {
  PlannedSource planned{.config = &config};
  try {
    planned.source = sources::OpenSource(project, config, cancel);
    planned.streams = planned.source->Discover();
    AddVanished(project, planned, workspace);
  } catch (const Error& error) {
    planned.fault = error;
    for (const std::string& stream : StreamsInLake(project, workspace))
      if (NamespaceOf(stream) == config.name) planned.streams.push_back({.name = stream});
  }
  return planned;
}

int Plan::tables() const {
  size_t count = models.size();
  for (const PlannedSource& source : sources) count += source.streams.size();
  return static_cast<int>(count);
}

Plan MakePlan(const config::Project& project, const RunOptions& options, Workspace& workspace, models::Macros& macros,
              const CancelFlag& cancel) {
  const Reads reads = ReadsOfModels(project, workspace, macros);
  const std::set<std::string> lake = StreamsInLake(project, workspace);
  const std::set<std::string> read = StreamsRead(project, reads);
  std::set<std::string> known = lake;
  known.insert(read.begin(), read.end());
  const std::set<std::string> needed = SourcesNeeded(project, Nodes(project, reads, known), options);

  Plan plan;
  for (const config::Source& source : project.sources)
    if (needed.contains(source.name) && (!options.from_landing || source.type == "http"))
      plan.sources.push_back(OpenPlanned(project, source, workspace, cancel));

  const std::set<std::string> streams = StreamsForSql(lake, read, plan.sources);
  RefuseUnknownStreams(project, streams, plan.sources);
  plan.graph = OrderModels(project, workspace, macros, streams);

  const std::vector<Selectable> nodes = Nodes(project, reads, streams);
  const std::set<std::string> selected = Chosen(project, nodes, options);
  std::set<std::string> excluded;
  if (!Trim(options.exclude).empty()) excluded = Select(nodes, options.exclude, "", SourceNames(project));
  for (PlannedSource& source : plan.sources) {
    if (source.fault) AddRead(source, read);
    std::erase_if(source.streams, [&](const auto& stream) { return !selected.contains(stream.name); });
  }
  plan.models = ModelsToBuild(project, plan.graph, selected, excluded);
  plan.streams = streams;
  return plan;
}

Plan MakePlanOfLake(const config::Project& project, const RunOptions& options, Workspace& workspace,
                    models::Macros& macros) {
  const Reads reads = ReadsOfModels(project, workspace, macros);
  std::set<std::string> streams = StreamsInLake(project, workspace);
  streams.merge(StreamsRead(project, reads));
  Plan plan;
  plan.graph = OrderModels(project, workspace, macros, streams);
  const std::set<std::string> chosen = Chosen(project, Nodes(project, reads, streams), options);
  for (const config::Model& model : project.models)
    if (chosen.contains(model.name)) plan.models.insert(model.name);
  for (const std::string& stream : streams)
    if (chosen.contains(stream)) plan.chosen_streams.insert(stream);
  return plan;
}

}  // namespace leat::pipeline
