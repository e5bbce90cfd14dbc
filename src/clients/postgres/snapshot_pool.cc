#include "clients/postgres/snapshot_pool.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "core/text.h"

namespace leat::postgres {
namespace {

using namespace std::chrono_literals;

constexpr auto kDrainLimit = 1s;
constexpr const char* kBegin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
// Snapshots are exported by top-level transactions only, but outlive what happens in a savepoint.
constexpr const char* kSavepoint = "SAVEPOINT leat";
constexpr const char* kRecover = "ROLLBACK TO SAVEPOINT leat";

/// Read what an abandoned statement still sends. Returns whether its end was reached in time.
bool Drain(Connection& connection) {
  const auto deadline = std::chrono::steady_clock::now() + kDrainLimit;
  while (std::chrono::steady_clock::now() < deadline) {
    if (PQisBusy(connection.handle()) != 0) {
      connection.PollReadable();
      if (PQconsumeInput(connection.handle()) == 0) return false;
      continue;
    }
    PGresult* result = PQgetResult(connection.handle());
    if (result == nullptr) return true;
    const bool copying = PQresultStatus(result) == PGRES_COPY_OUT;
    PQclear(result);
    while (copying && std::chrono::steady_clock::now() < deadline) {
      char* message = nullptr;
      const int size = PQgetCopyData(connection.handle(), &message, /*async=*/1);
      PQfreemem(message);
      if (size < 0) break;
      if (size > 0) continue;
      connection.PollReadable();
      if (PQconsumeInput(connection.handle()) == 0) return false;
    }
  }
  return false;
}

}  // namespace

struct SnapshotPool::Session {
  Session(const Options& options, const CancelFlag* cancel) : connection(options, cancel) {}
  Connection connection;
  bool time_limit_lifted = false;
};

SnapshotPool::SnapshotPool(Options options, const CancelFlag* cancel) : options_(std::move(options)), cancel_(cancel) {
  auto session = std::make_unique<Session>(options_, cancel_);
  server_version_ = session->connection.server_version();
  user_ = session->connection.user();
  session->connection.Execute(kBegin);
  snapshot_ = session->connection.Query("SELECT pg_export_snapshot()").Text(0, 0);
  session->connection.Execute(kSavepoint);
  idle_.push_back(std::move(session));
}

SnapshotPool::~SnapshotPool() = default;

std::unique_ptr<SnapshotPool::Session> SnapshotPool::Open() {
  auto session = std::make_unique<Session>(options_, cancel_);
  session->connection.Execute(kBegin);
  try {
    session->connection.Execute("SET TRANSACTION SNAPSHOT " + QuoteLiteral(snapshot_));
  } catch (const ServerError& error) {
    throw Error(kConnection, "LEAT0303", options_.place,
                fmt::format("connection \"{}\" was lost: the snapshot {} ended ({})", options_.name, snapshot_,
                            error.message()))
        .Hint("run again; nothing of what was under way is published");
  }
  session->connection.Execute(kSavepoint);
  return session;
}

SnapshotPool::Lease SnapshotPool::Borrow() {
  std::unique_ptr<Session> session;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      session = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (session == nullptr) session = Open();
  return Lease(*this, std::move(session));
}

void SnapshotPool::Return(std::unique_ptr<Session> session) noexcept {
  Connection& connection = session->connection;
  try {
    if (PQtransactionStatus(connection.handle()) == PQTRANS_ACTIVE) {
      connection.RequestCancel();
      // A cancelled run waits for nothing: closing the connection is enough.
      if (cancel_ != nullptr && cancel_->is_set()) return;
      if (!Drain(connection)) return;
    }
    if (PQtransactionStatus(connection.handle()) == PQTRANS_INERROR) {
      connection.Execute(kRecover);
      session->time_limit_lifted = false;  // the rollback undoes the SET as well
    }
    if (PQtransactionStatus(connection.handle()) != PQTRANS_INTRANS) return;
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(session));
  } catch (...) {
    // The connection is of no more use and is closed; whoever needs one opens another.
  }
}

SnapshotPool::Lease::Lease(SnapshotPool& pool, std::unique_ptr<Session> session)
    : pool_(&pool), session_(std::move(session)) {}

SnapshotPool::Lease::Lease(Lease&&) noexcept = default;

SnapshotPool::Lease::~Lease() {
  if (session_ != nullptr) pool_->Return(std::move(session_));
}

Connection& SnapshotPool::Lease::operator*() const { return session_->connection; }

void SnapshotPool::Lease::LiftTimeLimit() {
  if (session_->time_limit_lifted) return;
  session_->connection.Execute("SET statement_timeout = 0");
  session_->time_limit_lifted = true;
}

}  // namespace leat::postgres
