#pragma once

#include <string>
#include <vector>

#include "config/project.h"
#include "duck/database.h"

namespace leat::engine {

/// The columns of a stream that order and date the versions of its rows, as its source's file says.
struct VersionOrder {
  std::string version;  ///< grows with each version; empty: the order of arrival, `_leat_seq`, alone decides
  std::string time;     ///< dates a version; empty: its arrival, `_leat_time`, does

  /// SQL for the moment of a version that deletes nothing, a TIMESTAMPTZ. Where `time` is NULL, it is that of the
  /// arrival.
  std::string MomentSql() const;

  /// SQL for FROM: all versions of `key` in `versions` with their moment, `_leat_dated`, and `version` once more as
  /// `_leat_version`. A delete that nobody dated, since it repeats what `time` said of the row or says nothing, is one
  /// of its arrival, though never before the row that it ends; likewise it has that row's version unless it says one.
  /// \param versions  behind FROM: versions with `key`, `_leat_seq`, `_leat_op`, `_leat_time` and the columns named
  /// here
  std::string DatedSql(const std::string& versions, const std::vector<std::string>& key) const;
};

/// Of the stream `billing.subscriptions`, whose versions have `columns`.
/// Throws: Error(kConfig, LEAT0231) at the setting that names a column which is not there, or is no moment.
VersionOrder VersionOrderOf(const config::Project& project, const std::string& stream,
                            const std::vector<duck::Column>& columns);

/// What the source's file says, for fingerprints: with other settings the same versions make other rows.
std::string TextOfVersionOrder(const config::Project& project, const std::string& stream);

/// SQL: key and `_leat_seq` of the versions that were the rows at the moment `moment`, an SQL expression: per key the
/// newest one that is not dated later, unless it says 'd'. What belongs to a row of that moment joins by both.
/// \param versions  as VersionOrder::DatedSql needs them
std::string VersionsAtSql(const std::string& versions, const std::vector<std::string>& key, const VersionOrder& order,
                          const std::string& moment);

}  // namespace leat::engine
