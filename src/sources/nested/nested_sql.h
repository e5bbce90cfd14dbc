#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "sources/nested/nested_tables.h"

namespace leat::sources {

/// The statements that turn shredded records into versions of rows. Tables of DuckDB they read:
///
/// - `shredded` (page, ordinal, record): what RegisterShred's function makes of each record
/// - `pages` (page, file, place, from_seq, from_run, from_us, and the given columns): `place` orders them by arrival
/// - `asked` (the first of the given columns, from_seq, from_run, from_us): what commits asked for in full
/// - `candidates` (page, ordinal, from_seq, from_run, from_us, the key, version, op, is_departed): of each key and
///   commit the record that counts
/// - `versions` (the same): those of them that are to be written
///
/// Columns of their own begin with `_leat_`, as none of a source does.
class NestedSql {
 public:
  /// \param prefix  of the names of these tables
  NestedSql(const NestedStream& stream, const NestedTable& table, std::string prefix);

  /// What `version` names; null: nothing, or no column.
  const NestedColumn* VersionColumn() const;
  /// Compare versions as values of another type than their column's.
  void CompareVersionsAs(std::string type) { version_type_ = std::move(type); }

  std::string Shredded() const { return prefix_ + "_shredded"; }
  std::string Pages() const { return prefix_ + "_pages"; }
  std::string Asked() const { return prefix_ + "_asked"; }
  std::string Candidates() const { return prefix_ + "_candidates"; }
  std::string Versions() const { return prefix_ + "_versions"; }

  /// The SELECTs behind `candidates`; per commit if the pages are of several.
  std::string ChooseCandidates() const;
  /// Candidates with what the lake has of their keys: `_leat_newest_seq`, `_leat_newest_op`, `_leat_differs`. Older
  /// ones than the lake's newest are left out. `newest`: FROM that gives the newest versions of `lake`'s keys.
  std::string CompareWith(const engine::Relation& lake, const std::string& newest) const;
  /// The same where the lake has no row of this key.
  std::string CompareWithNothing() const;
  /// Candidates of many commits, in their order: those that bring something new, `_leat_is_current` beside them.
  std::string CompareInOrder() const;
  /// Of candidates of many commits: the last record of a key once more for each commit that asked for all of its kind
  /// and did not get it. `asked_columns`: those of `asked`.
  std::string Departed(const std::vector<std::string>& asked_columns) const;
  /// Versions 'd' of the rows that were asked for in this read and not returned. `current`: FROM that gives the current
  /// rows of `lake`.
  std::string NotReturned(const engine::Relation& lake, const std::string& current,
                          const std::vector<std::string>& asked_columns) const;
  /// Keys of `versions` whose rows of `child` are other ones than those in `lake`; `lake` empty: the lake has none.
  std::string ChildChanged(const NestedTable& child, const std::string& compared, const std::string& lake) const;

  /// Rows to be written, with leat's own columns: of `from`, which has page, ordinal and the columns of `versions`.
  std::string Rows(const std::string& from, bool superseded) const;
  std::string ChildRows(const NestedTable& child, const std::string& from, bool superseded) const;
  /// Rows of a table without key.
  std::string KeylessRows() const;
  /// The records set aside; `records` holds their texts.
  std::string Rejects(const std::string& records) const;

  /// All tables below the stream's own, each with the way of lists that leads to it.
  std::vector<const NestedTable*> Children() const;

 private:
  std::string OwnColumns() const;
  std::string Key(const char* alias = "") const;
  std::string AskedWithoutRejects(const std::vector<std::string>& asked_columns) const;
  std::string Operation() const;
  /// SQL for what is compared of a version; `row`: what has the columns.
  std::string VersionIn(const std::string& row) const;
  std::string Entries(const NestedTable& child, const std::string& from, const std::string& further) const;

  const NestedStream& stream_;
  const NestedTable& table_;
  std::string prefix_;
  std::string version_type_;
};

}  // namespace leat::sources
