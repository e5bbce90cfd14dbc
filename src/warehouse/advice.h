#pragma once

#include <string>
#include <vector>

#include "warehouse/warehouse.h"

namespace leat::warehouse {

// What a person may change so that a table can be loaded: a model in its head, a stream in its source's file. The words
// are the same for every kind of warehouse.

/// `stream` or `model`: who says what a table is.
const char* Maker(const TableSpec& spec);

/// Where the name of the table is taken.
std::string AdviceOnName(const TableSpec& spec);

/// Where values do not fit the type of a column. \param column  the one concerned, if it is known
std::string AdviceOnValues(const TableSpec& spec, const ColumnSpec* column);

/// Where the table cannot become what it is to be. \param table  its quoted name
std::vector<std::string> AdviceOnDefinition(const TableSpec& spec, const std::string& table);

/// LEAT0602: a table of that name is there and is not ours. \param differences  from what it is to be
/// \param room  the statement that moves it away
Error MadeByOthers(const TableSpec& spec, bool is_table, std::vector<std::string> differences, std::string room);

/// LEAT0607: a table of ours cannot become what its spec says. \param table  its quoted name
Error NotAlterable(const TableSpec& spec, const std::string& table, std::vector<std::string> refusals);

}  // namespace leat::warehouse
