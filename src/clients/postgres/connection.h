#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "core/secret.h"

namespace leat::postgres {

/// How to reach a server. What is empty is left to libpq: PG* variables, service files, ~/.pgpass.
struct Options {
  std::string name;  ///< of the connection in the project, for messages
  Place place;       ///< where the project configures it
  std::string host;
  std::string port;
  std::string database;
  std::string user;
  Secret password;
  /// Where `password` was looked for, each place with its state: `TOTESYS_PASSWORD (not set)`. For messages.
  std::vector<std::string> password_looked_in;
  std::string service;
  /// Empty: PGSSLMODE or the service file; where they say nothing `verify-full`, but `prefer` on loopback addresses and
  /// sockets. A plain `prefer` towards another machine holds only if it stands here or in PGSSLMODE.
  std::string sslmode;
};

/// A statement that the server refused. `kind` follows the SQLSTATE: kData for values and constraints, kConfig for
/// rights and names, kConnection where a retry helps (deadlock, time limits, too few resources), else kInternal.
/// Detail, context and hint of the server are notes.
class ServerError : public Error {
 public:
  ServerError(ErrorKind kind, std::string_view code, std::string message, std::string sqlstate);
  const std::string& sqlstate() const { return sqlstate_; }

 private:
  std::string sqlstate_;
};

/// The statement that mends a missing right, as a line of help: `GRANT SELECT ON "public"."staff" TO "reader"`.
/// \param table  quoted and with its schema
std::string GrantStatement(std::string_view privilege, std::string_view table, std::string_view user);

/// Rows of a query as text.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result, &PQclear) {}
  int size() const { return PQntuples(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::string_view At(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column), static_cast<size_t>(PQgetlength(result_.get(), row, column))};
  }
  std::string Text(int row, int column) const { return std::string(At(row, column)); }
  int64_t Int64(int row, int column) const { return std::stoll(Text(row, column)); }
  const PGresult* handle() const { return result_.get(); }
  /// Rows an INSERT, UPDATE, DELETE or COPY changed.
  int64_t affected() const;

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

/// One session. Waits with a poll time-out, so that a silent server cannot hold a run: when the cancel flag is set it
/// asks the server to stop the statement and throws Cancelled; the connection is then of no use but to be destroyed,
/// which rolls back on the server. The session has `search_path = pg_catalog`, UTC, ISO dates, IntervalStyle postgres,
/// lc_monetary C, extra_float_digits 1, UTF8, lock_timeout 10 s, statement_timeout 60 s,
/// idle_in_transaction_session_timeout 0, row_security off, standard_conforming_strings on, TCP keepalives,
/// application_name leat. Used by one thread at a time.
class Connection {
 public:
  /// Connect within 10 s.
  /// Throws: Error(kConnection, LEAT0301 no server, LEAT0302 refused log-in or database), Error(kConfig, LEAT0310 no
  /// password where the server asks for one: with `looked_in` and the ~/.pgpass line to add; LEAT0311 settings that
  /// libpq refuses).
  explicit Connection(const Options& options, const CancelFlag* cancel = nullptr);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Run one statement with text parameters ($1 …); nullopt is NULL. Without parameters several statements parted by
  /// `;` may stand there; the rows are those of the last. Throws: ServerError; Error(kConnection, LEAT0303) when the
  /// connection is lost.
  Rows Query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters = {});
  void Execute(const std::string& sql) { Query(sql); }

  /// The server's version, such as 150018.
  int server_version() const { return PQserverVersion(handle()); }
  bool is_idle() const { return PQtransactionStatus(handle()) == PQTRANS_IDLE; }
  std::string user() const { return PQuser(handle()); }
  const Options& options() const { return options_; }
  PGconn* handle() const { return connection_.get(); }
  const CancelFlag* cancel() const { return cancel_; }

  /// Wait until the server has sent something, looking at the cancel flag every 50 ms.
  void WaitReadable();
  /// As WaitReadable, but at most 50 ms. Returns whether something has arrived.
  bool PollReadable();
  /// Hand everything that libpq has buffered to the network.
  void Flush();
  /// Send a statement whose answer is read with NextResult.
  void Send(const std::string& sql);
  /// The next answer to what was sent, or null after the last.
  PGresult* NextResult();
  /// Ask the server to stop the running statement. Waits at most 150 ms for the request to be taken; never throws.
  void RequestCancel() noexcept;

  /// Throw what libpq says of a lost or failed connection.
  [[noreturn]] void ThrowLost();
  /// Throw what the server says in `result`, which stays the caller's.
  [[noreturn]] void ThrowRefused(const PGresult* result);

 private:
  void Start(const std::string& sslmode);
  void Establish();
  [[noreturn]] void ThrowUnconnected(std::string_view reason);
  bool Poll(short events, std::chrono::milliseconds limit);

  Options options_;
  const CancelFlag* cancel_;
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace leat::postgres
