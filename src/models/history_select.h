#pragma once

#include <string>

#include "config/project.h"
#include "duck/database.h"
#include "models/syntax_tree.h"

namespace leat::models {

/// Names of the two columns that leat adds to the SELECT of a history model.
inline constexpr const char* kSeqColumn = "_leat_row_seq";
inline constexpr const char* kOpColumn = "_leat_row_op";

/// The SELECT of a history model, which says for each version of a row where it stands.
struct HistorySelect {
  std::string stream;  ///< `totesys.sales_order__history`
  std::string sql;     ///< with kSeqColumn and kOpColumn at the end of the select list
};

/// Add the two columns by way of the syntax tree.
/// Throws: Error(kConfig, LEAT0214) with place, unless the outermost FROM is one `x__history` and each of its rows
/// gives at most one row: joins, set operations, aggregates, DISTINCT, GROUP BY, window functions and LIMIT depend on
/// other rows, which a version that is appended later would change.
HistorySelect ReadHistorySelect(duck::Connection& connection, const config::Model& model);

/// The error for an aggregate in the select list, which shows only when DuckDB binds the statement.
Error AggregateInHistory(duck::Connection& connection, const config::Model& model);

}  // namespace leat::models
