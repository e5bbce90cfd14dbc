#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "core/cancel.h"

namespace leat::postgres {

/// Connections that all see one moment of a database, in REPEATABLE READ READ ONLY transactions: the first exports its
/// snapshot, the others take it over.
/// A statement that the server refuses costs neither the snapshot nor the connection: every transaction has a savepoint
/// that it goes back to when the connection is returned. Threads: Borrow may be called by several. The pool outlives
/// its leases.
class SnapshotPool {
 public:
  /// Connect once and take the snapshot. Throws: as Connection.
  explicit SnapshotPool(Options options, const CancelFlag* cancel = nullptr);
  ~SnapshotPool();
  SnapshotPool(const SnapshotPool&) = delete;
  SnapshotPool& operator=(const SnapshotPool&) = delete;

  class Lease;

  /// Take an idle connection, or open a new one; never waits for another lease. The one that exported the snapshot is
  /// idle too while nobody reads, so `pool.Borrow()->Query(…)` asks the catalogs of that moment. Throws: as Connection;
  /// Error(kConnection, LEAT0303) if the snapshot is gone with the connection that exported it.
  Lease Borrow();

  int server_version() const { return server_version_; }
  const std::string& user() const { return user_; }
  const Options& options() const { return options_; }
  const CancelFlag* cancel() const { return cancel_; }

 private:
  struct Session;
  void Return(std::unique_ptr<Session> session) noexcept;
  std::unique_ptr<Session> Open();

  Options options_;
  const CancelFlag* cancel_;
  int server_version_ = 0;
  std::string user_;
  std::string snapshot_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Session>> idle_;
};

/// A borrowed connection; goes back when destroyed. One left inside a COPY is told to stop first.
class SnapshotPool::Lease {
 public:
  Lease(SnapshotPool& pool, std::unique_ptr<Session> session);
  Lease(Lease&&) noexcept;
  Lease& operator=(Lease&&) = delete;
  ~Lease();

  Connection& operator*() const;
  Connection* operator->() const { return &**this; }
  /// Lift the limit of 60 s per statement until the connection is recovered from a refused statement.
  void LiftTimeLimit();

 private:
  SnapshotPool* pool_;
  std::unique_ptr<Session> session_;
};

}  // namespace leat::postgres
