#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "clients/postgres/encode.h"
#include "duck/database.h"

namespace leat::postgres {

/// A column of a table that rows are sent to.
struct TargetColumn {
  std::string name;
  uint32_t oid = 0;    ///< of its type; of a domain: of the base type
  char typtype = 'b';  ///< pg_type.typtype of that type
  std::string type;    ///< as format_type() says
};

/// Look up columns of a table in the order of `names`.
/// Throws: Error(kConfig, LEAT0306) for a table or column that is not there.
std::vector<TargetColumn> DescribeTarget(Connection& connection, const std::string& schema, const std::string& table,
                                         const std::vector<std::string>& names);

/// How the columns of a SELECT in DuckDB travel into those of a table, pair by pair in order.
///
/// Binary if every pair has a binary form; casts in SelectList() widen integers, turn them into DECIMAL for numeric,
/// and turn anything into text for text. One pair without such a form (interval, inet, arrays; a fraction into an
/// integer) makes the whole COPY one of text, in which the server parses every value and refuses what it cannot read.
class CopyPlan {
 public:
  CopyPlan(const std::vector<duck::Column>& source, std::vector<TargetColumn> target);

  /// What to select, quoted and cast: `"id", CAST("n" AS DECIMAL(19,0))`.
  const std::string& select_list() const { return select_list_; }
  const std::vector<TargetColumn>& target() const { return target_; }
  bool is_text() const { return is_text_; }

 private:
  std::vector<TargetColumn> target_;
  std::string select_list_;
  bool is_text_ = false;
};

/// Send all rows of `rows` by one COPY. Returns how many.
///
///     const CopyPlan plan(duck.Describe(select), DescribeTarget(postgres, "public", "fact", names));
///     const auto rows = duck.Stream("SELECT " + plan.select_list() + " FROM (" + select + ")");
///     CopyRows(postgres, "\"public\".\"fact\"", plan, *rows);
///
/// The session's statement_timeout does not count during the COPY.
/// \param table  quoted; may be a temporary table with the same columns
/// \param rows   the result of plan.select_list()
/// Throws: ServerError (a violated constraint names the row in its notes; a missing right has the GRANT as help),
/// duck::QueryError, Error(kData, LEAT0402), Error(kConnection, LEAT0303), Cancelled. Unless the connection was lost or
/// the run cancelled it is out of the COPY then, its transaction failed.
int64_t CopyRows(Connection& connection, const std::string& table, const CopyPlan& plan, duck::Result& rows);

}  // namespace leat::postgres
