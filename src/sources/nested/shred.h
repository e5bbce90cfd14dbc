#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duck/database.h"
#include "sources/nested/nested_tables.h"

namespace leat::sources {

/// Make the scalar function `name(record BLOB)` known, which turns the JSON of a record into
///
///     STRUCT(misfit STRUCT(reason VARCHAR, field VARCHAR, value VARCHAR), row STRUCT(…), children STRUCT(…))
///
/// `row` has the columns of `table` by their names, `children` a list for each child, `c0`, `c1`, …, whose entries are
/// STRUCT(row STRUCT(…), children STRUCT(…)) again. What has no members is left out. `misfit` is NULL unless the record
/// cannot be a row: then nothing else in the result counts.
/// \param key  columns of `table` that need a value
void RegisterShred(duck::Database& database, const std::string& name, const NestedTable& table,
                   const std::vector<std::string>& key);

}  // namespace leat::sources
