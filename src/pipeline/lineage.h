#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/cancel.h"

namespace leat::pipeline {

/// A table, a column of one, a query of checks/ or a use outside of leat. Those two have no column.
struct LineageName {
  /// `totesys.staff`, `mart.dim_staff`, `checks/no_orphans.sql`, `exposure:weekly_report`, `warehouse.public.dim_staff`
  std::string table;
  std::string column;  ///< empty: all of it

  std::string ToString() const { return column.empty() ? table : table + "." + column; }
  auto operator<=>(const LineageName&) const = default;
};

struct LineageNode {
  LineageName name;
  std::string kind;        ///< stream, seed, rejects, check, exposure, warehouse, or a model's kind
  std::string expression;  ///< of a model's column, as written
  Place place;             ///< of that expression, else the table's file
  bool unknown = false;    ///< columns that are not all known; of a column: origins that could not be found out
  std::string note;        ///< why there is nothing before it, or what is unknown
};

enum class LineageHow {
  kReads,       ///< between tables
  kValue,       ///< its values flow
  kDecides,     ///< a join, condition, group or order only
  kLoads,       ///< into the warehouse
  kChecks,      ///< a query of checks/ looks at it
  kReferences,  ///< a rule of another model's head looks values up in it
};
const char* HowName(LineageHow how);

struct LineageEdge {
  LineageName from, to;
  LineageHow how = LineageHow::kReads;

  auto operator<=>(const LineageEdge&) const = default;
};

/// All that a table or column comes from and all that uses it, with what lies between.
struct LineageGraph {
  LineageName subject;
  std::vector<LineageNode> nodes;  ///< by name
  std::vector<LineageEdge> edges;  ///< by name; each from what is before to what is behind

  const LineageNode* Find(const LineageName& name) const;
};

/// Trace `subject`, `TABLE` or `TABLE.COLUMN`, through the project's SQL and the columns of the lake. Connects to
/// nothing and reads no row; streams that were never loaded have unknown columns.
/// Throws: InvalidProject for SQL that cannot be ordered; Error(kConfig) with the nearest names: LEAT0224 an unknown
/// table, LEAT0225 an unknown column.
LineageGraph ReadLineage(const config::Project& project, const std::string& subject, const CancelFlag& cancel);

}  // namespace leat::pipeline
