#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "models/column_scope.h"
#include "models/macros.h"

namespace leat::models {

/// An output column of a SELECT and where it comes from.
struct OutputColumn {
  std::string name;        ///< lower case
  Origins values;          ///< columns whose values flow into it
  Origins decides;         ///< columns that only decide which values those are, and which rows there are
  std::string expression;  ///< as written; empty where it is not one item of the outermost select list
  Place place;             ///< of the expression
};

/// The columns of one SELECT. What could not be found out says so (`complete`) and is never guessed.
struct SelectLineage {
  std::vector<OutputColumn> columns;
  bool complete = true;  ///< false: there are columns whose names are not known

  const OutputColumn* Find(const std::string& column) const;
};

/// Names of the columns that SQL sees behind a table, by the table's name; all in lower case.
using ColumnsOfTables = std::map<std::string, std::vector<std::string>>;

/// Find where each output column of the SELECT in a file comes from, by its syntax tree; nothing is bound or run.
///
/// A table that `tables` lacks has unknown columns: a name that only it can hold is taken to be its own, any other
/// name that it may hold is unknown. Columns of `x__history` are named as that table's own.
/// A condition inside an expression (CASE WHEN, FILTER, PARTITION BY, ORDER BY) decides; all arguments of a function
/// flow. Throws: as ParseSelect.
SelectLineage LineageOf(duck::Connection& connection, const Macros& macros, const std::string& file,
                        const std::string& text, const ColumnsOfTables& tables);

}  // namespace leat::models
