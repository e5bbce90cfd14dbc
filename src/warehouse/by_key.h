#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "warehouse/warehouse.h"

namespace leat::warehouse {

// SQL about rows that are found by their key, the same for every kind of warehouse.

/// `prefix."a", prefix."b"`.
std::string Prefixed(std::string_view prefix, const std::vector<std::string>& columns);

/// `left."a" = right."a" AND …` over the columns of a key.
std::string EqualKeys(const std::vector<std::string>& key, std::string_view left, std::string_view right);

/// What tells the lake's rows from the warehouse's, computed in DuckDB.
struct Difference {
  std::string create_sql;  ///< makes a temporary table that holds the differing rows only
  Delta delta;             ///< reads it
  std::string drop_sql;
};

/// \param temporary  name of the temporary table, quoted
/// \param rows       SELECT of the lake's rows, as they are sent
/// \param kept       SQL for FROM with the warehouse's rows, under the names of the spec's columns
Difference CompareByKey(const TableSpec& spec, const std::string& temporary, const std::string& rows,
                        const std::string& kept);

}  // namespace leat::warehouse
