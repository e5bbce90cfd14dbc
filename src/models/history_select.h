#pragma once

#include <string>

#include "config/project.h"
#include "duck/database.h"
#include "engine/version_order.h"
#include "models/syntax_tree.h"

namespace leat::models {

/// Names of the columns that leat adds to the SELECT of a model that reads versions.
inline constexpr const char* kSeqColumn = "_leat_row_seq";
inline constexpr const char* kOpColumn = "_leat_row_op";
inline constexpr const char* kArrivalColumn = "_leat_row_arrival";  ///< `_leat_time`
inline constexpr const char* kVersionColumn = "_leat_row_version";  ///< of VersionOrder::version
inline constexpr const char* kDateColumn = "_leat_row_date";        ///< of VersionOrder::time

/// The SELECT of a model that reads versions, which says for each version of a row where it stands.
struct HistorySelect {
  std::string stream;  ///< `totesys.sales_order__history`
  std::string sql;     ///< with kSeqColumn and kOpColumn at the end of the select list
};

/// Add the two columns by way of the syntax tree.
/// Throws: Error(kConfig, LEAT0214) with place, unless the outermost FROM is one `x__history` and each of its rows
/// gives at most one row: joins, set operations, aggregates, DISTINCT, GROUP BY, window functions and LIMIT depend on
/// other rows, which a version that is appended later would change.
HistorySelect ReadHistorySelect(duck::Connection& connection, const config::Model& model);

/// The SELECT of an scd2 model, which dates each version too.
struct IntervalSelect {
  std::string versions;  ///< with all columns above, as far as VersionOrder has them
  std::string all;  ///< the same without WHERE: of versions that are left out only the key is sure to be without fault
};

/// Throws: as ReadHistorySelect.
IntervalSelect ReadIntervalSelect(duck::Connection& connection, const config::Model& model,
                                  const engine::VersionOrder& order);

/// The error for an aggregate in the select list, which shows only when DuckDB binds the statement.
Error AggregateInHistory(duck::Connection& connection, const config::Model& model);

}  // namespace leat::models
