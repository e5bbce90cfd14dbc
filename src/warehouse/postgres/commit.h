#pragma once

#include <functional>
#include <memory>
#include <string>

#include "clients/postgres/connection.h"

namespace leat::warehouse {

/// The running transaction's id, by which its end can be asked for later.
std::string CurrentTransactionId(postgres::Connection& server);

enum class CommitFate { kCommitted, kRolledBack, kForgotten };

/// Wait until the server knows how a transaction ended whose COMMIT got no answer: its backend may still be at work.
/// A backend that waits for a COMMIT which never arrived is told to end.
/// kForgotten: so long ago that the server has dropped the record.
/// Throws: Error(kConnection, LEAT0609) if it is still running after a minute.
CommitFate AwaitFate(postgres::Connection& server, const std::string& transaction_id);

}  // namespace leat::warehouse
