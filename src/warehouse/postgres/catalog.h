#pragma once

#include <optional>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "warehouse/postgres/ddl.h"

namespace leat::warehouse {

/// Read what stands under a table's name; nullopt: nothing.
std::optional<ExistingTable> Inspect(postgres::Connection& connection, const std::string& schema,
                                     const std::string& table);

/// The foreign keys that refer to a table, its own among them.
std::vector<Referrer> Referrers(postgres::Connection& connection, const std::string& schema, const std::string& table);

/// GRANT statements that would give this session's role what loading needs in `schema`, and in the table if it is
/// there. Empty: nothing is missing. Works in a failed transaction's aftermath only once that is rolled back.
std::vector<std::string> MissingGrants(postgres::Connection& connection, const std::string& schema,
                                       const std::string& table);

}  // namespace leat::warehouse
