#pragma once

#include <memory>

#include "clients/postgres/connection.h"
#include "core/cancel.h"
#include "warehouse/warehouse.h"

namespace leat::warehouse {

/// A PostgreSQL database (12 or later) as warehouse. Connects on first use, and again after a lost connection.
/// `cancel` may be null, and outlives the warehouse.
std::unique_ptr<Warehouse> OpenPostgres(const postgres::Options& options, const CancelFlag* cancel);

}  // namespace leat::warehouse
