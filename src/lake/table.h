#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "duck/database.h"
#include "lake/schema.h"
#include "lake/storage.h"
#include "state/state.h"

namespace leat::lake {

/// The column that parts the files of a keyed stream: true in all rows of a file of which none is a current one any
/// more, false in the rows of any other.
inline constexpr const char* kSupersededColumn = "_leat_superseded";

/// What a manifest says of one column of one file. Bounds are in Iceberg's single-value binary form.
struct ColumnStatistics {
  int64_t size_bytes = 0;
  int64_t value_count = 0;
  int64_t null_count = 0;
  std::optional<int64_t> nan_count;
  std::optional<std::string> lower, upper;
};

/// One immutable Parquet file of a table.
struct DataFile {
  std::string path;  ///< URI as recorded, `file:///…`
  int64_t record_count = 0;
  int64_t size_bytes = 0;
  std::map<int, ColumnStatistics> columns;  ///< by field id
  std::vector<int64_t> split_offsets;
  std::optional<bool>
      superseded;  ///< its partition, the value of kSupersededColumn in all its rows; nothing: it has none
  int64_t sequence_number = 0;
  int64_t snapshot_id = 0;  ///< of the snapshot that added it

  /// The lower and upper bound of a bigint column, such as `_leat_seq`.
  std::optional<std::pair<int64_t, int64_t>> Int64Bounds(int field_id) const;
};

struct Snapshot {
  int64_t id = 0;
  std::optional<int64_t> parent_id;
  int64_t sequence_number = 0;
  int64_t timestamp_ms = 0;
  std::string manifest_list;
  std::map<std::string, std::string> summary;
  int schema_id = 0;

  /// A value of the summary; empty if it has none.
  std::string Text(const std::string& key) const;
};

int64_t CountRows(const std::vector<DataFile>& files);
/// Remove files that no commit names, or will name.
void RemoveFiles(const Storage& storage, const std::vector<DataFile>& files) noexcept;

/// A table as one metadata file describes it; immutable, cheap to copy. The storage it was loaded from must outlive it.
class Table {
 public:
  /// Read a metadata file. Throws: Error(kInternal, LEAT0520) if it is no Iceberg v2 metadata that leat can read.
  static Table Load(const Storage& storage, const state::TableName& name, const std::string& metadata_location);

  const state::TableName& name() const;
  const std::string& metadata_location() const;
  /// Its folder, relative to the lake's root: `raw/totesys/sales_order`.
  const std::string& location() const;
  /// Its UUID, which it keeps as long as it lives; a table made anew under its name has another.
  std::string uuid() const;
  const Schema& schema() const;
  int last_column_id() const;
  const std::map<std::string, std::string>& properties() const;
  /// A property's value, or nothing.
  std::optional<std::string> Property(const std::string& key) const;
  const std::optional<Snapshot>& snapshot() const;
  /// A value of the current snapshot's summary; empty if there is none.
  std::string SummaryText(const std::string& key) const { return snapshot() ? snapshot()->Text(key) : ""; }
  std::optional<Snapshot> FindSnapshot(int64_t id) const;
  /// The files of the current snapshot; read from the manifests at the first call. Threads: safe.
  const std::vector<DataFile>& files() const;
  /// The files of an older snapshot. The metadata lists the newest 100 and those that a branch or tag names.
  std::vector<DataFile> FilesOf(const Snapshot& snapshot) const;
  int64_t record_count() const;

 private:
  friend class TableWriter;
  struct Content;
  explicit Table(std::shared_ptr<const Content> content);
  std::shared_ptr<const Content> content_;
};

/// SQL for FROM that reads `files` by field id, so that renamed, added, dropped and widened columns come out right;
/// parts of a STRUCT are matched by name. Without files it is an empty table of the same columns.
std::string ReadFilesSql(const Storage& storage, const Schema& schema, const std::vector<DataFile>& files);

/// A new table's place and first properties, or the change of one that exists.
struct TableChange {
  Schema schema;  ///< of the rows from now on, ids assigned (Evolve); no fields: as `base` has it
  std::vector<DataFile> added;
  std::vector<std::string> removed;  ///< paths of files that leave; `replace_all` takes all
  bool replace_all = false;
  bool partition_by_superseded = false;           ///< part files by kSupersededColumn from now on
  std::map<std::string, std::string> properties;  ///< set
  std::map<std::string, std::string> summary;  ///< further keys of the snapshot's summary, `leat.position` among them
};

/// Writes the files of tables; nothing it writes is part of the lake until the state database points to it.
class TableWriter {
 public:
  TableWriter(const Storage& storage, const Clock& clock = SystemClock()) : storage_(storage), clock_(clock) {}

  /// Run `select` and write its rows, cast to `schema`'s types in its column order, to one new Parquet file below
  /// `table_location`/data; fsynced, with statistics. All rows go into one partition: kSupersededColumn, where the
  /// schema has it, is to be the same in each. Returns no file if there were no rows. Throws: what the query throws,
  /// positions being those of `select`; Error(kData, LEAT0521) if a value does not fit (HUGEINT beyond 38 digits);
  /// Error(kInternal, LEAT0502) for a full disk; the half-written file is removed.
  std::vector<DataFile> WriteRows(duck::Connection& connection, const std::string& table_location, const Schema& schema,
                                  const std::string& select, const std::vector<duck::Parameter>& parameters = {}) const;

  /// Write manifest, manifest list and metadata of `base` with `change`; `base` empty: a new table at `location`. No
  /// snapshot is made where no file comes or goes, `replace_all` is not set and `summary` is empty. Threads: safe for
  /// different tables. The result's `metadata_location()` is to be published by a PointerSwap from `base`'s.
  /// Throws: Error(kInternal, LEAT0520) for a table that another program partitioned.
  Table Apply(const std::optional<Table>& base, const state::TableName& name, const std::string& location,
              const TableChange& change) const;

 private:
  const Storage& storage_;
  const Clock& clock_;
};

}  // namespace leat::lake
