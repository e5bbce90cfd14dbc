#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.h"
#include "core/error.h"

namespace leat::state::sqlite {

class Database;

/// LEAT0502 for want of space alone: what can be done is another than with a broken disk.
struct DiskFull : Error {
  explicit DiskFull(const Error& error) : Error(error) {}
};

/// One prepared statement with its values bound, read row by row. Times are stored as epoch microseconds.
class Statement {
 public:
  template <typename... Values>
  Statement(const Database& database, std::string_view sql, const Values&... values)
      : Statement(database, sql, nullptr) {
    int index = 0;
    (Bind(++index, values), ...);
  }

  /// Step to the next row; false at the end.
  /// Throws: Error, as Database says.
  bool Next();

  bool IsNull(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
  int64_t Int64(int column) const { return sqlite3_column_int64(handle_.get(), column); }
  std::string Text(int column) const;
  Timestamp Time(int column) const { return Timestamp(std::chrono::microseconds(Int64(column))); }
  std::optional<Timestamp> TimeIfAny(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Statement(const Database& database, std::string_view sql, std::nullptr_t);

  void Check(int code) const;
  void Bind(int index, int64_t value) { Check(sqlite3_bind_int64(handle_.get(), index, value)); }
  void Bind(int index, std::string_view value);
  void Bind(int index, std::optional<Timestamp> value) {
    if (value) Bind(index, *value);  // else it stays NULL
  }
  void Bind(int index, Timestamp value) { Bind(index, value.time_since_epoch().count()); }

  const Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// One connection to an SQLite file.
///
/// Every method throws Error(kInternal): LEAT0514 for a damaged file, LEAT0515 if another process kept it locked for
/// longer than the timeout, LEAT0502 for a full or broken disk, LEAT9905 for our own mistakes.
class Database {
 public:
  enum class Missing { kRefuse, kCreate };
  Database(std::string path, std::chrono::milliseconds busy_timeout, Missing missing);

  /// Close and open again. Throws: then only this may be called.
  void Reopen();

  /// Run statements parted by `;` that return nothing of interest.
  void Execute(const char* sql) const;

  /// Run one statement to its end. Returns the number of rows it changed.
  template <typename... Values>
  int64_t Run(std::string_view sql, const Values&... values) const {
    Statement statement(*this, sql, values...);
    while (statement.Next()) {
    }
    return sqlite3_changes64(handle_.get());
  }

  int64_t last_insert_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_.get(); }

  /// What `code`, the connection's last, is to people.
  Error ToError(int code) const;
  [[noreturn]] void Throw(int code) const;

 private:
  struct Close {
    void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
  };
  void Open(int flags);

  std::string path_;
  std::chrono::milliseconds busy_timeout_;
  std::unique_ptr<sqlite3, Close> handle_;
};

/// `BEGIN IMMEDIATE`: the right to write is taken at once, so that nothing read inside can grow old. Undone unless
/// committed.
class Transaction {
 public:
  explicit Transaction(const Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  void Commit();
  /// Commit. Returns SQLite's code: with anything but SQLITE_OK it is not known whether the transaction became true.
  int TryCommit();

 private:
  const Database& database_;
  bool open_ = true;
};

}  // namespace leat::state::sqlite
