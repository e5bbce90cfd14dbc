#pragma once

#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// What a load would do to the definitions of `tables` of `project`, in dependency order, seen in one read-only
/// transaction. Foreign keys that are dropped and made again while rows are replaced are left out: they end as they
/// were. Throws: Error(kConnection); Error(kConfig, LEAT0603); the transaction may be open then.
std::vector<PlannedChange> PlanChangesIn(postgres::Connection& server, const std::string& project,
                                         const std::vector<TableLoad>& tables);

}  // namespace leat::warehouse
