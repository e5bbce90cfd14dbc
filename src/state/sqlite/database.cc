#include "state/sqlite/database.h"

#include <fmt/format.h>

namespace leat::state::sqlite {

Statement::Statement(const Database& database, std::string_view sql, std::nullptr_t) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  Check(sqlite3_prepare_v2(database.handle(), sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
  handle_.reset(statement);
}

void Statement::Check(int code) const {
  if (code != SQLITE_OK) database_.Throw(code);
}

void Statement::Bind(int index, std::string_view value) {
  // SQLite takes a null pointer for NULL; an empty text is none.
  const char* bytes = value.data() != nullptr ? value.data() : "";
  Check(sqlite3_bind_text64(handle_.get(), index, bytes, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

bool Statement::Next() {
  const int code = sqlite3_step(handle_.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.Throw(code);
  return code == SQLITE_ROW;
}

std::string Statement::Text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  if (bytes == nullptr) return "";
  return {bytes, static_cast<size_t>(sqlite3_column_bytes(handle_.get(), column))};
}

std::optional<Timestamp> Statement::TimeIfAny(int column) const {
  if (IsNull(column)) return std::nullopt;
  return Time(column);
}

Database::Database(std::string path, std::chrono::milliseconds busy_timeout, Missing missing)
    : path_(std::move(path)), busy_timeout_(busy_timeout) {
  Open(missing == Missing::kCreate ? SQLITE_OPEN_CREATE : 0);
}

void Database::Open(int flags) {
  sqlite3* database = nullptr;
  flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path_.c_str(), &database, flags, nullptr);
  handle_.reset(database);
  if (code != SQLITE_OK) Throw(code);
  sqlite3_busy_timeout(database, static_cast<int>(busy_timeout_.count()));
  // NORMAL makes no sync at a commit in WAL mode: a power cut would take it back.
  Execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
}

void Database::Reopen() {
  handle_.reset();
  Open(0);
}

void Database::Execute(const char* sql) const {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) Throw(code);
}

Error Database::ToError(int code) const {
  const std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(code);
  switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(kInternal, "LEAT0514", fmt::format("the state database {} is damaged: {}", path_, reason))
          .Hint("put a copy of it in its place; the files of the lake are untouched");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(kInternal, "LEAT0515",
                   fmt::format("the state database {} is locked by another process for more than {}", path_,
                               FormatDuration(busy_timeout_)))
          .Hint(fmt::format("see who has it open: fuser {}", path_));
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Error(kInternal, "LEAT0502", fmt::format("the state database {} cannot be used: {}", path_, reason))
          .Hint((code & 0xFF) == SQLITE_FULL ? "free space on this disk, then run again"
                                             : "check that the disk is healthy and the folder may be written to");
    default:
      return {kInternal, "LEAT9905", fmt::format("SQLite refused a statement on {}: {}", path_, reason)};
  }
}

void Database::Throw(int code) const {
  if ((code & 0xFF) == SQLITE_FULL) throw DiskFull(ToError(code));
  throw ToError(code);
}

Transaction::Transaction(const Database& database) : database_(database) { database_.Execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::Commit() {
  const int code = TryCommit();
  if (code != SQLITE_OK) database_.Throw(code);
}

int Transaction::TryCommit() {
  const int code = sqlite3_exec(database_.handle(), "COMMIT", nullptr, nullptr, nullptr);
  open_ = code != SQLITE_OK;
  return code;
}

}  // namespace leat::state::sqlite
