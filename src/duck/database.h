#pragma once

#include <duckdb.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "core/cancel.h"
#include "core/clock.h"
#include "core/error.h"

namespace leat::duck {

struct Settings {
  int threads = 0;                     ///< 0: DuckDB's default, the cores
  int64_t memory_bytes = 0;            ///< bound of DuckDB's buffer manager; 0: its default
  std::string temp_directory;          ///< where it spills; empty: spilling is off
  const CancelFlag* cancel = nullptr;  ///< when set, every query of the instance is interrupted and throws Cancelled
};

class Connection;

/// One in-memory DuckDB instance: UTC, no autoinstall, no autoload, `preserve_insertion_order` off, errors with byte
/// positions. Threads: connections may be made and used by several threads, each connection by one at a time.
class Database {
 public:
  /// Throws: Error(kInternal) if DuckDB cannot start or a setting is refused.
  explicit Database(const Settings& settings = {});
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  duckdb_database handle() const { return database_; }
  const CancelFlag* cancel() const { return cancel_; }

  /// Allow files below `folders` and `files` alone and lock every setting. What is typed by people runs in a database
  /// locked this way.
  void Lock(const std::vector<std::string>& folders, const std::vector<std::string>& files = {});

 private:
  friend class Connection;
  void WatchCancel(std::stop_token stop);
  void Add(Connection* connection);
  void Remove(Connection* connection);

  duckdb_database database_ = nullptr;
  const CancelFlag* cancel_;
  std::mutex mutex_;
  std::vector<Connection*> connections_;
  std::jthread watcher_;  ///< interrupts again and again: a wish sent before a query starts would be forgotten
};

/// What DuckDB said of a statement it could not run, taken apart.
struct Fault {
  std::string type;     ///< `Parser`, `Binder`, `Catalog`, `Conversion`, …
  std::string subtype;  ///< `SYNTAX_ERROR`, `COLUMN_NOT_FOUND`, `MISSING_ENTRY` or empty
  std::string message;
  std::string name;  ///< of what was not found; may be empty
  std::vector<std::string> candidates;
  std::optional<size_t> position;  ///< in the statement, from 0: a byte for the binder, a character for the parser
};

/// A statement that DuckDB refused or that broke while running.
class QueryError : public Error {
 public:
  explicit QueryError(Fault fault);
  const Fault& fault() const { return fault_; }

 private:
  Fault fault_;
};

/// One batch of a result's rows, at most 2,048.
class Chunk {
 public:
  explicit Chunk(duckdb_data_chunk chunk) : chunk_(chunk) {}
  Chunk(Chunk&& other) noexcept : chunk_(std::exchange(other.chunk_, nullptr)) {}
  Chunk& operator=(Chunk&& other) noexcept {
    std::swap(chunk_, other.chunk_);
    return *this;
  }
  ~Chunk() {
    if (chunk_ != nullptr) duckdb_destroy_data_chunk(&chunk_);
  }

  idx_t size() const { return duckdb_data_chunk_get_size(chunk_); }
  idx_t column_count() const { return duckdb_data_chunk_get_column_count(chunk_); }
  duckdb_vector vector(idx_t column) const { return duckdb_data_chunk_get_vector(chunk_, column); }
  bool IsNull(idx_t column, idx_t row) const;
  template <typename T>
  const T& At(idx_t column, idx_t row) const {
    return static_cast<const T*>(duckdb_vector_get_data(vector(column)))[row];
  }
  /// Bytes of a VARCHAR or BLOB; valid as long as the chunk.
  std::string_view Text(idx_t column, idx_t row) const;

 private:
  duckdb_data_chunk chunk_;
};

/// Bytes of a string inside a vector's data.
std::string_view ViewOf(const duckdb_string_t& text);

/// The rows of one statement, fetched chunk by chunk.
class Result {
 public:
  /// Takes over a successful result of `connection`.
  Result(duckdb_result result, const Connection* connection);
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  ~Result() { duckdb_destroy_result(&result_); }

  idx_t column_count() const { return duckdb_column_count(const_cast<duckdb_result*>(&result_)); }
  std::string ColumnName(idx_t column) const;
  /// The type as SQL writes it: `DECIMAL(10,2)`, `VARCHAR`, `STRUCT(a INTEGER)[]`.
  std::string ColumnType(idx_t column) const;
  /// The next rows, or nothing at the end.
  /// Throws: QueryError if the end came from an error, Cancelled if from a wish to stop.
  std::optional<Chunk> Next();
  /// Rows changed by INSERT, UPDATE, DELETE or COPY.
  int64_t RowsChanged() const {
    return static_cast<int64_t>(duckdb_rows_changed(const_cast<duckdb_result*>(&result_)));
  }

 private:
  duckdb_result result_;
  const Connection* connection_;
};

/// A named value for a statement's `$name`.
struct Parameter {
  std::string name;
  Timestamp value;  ///< all parameters of this version are moments
  enum class Type { kTimestamp, kTimestampTz } type = Type::kTimestamp;
};

/// DuckDB's '-infinity': before every moment.
inline constexpr Timestamp kBeforeAll{-std::chrono::microseconds::max()};

struct Column {
  std::string name;
  std::string type;  ///< as SQL writes it
  bool operator==(const Column&) const = default;
};

/// One session. Every method throws QueryError for what DuckDB refuses and Cancelled for what was interrupted on
/// purpose.
class Connection {
 public:
  explicit Connection(Database& database);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Run one statement, or several parted by `;`, and drop their rows.
  void Execute(const std::string& sql);
  /// Run one statement and hold all its rows.
  std::unique_ptr<Result> Query(const std::string& sql, const std::vector<Parameter>& parameters = {});
  /// Run one statement whose rows are made as they are fetched. Another statement on this connection ends it.
  std::unique_ptr<Result> Stream(const std::string& sql, const std::vector<Parameter>& parameters = {});
  /// Columns that a SELECT would return, without running it. Parameters have the types of `parameters`; others that it
  /// names are taken as TIMESTAMP.
  std::vector<Column> Describe(const std::string& sql, const std::vector<Parameter>& parameters = {});

  /// The first column of the one row of `sql`. Throws: Error(kInternal) if there is no row or the value is NULL.
  int64_t QueryInt64(const std::string& sql);
  std::string QueryText(const std::string& sql);
  /// The first column of all rows, cast to text; NULL is empty.
  std::vector<std::string> QueryTexts(const std::string& sql);
  /// All rows, every value cast to text; NULL is empty.
  std::vector<std::vector<std::string>> QueryRows(const std::string& sql);
  /// Run one statement that changes rows. Returns how many.
  int64_t Change(const std::string& sql) { return Query(sql)->RowsChanged(); }

  /// The syntax trees of the SELECTs in `sql` as DuckDB's JSON; what cannot be read is told inside. Planned once for
  /// all calls: a project's SQL is read file by file.
  std::string SyntaxTreeOf(const std::string& sql);

  /// Whether one statement alone, and a SELECT, stands in `sql`.
  bool IsSingleSelect(const std::string& sql);

  duckdb_connection handle() const { return connection_; }
  Database& database() const { return database_; }
  /// Throw what a failed result says: Cancelled if the run was cancelled, else QueryError.
  [[noreturn]] void ThrowFault(const char* message) const;

 private:
  class Prepared;
  std::unique_ptr<Result> Run(const Prepared& prepared);

  Database& database_;
  duckdb_connection connection_ = nullptr;
  std::unique_ptr<Prepared> syntax_tree_;  ///< of SyntaxTreeOf; made at its first call
};

/// Format a DuckDB type as SQL writes it.
std::string FormatType(duckdb_logical_type type);

}  // namespace leat::duck
