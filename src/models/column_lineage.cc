#include "models/column_lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "engine/engine.h"
#include "models/column_relations.h"
#include "models/macro.h"
#include "models/select_items.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

using Parameters = std::map<std::string, Flow>;
/// Tables of WITH by their names.
using Ctes = std::map<std::string, std::shared_ptr<const Relation>>;

// Only in these is `x -> …` a function of x; elsewhere the arrow takes a field out of JSON.
constexpr std::array<std::string_view, 12> kLambdaFunctions = {
    "list_transform", "array_transform", "list_apply",  "array_apply",  "apply",  "list_filter",
    "array_filter",   "filter",          "list_reduce", "array_reduce", "reduce", "transform"};

// Their result has one column, called like them.
constexpr std::array<std::string_view, 3> kOneColumnFunctions = {"unnest", "range", "generate_series"};

// `* LIKE 'a%'` is a choice among columns.
constexpr std::array<std::string_view, 4> kNamePatterns = {"~~", "!~~", "~~*", "!~~*"};

bool IsAmong(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Json& MemberOf(const Json& node, const char* name) {
  static const Json kNothing;
  if (!node.is_object()) return kNothing;
  const auto found = node.find(name);
  return found == node.end() ? kNothing : *found;
}

std::vector<std::string> LowerTexts(const Json& array) {
  std::vector<std::string> texts;
  for (const Json& text : array)
    if (text.is_string()) texts.push_back(ToLower(text.get<std::string>()));
  return texts;
}

std::string ClassOf(const Json& node) { return TextOf(node, "class"); }
std::string FunctionOf(const Json& node) { return ToLower(TextOf(node, "function_name")); }
bool IsStar(const Json& node) { return ClassOf(node) == "STAR"; }

/// A whole number written as such: `GROUP BY 2` names the second column.
std::optional<size_t> OrdinalOf(const Json& node) {
  if (ClassOf(node) != "CONSTANT") return std::nullopt;
  const Json& value = MemberOf(MemberOf(node, "value"), "value");
  if (!value.is_number_integer() || value.get<int64_t>() < 1) return std::nullopt;
  return static_cast<size_t>(value.get<int64_t>()) - 1;
}

/// The first star under a node that stands for several columns; the ones of subqueries are their own.
const Json* FindStar(const Json& node) {
  if (node.is_object() && (ClassOf(node) == "SUBQUERY" || TextOf(node, "type") == "OPERATOR_UNPACK")) return nullptr;
  if (IsStar(node)) return &node;
  if (!node.is_structured()) return nullptr;
  for (const Json& child : node)
    if (const Json* star = FindStar(child)) return star;
  return nullptr;
}

/// Names of the parameters of a lambda: `x` or `(x, y)`.
std::vector<std::string> LambdaNames(const Json& left) {
  std::vector<std::string> names;
  if (ClassOf(left) == "COLUMN_REF") names = LowerTexts(left["column_names"]);
  for (const Json& child : MemberOf(left, "children"))
    for (const std::string& name : LowerTexts(MemberOf(child, "column_names"))) names.push_back(name);
  return names;
}

/// Follows the columns of one statement through its syntax tree.
class Tracer {
 public:
  Tracer(duck::Connection& connection, const Macros& macros, const ColumnsOfTables& tables)
      : connection_(connection), macros_(macros), tables_(tables) {}

  Relation TraceStatement(const Json& query) { return TraceQuery(query, nullptr, {}); }

 private:
  // --- queries

  Relation TraceQuery(const Json& query, const Scope* outer, Ctes ctes) {
    for (const Json& entry : MemberOf(MemberOf(query, "cte_map"), "map")) {
      Relation made = TraceQuery(entry["value"]["query"]["node"], outer, ctes);
      made.Rename(LowerTexts(MemberOf(entry["value"], "aliases")));
      ctes[ToLower(TextOf(entry, "key"))] = std::make_shared<Relation>(std::move(made));
    }
    const std::string type = TextOf(query, "type");
    if (type == "SELECT_NODE") return TraceSelect(query, outer, ctes);
    if (type == "SET_OPERATION_NODE") return TraceSetOperation(query, outer, ctes);
    if (type == "RECURSIVE_CTE_NODE") return TraceRecursion(query, outer, ctes);
    return {.columns = {}, .rest = {.kind = Rest::Kind::kUnknown}, .rows = Flow::Unknown()};
  }

  Relation TraceSetOperation(const Json& query, const Scope* outer, const Ctes& ctes) {
    const Relation left = TraceQuery(query["left"], outer, ctes);
    const Relation right = TraceQuery(query["right"], outer, ctes);
    const std::string type = TextOf(query, "setop_type");
    const bool is_union = type.starts_with("UNION");
    Relation result = type == "UNION_BY_NAME" ? StackedByName(left, right) : is_union ? Stacked(left, right) : left;
    result.rows.Add(right.rows);
    // Which rows are equal depends on all columns of both.
    const bool compares = !is_union || !query.value("setop_all", false);
    if (compares) result.rows.DecideBy(left.Row());
    if (compares) result.rows.DecideBy(right.Row());
    const FromTables from{.tables = {{.schema = "", .alias = "", .relation = result}}, .rows = {}};
    const Scope scope{.outer = outer, .from = &from};
    TraceModifiers(query, result, scope, ctes);
    return result;
  }

  /// A recursive CTE reads itself: what flows into it flows around until nothing new comes.
  Relation TraceRecursion(const Json& query, const Scope* outer, Ctes ctes) {
    const std::vector<std::string> names = LowerTexts(MemberOf(query, "aliases"));
    Relation result = TraceQuery(query["left"], outer, ctes);
    result.Rename(names);
    const bool compares = !query.value("union_all", false);
    while (true) {
      ctes[ToLower(TextOf(query, "cte_name"))] = std::make_shared<Relation>(result);
      Relation next = Stacked(result, TraceQuery(query["right"], outer, ctes));
      if (compares) next.rows.DecideBy(next.Row());
      const bool is_done = next.rows == result.rows && next.Row() == result.Row() && SameFlows(next, result);
      result = std::move(next);
      if (is_done) return result;
    }
  }

  static bool SameFlows(const Relation& one, const Relation& other) {
    return std::equal(one.columns.begin(), one.columns.end(), other.columns.begin(), other.columns.end(),
                      [](const NamedFlow& a, const NamedFlow& b) { return a.flow == b.flow; });
  }

  Relation TraceSelect(const Json& select, const Scope* outer, const Ctes& ctes) {
    FromTables from;
    TraceFrom(select["from_table"], from, outer, ctes);
    std::map<std::string, Flow> aliases;
    const Scope scope{.outer = outer, .from = &from, .aliases = &aliases};
    Relation result;
    for (const Json& item : select["select_list"]) TraceItem(item, scope, ctes, result, aliases);
    result.rows.DecideBy(from.rows);
    Decide(result, MemberOf(select, "where_clause"), scope, ctes);
    TraceGroups(select, result, scope, ctes);
    TraceHaving(select, result, scope, ctes);
    Decide(result, MemberOf(select, "qualify"), scope, ctes);
    TraceModifiers(select, result, scope, ctes);
    return result;
  }

  void Decide(Relation& result, const Json& expression, const Scope& scope, const Ctes& ctes) {
    result.rows.DecideBy(Trace(expression, scope, ctes));
  }

  void TraceGroups(const Json& select, Relation& result, const Scope& scope, const Ctes& ctes) {
    for (const Json& group : MemberOf(select, "group_expressions"))
      result.rows.DecideBy(TraceOrdinal(group, result).value_or(Trace(group, scope, ctes)));
    if (TextOf(select, "aggregate_handling") != "FORCE_AGGREGATES") return;
    for (const Json& item : select["select_list"])
      if (!HasAggregate(item)) Decide(result, item, scope, ctes);
  }

  /// Outside of aggregates a name in HAVING is a group, or an alias.
  void TraceHaving(const Json& select, Relation& result, const Scope& scope, const Ctes& ctes) {
    const Json& having = MemberOf(select, "having");
    if (having.is_null()) return;
    Parameters aliases;
    for (const auto& [name, flow] : *scope.aliases)
      if (!IsGroup(select, name)) aliases[name] = flow;
    Scope aliased = scope;
    aliased.first = &aliases;
    result.rows.DecideBy(TraceHavingPart(having, aliased, scope, ctes));
  }

  Flow TraceHavingPart(const Json& node, const Scope& aliased, const Scope& plain, const Ctes& ctes) {
    if (!HasAggregate(node)) return Trace(node, aliased, ctes);
    if (ClassOf(node) == "FUNCTION" && IsAggregate(FunctionOf(node))) return Trace(node, plain, ctes);
    Flow flow;
    for (const Json& child : node)
      if (child.is_structured()) flow.Add(TraceHavingPart(child, aliased, plain, ctes));
    return flow;
  }

  static bool IsGroup(const Json& select, const std::string& name) {
    const Json& groups = MemberOf(select, "group_expressions");
    return std::any_of(groups.begin(), groups.end(), [&](const Json& group) {
      const std::vector<std::string> names = LowerTexts(MemberOf(group, "column_names"));
      return !names.empty() && names.back() == name;
    });
  }

  /// DISTINCT, ORDER BY, LIMIT.
  void TraceModifiers(const Json& query, Relation& result, const Scope& scope, const Ctes& ctes) {
    for (const Json& modifier : MemberOf(query, "modifiers")) {
      const Json& targets = MemberOf(modifier, "distinct_on_targets");
      if (TextOf(modifier, "type") == "DISTINCT_MODIFIER" && targets.empty()) result.rows.DecideBy(result.Row());
      for (const Json& target : targets) result.rows.DecideBy(TraceOrder(target, result, scope, ctes));
      for (const Json& order : MemberOf(modifier, "orders"))
        result.rows.DecideBy(TraceOrder(order["expression"], result, scope, ctes));
      Decide(result, MemberOf(modifier, "limit"), scope, ctes);
      Decide(result, MemberOf(modifier, "offset"), scope, ctes);
    }
  }

  /// A bare name in ORDER BY is an output column before it is one of FROM.
  Flow TraceOrder(const Json& order, const Relation& result, const Scope& scope, const Ctes& ctes) {
    if (IsStar(order)) return result.Row();
    if (auto flow = TraceOrdinal(order, result)) return *flow;
    const std::vector<std::string> names = LowerTexts(MemberOf(order, "column_names"));
    if (names.size() == 1)
      for (const NamedFlow& column : result.columns)
        if (column.name == names[0]) return column.behind_rest ? Flow::Unknown() : column.flow;
    return Trace(order, scope, ctes);
  }

  static std::optional<Flow> TraceOrdinal(const Json& node, const Relation& result) {
    const auto ordinal = OrdinalOf(node);
    if (!ordinal) return std::nullopt;
    return result.complete() && *ordinal < result.columns.size() ? result.columns[*ordinal].flow : Flow::Unknown();
  }

  // --- FROM

  void TraceFrom(const Json& node, FromTables& from, const Scope* outer, const Ctes& ctes) {
    const std::string type = TextOf(node, "type");
    if (type == "EMPTY") return;
    if (type == "JOIN") return TraceJoin(node, from, outer, ctes);
    FromTable table{.schema = "", .alias = ToLower(TextOf(node, "alias")), .relation = {}};
    if (type == "BASE_TABLE") {
      const std::string name = ToLower(TextOf(node, "table_name"));
      if (table.alias.empty()) {
        table.alias = name;
        table.schema = ToLower(TextOf(node, "schema_name"));
      }
      table.relation = TableNamed(ToLower(TextOf(node, "schema_name")), name, ctes);
    } else if (type == "SUBQUERY") {
      table.relation = TraceQuery(node["subquery"]["node"], outer, ctes);
    } else if (type == "TABLE_FUNCTION") {
      if (table.alias.empty()) table.alias = FunctionOf(node["function"]);
      table.relation = TraceTableFunction(node, outer, ctes);
    } else if (type == "EXPRESSION_LIST") {
      table.relation = TraceValues(node, outer, ctes);
    } else if (type == "PIVOT") {
      table.relation = TracePivot(node, outer, ctes);
    } else {
      table.relation = {.columns = {}, .rest = {.kind = Rest::Kind::kUnknown}, .rows = Flow::Unknown()};
    }
    table.relation.Rename(LowerTexts(MemberOf(node, "column_name_alias")));
    from.rows.Add(table.relation.rows);
    from.tables.push_back(std::move(table));
  }

  Relation TableNamed(const std::string& schema, const std::string& name, const Ctes& ctes) const {
    if (const auto cte = ctes.find(name); schema.empty() && cte != ctes.end()) return *cte->second;
    const std::string table = schema + "." + name;
    const auto known = tables_.find(table);
    if (known == tables_.end())
      return {.columns = {}, .rest = {.kind = Rest::Kind::kTable, .table = table}, .rows = {}};
    Relation relation;
    for (const std::string& column : known->second)
      relation.columns.push_back({.name = column, .flow = Flow::Of({table, column})});
    return relation;
  }

  /// The right side sees the tables on its left: it may be lateral.
  void TraceJoin(const Json& join, FromTables& from, const Scope* outer, const Ctes& ctes) {
    TraceFrom(join["left"], from, outer, ctes);
    FromTables right;
    const Scope lateral{.outer = outer, .from = &from};
    TraceFrom(join["right"], right, &lateral, ctes);
    const std::string type = TextOf(join, "join_type");
    std::vector<std::string> shared = LowerTexts(MemberOf(join, "using_columns"));
    if (TextOf(join, "ref_type") == "NATURAL") shared = CommonNames(from, right);
    for (const std::string& name : shared) Share(name, type, from, right);

    FromTables both = from;
    both.tables.insert(both.tables.end(), right.tables.begin(), right.tables.end());
    const Scope scope{.outer = outer, .from = &both};
    both.rows.Add(right.rows);
    both.rows.DecideBy(Trace(MemberOf(join, "condition"), scope, ctes));
    if (type == "SEMI" || type == "ANTI") both.tables = std::move(from.tables);
    from = std::move(both);
  }

  Relation TraceTableFunction(const Json& node, const Scope* outer, const Ctes& ctes) {
    const Scope none;
    const Scope& scope = outer != nullptr ? *outer : none;
    const Json& function = node["function"];
    const std::string name = FunctionOf(function);
    const std::string schema = ToLower(TextOf(function, "schema"));
    if (const Macro* macro = macros_.Find(schema, name)) return TraceTableMacro(*macro, function, scope, ctes);
    Flow flow = FlowOfArguments(function, scope, ctes);
    if (const std::string stream = StreamAtMoment(function); !stream.empty()) {
      Relation rows_then = TableNamed(schema, engine::ParseName(stream).second, ctes);
      rows_then.rows.DecideBy(flow);
      return rows_then;
    }
    if (!schema.empty() && schema != "main") flow = Flow::Unknown();
    Relation relation;
    relation.rows.DecideBy(flow);
    if (IsAmong(kOneColumnFunctions, name) && (name != "unnest" || function["children"].size() == 1)) {
      relation.columns = {{.name = name, .flow = flow}};
      if (TextOf(node, "with_ordinality") == "WITH_ORDINALITY") relation.columns.push_back({.name = "ordinality"});
    } else {
      relation.rest = {.kind = Rest::Kind::kFlow, .flow = flow};
    }
    return relation;
  }

  Flow FlowOfArguments(const Json& function, const Scope& scope, const Ctes& ctes) {
    Flow flow;
    for (const Json& argument : function["children"]) {
      // `name = value` is a named argument here.
      const bool is_named = TextOf(argument, "type") == "COMPARE_EQUAL" && ClassOf(argument["left"]) == "COLUMN_REF";
      flow.Add(Trace(is_named ? argument["right"] : argument, scope, ctes));
    }
    return flow;
  }

  Relation TraceTableMacro(const Macro& macro, const Json& call, const Scope& scope, const Ctes& ctes) {
    const auto body = BodyFor(macro, call);
    if (body == nullptr || !body->is_table || !Enter(macro))
      return {.columns = {}, .rest = {.kind = Rest::Kind::kUnknown}, .rows = Flow::Unknown()};
    const Parameters parameters = Arguments(*body, call, scope, ctes);
    const Scope inside{.parameters = &parameters};
    Relation relation = TraceQuery(body->query, &inside, {});
    calls_.pop_back();
    return relation;
  }

  Relation TraceValues(const Json& node, const Scope* outer, const Ctes& ctes) {
    const Scope none;
    Relation relation;
    for (const Json& row : node["values"]) {
      for (size_t i = 0; i < row.size(); ++i) {
        if (i == relation.columns.size()) relation.columns.push_back({.name = fmt::format("col{}", i)});
        relation.columns[i].flow.Add(Trace(row[i], outer != nullptr ? *outer : none, ctes));
      }
    }
    return relation;
  }

  Relation TracePivot(const Json& node, const Scope* outer, const Ctes& ctes) {
    FromTables from;
    TraceFrom(node["source"], from, outer, ctes);
    const Scope scope{.outer = outer, .from = &from};
    Relation source = StarOf(Json::object(), scope, ctes);
    source.rows = from.rows;
    const bool is_unpivot = !MemberOf(node, "unpivot_names").empty();
    if (!source.complete()) return {.columns = {}, .rest = {.kind = Rest::Kind::kUnknown}, .rows = Flow::Unknown()};
    return is_unpivot ? Unpivoted(node, source, scope, ctes) : Pivoted(node, source, scope, ctes);
  }

  /// Columns that are grouped by, and one for each value and aggregate; their names follow from the values.
  Relation Pivoted(const Json& node, const Relation& source, const Scope& scope, const Ctes& ctes) {
    Relation result{.columns = {}, .rest = {.kind = Rest::Kind::kFlow}, .rows = source.rows};
    std::optional<Flow> cells;
    std::set<std::string> used;
    for (const Json& aggregate : MemberOf(node, "aggregates")) {
      const Flow flow = Trace(aggregate, scope, ctes);
      if (cells && !(*cells == flow)) result.rest.kind = Rest::Kind::kUnknown;  // whose cell is it?
      cells = flow;
      CollectNames(aggregate, used);
    }
    result.rest.flow = cells.value_or(Flow());
    for (const Json& pivot : MemberOf(node, "pivots")) {
      const Json& chosen_by = MemberOf(pivot, "pivot_expressions");
      result.rest.flow.DecideBy(Trace(chosen_by, scope, ctes));
      CollectNames(chosen_by, used);
    }
    const std::vector<std::string> groups = LowerTexts(MemberOf(node, "groups"));
    for (const NamedFlow& column : source.columns)
      if (groups.empty() ? !used.contains(column.name) : IsAmong(groups, column.name)) result.columns.push_back(column);
    for (const NamedFlow& column : result.columns) result.rows.DecideBy(column.flow);
    return result;
  }

  static void CollectNames(const Json& node, std::set<std::string>& names) {
    if (ClassOf(node) == "COLUMN_REF") names.insert(LowerTexts(node["column_names"]).back());
    if (IsMethodCall(node)) names.insert(ToLower(TextOf(node, "schema")));
    if (!node.is_structured()) return;
    for (const Json& child : node) CollectNames(child, names);
  }

  /// The columns that stay, the names as text, and the values; rows without a value are left out.
  Relation Unpivoted(const Json& node, const Relation& source, const Scope& scope, const Ctes& ctes) {
    const Json& pivots = MemberOf(node, "pivots");
    const std::vector<std::string> values = LowerTexts(MemberOf(node, "unpivot_names"));
    const std::vector<std::string> names =
        pivots.size() == 1 ? LowerTexts(MemberOf(pivots[0], "unpivot_names")) : std::vector<std::string>();
    const std::optional<std::set<std::string>> turned =
        values.size() == 1 && names.size() == 1 ? TurnedColumns(pivots[0], scope, ctes) : std::nullopt;
    if (!turned) return {.columns = {}, .rest = {.kind = Rest::Kind::kUnknown}, .rows = Flow::Unknown()};
    Relation result{.columns = {}, .rest = {}, .rows = source.rows};
    Flow value;
    for (const NamedFlow& column : source.columns) {
      if (turned->contains(column.name))
        value.Add(column.flow);
      else
        result.columns.push_back(column);
    }
    result.columns.push_back({.name = names[0]});
    result.columns.push_back({.name = values[0], .flow = value});
    result.rows.DecideBy(value);
    return result;
  }

  std::optional<std::set<std::string>> TurnedColumns(const Json& pivot, const Scope& scope, const Ctes& ctes) {
    std::set<std::string> turned;
    for (const Json& entry : MemberOf(pivot, "entries")) {
      if (const Json& star = MemberOf(entry, "star_expr"); IsStar(star)) {
        for (const NamedFlow& column : StarOf(star, scope, ctes).columns) turned.insert(column.name);
        continue;
      }
      for (const Json& value : MemberOf(entry, "values")) {
        if (!MemberOf(value, "value").is_string()) return std::nullopt;
        turned.insert(ToLower(TextOf(value, "value")));
      }
    }
    return turned;
  }

  // --- select lists

  void TraceItem(const Json& item, const Scope& scope, const Ctes& ctes, Relation& result,
                 std::map<std::string, Flow>& aliases) {
    const Json* star = FindStar(item);
    if (star != nullptr) {
      TraceStarItem(item, *star, scope, ctes, result);
      return;
    }
    const Flow flow = Trace(item, scope, ctes);
    const std::string alias = ToLower(TextOf(item, "alias"));
    const bool is_unnest = FunctionOf(item) == "unnest" && ClassOf(item) == "FUNCTION";
    if (is_unnest) result.rows.DecideBy(flow);
    // A struct is taken apart into as many columns as it has fields.
    if (is_unnest && alias.empty()) result.rest.Add({.kind = Rest::Kind::kFlow, .flow = flow});
    Append(result, {.name = alias.empty() ? NameOf(item, scope) : alias, .flow = flow});
    if (!alias.empty()) aliases.try_emplace(alias, flow);
  }

  /// The name DuckDB gives to an expression without one: its text.
  std::string NameOf(const Json& item, const Scope& scope) const {
    const std::vector<std::string> names = LowerTexts(MemberOf(item, "column_names"));
    if (names.size() == 1 && scope.FindParameter(names[0])) return "";  // that of the argument
    if (!names.empty()) return names.back();
    const std::string text = SelectText(item, "SELECT 1");
    return ToLower(text.substr(std::min(text.size(), std::string_view("SELECT ").size())));
  }

  /// `select` with `item` as its select list; empty for what cannot be written.
  std::string SelectText(const Json& item, const std::string& select) const {
    Json node = ParseSelect(connection_, {"", select});
    node["select_list"] = Json::array({item});
    try {
      return FormatSelect(connection_, node);
    } catch (const Error&) {
      return "";
    }
  }

  /// `*`, `t.*`, `COLUMNS(…)`, alone or inside an expression that is repeated for each column.
  void TraceStarItem(const Json& item, const Json& star, const Scope& scope, const Ctes& ctes, Relation& result) {
    const bool is_pattern = ClassOf(item) == "FUNCTION" && IsAmong(kNamePatterns, FunctionOf(item)) &&
                            !star.value("columns", false) && IsStar(item["children"][0]);
    Relation columns = is_pattern ? Chosen(StarOf(star, scope, ctes), item) : StarOf(star, scope, ctes);
    const std::string alias = ToLower(TextOf(item, "alias"));
    const bool is_renamed = !alias.empty() && !is_pattern;
    if (is_renamed && (!columns.complete() || alias.find('\\') != std::string::npos)) {
      result.rest.Add({.kind = Rest::Kind::kUnknown});
      return;
    }
    for (NamedFlow& column : columns.columns) {
      if (!IsStar(item) && !is_pattern) column.flow = TraceWithStar(item, column.flow, scope, ctes);
      if (is_renamed) column.name = alias;
      const bool behind = column.behind_rest;
      Append(result, {.name = column.name, .flow = column.flow});
      result.columns.back().behind_rest |= behind;
    }
    if (columns.complete()) return;
    if (!IsStar(item) && !is_pattern) columns.rest = {.kind = Rest::Kind::kUnknown};
    result.rest.Add(columns.rest);
  }

  Flow TraceWithStar(const Json& item, const Flow& column, const Scope& scope, const Ctes& ctes) {
    const Flow star = column;
    Scope inside = scope;
    inside.star = &star;
    return Trace(item, inside, ctes);
  }

  /// The columns that a star stands for, with EXCLUDE, REPLACE and RENAME.
  Relation StarOf(const Json& star, const Scope& scope, const Ctes& ctes) {
    const std::string table = ToLower(TextOf(star, "relation_name"));
    const Json& qualified = MemberOf(star, "qualified_exclude_list");
    Relation columns = table.empty() ? AllColumnsBut(qualified, scope) : ColumnsOfTable(scope, table);
    for (const std::string& name : LowerTexts(MemberOf(star, "exclude_list"))) Exclude(columns, name);
    for (const Json& column : qualified)
      if (!table.empty()) Exclude(columns, NameInList(column));
    for (const Json& entry : MemberOf(star, "replace_list")) {
      const std::string name = NameInList(entry["key"]);
      Put(columns, name, name, Trace(entry["value"], scope, ctes));
    }
    for (const Json& entry : MemberOf(star, "rename_list")) {
      const std::string name = NameInList(entry["key"]);
      const auto is_it = [&](const NamedFlow& column) { return column.name == name; };
      const bool is_one = columns.complete() && std::ranges::count_if(columns.columns, is_it) == 1;
      if (table.empty() && !TextOf(entry["key"], "table").empty() && !is_one) return UnknownColumns();
      Put(columns, name, ToLower(TextOf(entry, "value")), std::nullopt);
    }
    if (!MemberOf(star, "expr").is_null()) return Chosen(std::move(columns), star);
    return columns;
  }

  static Relation UnknownColumns() { return {.columns = {}, .rest = {.kind = Rest::Kind::kUnknown}, .rows = {}}; }

  static void Exclude(Relation& columns, const std::string& name) {
    std::erase_if(columns.columns, [&](const NamedFlow& column) { return column.name == name; });
    columns.rest.without.insert(name);
  }

  /// The columns of `*` without those that EXCLUDE names together with their tables.
  static Relation AllColumnsBut(const Json& excluded, const Scope& scope) {
    if (excluded.empty() || scope.from == nullptr) return AllColumns(scope);
    FromTables from = *scope.from;
    for (const Json& column : excluded) {
      const auto place = PlaceOf(column, from);
      if (!place) return UnknownColumns();
      Exclude(from.tables[*place].relation, NameInList(column));
    }
    Scope inside = scope;
    inside.from = &from;
    return AllColumns(inside);
  }

  /// Which table of `from` a qualified column is of. Nothing if that is not sure, or if USING made one column of two.
  static std::optional<size_t> PlaceOf(const Json& column, const FromTables& from) {
    const std::string name = NameInList(column);
    const auto named = TablesNamed(from, ToLower(TextOf(column, "schema")), ToLower(TextOf(column, "table")));
    const auto is_shared = [&](const NamedFlow& other) { return other.name == name && (other.hidden || other.joined); };
    for (const FromTable& table : from.tables)
      if (std::ranges::any_of(table.relation.columns, is_shared)) return std::nullopt;
    if (named.size() != 1) return std::nullopt;
    return static_cast<size_t>(named[0] - from.tables.data());
  }

  /// `"a"` or `{"column": "a"}`.
  static std::string NameInList(const Json& entry) {
    return ToLower(entry.is_string() ? entry.get<std::string>() : TextOf(entry, "column"));
  }

  /// The columns whose names a pattern, a list or a function chooses; DuckDB is asked which.
  Relation Chosen(Relation columns, const Json& chooser) const {
    if (!columns.complete() || columns.columns.empty()) return UnknownColumns();
    Json item = chooser;
    item["alias"] = "";
    Json& star = IsStar(item) ? item : item["children"][0];
    star["relation_name"] = "";
    for (const char* list : {"exclude_list", "qualified_exclude_list", "replace_list", "rename_list"})
      star[list] = Json::array();
    std::set<std::string> names, chosen;
    for (const NamedFlow& column : columns.columns) names.insert("NULL AS " + QuoteIdentifier(column.name));
    const std::string nulls = Join({names.begin(), names.end()}, ", ");
    try {
      const std::string select = SelectText(item, fmt::format("SELECT 1 FROM (SELECT {})", nulls));
      for (const duck::Column& column : connection_.Describe(select)) chosen.insert(ToLower(column.name));
    } catch (const Error&) {
      return UnknownColumns();  // it names what this small statement does not have
    }
    std::erase_if(columns.columns, [&](const NamedFlow& column) { return !chosen.contains(column.name); });
    return columns;
  }

  // --- expressions

  Flow Trace(const Json& node, const Scope& scope, const Ctes& ctes) {
    if (node.is_array()) return TraceAll(node, scope, ctes);
    const std::string kind = ClassOf(node);
    if (kind == "COLUMN_REF") return TraceColumn(node, scope);
    if (kind == "FUNCTION") return TraceFunction(node, scope, ctes);
    if (kind == "WINDOW") return TraceWindow(node, scope, ctes);
    if (kind == "CASE") return TraceCase(node, scope, ctes);
    if (kind == "SUBQUERY") return TraceSubquery(node, scope, ctes);
    if (kind == "STAR") return scope.star != nullptr ? *scope.star : StarOf(node, scope, ctes).Row();
    if (kind == "POSITIONAL_REFERENCE") return TracePosition(node, scope);
    if (node.is_object()) return TraceAll(node, scope, ctes);
    return {};
  }

  /// Everything below a node flows: operators, comparisons, casts.
  Flow TraceAll(const Json& node, const Scope& scope, const Ctes& ctes) {
    const bool unpacks = TextOf(node, "type") == "OPERATOR_UNPACK";
    Scope inside = scope;
    if (unpacks) inside.star = nullptr;
    Flow flow;
    for (const Json& child : node)
      if (child.is_structured()) flow.Add(Trace(child, inside, ctes));
    return flow;
  }

  static Flow TraceColumn(const Json& node, const Scope& scope) {
    const std::vector<std::string> names = LowerTexts(node["column_names"]);
    if (auto flow = scope.Find(names)) return *flow;
    return names.size() == 1 && IsValueFunction(names[0]) ? Flow() : Flow::Unknown();
  }

  Flow TraceFunction(const Json& written, const Scope& scope, const Ctes& ctes) {
    const Json call = Plain(written);
    const std::string name = FunctionOf(call);
    if (const Macro* macro = macros_.FindCalled(call)) return TraceMacro(*macro, call, scope, ctes);
    Flow flow;
    const bool has_lambda = IsAmong(kLambdaFunctions, name);
    for (const Json& argument : call["children"])
      if (!has_lambda || ClassOf(argument) != "LAMBDA") flow.Add(Trace(argument, scope, ctes));
    const Flow elements = flow;
    for (const Json& argument : call["children"])
      if (has_lambda && ClassOf(argument) == "LAMBDA") flow.Add(TraceLambda(argument, elements, scope, ctes));
    flow.DecideBy(Trace(MemberOf(call, "filter"), scope, ctes));
    flow.DecideBy(TraceOrders(MemberOf(MemberOf(call, "order_bys"), "orders"), scope, ctes));
    return flow;
  }

  /// A call with all that flows into it as its arguments.
  Json Plain(const Json& call) const {
    const bool is_method =
        IsMethodCall(call) && macros_.Find(ToLower(TextOf(call, "schema")), FunctionOf(call)) == nullptr;
    return is_method ? WithReceiver(call) : call;
  }

  Flow TraceLambda(const Json& lambda, const Flow& elements, const Scope& scope, const Ctes& ctes) {
    Parameters parameters;
    for (const std::string& name : LambdaNames(lambda["lhs"])) parameters[name] = elements;
    Scope inside{.outer = &scope, .parameters = &parameters, .star = scope.star};
    return Trace(lambda["expr"], inside, ctes);
  }

  Flow TraceOrders(const Json& orders, const Scope& scope, const Ctes& ctes) {
    Flow flow;
    for (const Json& order : orders) flow.Add(Trace(order["expression"], scope, ctes));
    return flow;
  }

  Flow TraceWindow(const Json& written, const Scope& scope, const Ctes& ctes) {
    const Json window = Plain(written);
    Flow flow;
    for (const char* part : {"children", "offset_expr", "default_expr"})
      flow.Add(Trace(MemberOf(window, part), scope, ctes));
    for (const char* part : {"partitions", "filter_expr", "start_expr", "end_expr"})
      flow.DecideBy(Trace(MemberOf(window, part), scope, ctes));
    for (const char* part : {"orders", "arg_orders"}) flow.DecideBy(TraceOrders(MemberOf(window, part), scope, ctes));
    return flow;
  }

  Flow TraceCase(const Json& node, const Scope& scope, const Ctes& ctes) {
    Flow flow = Trace(MemberOf(node, "else_expr"), scope, ctes);
    for (const Json& check : node["case_checks"]) {
      flow.Add(Trace(check["then_expr"], scope, ctes));
      flow.DecideBy(Trace(check["when_expr"], scope, ctes));
    }
    return flow;
  }

  Flow TraceSubquery(const Json& node, const Scope& scope, const Ctes& ctes) {
    const Relation result = TraceQuery(node["subquery"]["node"], &scope, ctes);
    Flow flow = Trace(MemberOf(node, "child"), scope, ctes);
    if (!TextOf(node, "subquery_type").ends_with("EXISTS")) flow.Add(result.Row());
    flow.DecideBy(result.rows);
    return flow;
  }

  static Flow TracePosition(const Json& node, const Scope& scope) {
    const Relation columns = AllColumns(scope);
    const size_t index = node.value("index", size_t{0});
    if (!columns.complete() || index < 1 || index > columns.columns.size()) return Flow::Unknown();
    return columns.columns[index - 1].flow;
  }

  // --- macros

  Flow TraceMacro(const Macro& macro, const Json& call, const Scope& scope, const Ctes& ctes) {
    const MacroBody* body = BodyFor(macro, call);
    if (body == nullptr || body->is_table || !Enter(macro)) return Flow::Unknown();
    const Parameters parameters = Arguments(*body, call, scope, ctes);
    const Scope inside{.parameters = &parameters, .star = scope.star};
    const Flow flow = Trace(body->query["select_list"][0], inside, {});
    calls_.pop_back();
    return flow;
  }

  /// Macros that call each other are refused elsewhere; here they only must not go on for ever.
  bool Enter(const Macro& macro) {
    if (IsAmong(calls_, macro.name)) return false;
    calls_.push_back(macro.name);
    return true;
  }

  /// The one form that takes the call's arguments.
  static const MacroBody* BodyFor(const Macro& macro, const Json& call) {
    const MacroBody* found = nullptr;
    for (const MacroBody& body : macro.bodies) {
      if (!Takes(body, call["children"])) continue;
      if (body.parameters.size() == call["children"].size()) return &body;
      if (found != nullptr) return nullptr;
      found = &body;
    }
    return found;
  }

  static bool Takes(const MacroBody& body, const Json& arguments) {
    size_t needed = 0;
    for (const MacroParameter& parameter : body.parameters) needed += parameter.value_if_omitted ? 0 : 1;
    return arguments.size() >= needed && arguments.size() <= body.parameters.size();
  }

  Parameters Arguments(const MacroBody& body, const Json& call, const Scope& scope, const Ctes& ctes) {
    Parameters parameters;
    for (const MacroParameter& parameter : body.parameters)
      parameters[parameter.name] = parameter.value_if_omitted ? Trace(*parameter.value_if_omitted, {}, {}) : Flow();
    size_t next = 0;
    for (const Json& argument : call["children"]) {
      const std::string named = ToLower(TextOf(argument, "alias"));
      const std::string name = named.empty() ? body.parameters[next++].name : named;
      parameters[name] = Trace(argument, scope, ctes);
    }
    return parameters;
  }

  // --- aggregates

  bool HasAggregate(const Json& node) {
    if (node.is_object() && ClassOf(node) == "SUBQUERY") return false;
    if (node.is_object() && ClassOf(node) == "FUNCTION") {
      if (const Macro* macro = macros_.FindCalled(node))
        return std::any_of(macro->bodies.begin(), macro->bodies.end(),
                           [&](const MacroBody& body) { return HasAggregate(body.query["select_list"]); });
      if (IsAggregate(FunctionOf(node))) return true;
    }
    if (!node.is_structured()) return false;
    return std::any_of(node.begin(), node.end(), [&](const Json& child) { return HasAggregate(child); });
  }

  bool IsAggregate(const std::string& function) {
    if (aggregates_.empty()) {
      const auto result = connection_.Query(
          "SELECT string_agg(DISTINCT function_name, ' ') FROM duckdb_functions() WHERE function_type = 'aggregate'");
      for (const std::string& name : Split(result->Next()->Text(0, 0), ' ')) aggregates_.insert(name);
    }
    return aggregates_.contains(function);
  }

  duck::Connection& connection_;
  const Macros& macros_;
  const ColumnsOfTables& tables_;
  std::vector<std::string> calls_;    ///< macros being expanded
  std::set<std::string> aggregates_;  ///< names of DuckDB's aggregates, read when first asked for
};

OutputColumn DescribeOutput(const NamedFlow& column, const Flow& rows) {
  OutputColumn output{.name = column.name, .values = column.flow.values, .decides = column.flow.decides};
  output.decides.Add(rows.values);
  output.decides.Add(rows.decides);
  for (const OriginColumn& value : output.values.columns) output.decides.columns.erase(value);
  return output;
}

/// The column that one item of the select list makes, if it is named there.
OutputColumn* ColumnOfItem(SelectLineage& lineage, const Json& item) {
  if (FindStar(item) != nullptr) return nullptr;
  std::string name = ToLower(TextOf(item, "alias"));
  const std::vector<std::string> names = LowerTexts(MemberOf(item, "column_names"));
  if (name.empty() && !names.empty()) name = names.back();
  const auto is_called = [&](const OutputColumn& column) { return column.name == name; };
  if (std::count_if(lineage.columns.begin(), lineage.columns.end(), is_called) != 1) return nullptr;
  return &*std::find_if(lineage.columns.begin(), lineage.columns.end(), is_called);
}

}  // namespace

const OutputColumn* SelectLineage::Find(const std::string& column) const {
  for (const OutputColumn& output : columns)
    if (output.name == column) return &output;
  return nullptr;
}

SelectLineage LineageOf(duck::Connection& connection, const Macros& macros, const std::string& file,
                        const std::string& text, const ColumnsOfTables& tables) {
  const Json query = ParseSelect(connection, {file, text});
  const Relation relation = Tracer(connection, macros, tables).TraceStatement(query);
  SelectLineage lineage{.columns = {}, .complete = relation.complete()};
  for (const NamedFlow& column : relation.columns) lineage.columns.push_back(DescribeOutput(column, relation.rows));
  const std::vector<SelectItem> items = SelectItemsOf(text, query);
  for (size_t i = 0; i < items.size(); ++i) {
    OutputColumn* output = ColumnOfItem(lineage, query["select_list"][i]);
    if (output == nullptr) continue;
    output->expression = items[i].text;
    output->place = PlaceAt(file, text, items[i].begin, items[i].length);
  }
  return lineage;
}

}  // namespace leat::models
