#pragma once

#include <duckdb.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clients/postgres/connection.h"
#include "clients/postgres/types.h"

namespace leat::postgres {

/// A column of the rows that a COPY sends.
struct CopyColumn {
  std::string table;  ///< `public.staff`, for messages
  std::string name;
  TypeMapping type;
};

/// Fills a chunk's vectors from tuples in binary COPY form, row by row, without keeping anything in between.
class ChunkBuilder {
 public:
  explicit ChunkBuilder(std::vector<CopyColumn> columns);
  ChunkBuilder(const ChunkBuilder&) = delete;
  ChunkBuilder& operator=(const ChunkBuilder&) = delete;

  /// Start at row 0 of `chunk`, whose columns have the types of ours.
  void Attach(duckdb_data_chunk chunk);
  idx_t rows() const { return rows_; }
  /// Whether the chunk has as many rows as a vector takes, or 16 MiB, whichever comes first: long texts stay bounded
  /// too.
  bool is_full() const { return rows_ == rows_max_ || bytes_ >= kBytesMax; }

  /// Decode the tuple that starts at `at` into the next row of a chunk that is not full; `end` is where the bytes at
  /// hand end. Returns the byte behind it, or null for the trailer that ends a COPY. Throws: what DecodeCell throws;
  /// Error(kInternal, LEAT9906) for a cut tuple or one with another number of fields.
  const uint8_t* Append(const uint8_t* at, const uint8_t* end);

 private:
  void SetNull(size_t column);

  struct Column {
    DecodeCell decode;
    CellTarget target;
    uint64_t* validity;  ///< null until the chunk's first NULL in this column
  };
  std::vector<CopyColumn> columns_;
  std::vector<Column> cells_;
  static constexpr size_t kBytesMax = size_t{16} << 20;
  const idx_t rows_max_ = duckdb_vector_size();
  idx_t rows_ = 0;
  size_t bytes_ = 0;
};

/// Skip the header of a binary COPY. Returns the byte behind it.
/// Throws: Error(kInternal, LEAT9906) for anything else. Source: PostgreSQL documentation, COPY, "Binary Format".
const uint8_t* SkipCopyHeader(const uint8_t* at, const uint8_t* end);

/// One running `COPY … TO STDOUT (FORMAT binary)`. Destroyed before the end it leaves the connection inside the COPY.
class CopyReader {
 public:
  /// Send the statement.
  /// \param stop  looked at while waiting: when it is set, Fill ends by Cancelled
  CopyReader(Connection& connection, const std::string& copy_sql, const std::atomic<bool>& stop);

  /// Append rows until `builder` is full or the COPY has ended. Returns false at the end.
  /// Throws: ServerError, Error(kConnection, LEAT0303), Cancelled, and what ChunkBuilder throws.
  bool Fill(ChunkBuilder& builder);

 private:
  void Begin();
  bool NextMessage();
  void Receive();
  void Finish();

  Connection& connection_;
  const std::atomic<bool>& stop_;
  std::unique_ptr<char, void (*)(void*)> message_{nullptr, &PQfreemem};
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  bool begun_ = false;
  bool header_seen_ = false;
};

}  // namespace leat::postgres
