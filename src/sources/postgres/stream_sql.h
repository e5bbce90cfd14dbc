#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "sources/postgres/schema_change.h"
#include "sources/postgres/streams.h"

namespace leat::sources {

/// The statements by which DuckDB compares rows of a source with a stream's rows in the lake.
///
/// A *difference* has the stream's columns, `_leat_op` ('u' or 'd') and `_leat_is_new` (the key was not among the
/// current rows).
class StreamSql {
 public:
  /// `lake`: the stream as published; null: it is not, or its rows have another key.
  StreamSql(const PostgresStream& stream, const StreamSchema& now, const engine::Engine& engine,
            const engine::Relation* lake);

  /// Names without `_leat_…`, in the schema's order.
  const std::vector<std::string>& columns() const { return columns_; }
  std::string Key() const;

  /// SQL for FROM: rows of a scan under leat's names; a column that the source no longer has is NULL.
  std::string Rows(const std::string& scan) const;
  /// The current rows of the lake, with columns of from now on.
  std::string Current() const;
  /// Those of them whose key is in the table `keys`, at the cost of no more than these.
  std::string CurrentOf(const std::string& keys) const;
  /// Versions to be written. `op` is an SQL expression.
  std::string Versions(const std::string& from, const std::string& op, int64_t seq, Timestamp time, int64_t run) const;

  /// A difference: all rows of the source against all of the lake.
  std::string AgainstAll(const std::string& rows) const;
  /// A difference without deletes: some rows of the source, in the table `rows`, against the lake's rows of their keys.
  std::string AgainstSome(const std::string& rows) const;
  /// The difference of a table without rows.
  std::string NoDifference(const std::string& rows) const;
  /// Keys of the current rows that are not in the table `keys`.
  std::string KeysGone(const std::string& keys) const;
  /// A difference: rows whose key is in the table `gone` are deleted.
  std::string Deleted(const std::string& gone) const;

 private:
  std::string WithAllColumns(const std::string& rows) const;
  std::string NullColumn(const std::string& name) const;
  std::string AnyDistinct() const;

  const PostgresStream& stream_;
  const StreamSchema& now_;
  const engine::Engine& engine_;
  const engine::Relation* lake_;
  std::vector<std::string> columns_;
};

}  // namespace leat::sources
