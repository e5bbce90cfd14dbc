#pragma once

#include <cstdint>
#include <string>

#include "clients/postgres/connection.h"
#include "core/clock.h"

namespace leat::sources {

/// The moment that a source's connections see, and where its server stood just after.
struct Moment {
  Timestamp time;              ///< by the server's clock
  int64_t horizon = 0;         ///< the snapshot's xmin in 64 bits: every transaction below it has ended
  int64_t next = 0;            ///< the snapshot's xmax: no transaction from here on is seen
  bool is_standby = false;     ///< its snapshot does not tell which transactions still run
  std::string system;          ///< identifier of the cluster; empty where the role may not ask
  std::string timeline;        ///< 8 hex digits; a promotion or a restore to a point in time begins a new one
  std::string database;        ///< oid: a database that was dropped and made again is another one
  std::string wal_written;     ///< up to where the log was written; empty on a standby
  int64_t flush_limit_ms = 0;  ///< by then the log writer has flushed it
};

/// Read the moment of the snapshot that the connection's transaction has.
/// Throws: Error(kConfig, LEAT0419) for a server before 13.
Moment ReadMoment(postgres::Connection& connection);

/// Wait until everything that was written before `moment` is on the server's disk, so that no crash can give out again
/// a transaction id below its horizon. Returns whether that came true in time; at once on a standby, which gives out
/// none.
bool AwaitFlush(postgres::Connection& connection, const Moment& moment);

}  // namespace leat::sources
