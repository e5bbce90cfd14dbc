#include "pipeline/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/text.h"
#include "duck/sign_of_zero.h"
#include "models/model_output.h"
#include "pipeline/stream_load.h"

namespace leat::pipeline {
namespace {

std::string TableIn(const config::Model& model) {
  return model.warehouse.table.empty() ? model.table : model.warehouse.table;
}

/// What a head says of a column, which it may spell in another case than the table.
template <typename Value>
const Value* FindColumn(const std::map<std::string, Value>& settings, const std::string& column) {
  for (const auto& [name, value] : settings)
    if (ToLower(name) == column) return &value;
  return nullptr;
}

std::string NameIn(const config::Model& model, const std::string& column) {
  const auto* renamed = FindColumn(model.warehouse.rename, column);
  return renamed == nullptr ? column : renamed->value;
}

/// What identifies a row in the warehouse: the record id where there is one, since a history's own key is not unique.
std::vector<std::string> PrimaryKey(const config::Model& model) {
  if (model.record_id) return {ToLower(model.record_id->value)};
  if (model.kind == config::ModelKind::kHistory) return {};
  std::vector<std::string> key = models::KeyOf(model);
  if (model.kind == config::ModelKind::kScd2) key.emplace_back("valid_from");
  return key;
}

/// Columns that no row may leave empty: the rule is kept by a check that stops or sorts out such rows.
bool IsNotNull(const config::Model& model, const std::string& column) {
  if (model.kind == config::ModelKind::kDimDate) return true;
  for (const config::CheckRule& rule : model.checks) {
    if (rule.rule != "not_null" || rule.severity == config::CheckSeverity::kWarn || !rule.where.empty()) continue;
    for (const auto& named : rule.columns)
      if (ToLower(named.value) == column) return true;
  }
  const std::vector<std::string> key = PrimaryKey(model);
  return std::find(key.begin(), key.end(), column) != key.end();
}

std::vector<warehouse::ForeignKey> ForeignKeys(const config::Project& project, const config::Model& model) {
  std::vector<warehouse::ForeignKey> keys;
  for (const config::CheckRule& rule : model.checks) {
    if (rule.rule != "references" || rule.severity == config::CheckSeverity::kWarn || !rule.where.empty()) continue;
    for (const auto& reference : rule.references) {
      const config::Model* other = project.FindModel(reference.table.value);
      if (other == nullptr || !IsLoaded(project, *other)) continue;
      // The check looks up the model's key; a history's rows are named by their record id instead.
      const std::vector<std::string> key = models::KeyOf(*other);
      if (key.size() != 1 || PrimaryKey(*other) != key) continue;
      keys.push_back({.column = NameIn(model, ToLower(reference.column.value)),
                      .referenced_table = TableIn(*other),
                      .referenced_column = NameIn(*other, key[0]),
                      .referenced_schema = project.warehouse->SchemaOf(other->name_space)});
    }
  }
  return keys;
}

std::vector<lake::DataFile> Without(const std::vector<lake::DataFile>& files,
                                    const std::vector<lake::DataFile>& others) {
  std::vector<lake::DataFile> rest;
  for (const lake::DataFile& file : files)
    if (std::none_of(others.begin(), others.end(), [&](const auto& other) { return other.path == file.path; }))
      rest.push_back(file);
  return rest;
}

/// `"staff_id", "last_name"` of the lake, in the spec's order.
std::string ColumnList(const warehouse::TableSpec& spec) {
  std::vector<std::string> names;
  for (const warehouse::ColumnSpec& column : spec.columns) names.push_back(column.source);
  return QuoteList(names);
}

std::string KeyList(const warehouse::TableSpec& spec) {
  std::vector<std::string> names;
  for (const std::string& part : spec.primary_key)
    for (const warehouse::ColumnSpec& column : spec.columns)
      if (column.name == part) names.push_back(column.source);
  return QuoteList(names);
}

/// What EXCEPT compares: the columns, and what `=` does not see of them.
std::string ComparedList(const warehouse::TableSpec& spec) {
  std::string list = ColumnList(spec);
  for (const warehouse::ColumnSpec& column : spec.columns)
    if (const std::string signs = duck::SignsOf(QuoteIdentifier(column.source), column.duck_type); !signs.empty())
      list += ", " + signs;
  return list;
}

/// Files in common cancel out; what is left are the rows that left and those that came.
warehouse::Delta DeltaBetween(const lake::Storage& storage, const lake::Table& table, const lake::Snapshot& loaded,
                              const warehouse::TableSpec& spec) {
  const std::vector<lake::DataFile> old_files = table.FilesOf(loaded);
  const std::string added = lake::ReadFilesSql(storage, table.schema(), Without(table.files(), old_files));
  const std::string removed = lake::ReadFilesSql(storage, table.schema(), Without(old_files, table.files()));
  const std::string columns = ColumnList(spec);
  if (spec.append_only) return {fmt::format("SELECT {} FROM {}", columns, added), ""};
  const std::string key = KeyList(spec);
  const std::string compared = ComparedList(spec);
  return {fmt::format("SELECT {0} FROM (SELECT {1} FROM {2} EXCEPT SELECT {1} FROM {3})", columns, compared, added,
                      removed),
          fmt::format("SELECT {} FROM {} EXCEPT SELECT {} FROM {}", key, removed, key, added)};
}

/// Whether a pattern may mean a table of this source.
bool MayMeanSource(const std::string& pattern, const std::string& source) {
  return MatchesGlob(pattern.substr(0, pattern.find('.')), source);
}

const lake::Table* FindPublished(const Workspace& workspace, const state::TableName& name) {
  const auto table = workspace.tables().find(name);
  return table == workspace.tables().end() || !table->second.snapshot() ? nullptr : &table->second;
}

std::optional<warehouse::TableLoad> PublishedLoad(const config::Project& project, Workspace& workspace,
                                                  const std::string& name) {
  const auto [name_space, table] = engine::ParseName(name);
  if (const config::Model* model = project.FindModel(name)) {
    const lake::Table* published = FindPublished(workspace, {name_space, table});
    if (published == nullptr) return std::nullopt;
    warehouse::TableLoad load = LoadOf(project, *model, *published, workspace.engine());
    load.commit_number = workspace.store()->LastCommitNumber("models");
    return load;
  }
  const lake::Table* published = FindPublished(workspace, {name_space, table + std::string(engine::kHistorySuffix)});
  if (published == nullptr) return std::nullopt;
  const engine::Relation versions = engine::Relation::Of(*published);
  warehouse::TableLoad load =
      LoadOfStream(SpecOfStream(project, name, versions.schema, versions.key, PatternOf(project, name)->place),
                   *published, workspace.engine());
  load.commit_number = workspace.store()->LastCommitNumber("source:" + name_space);
  return load;
}

}  // namespace

bool MayLoadFrom(const config::Warehouse& warehouse, const std::string& source) {
  return std::any_of(warehouse.load.begin(), warehouse.load.end(),
                     [&](const auto& pattern) { return MayMeanSource(pattern.value, source); });
}

const config::Located<std::string>* PatternOf(const config::Project& project, const std::string& table) {
  for (const auto& pattern : project.warehouse->load)
    if (MatchesGlob(pattern.value, table)) return &pattern;
  return nullptr;
}

bool IsLoaded(const config::Project& project, const config::Model& model) {
  if (!project.warehouse || !model.warehouse.load) return false;
  return project.warehouse->load.empty() || PatternOf(project, model.name) != nullptr;
}

bool IsLoaded(const config::Project& project, const std::string& table) {
  if (const config::Model* model = project.FindModel(table)) return IsLoaded(project, *model);
  return project.warehouse && PatternOf(project, table) != nullptr;
}

warehouse::TableSpec SpecOf(const config::Project& project, const config::Model& model, const lake::Schema& schema) {
  warehouse::TableSpec spec{.model = model.name,
                            .place = model.head_place,
                            .schema = project.warehouse->SchemaOf(model.name_space),
                            .table = TableIn(model),
                            .append_only = model.record_id.has_value(),
                            .foreign_keys = ForeignKeys(project, model)};
  for (const lake::Field& field : schema.fields) {
    if (engine::IsOwnColumn(field.name)) continue;
    warehouse::ColumnSpec column{.name = NameIn(model, field.name),
                                 .source = field.name,
                                 .duck_type = lake::DuckType(field.type),
                                 .not_null = IsNotNull(model, field.name),
                                 .place = model.head_place};
    if (const auto* type = FindColumn(model.warehouse.types, field.name)) {
      column.type = type->value;
      column.place = type->place;
    }
    spec.columns.push_back(std::move(column));
  }
  for (const std::string& part : PrimaryKey(model)) spec.primary_key.push_back(NameIn(model, part));
  return spec;
}

warehouse::TableLoad LoadOf(const config::Project& project, const config::Model& model, const lake::Table& table,
                            const engine::Engine& engine) {
  warehouse::TableLoad load{.spec = SpecOf(project, model, table.schema())};
  load.snapshot_id = table.snapshot()->id;
  load.lake_table = table.uuid();
  load.rows = table.record_count();
  load.hash_sum = table.SummaryText("leat.hash");
  load.all_rows = fmt::format("SELECT {} FROM {}", ColumnList(load.spec),
                              lake::ReadFilesSql(engine.storage(), table.schema(), table.files()));
  load.since = [&storage = engine.storage(), table,
                spec = load.spec](int64_t snapshot_id) -> std::optional<warehouse::Delta> {
    const std::optional<lake::Snapshot> loaded = table.FindSnapshot(snapshot_id);
    if (!loaded) return std::nullopt;
    return DeltaBetween(storage, table, *loaded, spec);
  };
  load.replaces = [table](int64_t snapshot_id) {
    const std::optional<lake::Snapshot> loaded = table.FindSnapshot(snapshot_id);
    return loaded && loaded->Text("leat.generation") != table.SummaryText("leat.generation");
  };
  return load;
}

std::vector<warehouse::TableLoad> LoadsOf(const config::Project& project, Workspace& workspace,
                                          const std::vector<std::string>& tables) {
  std::vector<warehouse::TableLoad> loads;
  for (const std::string& table : tables) {
    if (!IsLoaded(project, table)) continue;
    if (auto load = PublishedLoad(project, workspace, table)) loads.push_back(std::move(*load));
  }
  return loads;
}

void RefuseDoubledTables(const config::Project& project, const std::set<std::string>& streams) {
  if (!project.warehouse) return;
  // In a DuckDB file the case of names tells no two of them apart.
  const bool folds_case = project.connections.at(project.warehouse->connection.value).type == "duckdb";
  const auto known_as = [&](const std::string& name) { return folds_case ? ToLower(name) : name; };
  std::map<std::pair<std::string, std::string>, std::string> taken;
  const auto take = [&](const std::string& name, const std::string& table, const Place& place) {
    const std::string schema = project.warehouse->SchemaOf(engine::ParseName(name).first);
    const auto [other, is_new] = taken.emplace(std::pair(known_as(schema), known_as(table)), name);
    if (is_new) return;
    Error fault(
        kConfig, "LEAT0611", place,
        fmt::format("{} and {} would both be table {}.{} of the warehouse", other->second, name, schema, table));
    if (project.FindModel(name) != nullptr)
      throw std::move(fault).Hint(
          "give one of them another name by  warehouse: {table: another_name}  in its head, or `warehouse: false`");
    throw std::move(fault)
        .Hint("give every source and model folder a schema of its own by  schema: \"{namespace}\"")
        .Hint("or one of them another name: a stream by `rename` in its source's file, a model in its head");
  };
  for (const std::string& stream : streams)
    if (IsLoaded(project, stream)) take(stream, engine::ParseName(stream).second, PatternOf(project, stream)->place);
  for (const config::Model& model : project.models)
    if (IsLoaded(project, model)) take(model.name, TableIn(model), {model.file, 1, 0, 0});
}

std::optional<Diagnostic> ColumnsLeftBehind(const config::Project& project, const config::Model& model,
                                            const lake::Schema& before, const lake::Schema& now) {
  std::vector<std::string> left, statements;
  for (const lake::Field& field : before.fields) {
    if (engine::IsOwnColumn(field.name) || now.Find(field.name) != nullptr) continue;
    left.push_back(field.name);
    statements.push_back("DROP COLUMN " + QuoteIdentifier(NameIn(model, field.name)));
  }
  if (left.empty() || !IsLoaded(project, model)) return std::nullopt;
  const std::string table = fmt::format("{}.{}", QuoteIdentifier(project.warehouse->SchemaOf(model.name_space)),
                                        QuoteIdentifier(TableIn(model)));
  return Diagnostic{.severity = Severity::kWarning,
                    .code = "LEAT0622",
                    .message = fmt::format("{} has no column {} any more; the warehouse keeps it with old values",
                                           model.name, Join(left, ", ")),
                    .place = model.head_place,
                    .help = {fmt::format("take it away there too:  ALTER TABLE {} {};", table, Join(statements, ", "))},
                    .notes = {"rows that change from now on have NULL in it"}};
}

std::vector<Diagnostic> UnmatchedLoads(const config::Project& project, const std::set<std::string>& streams,
                                       const std::set<std::string>& unasked) {
  std::vector<Diagnostic> warnings;
  if (!project.warehouse) return warnings;
  std::vector<std::string> names(streams.begin(), streams.end());
  for (const config::Model& model : project.models) names.push_back(model.name);
  for (const auto& pattern : project.warehouse->load) {
    const auto matches = [&](const std::string& name) { return MatchesGlob(pattern.value, name); };
    const auto may_mean = [&](const std::string& source) { return MayMeanSource(pattern.value, source); };
    if (std::any_of(names.begin(), names.end(), matches) || std::any_of(unasked.begin(), unasked.end(), may_mean))
      continue;
    Diagnostic warning{.severity = Severity::kWarning,
                       .code = "LEAT0621",
                       .message = fmt::format("`load` has '{}', which matches no model and no stream", pattern.value),
                       .place = pattern.place};
    SuggestNearest(warning, pattern.value, names);
    if (warning.help.empty()) warning.help.push_back("take it out, or name tables as `leat status --all` lists them");
    warnings.push_back(std::move(warning));
  }
  return warnings;
}

}  // namespace leat::pipeline
