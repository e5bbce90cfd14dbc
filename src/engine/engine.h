#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/project.h"
#include "duck/database.h"
#include "engine/version_order.h"
#include "lake/pending.h"

namespace leat::engine {

/// What one table of the lake shows at one moment: a committed table, or the candidate of this run that is not
/// published yet.
struct Relation {
  enum class Kind {
    kKeyedStream,    ///< versions of rows; the current rows follow from `_leat_seq` and `_leat_op`
    kKeylessStream,  ///< replaced as a whole
    kChild,          ///< rows of the lists in a keyed stream's rows; current are those of its current versions
    kModel,
    kRejects
  };
  Kind kind = Kind::kModel;
  lake::Schema schema;
  std::vector<lake::DataFile> files;
  std::vector<std::string> key;
  int64_t base_from_seq = 0;  ///< keyed streams: older files are history alone, since the stream had another key then
  int64_t base_seq = 0;       ///< keyed streams: files from there up to this `_leat_seq` hold one version per key, the
                              ///< base; files in the superseded partition are history alone as well
  state::TableName parent;    ///< of a child: the table of the stream's versions
  std::vector<std::string> parent_key;  ///< of a child: its columns for those of the parent's key
  std::string rebuilt;  ///< streams: changes whenever versions that were looked at come again, with their old
                        ///< `_leat_seq`; empty: never yet
  std::string version;  ///< changes whenever the rows may: a snapshot id, or a candidate's own mark

  /// Read kind, key, base and parent from the properties that leat sets: `leat.kind`, `leat.key`,
  /// `leat.base_from_seq`, `leat.base_seq`, `leat.rebuilt`, `leat.parent`, `leat.parent_key`.
  static Relation Of(const lake::Table& table);
  /// The same of a table with a change that is not made yet; it has no version.
  static Relation Of(const lake::PendingTable& pending);

  /// Keyed streams and their children: files that the present key holds for and that may hold current rows.
  std::vector<lake::DataFile> LiveFiles() const;
  /// Keyed streams: all files that may hold versions of the present key, the superseded ones too.
  std::vector<lake::DataFile> FilesOfKey() const;
  /// Those of them that are newer than the base.
  std::vector<lake::DataFile> NewerFiles() const;
};

/// A table's name in SQL: `"mart"."dim_staff"`.
std::string SqlName(const state::TableName& table);

/// The parts of `mart.dim_staff`.
state::TableName ParseName(const std::string& name);

/// What the table of a stream's versions is called beside the stream.
inline constexpr std::string_view kHistorySuffix = "__history";
/// What stands for a stream's rows at a moment, which SQL writes as a table function: `totesys.sales_order__at(t)`.
inline constexpr std::string_view kAtSuffix = "__at()";
/// What the table of a model's rejected rows is called beside the model.
inline constexpr std::string_view kRejectsSuffix = "__rejects";
/// The stream behind a name in SQL: `billing.invoices__history`, `billing.invoices__line_items` and
/// `billing.invoices__rejects` are made by `billing.invoices`. Names without `__` are themselves; no other name holds
/// it, but that of a model's rejects.
std::string ProducerOf(const std::string& name);
/// The name without `__history` or `__at()`: that of the current rows.
std::string CurrentName(const std::string& name);

/// Whether a column is one of leat's own, `_leat_…`.
bool IsOwnColumn(std::string_view column);

/// A DuckDB in which the project's names are views over the files of one moment. Views are made for the tables that a
/// statement names, and for no others, since making one opens its files.
/// Used by one thread at a time; the connections it serves may run in several.
class Engine {
 public:
  Engine(duck::Database& database, const lake::Storage& storage, const config::Project& project);

  /// Let `namespace.table` read this from now on; a view made before is dropped.
  void Put(const state::TableName& table, Relation relation);
  const Relation* Find(const state::TableName& table) const;

  /// Names that SQL may use: streams and their `__history`, models, seeds, `__rejects`; sorted.
  std::vector<std::string> Names() const;
  bool Knows(const std::string& name) const;

  /// Make the views of these names, such as `totesys.sales_order` or `seeds.iso_4217`, and the table macro behind
  /// `totesys.sales_order__at()`.
  /// Throws: Error(kConfig, LEAT0204) for an unknown one, with the nearest known; Error(kConfig, LEAT0212) for a seed
  /// that DuckDB cannot read; of `__at()` Error(kConfig), LEAT0232 for a stream without a key, and as VersionOrderOf.
  void Bind(const std::vector<std::string>& names);
  /// Make empty tables, and macros, of the right columns instead, opening no file: what `validate` prepares models
  /// against.
  /// A name that was never loaded needs `columns`.
  void BindEmpty(const std::string& name, const std::vector<duck::Column>& columns);

  /// Copy the rows behind these names, which are bound, out of their files until ReleaseRows(): for a statement that
  /// runs many times. Tables of more than 128 MiB of files are read where they are.
  void HoldRows(const std::vector<std::string>& names);
  /// Let the names read their files again.
  void ReleaseRows();

  /// What stands for a table's rows in a fingerprint: its version, or a seed's content.
  std::string VersionOf(const std::string& name) const;
  /// Columns that SQL sees behind a name, without `_leat_…` for models and current rows.
  std::vector<duck::Column> ColumnsOf(const std::string& name);

  /// SQL for FROM: all versions of a stream, or all rows of a model with its `_leat_…` columns.
  std::string AllRowsSql(const Relation& relation) const;
  /// SQL for FROM: the current rows of a stream (newest version per key, deleted ones gone), with its `_leat_…`
  /// columns.
  std::string CurrentRowsSql(const Relation& relation) const;
  /// The same for the few rows whose keys stand in the table `keys`, under the names of the relation's key columns.
  std::string CurrentRowsOfSql(const Relation& relation, const std::string& keys) const;
  /// SQL for FROM: the newest version, deletes among them, of each key in the table `keys`.
  std::string NewestVersionsOfSql(const Relation& relation, const std::string& keys) const;
  /// SQL for FROM: the rows of a child that came with the versions of its parent in `versions`, a table or a query in
  /// brackets with the parent's key columns and `_leat_seq`.
  std::string ChildrenOfSql(const Relation& child, const Relation& parent, const std::string& versions) const;
  /// SQL for FROM: the rows of its live files that did not come with any of them.
  std::string OutdatedChildrenSql(const Relation& child, const Relation& parent, const std::string& versions) const;
  /// SQL for FROM: what of the files that CurrentRowsSql reads, or that are of a former key, is no current row: older
  /// versions and deletes. For keyed streams.
  std::string OutdatedRowsSql(const Relation& relation) const;

  duck::Connection& connection() { return connection_; }
  duck::Database& database() { return database_; }
  const lake::Storage& storage() const { return storage_; }
  const config::Project& project() const { return project_; }

 private:
  /// Behind one name: a table of the lake, and whether all its rows or the current ones are meant.
  struct Resolved {
    enum class Rows { kAll, kCurrent, kAtMoment };
    const Relation* relation = nullptr;
    Rows rows = Rows::kAll;
  };

  static std::vector<std::string> NamesOf(const state::TableName& table, const Relation& relation);
  Resolved Resolve(const std::string& name) const;
  const config::Seed* FindSeed(const std::string& name) const;
  void MakeView(const std::string& name);
  void MakeSchema(const std::string& name);
  static std::vector<lake::Field> FieldsOf(const Resolved& resolved);
  std::string ViewSql(const Resolved& resolved) const;
  std::string VersionsSql(const Relation& relation, const std::string& condition) const;
  std::string VersionsOfKeySql(const Relation& relation) const;
  VersionOrder OrderOf(const std::string& name, const Relation& relation) const;
  std::string AtMomentSql(const std::string& name, const Resolved& resolved) const;
  void MakeAtMacro(const std::string& name, const std::string& select);
  std::string JoinParentSql(const Relation& child, const Relation& parent, const std::vector<lake::DataFile>& files,
                            const std::string& versions, const char* join) const;
  std::string SeedSql(const config::Seed& seed) const;

  duck::Database& database_;
  duck::Connection connection_;
  const lake::Storage& storage_;
  const config::Project& project_;
  std::map<state::TableName, Relation> relations_;
  std::map<std::string, bool> bound_;  ///< name -> its view is up to date
  std::vector<std::string> held_;      ///< names whose views read copies
};

}  // namespace leat::engine
