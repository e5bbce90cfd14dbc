#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "warehouse/duckdb/ddl.h"

namespace leat::warehouse::duckdb {

/// Whether only the table that was being loaded is at fault, so that the others may go on.
bool ConcernsOneTable(const Error& error);

/// What a person is told: LEAT0605 for rows that were refused, LEAT0607 for a table that could not be made.
Diagnostic DescribeFault(const Definition& table, const Error& error);

/// LEAT0602, listing what tells the table from the model.
Error ForeignTable(const Definition& table, const ExistingTable& existing);

/// LEAT0607, listing the differences that are not bridged.
Error NotAlterable(const Definition& table, const std::vector<std::string>& refusals);

}  // namespace leat::warehouse::duckdb
