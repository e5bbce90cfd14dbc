#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clients/postgres/snapshot_pool.h"
#include "clients/postgres/types.h"
#include "duck/database.h"

namespace leat::postgres {

/// A partition that holds rows itself.
struct ScanLeaf {
  std::string schema;
  std::string table;
  int64_t blocks = 0;  ///< as of ScanTable
};

/// One table to read.
struct ScanTable {
  std::string schema;
  std::string table;
  struct Column {
    std::string name;  ///< in the table
    TypeMapping type;
    std::string alias = {};  ///< in DuckDB; empty: as in the table
  };
  std::vector<Column> columns;  ///< at least one
  std::string where;            ///< SQL condition on the table's rows, without WHERE; empty: all rows
  /// Pages of 8 KiB, counted after the snapshot was taken (`pg_relation_size(oid) / 8192`); 0: read as one range, as is
  /// needed for views and foreign tables.
  int64_t blocks = 0;
  std::vector<ScanLeaf> leaves;  ///< of a partitioned table: read instead of it, each FROM ONLY; empty: itself
  bool only = true;  ///< FROM ONLY: not the rows of inheritance children; false for views and partitioned tables
  int64_t rows_estimate = 0;  ///< for DuckDB's choice of join sides; 0: unknown
  int connections_max = 4;    ///< of this read; DuckDB's threads bound it as well
};

/// A part of a table by physical place.
struct BlockRange {
  int64_t first = 0;
  int64_t end = 0;          ///< one past the last block
  bool open_ended = false;  ///< to the end of the table, whatever `end` says
  bool operator==(const BlockRange&) const = default;
};

/// Split a table: ranges of 64 MiB, smaller ones where that gives fewer than 64, one for a table below 8 MiB or a
/// server before 14, which has no TID range scan. The last range is open-ended: rows may stand behind the counted
/// blocks.
std::vector<BlockRange> SplitBlocks(int64_t blocks, int server_version);

/// The COPY that reads one range of a table or of one of its leaves.
/// \param columns  places in `table.columns`, in the order wanted
/// \param range  null: all of it; \param leaf  null: the table itself
std::string CopyStatement(const ScanTable& table, const std::vector<size_t>& columns, const BlockRange* range,
                          const ScanLeaf* leaf = nullptr);

/// Make the function `leat_postgres_scan(id)` known in the connection's database. Call once per Database, before any
/// Scan.
void RegisterScan(duck::Connection& connection);

/// A table that DuckDB can read: a table function in FROM that DuckDB's threads fill in parallel, each from a
/// connection of the pool, straight from binary COPY into vectors. Only the columns that a statement needs are asked
/// for; conditions are not pushed down, they belong into `where`. An sql() may stand in several statements; each use
/// reads anew.
///
///     Scan scan(pool, table);
///     try {
///       duck.Execute("COPY (SELECT * FROM " + scan.sql() + ") TO …");
///     } catch (const duck::QueryError&) {
///       scan.ThrowIfFailed();  // the server's or the value's error, whole
///       throw;
///     }
///
/// Cancelling (the pool's flag) ends a read within 200 ms, also one that waits for a lock.
/// The pool outlives the Scan, and the Scan every statement that names it.
class Scan {
 public:
  Scan(SnapshotPool& pool, ScanTable table);
  ~Scan();
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;

  /// What stands in FROM: `leat_postgres_scan(17)`.
  std::string sql() const;
  /// Rows handed to DuckDB up to now, over all uses. May be asked by any thread while a read runs.
  int64_t rows() const;
  /// Throw what ended a read, whole: ServerError (for a missing right with the GRANT as help), Error(kData, LEAT0401)
  /// for a value that does not fit, Error(kConnection, LEAT0303), Cancelled. Does nothing if no read failed.
  void ThrowIfFailed() const;

  struct State;

 private:
  std::shared_ptr<State> state_;
  int64_t id_;
};

}  // namespace leat::postgres
