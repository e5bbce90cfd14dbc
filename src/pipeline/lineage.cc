#include "pipeline/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.h"
#include "engine/engine.h"
#include "models/column_lineage.h"
#include "models/dim_date.h"
#include "models/model_output.h"
#include "pipeline/load.h"
#include "pipeline/plan.h"
#include "pipeline/run.h"
#include "pipeline/workspace.h"

namespace leat::pipeline {
namespace {

constexpr const char* kNeverLoaded = "its columns are known after the first run";
constexpr const char* kInferred = "as SQL names it; its table was never loaded";

/// Everything of a project, each table and column once.
struct ProjectLineage {
  std::map<LineageName, LineageNode> nodes;
  std::set<LineageEdge> edges;
  std::map<std::string, std::vector<std::string>> columns;  ///< of the tables whose columns are known, in their order
};

/// Puts together what the SQL of models and checks, the lake and the heads say.
class LineageReader {
 public:
  LineageReader(const config::Project& project, const CancelFlag& cancel)
      : project_(project),
        workspace_(project, Workspace::Access::kRead, cancel),
        macros_(workspace_.engine().connection(), project.macros),
        plan_(MakePlanOfLake(project, {}, workspace_, macros_)) {}

  ProjectLineage Read() {
    for (const std::string& name : workspace_.engine().Names())
      if (IsOfProject(name)) AddTable(TableOf(name));
    for (const models::Node& node : plan_.graph.nodes) AddModel(node);
    for (size_t i = 0; i < project_.checks.size(); ++i)
      if (plan_.graph.check_reads[i]) AddCheck(project_.checks[i], *plan_.graph.check_reads[i]);
    for (const models::Node& node : plan_.graph.nodes) AddReferences(node.model->name, node.model->checks);
    for (const config::StreamProperties& stream : project_.streams) AddReferences(stream.name, stream.checks);
    for (const config::Exposure& exposure : project_.exposures) AddExposure(exposure);
    AddProducersOfRejects();
    if (project_.warehouse) AddLoads();
    return std::move(found_);
  }

 private:
  duck::Connection& connection() { return workspace_.engine().connection(); }

  LineageNode& Put(LineageNode node) { return found_.nodes.insert_or_assign(node.name, node).first->second; }

  void Connect(const LineageName& from, const LineageName& to, LineageHow how) { found_.edges.insert({from, to, how}); }

  // --- tables that no SQL of the project makes

  /// The lake may hold tables of models and sources that the project has no longer.
  bool IsOfProject(const std::string& name) const {
    if (project_.FindSource(NamespaceOf(name)) != nullptr || IsSeed(name)) return true;
    return name.ends_with(engine::kRejectsSuffix) && project_.FindModel(ProducerOfRejects(name)) != nullptr;
  }

  /// The stream behind a name; what a model sorted out is a table beside it.
  std::string TableOf(const std::string& name) const {
    const bool is_models = name.ends_with(engine::kRejectsSuffix) && project_.FindSource(NamespaceOf(name)) == nullptr;
    return is_models ? name : engine::ProducerOf(name);
  }

  static std::string ProducerOfRejects(const std::string& name) {
    return name.substr(0, name.size() - engine::kRejectsSuffix.size());
  }

  /// Streams, seeds, rows that were sorted out. A model has been added before whatever reads it.
  void AddTable(const std::string& name) {
    if (found_.nodes.contains({.table = name}) || project_.FindModel(name) != nullptr) return;
    LineageNode node{.name = {.table = name}};
    const bool is_rejects = name.ends_with(engine::kRejectsSuffix);
    node.kind = is_rejects ? "rejects" : IsSeed(name) ? "seed" : "stream";
    node.place = PlaceOfTable(name);
    const std::optional<std::vector<std::string>> columns = ColumnsInLake(name);
    node.unknown = !columns;
    if (!columns) node.note = kNeverLoaded;
    Put(node);
    if (columns) AddColumns(node, *columns);
  }

  void AddColumns(const LineageNode& table, const std::vector<std::string>& columns) {
    found_.columns[table.name.table] = columns;
    for (const std::string& column : columns)
      Put({.name = {.table = table.name.table, .column = column}, .kind = table.kind, .place = table.place});
  }

  bool IsSeed(const std::string& name) const {
    return std::any_of(project_.seeds.begin(), project_.seeds.end(),
                       [&](const config::Seed& seed) { return seed.name == name; });
  }

  Place PlaceOfTable(const std::string& name) const {
    for (const config::Seed& seed : project_.seeds)
      if (seed.name == name) return {.file = seed.file};
    const config::Source* source = project_.FindSource(NamespaceOf(name));
    return source == nullptr ? Place() : Place{.file = source->file};
  }

  /// A stream has the columns of its versions: leat's own too.
  std::optional<std::vector<std::string>> ColumnsInLake(const std::string& name) {
    const std::string versions = name + std::string(engine::kHistorySuffix);
    const std::string& visible = workspace_.engine().Knows(versions) ? versions : name;
    if (!workspace_.engine().Knows(visible)) return std::nullopt;
    try {
      std::vector<std::string> columns;
      for (const duck::Column& column : workspace_.engine().ColumnsOf(visible)) columns.push_back(ToLower(column.name));
      return columns;
    } catch (const Error&) {
      return std::nullopt;  // a seed that DuckDB cannot read: validate says why
    }
  }

  /// Rows that were sorted out have the columns of the table they were meant for, and some of their own.
  void AddProducersOfRejects() {
    for (const auto& [name, node] : found_.nodes) {
      if (node.kind != "rejects") continue;
      const LineageName producer{ProducerOfRejects(name.table), name.column};
      if (!found_.nodes.contains(producer)) continue;
      Connect(producer, name, name.column.empty() ? LineageHow::kReads : LineageHow::kValue);
    }
  }

  // --- models and checks

  void AddModel(const models::Node& graph_node) {
    const config::Model& model = *graph_node.model;
    LineageNode& table =
        Put({.name = {.table = model.name}, .kind = KindName(model.kind), .place = {.file = model.file}});
    if (model.kind == config::ModelKind::kDimDate) {
      std::vector<std::string> columns;
      for (const duck::Column& column : models::DimDateColumns()) columns.push_back(ToLower(column.name));
      AddColumns(table, columns);
      for (const std::string& column : columns) found_.nodes[{model.name, column}].note = "generated";
      table.note = "generated";
      return;
    }
    const models::SelectLineage lineage = Trace(model.file, model.text, graph_node.reads, table.name);
    std::vector<std::string> columns;
    if (model.record_id) columns.push_back(ToLower(model.record_id->value));
    for (const models::OutputColumn& column : lineage.columns) columns.push_back(column.name);
    if (model.kind == config::ModelKind::kScd2)
      for (const duck::Column& column : models::IntervalColumns()) columns.push_back(column.name);
    table.unknown = !lineage.complete;
    if (table.unknown) table.note = "it has columns whose names are not known";
    const LineageNode made = table;
    AddColumns(made, columns);
    if (model.record_id) found_.nodes[{model.name, columns.front()}].note = "numbered by leat";
    if (model.kind == config::ModelKind::kScd2)
      for (const duck::Column& column : models::IntervalColumns())
        found_.nodes[{model.name, column.name}].note = "made by leat";
    for (const models::OutputColumn& column : lineage.columns) AddOutput(made, column);
    if (!lineage.complete) found_.columns.erase(model.name);
  }

  void AddOutput(const LineageNode& model, const models::OutputColumn& column) {
    const LineageName name{model.name.table, column.name};
    LineageNode& node = found_.nodes[name];
    node.expression = column.expression;
    if (!column.expression.empty()) node.place = column.place;
    node.unknown = !column.values.complete || !column.decides.complete;
    if (node.unknown)
      node.note = column.values.complete ? "what else decides is not known" : "it may have other origins";
    ConnectAll(column.values, name, LineageHow::kValue);
    ConnectAll(column.decides, name, LineageHow::kDecides);
  }

  void ConnectAll(const models::Origins& origins, const LineageName& to, LineageHow how) {
    for (const models::OriginColumn& origin : origins.columns) {
      const LineageName from{TableOf(origin.table), origin.column};
      AddInferred(from);
      Connect(from, to, how);
    }
  }

  /// A column that nobody has seen yet, but that the SQL can only have from there.
  void AddInferred(const LineageName& name) {
    const LineageNode& table = found_.nodes.at({.table = name.table});
    found_.nodes.try_emplace(
        name, LineageNode{.name = name, .kind = table.kind, .place = table.place, .unknown = true, .note = kInferred});
  }

  /// The lineage of one SELECT; the tables it reads are connected to `reader`.
  models::SelectLineage Trace(const std::string& file, const std::string& text, const models::SelectReads& reads,
                              const LineageName& reader) {
    models::ColumnsOfTables tables;
    for (const std::string& name : reads.TableNames()) {
      const std::string producer = TableOf(name);
      AddTable(producer);
      Connect({.table = producer}, reader,
              reader.table.starts_with("checks/") ? LineageHow::kChecks : LineageHow::kReads);
      if (const auto known = found_.columns.find(producer); known != found_.columns.end()) {
        tables[name] = known->second;
        if (!name.ends_with(engine::kHistorySuffix)) std::erase_if(tables[name], engine::IsOwnColumn);
      }
    }
    return models::LineageOf(connection(), macros_, file, text, tables);
  }

  /// A check has no columns: it uses whatever flows into its rows or decides which they are.
  void AddCheck(const config::CheckQuery& check, const models::SelectReads& reads) {
    const LineageName name{.table = check.file};
    Put({.name = name, .kind = "check", .place = {.file = check.file}});
    const models::SelectLineage lineage = Trace(check.file, check.text, reads, name);
    for (const models::OutputColumn& column : lineage.columns) {
      ConnectAll(column.values, name, LineageHow::kChecks);
      ConnectAll(column.decides, name, LineageHow::kChecks);
    }
  }

  /// A column that may only hold what another table has: that table is used, but nothing flows.
  void AddReferences(const std::string& table, const std::vector<config::CheckRule>& rules) {
    for (const config::CheckRule& rule : rules) {
      for (const config::CheckRule::Reference& reference : rule.references) {
        const std::string& other = reference.table.value;
        if (other == table) continue;
        AddTable(other);
        AddTable(table);
        Connect({.table = other}, {.table = table}, LineageHow::kReferences);
        const LineageName key{other, KeyColumn(reference)}, column{table, ToLower(reference.column.value)};
        const bool are_known = !key.column.empty() && found_.nodes.contains(column) && found_.nodes.contains(key);
        if (are_known) Connect(key, column, LineageHow::kReferences);
      }
    }
  }

  /// The column that a reference looks values up in; empty if that is more than one, or not said.
  std::string KeyColumn(const config::CheckRule::Reference& reference) const {
    if (!reference.field.value.empty()) return ToLower(reference.field.value);
    const config::Model* model = project_.FindModel(reference.table.value);
    const auto key = model == nullptr ? std::vector<std::string>{} : models::KeyOf(*model);
    return key.size() == 1 ? ToLower(key[0]) : "";
  }

  /// What uses tables outside of leat; of which columns, schema.yml does not say.
  void AddExposure(const config::Exposure& exposure) {
    const LineageName name{.table = "exposure:" + exposure.name.value};
    Put({.name = name, .kind = "exposure", .place = exposure.name.place});
    for (const auto& table : exposure.depends_on) {
      AddTable(table.value);
      Connect({.table = table.value}, name, LineageHow::kReads);
    }
  }

  void AddLoads() {
    std::vector<std::string> streams;
    for (const auto& [name, node] : found_.nodes)
      if (node.kind == "stream" && name.column.empty() && IsLoaded(project_, name.table)) streams.push_back(name.table);
    for (const std::string& stream : streams) AddLoad(stream, {});
    for (const config::Model& model : project_.models)
      if (IsLoaded(project_, model)) AddLoad(model.name, model.warehouse);
  }

  void AddLoad(const std::string& name, const config::ModelWarehouse& settings) {
    const auto [name_space, own_name] = engine::ParseName(name);
    const LineageName loaded{.table = fmt::format("warehouse.{}.{}", project_.warehouse->SchemaOf(name_space),
                                                  settings.table.empty() ? own_name : settings.table)};
    const LineageNode& node = Put({.name = loaded, .kind = "warehouse", .place = {}});
    Connect({.table = name}, loaded, LineageHow::kLoads);
    const auto columns = found_.columns.find(name);
    if (columns == found_.columns.end()) return;
    std::vector<std::string> names = columns->second;
    std::erase_if(names, [](const std::string& column) { return engine::IsOwnColumn(column); });
    std::vector<std::string> renamed;
    for (const std::string& column : names) {
      renamed.push_back(column);
      for (const auto& [from, to] : settings.rename)
        if (ToLower(from) == column) renamed.back() = to.value;
    }
    AddColumns(LineageNode(node), renamed);
    for (size_t i = 0; i < names.size(); ++i) Connect({name, names[i]}, {loaded.table, renamed[i]}, LineageHow::kLoads);
  }

  const config::Project& project_;
  Workspace workspace_;
  models::Macros macros_;
  Plan plan_;
  ProjectLineage found_;
};

// --- the part around one table or column

enum class Direction { kBefore, kBehind };

/// What can be reached from `start`. References say who uses a table, not what it comes from, and end there.
void Reach(const ProjectLineage& all, const LineageName& start, Direction direction, std::set<LineageEdge>& reached) {
  std::multimap<LineageName, const LineageEdge*> steps;
  for (const LineageEdge& edge : all.edges) steps.emplace(direction == Direction::kBefore ? edge.to : edge.from, &edge);
  std::vector<LineageName> open = {start};
  std::set<LineageName> seen = {start};
  while (!open.empty()) {
    const LineageName name = open.back();
    open.pop_back();
    const auto [first, last] = steps.equal_range(name);
    for (auto step = first; step != last; ++step) {
      const LineageEdge& edge = *step->second;
      const bool is_reference = edge.how == LineageHow::kReferences;
      if (is_reference && (direction == Direction::kBefore || name != start)) continue;
      reached.insert(edge);
      const LineageName& next = direction == Direction::kBefore ? edge.from : edge.to;
      if (!is_reference && seen.insert(next).second) open.push_back(next);
    }
  }
}

[[noreturn]] void ThrowUnknownTable(const ProjectLineage& all, const std::string& table) {
  Diagnostic fault{.code = "LEAT0224", .message = fmt::format("no table of the project is called '{}'", table)};
  std::vector<std::string> names;
  for (const auto& [name, node] : all.nodes)
    if (name.column.empty()) names.push_back(name.table);
  SuggestNearest(fault, table, names);
  if (fault.help.empty()) fault.help.push_back("leat status --all  lists the tables; write the schema before the name");
  throw Error(kConfig, std::move(fault));
}

[[noreturn]] void ThrowUnknownColumn(const std::vector<std::string>& columns, const LineageName& name) {
  Diagnostic fault{.code = "LEAT0225", .message = fmt::format("{} has no column '{}'", name.table, name.column)};
  SuggestNearest(fault, name.column, columns);
  if (fault.help.empty()) fault.help.push_back(fmt::format("its columns are: {}", Join(columns, ", ")));
  throw Error(kConfig, std::move(fault));
}

/// Whether `table` is in the project, also by the name of its versions.
std::optional<std::string> FindTable(const ProjectLineage& all, const std::string& table) {
  for (const std::string& name : {table, engine::ProducerOf(table)})
    if (all.nodes.contains({.table = name})) return name;
  return std::nullopt;
}

LineageName FindSubject(const ProjectLineage& all, const std::string& typed) {
  const std::string name = ToLower(typed);
  if (const auto table = FindTable(all, name)) return {.table = *table};
  if (const auto file = FindTable(all, typed)) return {.table = *file};
  const size_t dot = name.rfind('.');
  const auto table = dot == std::string::npos ? std::nullopt : FindTable(all, name.substr(0, dot));
  if (!table) ThrowUnknownTable(all, dot == name.find('.') ? name : name.substr(0, dot));
  const LineageName column{*table, name.substr(dot + 1)};
  const auto known = all.columns.find(*table);
  if (!all.nodes.contains(column) && known != all.columns.end()) ThrowUnknownColumn(known->second, column);
  return column;
}

}  // namespace

const char* HowName(LineageHow how) {
  switch (how) {
    case LineageHow::kReads:
      return "reads";
    case LineageHow::kValue:
      return "value";
    case LineageHow::kDecides:
      return "decides";
    case LineageHow::kLoads:
      return "loads";
    case LineageHow::kChecks:
      return "checks";
    case LineageHow::kReferences:
      return "references";
  }
  return "reads";
}

const LineageNode* LineageGraph::Find(const LineageName& name) const {
  for (const LineageNode& node : nodes)
    if (node.name == name) return &node;
  return nullptr;
}

LineageGraph ReadLineage(const config::Project& project, const std::string& subject, const CancelFlag& cancel) {
  const ProjectLineage all = LineageReader(project, cancel).Read();
  LineageGraph lineage{.subject = FindSubject(all, subject)};
  std::set<LineageEdge> edges;
  Reach(all, lineage.subject, Direction::kBefore, edges);
  Reach(all, lineage.subject, Direction::kBehind, edges);
  std::set<LineageName> names = {lineage.subject};
  for (const LineageEdge& edge : edges) names.insert({edge.from, edge.to});
  for (const LineageName& name : names) {
    // A column that no SQL names, of a table whose columns are not known.
    LineageNode unseen = all.nodes.at({.table = name.table});
    unseen.name = name;
    const auto found = all.nodes.find(name);
    lineage.nodes.push_back(found != all.nodes.end() ? found->second : unseen);
  }
  lineage.edges.assign(edges.begin(), edges.end());
  return lineage;
}

}  // namespace leat::pipeline
