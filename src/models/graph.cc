#include "models/graph.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "engine/engine.h"
#include "models/parameters.h"
#include "models/periods.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

using Edges = std::map<std::string, std::set<std::string>>;

std::string WithoutSuffix(const std::string& name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

/// The model behind `mart.dim_staff` or `mart.dim_staff__rejects`; nothing for other tables.
const config::Model* ModelBehind(const config::Project& project, const std::string& table) {
  return project.FindModel(WithoutSuffix(table, engine::kRejectsSuffix));
}

void CollectReachable(const Edges& edges, const std::string& from, std::set<std::string>& reached) {
  const auto found = edges.find(from);
  if (found == edges.end()) return;
  for (const std::string& next : found->second)
    if (reached.insert(next).second) CollectReachable(edges, next, reached);
}

/// From a model to those that read it; `references` too, the open dim_dates only if `all`.
Edges DependentsOf(const std::vector<Node>& nodes, const std::map<std::string, const config::Model*>& models,
                   bool all) {
  Edges edges;
  for (const Node& node : nodes) {
    for (const TableReference& table : node.reads.tables)
      edges[WithoutSuffix(table.Name(), engine::kRejectsSuffix)].insert(node.model->name);
    for (const std::string& table : node.references) {
      const auto target = models.find(table);
      const bool is_open_date = target != models.end() && Graph::IsOpenDimDate(*target->second);
      if (all || !is_open_date) edges[table].insert(node.model->name);
    }
  }
  return edges;
}

class GraphMaker {
 public:
  GraphMaker(duck::Connection& connection, const config::Project& project, const Macros& macros,
             const std::vector<std::string>& known, std::vector<Diagnostic>& diagnostics)
      : connection_(connection),
        project_(project),
        macros_(macros),
        known_(known.begin(), known.end()),
        diagnostics_(diagnostics) {
    names_ = known;
    for (const config::Model& model : project.models) names_.push_back(model.name);
  }

  Graph Make() {
    for (const config::Model& model : project_.models) AddNode(model);
    for (const Node& node : nodes_) models_[node.model->name] = node.model;
    dependents_ = DependentsOf(nodes_, models_, /*all=*/false);
    for (Node& node : nodes_) SetPredecessors(node);
    ReportCycles();
    Graph graph;
    graph.nodes = Ordered();
    AddChecks(graph);
    return graph;
  }

 private:
  void AddNode(const config::Model& model) {
    Node node{.model = &model};
    try {
      if (model.kind != config::ModelKind::kDimDate) {
        node.reads = ReadsOf(connection_, macros_, model.file, model.text, names_);
        RefuseParametersOfOthers(node.reads, model.kind, model.file, model.text);
        RequirePeriodParameters(model, node.reads);
        CheckTables(node.reads, model.file, model.text);
      }
      for (const config::CheckRule& rule : model.checks)
        for (const auto& reference : rule.references) AddReference(node, reference);
    } catch (const Error& error) {
      Refuse(model.name, error.diagnostic());
      return;
    }
    nodes_.push_back(std::move(node));
  }

  void Refuse(const std::string& model, const Diagnostic& diagnostic) {
    diagnostics_.push_back(diagnostic);
    faulty_.insert(model);
  }

  bool IsKnown(const std::string& name) const {
    if (name.ends_with(engine::kAtSuffix) && !IsOfSource(name)) return false;
    for (const std::string_view suffix :
         {std::string_view(), engine::kHistorySuffix, engine::kAtSuffix, engine::kRejectsSuffix})
      if (name.ends_with(suffix) && known_.contains(WithoutSuffix(name, suffix))) return true;
    return IsNested(name) || ModelBehind(project_, name) != nullptr;
  }

  /// Which lists the records of an API hold is known when they come.
  bool IsNested(const std::string& name) const {
    const config::Source* source = project_.FindSource(engine::ParseName(name).first);
    const std::string stream = engine::ProducerOf(name);
    return source != nullptr && source->type == "http" && stream != name && known_.contains(stream);
  }

  bool IsOfSource(const std::string& name) const {
    return project_.FindSource(engine::ParseName(name).first) != nullptr;
  }

  [[noreturn]] void ThrowUnknown(const std::string& name, const Place& place) const {
    Diagnostic unknown{.code = "LEAT0204", .message = fmt::format("table {} does not exist", name), .place = place};
    const std::string producer = engine::CurrentName(name);
    const bool is_at_moment = name.ends_with(engine::kAtSuffix);
    std::vector<std::string> names = names_;
    if (is_at_moment) std::erase_if(names, [&](const std::string& known) { return !IsOfSource(known); });
    SuggestNearest(unknown, producer, names);
    if (producer != name && !unknown.candidates.empty()) {
      for (std::string& candidate : unknown.candidates) candidate += name.substr(producer.size());
      unknown.help = {fmt::format("did you mean {}?", unknown.candidates.front())};
    }
    if (name.ends_with("__at") && IsKnown(name + "()"))
      unknown.help = {fmt::format("it takes a moment: {}(TIMESTAMPTZ '2024-12-31')", name)};
    if (unknown.help.empty() && is_at_moment)
      unknown.help.push_back("only a source's streams are kept as they were: source.stream__at(moment)");
    if (unknown.help.empty())
      unknown.help.push_back("a table is a stream of sources/, a file of models/ or a file of seeds/");
    throw Error(kConfig, std::move(unknown));
  }

  void CheckTables(const SelectReads& reads, const std::string& file, const std::string& text) const {
    for (const TableReference& table : reads.tables)
      if (!IsKnown(table.Name())) ThrowUnknown(table.Name(), PlaceOfTable(table, file, text));
  }

  static Place PlaceOfTable(const TableReference& table, const std::string& file, const std::string& text) {
    if (!table.position) return Place{.file = file};
    // The whole of `schema.table` is meant.
    const size_t last = LastPartOfName(text, *table.position);
    Place place = PlaceOfToken(file, text, *table.position);
    const Place end = PlaceOfToken(file, text, last);
    if (end.line == place.line) place.end_column = end.end_column;
    return place;
  }

  void AddReference(Node& node, const config::CheckRule::Reference& reference) const {
    const std::string& table = reference.table.value;
    if (table == node.model->name) return;
    if (!IsKnown(table)) ThrowUnknown(table, reference.table.place);
    if (std::find(node.references.begin(), node.references.end(), table) == node.references.end())
      node.references.push_back(table);
  }

  void SetPredecessors(Node& node) const {
    std::set<std::string> before;
    for (const TableReference& table : node.reads.tables)
      if (const config::Model* model = ModelBehind(project_, table.Name())) before.insert(model->name);
    for (const std::string& table : node.references)
      if (const config::Model* model = project_.FindModel(table); model != nullptr && !Graph::IsOpenDimDate(*model))
        before.insert(model->name);
    if (Graph::IsOpenDimDate(*node.model)) AddReferrers(node, before);
    node.builds_after.assign(before.begin(), before.end());
  }

  /// Models that are built from the calendar itself cannot also be waited for.
  void AddReferrers(const Node& node, std::set<std::string>& before) const {
    std::set<std::string> below;
    CollectReachable(dependents_, node.model->name, below);
    for (const Node& other : nodes_) {
      const auto& references = other.references;
      const bool refers = std::find(references.begin(), references.end(), node.model->name) != references.end();
      if (refers && !below.contains(other.model->name)) before.insert(other.model->name);
    }
  }

  /// Walks back from each model; a model met again on the way closes a cycle.
  void ReportCycles() {
    std::set<std::string> done;
    std::vector<std::string> path;
    for (const Node& node : nodes_) FindCycle(node.model->name, path, done);
  }

  void FindCycle(const std::string& name, std::vector<std::string>& path, std::set<std::string>& done) {
    const auto on_path = std::find(path.begin(), path.end(), name);
    if (on_path != path.end()) return ReportCycle({on_path, path.end()});
    if (!done.insert(name).second) return;
    const Node* node = FindNode(name);
    if (node == nullptr) return;
    path.push_back(name);
    for (const std::string& before : node->builds_after) FindCycle(before, path, done);
    path.pop_back();
  }

  void ReportCycle(const std::vector<std::string>& models) {
    Diagnostic cycle{.code = "LEAT0208"};
    cycle.message = fmt::format("models wait for each other: {} → {}", Join(models, " → "), models.front());
    for (size_t i = 0; i < models.size(); ++i) {
      const std::string& needed = models[(i + 1) % models.size()];
      const auto [verb, place] = UseOf(*FindNode(models[i]), needed);
      if (i == 0) cycle.place = place;
      cycle.notes.push_back(fmt::format("{} {} {} at {}", models[i], verb, needed, place.ToString()));
      faulty_.insert(models[i]);
    }
    cycle.label = "waits for " + models[1 % models.size()];
    cycle.help.push_back("let one of them read what the other reads, or move the shared part into a model of its own");
    diagnostics_.push_back(std::move(cycle));
  }

  std::pair<std::string, Place> UseOf(const Node& node, const std::string& needed) const {
    for (const TableReference& table : node.reads.tables)
      if (WithoutSuffix(table.Name(), engine::kRejectsSuffix) == needed)
        return {"reads", PlaceOfTable(table, node.model->file, node.model->text)};
    for (const config::CheckRule& rule : node.model->checks)
      for (const auto& reference : rule.references)
        if (reference.table.value == needed) return {"references", reference.table.place};
    return {"spans the dates of", node.model->head_place};
  }

  const Node* FindNode(const std::string& name) const {
    for (const Node& node : nodes_)
      if (node.model->name == name) return &node;
    return nullptr;
  }

  std::vector<Node> Ordered() {
    // A faulty model has no node, but those that read it name it.
    const Edges dependents = DependentsOf(nodes_, models_, /*all=*/true);
    for (const std::string& faulty : std::set<std::string>(faulty_)) CollectReachable(dependents, faulty, faulty_);
    std::erase_if(nodes_, [&](const Node& node) { return faulty_.contains(node.model->name); });
    std::vector<Node> ordered;
    std::set<std::string> placed;
    for (const Node& node : nodes_) PlaceInOrder(node, ordered, placed);
    return ordered;
  }

  void PlaceInOrder(const Node& node, std::vector<Node>& ordered, std::set<std::string>& placed) {
    if (!placed.insert(node.model->name).second) return;
    for (const std::string& before : node.builds_after)
      if (const Node* other = FindNode(before)) PlaceInOrder(*other, ordered, placed);
    ordered.push_back(node);
  }

  void AddChecks(Graph& graph) {
    for (const config::CheckQuery& check : project_.checks) {
      std::optional<SelectReads> reads;
      try {
        reads = ReadsOf(connection_, macros_, check.file, check.text, names_);
        RefuseParametersOfOthers(*reads, std::nullopt, check.file, check.text);
        CheckTables(*reads, check.file, check.text);
      } catch (const Error& error) {
        diagnostics_.push_back(error.diagnostic());
        reads.reset();
      }
      graph.check_reads.push_back(std::move(reads));
    }
  }

  duck::Connection& connection_;
  const config::Project& project_;
  const Macros& macros_;
  std::set<std::string> known_;
  std::vector<Diagnostic>& diagnostics_;
  std::vector<std::string> names_;  ///< for suggestions
  std::vector<Node> nodes_;
  std::map<std::string, const config::Model*> models_;
  Edges dependents_;
  std::set<std::string> faulty_;
};

}  // namespace

bool Graph::IsOpenDimDate(const config::Model& model) {
  return model.kind == config::ModelKind::kDimDate && !(model.date_from && model.date_to);
}

const Node* Graph::Find(const std::string& model) const {
  const auto found =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& node) { return node.model->name == model; });
  return found == nodes.end() ? nullptr : &*found;
}

std::set<std::string> Graph::Below(const std::string& model) const {
  std::set<std::string> below;
  CollectReachable(DependentsOf(nodes, {}, /*all=*/true), model, below);
  below.erase(model);
  return below;
}

std::set<std::string> Graph::WithDates(const std::set<std::string>& selected) const {
  std::set<std::string> all = selected;
  for (const Node& node : nodes) {
    if (!selected.contains(node.model->name)) continue;
    for (const std::string& table : node.references)
      if (const Node* target = Find(table); target != nullptr && IsOpenDimDate(*target->model)) all.insert(table);
  }
  return all;
}

Graph MakeGraph(duck::Connection& connection, const config::Project& project, const Macros& macros,
                const std::vector<std::string>& known, std::vector<Diagnostic>& diagnostics) {
  return GraphMaker(connection, project, macros, known, diagnostics).Make();
}

}  // namespace leat::models
