#pragma once

#include <memory>

#include "clients/postgres/connection.h"
#include "core/cancel.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// A PostgreSQL database (12 or later) as warehouse. Connects on first use, and again after a lost connection.
/// `cancel` may be null, and outlives the warehouse. `guard` may be empty.
std::unique_ptr<Warehouse> OpenPostgres(const postgres::Options& options, const CancelFlag* cancel,
                                        TargetGuard guard = {});

/// The identity of `schema` in the database of a connection, be it a warehouse's or a source's.
/// Throws: Error(kConnection); postgres::ServerError.
Identity IdentityOf(postgres::Connection& connection, const std::string& schema);

}  // namespace leat::warehouse
