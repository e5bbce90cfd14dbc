#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "duck/database.h"

namespace leat::warehouse {

/// A column of a warehouse table.
struct ColumnSpec {
  std::string name;       ///< in the warehouse
  std::string source;     ///< in the lake
  std::string duck_type;  ///< of the lake's column: `DECIMAL(10,2)`
  std::string type;       ///< in the warehouse, if the project sets it; else empty: from `source_type` or `duck_type`
  std::string source_type = {};  ///< of a stream: the type at its source, as it was written there; else empty
  bool not_null = false;
  Place place;  ///< of the project's setting, if any
};

struct ForeignKey {
  std::string column;            ///< in the warehouse
  std::string referenced_table;  ///< in the warehouse
  std::string referenced_column;
  std::string referenced_schema = {};  ///< empty: that of the referencing table
};

/// A table as it is to be in the warehouse. Filled by `pipeline/` from the model or stream.
struct TableSpec {
  std::string model;  ///< `mart.fact_sales_order`, or the stream `totesys.sales_order`
  Place place;
  std::string schema;
  std::string table;
  std::vector<ColumnSpec> columns;       ///< in the order of the model or stream
  std::vector<std::string> primary_key;  ///< warehouse names; empty: a table without a key
  bool append_only = false;  ///< `record_id` tables: rows are only added, above the loaded maximum of the primary key
  std::vector<ForeignKey> foreign_keys;
  bool is_stream = false;  ///< for messages: there is no head to set anything in
};

/// Rows that bring a warehouse table from one snapshot to another; both SELECTs run on `connection`.
struct Delta {
  std::string upserts;  ///< SELECT in the spec's column order
  std::string deletes;  ///< SELECT of the key columns, in primary key order; empty: none
};

/// One table's part of a load.
struct TableLoad {
  TableSpec spec;
  int64_t commit_number = 0;  ///< of the commit, of the models or of one source, that published the snapshot
  int64_t epoch = 0;  ///< of the lease on the model, or on the stream's source: like the commit number, it only grows
  int64_t snapshot_id = 0;
  std::string lake_table;  ///< UUID of the table in the lake
  /// A full refresh: rows are compared with those in the warehouse, whatever the ledger says, and a table that another
  /// lake has loaded under the project's name is taken over.
  bool is_full = false;
  int64_t rows = 0;
  std::string hash_sum;
  std::string all_rows;  ///< SELECT in the spec's column order
  /// The rows that changed since a snapshot that the ledger names; nullopt: that snapshot is gone.
  std::function<std::optional<Delta>(int64_t snapshot_id)> since;
  /// Whether rows of that snapshot mean other things now (the record ids of a `history` that was numbered anew): all
  /// rows are deleted then and loaded anew, and types and the primary key may change in any way.
  std::function<bool(int64_t snapshot_id)> replaces = [](int64_t) { return false; };
};

struct LoadOutcome {
  std::string model;
  enum class Kind { kUnchanged, kLoaded, kFailed };
  Kind kind = Kind::kUnchanged;
  int64_t rows_sent = 0;
  int64_t rows_deleted = 0;
  std::optional<Diagnostic> diagnostic;
};

/// Which schema of which database of which server something is, however one got there.
struct Identity {
  std::string system_identifier;  ///< of the cluster, standbys included; empty where the role may not ask
  std::string server_started_at;  ///< seconds since 1970, with their fraction
  std::string address;            ///< of the server's end of the connection, `10.0.0.5:5432`; empty for a socket
  std::string database_oid;
  std::string database;
  std::string schema;
};

/// Whether two of them are one and the same place. Where one role may not ask for the system identifier, the start
/// of the server tells, which two servers do not share to the microsecond.
bool IsSame(const Identity& one, const Identity& other);

/// What a load would do to the definition of one table, before it loads any row.
struct PlannedChange {
  std::string model;
  std::vector<std::string> statements;   ///< DDL as it would be executed, without semicolons
  std::optional<Diagnostic> diagnostic;  ///< why the table could not be loaded
  /// Whether Load would do it even if no row has changed. False: somebody altered the table since it was loaded, and
  /// only the next load with rows brings it back.
  bool is_pending = true;
  bool is_new = false;     ///< the table is not there yet
  bool is_behind = false;  ///< it holds other rows than the published ones
};

/// Called with the identity of each schema that is to be written, before anything is; throws to refuse the load.
using TargetGuard = std::function<void(const Identity&)>;

/// Where models and streams are loaded to. The ledger `_leat_loads` stands in the warehouse itself, and says what it
/// holds. Used by one thread.
class Warehouse {
 public:
  virtual ~Warehouse() = default;

  /// Check address, log-in and rights without writing.
  ///
  /// Throws: Error(kConnection), Error(kConfig, LEAT0603), Error(kConfig, LEAT0610) for a server that is no warehouse.
  virtual void Probe() = 0;

  /// Tell what `schema` of this warehouse is, at the price of one or two small queries. The schema need not exist.
  /// Throws: Error(kConnection).
  virtual Identity Identify(const std::string& schema) = 0;

  /// Tell what Load would do to the definitions of `tables` as they are now, writing nothing; a table that needs
  /// nothing is left out. The rows of a load are not looked at; a commit number, an epoch or a snapshot of 0 is one
  /// that only the run will know. In dependency order. Throws: Error(kConnection); Error(kConfig, LEAT0603);
  /// Error(kConflict, LEAT0604, LEAT0613, LEAT0614) as Load; what the guard throws.
  virtual std::vector<PlannedChange> PlanChanges(const std::string& project, const std::vector<TableLoad>& tables) = 0;

  /// Bring all tables to the given state in one transaction, dimensions before facts; a table whose ledger row names
  /// the snapshot already is left alone, unless the table is gone. Where any is to be loaded, Probe() comes first. A
  /// table that cannot be (made by somebody else, a right missing) fails alone,
  /// with what references it; the others are loaded. Outcomes stand in the order of `tables`.
  ///
  /// A failed table's diagnostic: LEAT0601 a type that is none, LEAT0602 made by somebody else, LEAT0603 a right is
  /// missing, LEAT0605 rows refused, LEAT0607 cannot be altered, LEAT0608 references a failed one.
  ///
  /// Throws, nothing being loaded: Error(kConnection) for a lost server; Error(kConflict, LEAT0604) if the ledger is
  /// ahead of us, LEAT0613 if another lake has loaded a table, LEAT0606 if another load is under way; Error(kConfig,
  /// LEAT0603) if a right on the schema or its ledger is missing. Error(kConnection, LEAT0609): nobody can tell yet
  /// whether it was loaded; the next Load will see. Of a file: Error(kConflict, LEAT0614) if another process has it
  /// open; Error(kConfig, LEAT0615, LEAT0616) if it cannot be opened; Error(kInternal, LEAT0617) if not be written.
  virtual std::vector<LoadOutcome> Load(duck::Connection& connection, const std::string& project,
                                        const std::vector<TableLoad>& tables) = 0;
};

}  // namespace leat::warehouse
