#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "duck/database.h"
#include "lake/table.h"

namespace leat::models {

/// The greatest value of a column of whole numbers or moments (then in µs since 1970) of `rows`, from the bounds of
/// their files where all tell it; 0 without rows.
/// \param expression  SQL for the value as BIGINT
/// \param column      null: it is not known by the lake
int64_t Greatest(duck::Connection& connection, const std::string& rows, const std::string& expression,
                 const lake::Field* column, const std::vector<lake::DataFile>& files);

/// Values of a column of `rows`, as text, that part them into `parts` of about as many rows, each from one value to
/// before the next; nothing for types whose bounds are not looked at. The column is never NULL.
std::vector<std::string> PartingValues(duck::Connection& connection, const std::string& rows, const lake::Field& column,
                                       int64_t parts);

/// Those of `files` that may hold a row whose key stands in the table `keys`: the bounds of the others, which stay
/// closed, leave none of its keys in.
std::vector<lake::DataFile> FilesThatMayHold(duck::Connection& connection, const lake::Schema& schema,
                                             const std::vector<lake::DataFile>& files,
                                             const std::vector<std::string>& key, const std::string& keys);

}  // namespace leat::models
