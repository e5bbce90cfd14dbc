#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lake/table.h"

namespace leat::sources {

/// `_leat_seq` of the versions that a commit brings.
inline constexpr int64_t SeqOf(int64_t commit_number) { return commit_number << 24; }

/// What stands for the rows of `files`, leat's own columns aside, whatever their order: kept in the summary as
/// `leat.hash` where a table is replaced as a whole.
std::string ContentHash(duck::Connection& connection, const lake::Storage& storage, const lake::Schema& schema,
                        const std::vector<lake::DataFile>& files);

/// A number of a snapshot's summary; 0 if there is none.
int64_t SummaryNumber(const lake::Table& table, const std::string& key);

}  // namespace leat::sources
