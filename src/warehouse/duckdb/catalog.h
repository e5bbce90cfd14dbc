#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "duck/database.h"
#include "warehouse/duckdb/ddl.h"

namespace leat::warehouse::duckdb {

/// The name of something inside the attached file: `_leat_warehouse."main"."dim_staff"` of `"main"."dim_staff"`.
std::string InFile(std::string_view quoted_name);

/// Names of the tables and views of a schema of the attached file, in lower case, as DuckDB tells them apart.
std::set<std::string> NamesIn(duck::Connection& connection, const std::string& schema);
bool HasSchema(duck::Connection& connection, const std::string& schema);

/// Read what stands under a table's name; nullopt: nothing.
std::optional<ExistingTable> Inspect(duck::Connection& connection, const std::string& schema, const std::string& table);

}  // namespace leat::warehouse::duckdb
