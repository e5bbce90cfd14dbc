#include "warehouse/postgres/commit.h"

#include <chrono>
#include <thread>

namespace leat::warehouse {
namespace {

using namespace std::chrono_literals;

constexpr int kVersionOfXid8 = 130000;
constexpr auto kPause = 100ms;
constexpr auto kPatience = 60s;
constexpr auto kTransit = 1s;  ///< that a COMMIT may still need to arrive

/// Where the COMMIT never arrived, the server may not notice for hours that its client is gone, and keeps its locks.
/// Ending our own session then settles the transaction; one that is at its COMMIT is not idle.
void EndIdleSession(postgres::Connection& server, const std::string& transaction_id) {
  server.Query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user AND state = 'idle in "
      "transaction' "
      "AND backend_xid::text::bigint = $1::bigint & 4294967295",
      {transaction_id});
}

}  // namespace

std::string CurrentTransactionId(postgres::Connection& server) {
  const bool has_xid8 = server.server_version() >= kVersionOfXid8;
  return server.Query(has_xid8 ? "SELECT pg_current_xact_id()" : "SELECT txid_current()").Text(0, 0);
}

CommitFate AwaitFate(postgres::Connection& server, const std::string& transaction_id) {
  const bool has_xid8 = server.server_version() >= kVersionOfXid8;
  const char* question = has_xid8 ? "SELECT pg_xact_status($1::text::xid8)" : "SELECT txid_status($1::bigint)";
  for (auto waited = 0ms; waited < kPatience; waited += kPause) {
    const auto answer = server.Query(question, {transaction_id});
    if (answer.IsNull(0, 0)) return CommitFate::kForgotten;
    if (answer.At(0, 0) == "committed") return CommitFate::kCommitted;
    if (answer.At(0, 0) == "aborted") return CommitFate::kRolledBack;
    if (waited >= kTransit) EndIdleSession(server, transaction_id);
    if (server.cancel() != nullptr) server.cancel()->Check();
    std::this_thread::sleep_for(kPause);
  }
  throw Error(kConnection, "LEAT0609", server.options().place,
              "the warehouse gave no answer to COMMIT, and after a minute that transaction is still running")
      .Hint("run again: the ledger in the warehouse says then what it holds");
}

}  // namespace leat::warehouse
