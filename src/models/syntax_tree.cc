#include "models/syntax_tree.h"

#include <fmt/format.h>

#include <limits>

#include "core/text.h"
#include "engine/engine.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

[[noreturn]] void ThrowSyntaxError(const SqlSource& source, const Json& answer) {
  const std::string message = TextOf(answer, "error_message");
  const std::string digits = TextOf(answer, "position");
  const auto tokens = Tokens(source.text);
  const size_t start = tokens.empty() ? 0 : tokens.front().begin;
  // DuckDB's parser counts characters, its binder bytes.
  const size_t position = digits.empty() ? start : ByteOfCharacter(source.text, std::stoull(digits));
  if (const auto slip = FindMisspeltKeyword(source.text, position))
    throw Error(kConfig, "LEAT0201", PlaceOfToken(source.file, source.text, slip->token.begin), message)
        .Candidates({slip->keyword});
  throw Error(kConfig, "LEAT0201", PlaceOfToken(source.file, source.text, position), message)
      .Label("not understood from here on")
      .Hint("the SQL of a model is one SELECT in DuckDB's dialect");
}

/// What to write instead, for a query that was typed and for a file that makes a table.
std::string SelectHint(const SqlSource& source, const char* for_model) {
  const bool is_typed = source.file.empty() || source.file == "query";
  return is_typed ? "write one SELECT; a query reads the lake and changes nothing" : for_model;
}

[[noreturn]] void ThrowNotOneSelect(const SqlSource& source, const std::vector<StatementSpan>& statements) {
  if (statements.empty())
    throw Error(kConfig, "LEAT0202", PlaceAt(source.file, source.text, source.text.size(), 0),
                "no SELECT found; expected exactly one")
        .Hint(SelectHint(source, "write the SELECT whose rows the table is to hold"));
  if (statements.size() > 1)
    throw Error(kConfig, "LEAT0202", PlaceOfToken(source.file, source.text, statements[1].begin()),
                fmt::format("{} statements found; expected exactly one SELECT", statements.size()))
        .Label("the second statement")
        .Hint(SelectHint(source, "put each SELECT into a file of its own"));
  const std::string_view word = statements[0].tokens[0].In(source.text);
  const Place place = PlaceOfToken(source.file, source.text, statements[0].begin());
  const bool is_pivot =
      source.text.find("PIVOT") != std::string::npos || source.text.find("pivot") != std::string::npos;
  if (is_pivot)
    throw Error(kConfig, "LEAT0202", place,
                "a PIVOT without a list of values has no fixed columns; expected one SELECT")
        .Hint("name the values: SELECT * FROM (PIVOT table ON column IN ('a', 'b') USING sum(amount))");
  throw Error(kConfig, "LEAT0202", place, fmt::format("{} is not a SELECT; expected exactly one SELECT", word))
      .Hint(SelectHint(source, "write the SELECT whose rows the table is to hold; leat makes the table"));
}

bool IsColumnAt(const Json& node, size_t position) {
  return TextOf(node, "class") == "COLUMN_REF" && PositionOf(node) == position;
}

/// Returns whether `node` holds the reference; `innermost` is the SELECT that is nearest to it.
bool FindSelectAround(const Json& node, size_t position, const Json* around, const Json** innermost) {
  if (node.is_object()) {
    if (IsColumnAt(node, position)) {
      *innermost = around;
      return true;
    }
    if (node.contains("from_table")) around = &node;
  }
  if (!node.is_structured()) return false;
  for (const Json& child : node)
    if (FindSelectAround(child, position, around, innermost)) return true;
  return false;
}

void StripPlaces(Json& node) {
  if (node.is_object()) node.erase("query_location");
  if (node.is_structured())
    for (Json& child : node) StripPlaces(child);
}

void CollectEntries(const Json& from, std::vector<FromEntry>& entries) {
  const std::string type = TextOf(from, "type");
  if (type == "JOIN") {
    CollectEntries(from["left"], entries);
    CollectEntries(from["right"], entries);
    return;
  }
  FromEntry entry{.alias = ToLower(TextOf(from, "alias"))};
  if (type == "BASE_TABLE") {
    const std::string table = ToLower(TextOf(from, "table_name"));
    if (entry.alias.empty()) entry.alias = table;
    if (const std::string schema = TextOf(from, "schema_name"); !schema.empty())
      entry.table = ToLower(schema) + "." + table;
  }
  if (type == "TABLE_FUNCTION") entry.table = StreamAtMoment(from["function"]);
  if (type != "EMPTY") entries.push_back(entry);
}

}  // namespace

Json ParseSelect(duck::Connection& connection, const SqlSource& source) {
  return ParseSelect(connection, source, source.text);
}

Json ParseSelect(duck::Connection& connection, const SqlSource& source, const std::string& sql) {
  Json answer = Json::parse(connection.SyntaxTreeOf(sql));
  if (answer.value("error", false)) {
    if (TextOf(answer, "error_type") == "parser") ThrowSyntaxError(source, answer);
    ThrowNotOneSelect(source, SplitStatements(source.text));
  }
  Json& statements = answer["statements"];
  if (statements.size() != 1) ThrowNotOneSelect(source, SplitStatements(source.text));
  return std::move(statements[0]["node"]);
}

std::string FormatSelect(duck::Connection& connection, const Json& node) {
  const Json document = {{"error", false}, {"statements", {{{"node", node}, {"named_param_map", Json::array()}}}}};
  return connection.QueryText(
      fmt::format("SELECT json_deserialize_sql(CAST({} AS JSON))", QuoteLiteral(document.dump())));
}

std::string NormalisedSql(Json node) {
  StripPlaces(node);
  return node.dump();
}

std::optional<size_t> PositionOf(const Json& node) {
  const auto found = node.find("query_location");
  if (found == node.end() || !found->is_number_unsigned()) return std::nullopt;
  const uint64_t position = found->get<uint64_t>();
  if (position == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  return position;
}

std::string TextOf(const Json& node, const char* member) {
  if (!node.is_object()) return {};
  const auto found = node.find(member);
  return found != node.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsMethodCall(const Json& call) {
  const std::string schema = ToLower(TextOf(call, "schema"));
  return !TextOf(call, "function_name").empty() && !schema.empty() && schema != "main" && schema != "pg_catalog";
}

Json WithReceiver(Json call) {
  Json names = Json::array({TextOf(call, "schema")});
  if (const std::string table = TextOf(call, "catalog"); !table.empty()) names.insert(names.begin(), table);
  Json receiver = {{"class", "COLUMN_REF"}, {"type", "COLUMN_REF"}, {"alias", ""}, {"column_names", std::move(names)}};
  call["children"].insert(call["children"].begin(), std::move(receiver));
  call["schema"] = call["catalog"] = "";
  return call;
}

std::string StreamAtMoment(const Json& call) {
  const std::string name = ToLower(TextOf(call, "function_name")) + "()";
  const std::string schema = ToLower(TextOf(call, "schema"));
  return schema.empty() || !name.ends_with(engine::kAtSuffix) ? std::string() : schema + "." + name;
}

std::vector<FromEntry> EntriesOf(const Json& from_table) {
  std::vector<FromEntry> entries;
  CollectEntries(from_table, entries);
  return entries;
}

std::vector<FromEntry> FromAround(const Json& node, size_t position) {
  const Json* select = nullptr;
  if (!FindSelectAround(node, position, nullptr, &select) || select == nullptr) return {};
  return EntriesOf((*select)["from_table"]);
}

std::optional<size_t> PositionOfOutput(const Json& node, const std::string& name) {
  if (!node.contains("select_list")) return node.contains("left") ? PositionOfOutput(node["left"], name) : std::nullopt;
  for (const Json& item : node["select_list"]) {
    std::string made = TextOf(item, "alias");
    if (made.empty() && item.contains("column_names") && !item["column_names"].empty())
      made = item["column_names"].back().get<std::string>();
    if (ToLower(made) == ToLower(name)) return PositionOf(item);
  }
  return std::nullopt;
}

}  // namespace leat::models
