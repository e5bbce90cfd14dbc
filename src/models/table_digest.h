#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "duck/database.h"
#include "lake/schema.h"

namespace leat::models {

/// Proof of a table's rows whatever their order: how many there are, and the sums of the halves of their hashes.
struct TableDigest {
  int64_t rows = 0;
  std::string low = "0";  ///< decimal, below 2^127
  std::string high = "0";

  /// `low:high`, as kept in a snapshot's summary as `leat.hash`.
  std::string HashText() const { return low + ":" + high; }
  bool operator==(const TableDigest&) const = default;
};

/// Hash all rows of `from` by the columns of `schema`. The database must know leat_hash (duck::RegisterRowHash).
TableDigest DigestOf(duck::Connection& connection, const lake::Schema& schema, const std::string& from);

/// Digest of the rows of both.
TableDigest operator+(const TableDigest& a, const TableDigest& b);
/// Digest of what is left of the rows of `a` without those of `b`, which are among them.
TableDigest operator-(const TableDigest& a, const TableDigest& b);

/// Digest of the rows of `a` without those of `b`, which are among them.
TableDigest operator-(const TableDigest& a, const TableDigest& b);

/// Read `leat.rows` and `leat.hash` of a snapshot's summary; nothing if they are absent.
std::optional<TableDigest> DigestIn(const std::map<std::string, std::string>& summary);

}  // namespace leat::models
