#pragma once

#include <string>
#include <string_view>

#include "duck/database.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse::duckdb {

/// The type of a column as DuckDB itself writes it: the project's, else that of the lake's column. A stream's
/// `source_type` says nothing here: DuckDB has the lake's types already.
/// Throws: Error(kConfig, LEAT0601) with the column's place, for a text that is no type.
std::string ResolveType(duck::Connection& connection, const ColumnSpec& column);

/// Whether every value of `from` is one of `to` and the same text; both as DuckDB writes them.
bool IsWidening(std::string_view from, std::string_view to);

}  // namespace leat::warehouse::duckdb
