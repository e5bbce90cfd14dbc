#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "duck/database.h"

namespace leat::models {

/// A node of the tree that DuckDB's json_serialize_sql gives of a SELECT.
using Json = nlohmann::json;

/// SQL as a person wrote it.
struct SqlSource {
  std::string file;
  const std::string& text;  ///< the whole file; a model's head is a comment of its SQL
};

/// Parse the one SELECT in `source` into its query node.
/// Throws: Error(kConfig) with place: LEAT0201 for a syntax error, LEAT0202 for anything but one SELECT.
Json ParseSelect(duck::Connection& connection, const SqlSource& source);

/// The same for `sql`, a text as long as the source's whose bytes stand where they stand there.
Json ParseSelect(duck::Connection& connection, const SqlSource& source, const std::string& sql);

/// Turn a query node back into SQL.
std::string FormatSelect(duck::Connection& connection, const Json& node);

/// The tree as text without places: equal for statements that differ only in blanks, comments and the case of keywords.
std::string NormalisedSql(Json node);

/// Where a node stands in its text, in bytes; nothing for nodes without a place.
std::optional<size_t> PositionOf(const Json& node);
/// A text member, empty if absent.
std::string TextOf(const Json& node, const char* member);

/// Whether a call is written `column.function(…)`, which is function(column, …), unless a schema of the name that
/// stands there has the function. DuckDB's own schemas are none of the project's columns.
bool IsMethodCall(const Json& call);
/// The same call with the column as its first argument.
Json WithReceiver(Json call);

/// What the engine calls the table of a call `totesys.sales_order__at(t)`: `totesys.sales_order__at()`. Empty for calls
/// of anything else.
std::string StreamAtMoment(const Json& call);

/// A table in a FROM, by the name under which columns refer to it.
struct FromEntry {
  std::string alias;
  std::string table;  ///< `totesys.department`; empty for subqueries, functions and unqualified names
};
/// The FROM of the innermost SELECT around the column reference at byte `position`.
std::vector<FromEntry> FromAround(const Json& node, size_t position);
/// All entries of a from_table.
std::vector<FromEntry> EntriesOf(const Json& from_table);

/// Where the SELECT list of the outermost query makes output column `name`.
std::optional<size_t> PositionOfOutput(const Json& node, const std::string& name);

}  // namespace leat::models
