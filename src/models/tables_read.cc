#include "models/tables_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/text.h"
#include "models/macro.h"
#include "models/parameters.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

// They take the names of tables or files as values, where no reader of the statement sees them.
constexpr std::array<std::string_view, 12> kHidingFunctions = {"query",
                                                               "query_table",
                                                               "glob",
                                                               "sniff_csv",
                                                               "parquet_metadata",
                                                               "parquet_schema",
                                                               "parquet_file_metadata",
                                                               "parquet_kv_metadata",
                                                               "parquet_bloom_probe",
                                                               "parquet_full_metadata",
                                                               "json_execute_serialized_sql",
                                                               "st_read"};

constexpr std::array<std::string_view, 19> kVaryingFunctions = {"now",
                                                                "today",
                                                                "current_date",
                                                                "current_time",
                                                                "current_timestamp",
                                                                "localtime",
                                                                "localtimestamp",
                                                                "get_current_timestamp",
                                                                "get_current_time",
                                                                "transaction_timestamp",
                                                                "current_localtime",
                                                                "current_localtimestamp",
                                                                "random",
                                                                "uuid",
                                                                "gen_random_uuid",
                                                                "uuidv4",
                                                                "uuidv7",
                                                                "nextval",
                                                                "setseed"};

template <size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool ReadsFiles(const std::string& function) {
  return Contains(kHidingFunctions, function) || function.starts_with("read_") || function.ends_with("_scan");
}

void AddOnce(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

/// Walks one syntax tree, and those of the macros it calls.
class Walker {
 public:
  Walker(const Macros& macros, const SqlSource& source, const std::vector<std::string>& known, SelectReads& reads)
      : macros_(macros), source_(source), known_(known), reads_(reads) {}

  void Walk(const Json& query) { Visit(query, {}); }

 private:
  using Scope = std::set<std::string>;  ///< names of CTEs that are visible

  void Visit(const Json& node, const Scope& scope) {
    if (node.is_array()) {
      for (const Json& child : node) Visit(child, scope);
    } else if (node.is_object()) {
      NoteSample(node);
      if (node.contains("cte_map")) return VisitQuery(node, scope);
      Note(node, scope);
      for (const Json& child : node) Visit(child, scope);
    }
  }

  /// A CTE sees those before it, and itself only if it is recursive: `WITH a AS (SELECT * FROM a)` reads the table a.
  void VisitQuery(const Json& query, Scope scope) {
    for (const Json& entry : query["cte_map"]["map"]) {
      Scope inner = scope;
      const std::string name = ToLower(TextOf(entry, "key"));
      const Json& body = entry["value"]["query"]["node"];
      if (TextOf(body, "type") == "RECURSIVE_CTE_NODE") inner.insert(ToLower(TextOf(body, "cte_name")));
      Visit(entry["value"], inner);
      scope.insert(name);
    }
    for (const auto& [member, child] : query.items())
      if (member != "cte_map") Visit(child, scope);
  }

  void Note(const Json& node, const Scope& scope) {
    const std::string kind = TextOf(node, "class");
    const std::string type = TextOf(node, "type");
    if (kind == "FUNCTION" || kind == "WINDOW") {
      NoteFunction(node);
    } else if (kind == "PARAMETER") {
      NoteParameter(ToLower(TextOf(node, "identifier")));
    } else if (kind == "COLUMN_REF") {
      if (node["column_names"].size() == 1) NoteVarying(ToLower(node["column_names"][0].get<std::string>()));
    } else if (type == "BASE_TABLE") {
      NoteTable(node, scope);
    } else if (type == "TABLE_FUNCTION") {
      NoteStreamAtMoment(node["function"]);
    } else if (type == "SHOW_REF") {
      throw Error(kConfig, "LEAT0202", PlaceOr(PositionOf(node)),
                  "DESCRIBE, SUMMARIZE and SHOW are no SELECT; expected exactly one SELECT")
          .Hint("write the SELECT whose rows the table is to hold");
    }
  }

  /// TABLESAMPLE of a table, USING SAMPLE of a SELECT. Even a seed gives other rows with another number of threads.
  void NoteSample(const Json& node) {
    if (node.contains("sample") && node["sample"].is_object()) reads_.varies = true;
  }

  void NoteFunction(const Json& node) {
    const std::string name = ToLower(TextOf(node, "function_name"));
    if (const Macro* macro = macros_.FindCalled(node)) return Expand(*macro);
    NoteVarying(name);
    // The age as of today; with two arguments it is a difference.
    const bool is_age_now =
        name == "age" && node.contains("children") && node["children"].size() + (IsMethodCall(node) ? 1 : 0) == 1;
    if (is_age_now) reads_.varies = true;
    if (!ReadsFiles(name)) return;
    throw Error(kConfig, "LEAT0207", PlaceOr(PositionOf(node)),
                fmt::format("{}() hides what the statement reads", name))
        .Label("not allowed in models, macros and checks")
        .Hint("name the table in FROM; a small file can be a seed: seeds/NAME.csv is the table seeds.NAME");
  }

  void Expand(const Macro& macro) {
    const std::vector<std::string>& made = reads_.macros;
    if (std::find(made.begin(), made.end(), macro.name) != made.end()) return;
    if (std::find(calls_.begin(), calls_.end(), macro.name) != calls_.end()) {
      throw Error(kConfig, "LEAT0208", PlaceOfToken(macro.file->file, macro.file->text, macro.begin),
                  fmt::format("macros call each other in a circle: {} → {}", Join(calls_, " → "), macro.name))
          .Hint("a macro can only call macros that can be made before it");
    }
    Walker inside(macros_, {macro.file->file, macro.file->text}, known_, reads_);
    inside.calls_ = calls_;
    inside.calls_.push_back(macro.name);
    inside.in_macro_ = true;
    for (const MacroBody& body : macro.bodies) inside.Walk(body.query);
    reads_.macros.push_back(macro.name);
  }

  void NoteStreamAtMoment(const Json& call) {
    const std::string name = StreamAtMoment(call);
    if (name.empty() || macros_.FindCalled(call) != nullptr) return;
    const size_t dot = name.find('.');
    AddTable({name.substr(0, dot), name.substr(dot + 1), in_macro_ ? std::nullopt : PositionOf(call)});
  }

  void AddTable(const TableReference& table) {
    const auto same = [&](const TableReference& other) { return other.Name() == table.Name(); };
    if (std::none_of(reads_.tables.begin(), reads_.tables.end(), same)) reads_.tables.push_back(table);
  }

  void NoteVarying(const std::string& name) {
    if (Contains(kVaryingFunctions, name)) reads_.varies = true;
  }

  void NoteParameter(const std::string& name) {
    std::vector<std::string> known;
    for (const ParameterRule& rule : ParameterRules()) known.emplace_back(rule.name);
    const bool is_known = std::ranges::find(known, name) != known.end();
    if (is_known && !in_macro_) return AddOnce(reads_.parameters, name);
    Diagnostic unknown{.code = "LEAT0209", .place = PlaceOfParameter(source_.file, source_.text, name)};
    unknown.message = in_macro_
                          ? fmt::format("a macro cannot use ${}; expected a parameter of its own", name)
                          : fmt::format("parameter ${} does not exist; expected one of ${}", name, Join(known, ", $"));
    SuggestNearest(unknown, name, known);
    if (!unknown.candidates.empty()) unknown.help = {fmt::format("did you mean ${}?", unknown.candidates.front())};
    if (unknown.help.empty())
      unknown.help.push_back("$run_time is the moment at which the run began, a TIMESTAMP in UTC");
    throw Error(kConfig, std::move(unknown));
  }

  void NoteTable(const Json& node, const Scope& scope) {
    const std::string table = ToLower(TextOf(node, "table_name"));
    const std::string schema = ToLower(TextOf(node, "schema_name"));
    const std::optional<size_t> position = PositionOf(node);
    if (schema.empty() && scope.contains(table)) return;
    const bool is_file = position && *position < source_.text.size() && source_.text[*position] == '\'';
    if (is_file && schema.empty())
      throw Error(kConfig, "LEAT0207", PlaceOr(position),
                  fmt::format("a file in FROM hides where rows come from: '{}'", table))
          .Label("not allowed in models, macros and checks")
          .Hint("read it as a source, or make it a seed: seeds/NAME.csv is the table seeds.NAME");
    if (schema.empty() || !TextOf(node, "catalog_name").empty()) ThrowNotQualified(table, position);
    AddTable({schema, table, in_macro_ ? std::nullopt : position});
  }

  [[noreturn]] void ThrowNotQualified(const std::string& table, std::optional<size_t> position) const {
    Diagnostic fault{.code = "LEAT0205", .message = fmt::format("table \"{}\" is not written as schema.table", table)};
    fault.place = PlaceOr(position);
    fault.label = "which schema?";
    std::vector<std::string> tables;
    for (const std::string& name : known_) tables.push_back(name.substr(name.find('.') + 1));
    for (const std::string& near : NearestNames(table, tables))
      for (const std::string& name : known_)
        if (name.ends_with("." + near) && fault.candidates.size() < 3) AddOnce(fault.candidates, name);
    if (!fault.candidates.empty()) fault.help.push_back(fmt::format("did you mean {}?", fault.candidates.front()));
    if (fault.help.empty())
      fault.help.push_back("write the source or folder before the name: totesys.sales_order, mart.dim_staff");
    throw Error(kConfig, std::move(fault));
  }

  Place PlaceOr(std::optional<size_t> position) const {
    const std::vector<Token> tokens = position ? std::vector<Token>() : Tokens(source_.text);
    return PlaceOfToken(source_.file, source_.text, position.value_or(tokens.empty() ? 0 : tokens.front().begin));
  }

  const Macros& macros_;
  SqlSource source_;
  const std::vector<std::string>& known_;
  SelectReads& reads_;
  std::vector<std::string> calls_;  ///< macros being expanded, outermost first
  bool in_macro_ = false;
};

}  // namespace

std::vector<std::string> SelectReads::TableNames() const {
  std::vector<std::string> names;
  for (const TableReference& table : tables) names.push_back(table.Name());
  return names;
}

SelectReads ReadsOf(duck::Connection& connection, const Macros& macros, const std::string& file,
                    const std::string& text, const std::vector<std::string>& known) {
  if (const SelectReads* found = macros.FindReads(file, text)) return *found;
  const SqlSource source{file, text};
  const Json query = ParseSelect(connection, source);
  SelectReads reads;
  Walker(macros, source, known, reads).Walk(query);
  reads.normalised = NormalisedSql(query);
  macros.Remember(file, text, reads);
  return reads;
}

std::vector<TableReference> TablesRead(duck::Connection& connection, const Macros& macros, const std::string& file,
                                       const std::string& text) {
  return ReadsOf(connection, macros, file, text).tables;
}

}  // namespace leat::models
