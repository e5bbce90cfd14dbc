#pragma once

#include <string>

#include "clients/postgres/connection.h"
#include "warehouse/postgres/ddl.h"
#include "warehouse/postgres/statements.h"

namespace leat::warehouse {

/// The rows that tell a warehouse table from the lake, found by reading the table back: for a table whose loaded
/// snapshot is gone. The differing rows stay in a temporary table of `lake` as long as this object.
class Comparison {
 public:
  /// Read the table through connections of its own, as last committed; none may hold an exclusive lock on it.
  /// Throws: Error(kConnection) for a lost server; postgres::ServerError.
  /// `ordinal` tells comparisons apart that stand at the same time.
  Comparison(duck::Connection& lake, const postgres::Connection& server, const Definition& table, size_t ordinal,
             const ExistingTable& existing, const std::string& all_rows);
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;
  ~Comparison();

  /// SELECTs of `lake`, of the types that COPY writes.
  const Delta& delta() const { return difference_.delta; }

 private:
  duck::Connection& lake_;
  Difference difference_;
};

}  // namespace leat::warehouse
