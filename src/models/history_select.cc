#include "models/history_select.h"

#include <fmt/format.h>

#include <functional>
#include <limits>
#include <utility>

#include "core/text.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

std::string NameOf(const config::Model& model) {
  return model.kind == config::ModelKind::kScd2 ? "an scd2 model" : "a history model";
}

class Checker {
 public:
  Checker(const config::Model& model, const Json& query) : model_(model), query_(query) {}

  void Check() const {
    if (TextOf(query_, "type") != "SELECT_NODE") Refuse("UNION, INTERSECT and EXCEPT", PositionInside(query_));
    CheckFrom(query_["from_table"]);
    for (const Json& modifier : query_["modifiers"]) {
      const std::string type = TextOf(modifier, "type");
      if (type == "DISTINCT_MODIFIER") Refuse("DISTINCT", FindKeyword("DISTINCT"));
      if (type.starts_with("LIMIT")) Refuse("LIMIT", FindKeyword("LIMIT"));
    }
    const bool grouped = !query_["group_expressions"].empty() || !query_["group_sets"].empty() ||
                         TextOf(query_, "aggregate_handling") == "FORCE_AGGREGATES";
    if (grouped) Refuse("GROUP BY", FindKeyword("GROUP"));
    if (!query_["having"].is_null()) Refuse("HAVING", FindKeyword("HAVING"));
    if (!query_["qualify"].is_null()) Refuse("QUALIFY", FindKeyword("QUALIFY"));
    if (!query_["sample"].is_null()) Refuse("a sample", FindKeyword("SAMPLE"));
    CheckItems(query_["select_list"]);
  }

 private:
  [[noreturn]] void Refuse(const std::string& what, std::optional<size_t> position) const {
    throw Error(kConfig, "LEAT0214", PlaceOr(position),
                fmt::format("{} cannot use {} in its outermost SELECT; expected one row for each version",
                            NameOf(model_), what))
        .Label("depends on other rows")
        .Hint("do it in a model of `kind: table` that reads this one");
  }

  void CheckFrom(const Json& from) const {
    const std::string type = TextOf(from, "type");
    if (type == "JOIN") {
      const std::optional<size_t> position = PositionOf(from);
      Refuse("a join", position ? position : PositionInside(from["right"]));
    }
    const std::string table = ToLower(TextOf(from, "table_name"));
    const bool is_history =
        type == "BASE_TABLE" && table.ends_with("__history") && !TextOf(from, "schema_name").empty();
    if (!is_history) {
      const std::string schema = ToLower(TextOf(from, "schema_name"));
      Error error(
          kConfig, "LEAT0214", PlaceOr(type == "BASE_TABLE" ? PositionOf(from) : FindKeyword("FROM")),
          fmt::format("{} reads the versions of one stream; expected FROM source.stream__history", NameOf(model_)));
      if (schema.empty())
        throw std::move(error).Hint(
            fmt::format("write FROM source.stream__history, or leave out `kind: {}`", KindName(model_.kind)));
      throw std::move(error).Hint(
          fmt::format("write FROM {}.{}__history, or leave out `kind: {}`", schema, table, KindName(model_.kind)));
    }
    if (!from["column_name_alias"].empty()) Refuse("new names for the columns of FROM", PositionOf(from));
    if (from.contains("sample") && !from["sample"].is_null()) Refuse("a sample", PositionOf(from));
  }

  /// Subqueries are on their own; what counts is what stands outside of them.
  void CheckItems(const Json& node) const {
    if (node.is_object()) {
      if (TextOf(node, "class") == "WINDOW") Refuse("window functions", PositionOf(node));
      if (TextOf(node, "class") == "SUBQUERY") return;
    }
    if (!node.is_structured()) return;
    for (const Json& child : node) CheckItems(child);
  }

  std::optional<size_t> FindKeyword(std::string_view word) const {
    for (const Token& token : Tokens(model_.text))
      if (token.Is(model_.text, word)) return token.begin;
    return std::nullopt;
  }

  static std::optional<size_t> PositionInside(const Json& node) {
    if (node.is_object())
      if (const auto position = PositionOf(node)) return position;
    if (!node.is_structured()) return std::nullopt;
    for (const Json& child : node)
      if (const auto position = PositionInside(child)) return position;
    return std::nullopt;
  }

  Place PlaceOr(std::optional<size_t> position) const {
    const std::vector<Token> tokens = Tokens(model_.text);
    return PlaceOfToken(model_.file, model_.text, position.value_or(tokens.empty() ? 0 : tokens.front().begin));
  }

  const config::Model& model_;
  const Json& query_;
};

Json ColumnOf(const std::string& table, const std::string& column, const std::string& alias) {
  return {{"class", "COLUMN_REF"},
          {"type", "COLUMN_REF"},
          {"alias", alias},
          {"query_location", std::numeric_limits<uint64_t>::max()},
          {"column_names", {table, column}}};
}

/// A checked SELECT on its way to more columns.
class VersionsSelect {
 public:
  VersionsSelect(duck::Connection& connection, const config::Model& model)
      : connection_(connection), query_(ParseSelect(connection, {model.file, model.text})) {
    Checker(model, query_).Check();
    const Json& from = query_["from_table"];
    const std::string table = TextOf(from, "table_name");
    alias_ = TextOf(from, "alias").empty() ? table : TextOf(from, "alias");
    stream_ = ToLower(TextOf(from, "schema_name") + "." + table);
    query_["modifiers"] = Json::array();  // at most an ORDER BY is left, and versions have their own order
    Add("_leat_seq", kSeqColumn);
    Add("_leat_op", kOpColumn);
  }

  void Add(const std::string& column, const std::string& alias) {
    query_["select_list"].push_back(ColumnOf(alias_, column, alias));
  }

  /// Leave no row out.
  void KeepAll() { query_["where_clause"] = nullptr; }

  const std::string& stream() const { return stream_; }
  std::string ToSql() const { return FormatSelect(connection_, query_); }

 private:
  duck::Connection& connection_;
  Json query_;
  std::string alias_, stream_;
};

}  // namespace

HistorySelect ReadHistorySelect(duck::Connection& connection, const config::Model& model) {
  const VersionsSelect select(connection, model);
  return {.stream = select.stream(), .sql = select.ToSql()};
}

IntervalSelect ReadIntervalSelect(duck::Connection& connection, const config::Model& model,
                                  const engine::VersionOrder& order) {
  VersionsSelect select(connection, model);
  select.Add("_leat_time", kArrivalColumn);
  if (!order.version.empty()) select.Add(order.version, kVersionColumn);
  if (!order.time.empty()) select.Add(order.time, kDateColumn);
  IntervalSelect intervals{.versions = select.ToSql(), .all = ""};
  select.KeepAll();
  intervals.all = select.ToSql();
  return intervals;
}

Error AggregateInHistory(duck::Connection& connection, const config::Model& model) {
  const Json query = ParseSelect(connection, {model.file, model.text});
  std::optional<size_t> position;
  const std::function<void(const Json&)> find = [&](const Json& node) {
    if (node.is_object() && TextOf(node, "class") == "SUBQUERY") return;
    if (node.is_object() && TextOf(node, "class") == "FUNCTION" && !position) {
      const int64_t aggregates = connection.QueryInt64(fmt::format(
          "SELECT count(*) FROM duckdb_functions() WHERE function_type = 'aggregate' AND function_name = {}",
          QuoteLiteral(ToLower(TextOf(node, "function_name")))));
      if (aggregates > 0) position = PositionOf(node);
    }
    if (!node.is_structured()) return;
    for (const Json& child : node) find(child);
  };
  find(query["select_list"]);
  return Error(kConfig, "LEAT0214", PlaceOfToken(model.file, model.text, position.value_or(0)),
               fmt::format("{} cannot use aggregates in its outermost SELECT; expected one row for each version",
                           NameOf(model)))
      .Label("depends on other rows")
      .Hint("do it in a model of `kind: table` that reads this one");
}

}  // namespace leat::models
