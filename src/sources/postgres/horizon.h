#pragma once

#include <optional>

#include "clients/postgres/connection.h"
#include "core/error.h"
#include "sources/postgres/moment.h"

namespace leat::sources {

/// LEAT0416 if a transaction has held the horizon of the source for more than ten minutes: it, and what to do. Until it
/// ends every run reads again all that was written since it began.
/// \param since  when the horizon was first seen where it is now
std::optional<Diagnostic> StuckHorizon(postgres::Connection& connection, const Moment& moment, Timestamp since);

}  // namespace leat::sources
