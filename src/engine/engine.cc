#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "core/file_system.h"
#include "core/text.h"
#include "engine/seed_fault.h"

namespace leat::engine {
namespace {

Relation::Kind ParseKind(const std::string& text) {
  if (text == "stream") return Relation::Kind::kKeyedStream;
  if (text == "keyless") return Relation::Kind::kKeylessStream;
  if (text == "child") return Relation::Kind::kChild;
  if (text == "rejects") return Relation::Kind::kRejects;
  return Relation::Kind::kModel;
}

std::string FormatName(const state::TableName& table) { return table.first + "." + table.second; }

std::vector<duck::Column> ColumnsOfSchema(const lake::Schema& schema) {
  std::vector<duck::Column> columns;
  for (const lake::Field& field : schema.fields) columns.push_back({field.name, lake::DuckType(field.type)});
  return columns;
}

/// Whether a name of its own stands for its current rows.
bool IsStream(const Relation& relation) {
  return relation.kind == Relation::Kind::kKeyedStream || relation.kind == Relation::Kind::kKeylessStream ||
         relation.kind == Relation::Kind::kChild;
}

constexpr std::string_view kHeldSchema = "leat_held";
constexpr int64_t kHeldBytesMax = int64_t{128} << 20;

int64_t SizeOf(const std::vector<lake::DataFile>& files) {
  return std::accumulate(files.begin(), files.end(), int64_t{0},
                         [](int64_t size, const lake::DataFile& file) { return size + file.size_bytes; });
}

/// Whether a file holds a version later than `seq`.
bool IsAfter(const lake::DataFile& file, const lake::Field& seq_field, int64_t seq) {
  const auto bounds = file.Int64Bounds(seq_field.id);
  return !bounds || bounds->second > seq;
}

void TakeProperties(Relation& relation, const std::map<std::string, std::string>& properties) {
  const auto value = [&](const char* name, const char* otherwise) -> std::string {
    const auto found = properties.find(name);
    return found == properties.end() ? otherwise : found->second;
  };
  relation.kind = ParseKind(value("leat.kind", "model"));
  relation.key = nlohmann::json::parse(value("leat.key", "[]")).get<std::vector<std::string>>();
  relation.parent_key = nlohmann::json::parse(value("leat.parent_key", "[]")).get<std::vector<std::string>>();
  if (relation.kind == Relation::Kind::kChild)
    relation.parent = ParseName(value("leat.parent", "") + std::string(kHistorySuffix));
  relation.base_from_seq = std::stoll(value("leat.base_from_seq", "0"));
  relation.base_seq = std::stoll(value("leat.base_seq", "0"));
  relation.rebuilt = value("leat.rebuilt", "");
}

/// The argument of `x__at(t)`. No column is called so: DuckDB puts the argument in place of every name that equals it.
constexpr const char* kMoment = "_leat_moment";

/// Of a version `h` beside the newest one of its key in the newer files, `n`.
constexpr const char* kIsCurrent = "(n._leat_newest IS NULL OR n._leat_newest = h._leat_seq) AND h._leat_op = 'u'";

}  // namespace

std::string SqlName(const state::TableName& table) {
  return QuoteIdentifier(table.first) + "." + QuoteIdentifier(table.second);
}

state::TableName ParseName(const std::string& name) {
  const size_t dot = name.find('.');
  if (dot == std::string::npos) return {"", name};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string ProducerOf(const std::string& name) {
  const size_t dot = name.find('.');
  const size_t run = name.find("__", dot == std::string::npos ? 0 : dot);
  // What has a further part behind a point is a column, and made by nobody.
  if (run == std::string::npos || name.find('.', run) != std::string::npos) return name;
  // A stream's own name may end in `_`; what follows the separator never begins with one.
  return name.substr(0, name.find_first_not_of('_', run) - 2);
}

std::string CurrentName(const std::string& name) {
  for (const std::string_view suffix : {kHistorySuffix, kAtSuffix})
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  return name;
}

bool IsOwnColumn(std::string_view column) { return column.starts_with("_leat_"); }

Relation Relation::Of(const lake::Table& table) {
  Relation relation;
  TakeProperties(relation, table.properties());
  relation.schema = table.schema();
  relation.files = table.files();
  relation.version = table.snapshot() ? std::to_string(table.snapshot()->id) : "empty";
  return relation;
}

Relation Relation::Of(const lake::PendingTable& pending) {
  const lake::TableChange& change = pending.change;
  std::map<std::string, std::string> properties = change.properties;
  Relation relation{.schema = change.schema};
  if (pending.base) {
    properties.insert(pending.base->properties().begin(), pending.base->properties().end());
    if (change.schema.fields.empty()) relation.schema = pending.base->schema();
    if (!change.replace_all) relation.files = pending.base->files();
  }
  TakeProperties(relation, properties);
  const std::set<std::string> removed(change.removed.begin(), change.removed.end());
  std::erase_if(relation.files, [&](const lake::DataFile& file) { return removed.contains(file.path); });
  relation.files.insert(relation.files.end(), change.added.begin(), change.added.end());
  return relation;
}

std::vector<lake::DataFile> Relation::LiveFiles() const {
  std::vector<lake::DataFile> live;
  for (const lake::DataFile& file : files)
    if (!file.superseded.value_or(false) && IsAfter(file, *schema.Find("_leat_seq"), base_from_seq - 1))
      live.push_back(file);
  return live;
}

std::vector<lake::DataFile> Relation::FilesOfKey() const {
  std::vector<lake::DataFile> of_key = files;
  std::erase_if(
      of_key, [&](const lake::DataFile& file) { return !IsAfter(file, *schema.Find("_leat_seq"), base_from_seq - 1); });
  return of_key;
}

std::vector<lake::DataFile> Relation::NewerFiles() const {
  std::vector<lake::DataFile> newer = LiveFiles();
  std::erase_if(newer, [&](const lake::DataFile& file) { return !IsAfter(file, *schema.Find("_leat_seq"), base_seq); });
  return newer;
}

Engine::Engine(duck::Database& database, const lake::Storage& storage, const config::Project& project)
    : database_(database), connection_(database), storage_(storage), project_(project) {}

void Engine::Put(const state::TableName& table, Relation relation) {
  // A stream is one table with several names; the views of all must follow.
  for (const std::string& name : NamesOf(table, relation)) bound_[name] = false;
  for (const auto& [child, known] : relations_)
    if (known.kind == Relation::Kind::kChild && known.parent == table)
      for (const std::string& name : NamesOf(child, known)) bound_[name] = false;
  relations_[table] = std::move(relation);
}

const Relation* Engine::Find(const state::TableName& table) const {
  const auto found = relations_.find(table);
  return found == relations_.end() ? nullptr : &found->second;
}

std::vector<std::string> Engine::NamesOf(const state::TableName& table, const Relation& relation) {
  std::vector<std::string> names = {FormatName(table)};
  if (!IsStream(relation)) return names;
  names.push_back(CurrentName(names[0]));
  names.push_back(names[1] + std::string(kAtSuffix));
  return names;
}

std::vector<std::string> Engine::Names() const {
  std::vector<std::string> names;
  for (const auto& [table, relation] : relations_)
    for (std::string& name : NamesOf(table, relation))
      if (!name.ends_with(kAtSuffix)) names.push_back(std::move(name));
  for (const config::Seed& seed : project_.seeds) names.push_back(seed.name);
  std::sort(names.begin(), names.end());
  return names;
}

Engine::Resolved Engine::Resolve(const std::string& name) const {
  if (const Relation* relation = Find(ParseName(name))) return {relation, Resolved::Rows::kAll};
  const bool is_at_moment = name.ends_with(kAtSuffix);
  const Relation* stream = Find(ParseName((is_at_moment ? CurrentName(name) : name) + std::string(kHistorySuffix)));
  if (stream == nullptr || !IsStream(*stream)) return {};
  return {stream, is_at_moment ? Resolved::Rows::kAtMoment : Resolved::Rows::kCurrent};
}

bool Engine::Knows(const std::string& name) const {
  return Resolve(name).relation != nullptr || FindSeed(name) != nullptr;
}

const config::Seed* Engine::FindSeed(const std::string& name) const {
  const auto found = std::find_if(project_.seeds.begin(), project_.seeds.end(),
                                  [&](const config::Seed& seed) { return seed.name == name; });
  return found == project_.seeds.end() ? nullptr : &*found;
}

void Engine::Bind(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (bound_[name]) continue;
    MakeView(name);
    bound_[name] = true;
  }
}

void Engine::MakeView(const std::string& name) {
  std::string body;
  if (const Resolved resolved = Resolve(name); resolved.relation != nullptr) {
    if (resolved.rows == Resolved::Rows::kAtMoment) return MakeAtMacro(name, AtMomentSql(CurrentName(name), resolved));
    body = ViewSql(resolved);
  } else if (const config::Seed* seed = FindSeed(name)) {
    body = "SELECT * FROM " + SeedSql(*seed);
  } else {
    Diagnostic unknown{.code = "LEAT0204", .message = fmt::format("table {} does not exist", name)};
    if (project_.FindModel(name) != nullptr) {
      unknown.message = fmt::format("table {} was not built yet", name);
      unknown.help.push_back(fmt::format("leat run +{}", name));
    } else {
      std::vector<std::string> known = Names();
      for (const config::Model& model : project_.models) known.push_back(model.name);
      SuggestNearest(unknown, name, known);
    }
    if (unknown.help.empty()) unknown.help.push_back("`leat status --all` lists the tables of this project");
    throw Error(kConfig, std::move(unknown));
  }
  MakeSchema(name);
  try {
    connection_.Execute(fmt::format("CREATE OR REPLACE VIEW {} AS {}", SqlName(ParseName(name)), body));
  } catch (const duck::QueryError& error) {
    const config::Seed* seed = FindSeed(name);
    if (seed == nullptr) throw;
    throw SeedFault(database_, project_, *seed, error.fault());
  }
}

void Engine::HoldRows(const std::vector<std::string>& names) {
  connection_.Execute(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", kHeldSchema));
  for (const std::string& name : names) {
    if (name.ends_with(kAtSuffix)) continue;  // a function of the moment
    const Relation* relation = Resolve(name).relation;
    if (relation != nullptr && SizeOf(relation->files) > kHeldBytesMax) continue;
    const std::string copy = fmt::format("{}.{}", kHeldSchema, QuoteIdentifier(name));
    const std::string view = SqlName(ParseName(name));
    connection_.Execute(fmt::format("CREATE OR REPLACE TABLE {} AS SELECT * FROM {}", copy, view));
    held_.push_back(name);
    connection_.Execute(fmt::format("CREATE OR REPLACE VIEW {} AS SELECT * FROM {}", view, copy));
  }
}

void Engine::ReleaseRows() {
  for (const std::string& name : std::exchange(held_, {})) {
    MakeView(name);
    connection_.Execute(fmt::format("DROP TABLE {}.{}", kHeldSchema, QuoteIdentifier(name)));
  }
}

void Engine::BindEmpty(const std::string& name, const std::vector<duck::Column>& columns) {
  std::string list;
  for (const duck::Column& column : columns)
    list +=
        fmt::format("{}CAST(NULL AS {}) AS {}", list.empty() ? "" : ", ", column.type, QuoteIdentifier(column.name));
  const std::string select = fmt::format("SELECT {} WHERE false", list);
  if (name.ends_with(kAtSuffix)) {
    MakeAtMacro(name, fmt::format("{} AND TIMESTAMPTZ '-infinity' <= {}", select, kMoment));
  } else {
    MakeSchema(name);
    connection_.Execute(fmt::format("CREATE OR REPLACE VIEW {} AS {}", SqlName(ParseName(name)), select));
  }
  bound_[name] = true;
}

void Engine::MakeSchema(const std::string& name) {
  connection_.Execute("CREATE SCHEMA IF NOT EXISTS " + QuoteIdentifier(ParseName(name).first));
}

std::string Engine::ViewSql(const Resolved& resolved) const {
  const Relation& relation = *resolved.relation;
  std::vector<std::string> names;
  for (const lake::Field& field : FieldsOf(resolved)) names.push_back(field.name);
  return fmt::format("SELECT {} FROM {}", QuoteList(names),
                     resolved.rows == Resolved::Rows::kCurrent ? CurrentRowsSql(relation) : AllRowsSql(relation));
}

/// Those of a child are ordered and dated by its parent's.
VersionOrder Engine::OrderOf(const std::string& name, const Relation& relation) const {
  if (relation.kind == Relation::Kind::kChild) {
    const Relation* parent = Find(relation.parent);
    return parent == nullptr ? VersionOrder() : OrderOf(ProducerOf(name), *parent);
  }
  if (relation.kind != Relation::Kind::kKeyedStream)
    throw Error(kConfig, "LEAT0232", fmt::format("{0} has no key, so {0}__at(t) cannot tell its rows apart", name))
        .Hint(fmt::format("name the columns that identify a row:  key: […]  for {} in sources/{}.yaml",
                          ParseName(name).second, ParseName(name).first));
  return VersionOrderOf(project_, name, ColumnsOfSchema(relation.schema));
}

/// SQL for FROM: the versions that are not of a former key.
std::string Engine::VersionsOfKeySql(const Relation& relation) const {
  return fmt::format("(SELECT * FROM {} WHERE _leat_seq >= {})",
                     lake::ReadFilesSql(storage_, relation.schema, relation.FilesOfKey()), relation.base_from_seq);
}

/// The SELECT of a stream's or child's rows as they were at kMoment. In a lateral join, where kMoment is a column,
/// DuckDB takes no semi join; what stands on the right has each version once.
std::string Engine::AtMomentSql(const std::string& name, const Resolved& resolved) const {
  const Relation& relation = *resolved.relation;
  const VersionOrder order = OrderOf(name, relation);
  std::vector<std::string> names;
  for (const lake::Field& field : FieldsOf(resolved)) names.push_back(field.name);
  if (relation.kind != Relation::Kind::kChild) {
    const std::string versions = VersionsOfKeySql(relation);
    return fmt::format("SELECT {} FROM {} JOIN ({}) USING ({}, _leat_seq)", QuoteList(names), versions,
                       VersionsAtSql(versions, relation.key, order, kMoment), QuoteList(relation.key));
  }
  const Relation* parent = Find(relation.parent);
  if (parent == nullptr)
    return fmt::format("SELECT {} FROM {}", QuoteList(names), lake::ReadFilesSql(storage_, relation.schema, {}));
  const std::string at = VersionsAtSql(VersionsOfKeySql(*parent), parent->key, order, kMoment);
  return fmt::format("SELECT {} FROM {}", QuoteList(names),
                     JoinParentSql(relation, *parent, relation.FilesOfKey(), "(" + at + ")", ""));
}

void Engine::MakeAtMacro(const std::string& name, const std::string& select) {
  MakeSchema(name);
  state::TableName macro = ParseName(name);
  macro.second.erase(macro.second.size() - std::string_view("()").size());
  connection_.Execute(fmt::format("CREATE OR REPLACE MACRO {}({}) AS TABLE {}", SqlName(macro), kMoment, select));
}

/// What SQL sees of a table: a version's own marks only where versions are meant, and where it is stored never.
std::vector<lake::Field> Engine::FieldsOf(const Resolved& resolved) {
  const bool shows_ours = resolved.rows == Resolved::Rows::kAll && resolved.relation->kind != Relation::Kind::kModel;
  std::vector<lake::Field> fields = resolved.relation->schema.fields;
  std::erase_if(fields, [&](const lake::Field& field) {
    return IsOwnColumn(field.name) && (!shows_ours || field.name == lake::kSupersededColumn);
  });
  return fields;
}

std::string Engine::SeedSql(const config::Seed& seed) const {
  std::string types;
  for (const auto& [column, type] : seed.types)
    types += fmt::format("{}{}: {}", types.empty() ? "" : ", ", QuoteLiteral(column), QuoteLiteral(type.value));
  // 01/02/2024 is a day in two months: what is not written as ISO 8601 says stays text.
  return fmt::format("read_csv({}, header = true, delim = ',', skip = 0, dateformat = '%Y-%m-%d'{})",
                     QuoteLiteral(JoinPath(project_.folder, seed.file)),
                     types.empty() ? "" : fmt::format(", types = {{{}}}", types));
}

std::string Engine::VersionOf(const std::string& name) const {
  if (const Resolved resolved = Resolve(name); resolved.relation != nullptr) {
    const Relation* parent = Find(resolved.relation->parent);
    const bool is_at_moment = resolved.rows == Resolved::Rows::kAtMoment;
    return resolved.relation->version + (parent == nullptr ? "" : "/" + parent->version) +
           (is_at_moment ? TextOfVersionOrder(project_, ProducerOf(name)) : "");
  }
  if (const config::Seed* seed = FindSeed(name)) {
    std::string version = ReadFile(JoinPath(project_.folder, seed->file));
    for (const auto& [column, type] : seed->types) version += fmt::format("\n{}: {}", column, type.value);
    return version;
  }
  return "";
}

std::vector<duck::Column> Engine::ColumnsOf(const std::string& name) {
  const Resolved resolved = Resolve(name);
  if (resolved.relation == nullptr) {
    Bind({name});
    return connection_.Describe("SELECT * FROM " + SqlName(ParseName(name)));
  }
  if (resolved.rows == Resolved::Rows::kAtMoment) OrderOf(CurrentName(name), *resolved.relation);  // for its faults
  return ColumnsOfSchema({.id = 0, .fields = FieldsOf(resolved)});
}

std::string Engine::AllRowsSql(const Relation& relation) const {
  return lake::ReadFilesSql(storage_, relation.schema, relation.files);
}

std::string Engine::CurrentRowsSql(const Relation& relation) const {
  if (relation.kind == Relation::Kind::kChild) {
    const Relation* parent = Find(relation.parent);
    if (parent == nullptr) return lake::ReadFilesSql(storage_, relation.schema, {});
    return ChildrenOfSql(relation, *parent, CurrentRowsSql(*parent));
  }
  if (relation.kind != Relation::Kind::kKeyedStream) return AllRowsSql(relation);
  if (relation.NewerFiles().empty()) return lake::ReadFilesSql(storage_, relation.schema, relation.LiveFiles());
  return fmt::format("({})", VersionsSql(relation, kIsCurrent));
}

std::string Engine::OutdatedRowsSql(const Relation& relation) const {
  std::vector<lake::DataFile> former;
  for (const lake::DataFile& file : relation.files)
    if (!file.superseded.value_or(false) &&
        !IsAfter(file, *relation.schema.Find("_leat_seq"), relation.base_from_seq - 1))
      former.push_back(file);
  return fmt::format("({} UNION ALL BY NAME SELECT * FROM {})",
                     VersionsSql(relation, fmt::format("({}) IS NOT TRUE", kIsCurrent)),
                     lake::ReadFilesSql(storage_, relation.schema, former));
}

/// One join decides: a version is current if no newer file holds a later one of its key. A window over all versions
/// would cost twice the time and six times the memory.
std::string Engine::VersionsSql(const Relation& relation, const std::string& condition) const {
  return fmt::format(
      "SELECT h.* FROM {} h LEFT JOIN (SELECT {}, max(_leat_seq) AS _leat_newest FROM {} GROUP BY ALL) n USING ({}) "
      "WHERE {}",
      lake::ReadFilesSql(storage_, relation.schema, relation.LiveFiles()), QuoteList(relation.key),
      lake::ReadFilesSql(storage_, relation.schema, relation.NewerFiles()), QuoteList(relation.key), condition);
}

std::string Engine::JoinParentSql(const Relation& child, const Relation& parent,
                                  const std::vector<lake::DataFile>& files, const std::string& versions,
                                  const char* join) const {
  std::string condition = "c._leat_seq = p._leat_seq";
  for (size_t i = 0; i < parent.key.size() && i < child.parent_key.size(); ++i)
    condition += fmt::format(" AND c.{} = p.{}", QuoteIdentifier(child.parent_key[i]), QuoteIdentifier(parent.key[i]));
  return fmt::format("(SELECT c.* FROM {} c {} JOIN (SELECT {}, _leat_seq FROM {}) p ON {})",
                     lake::ReadFilesSql(storage_, child.schema, files), join, QuoteList(parent.key), versions,
                     condition);
}

std::string Engine::ChildrenOfSql(const Relation& child, const Relation& parent, const std::string& versions) const {
  return JoinParentSql(child, parent, child.LiveFiles(), versions, "SEMI");
}

std::string Engine::OutdatedChildrenSql(const Relation& child, const Relation& parent,
                                        const std::string& versions) const {
  return JoinParentSql(child, parent, child.LiveFiles(), versions, "ANTI");
}

std::string Engine::NewestVersionsOfSql(const Relation& relation, const std::string& keys) const {
  const std::string key = QuoteList(relation.key);
  const auto newest_of = [&](const std::string& versions) {
    return fmt::format("SELECT * FROM ({}) QUALIFY row_number() OVER (PARTITION BY {} ORDER BY _leat_seq DESC) = 1",
                       versions, key);
  };
  const auto versions_in = [&](const std::vector<lake::DataFile>& files) {
    return fmt::format("SELECT h.* FROM {} h SEMI JOIN {} USING ({})",
                       lake::ReadFilesSql(storage_, relation.schema, files), keys, key);
  };
  const std::string live = newest_of(versions_in(relation.LiveFiles()));
  std::vector<lake::DataFile> superseded = relation.files;
  std::erase_if(superseded, [](const lake::DataFile& file) { return !file.superseded.value_or(false); });
  if (superseded.empty()) return "(" + live + ")";
  // A key whose newest version is a delete has no row in the base: all its versions are superseded ones.
  const std::string deleted = newest_of(
      fmt::format("{} WHERE h._leat_op = 'd' AND h._leat_seq >= {}", versions_in(superseded), relation.base_from_seq));
  return fmt::format("(WITH live AS ({}) FROM live UNION ALL BY NAME SELECT d.* FROM ({}) d ANTI JOIN live USING ({}))",
                     live, deleted, key);
}

std::string Engine::CurrentRowsOfSql(const Relation& relation, const std::string& keys) const {
  // The keys come first: of all versions only theirs are kept, and those are few enough for a window.
  return fmt::format(
      "(SELECT * FROM (SELECT h.* FROM {0} h SEMI JOIN {1} USING ({2})) "
      "QUALIFY row_number() OVER (PARTITION BY {2} ORDER BY _leat_seq DESC) = 1 AND _leat_op = 'u')",
      lake::ReadFilesSql(storage_, relation.schema, relation.LiveFiles()), keys, QuoteList(relation.key));
}

}  // namespace leat::engine
