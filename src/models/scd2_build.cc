#include <fmt/format.h>

#include "core/text.h"
#include "models/history_select.h"
#include "models/model_build.h"

namespace leat::models {

/// Versions on a time line: each row is a version of `key` with the moment from which it holds; `_leat_ends` says that
/// from then on there is none.
std::string ModelBuild::DatedVersionsSql() {
  const std::string stream = ReadHistorySelect(connection_, model_).stream;
  const engine::VersionOrder order = OrderOfVersions(context_.engine, stream);
  const IntervalSelect select = ReadIntervalSelect(connection_, model_, order);
  const std::string moment = order.time.empty()
                                 ? kArrivalColumn
                                 : fmt::format("coalesce(CAST({} AS TIMESTAMPTZ), {})", kDateColumn, kArrivalColumn);
  const std::string marks = fmt::format("{} AS _leat_seq, {} AS _leat_version, {} AS _leat_moment", kSeqColumn,
                                        order.version.empty() ? "NULL" : kVersionColumn, moment);
  const std::string good = fmt::format("(SELECT {}, {} FROM ({}) WHERE {} = 'u')", Join(CastColumns(), ", "), marks,
                                       select.versions, kOpColumn);
  Checks().RequireKey(good, {"_leat_seq"});
  return fmt::format(
      "(SELECT *, false AS _leat_ends FROM {0} UNION ALL BY NAME SELECT {1}, _leat_seq, _leat_version, _leat_dated AS "
      "_leat_moment, true AS _leat_ends FROM {2} ANTI JOIN {0} USING ({1}, _leat_seq))",
      good, QuoteList(KeyOf(model_)), DatedKeysSql(select.all, order));
}

/// The keys of all versions and their moments, VersionOrder::DatedSql.
std::string ModelBuild::DatedKeysSql(const std::string& all, const engine::VersionOrder& order) {
  const engine::VersionOrder renamed{.version = order.version.empty() ? "" : kVersionColumn,
                                     .time = order.time.empty() ? "" : kDateColumn};
  std::vector<std::string> columns = {kSeqColumn + std::string(" AS _leat_seq"),
                                      kOpColumn + std::string(" AS _leat_op"),
                                      kArrivalColumn + std::string(" AS _leat_time")};
  for (const std::string& name : {renamed.version, renamed.time})
    if (!name.empty()) columns.push_back(name);
  for (const std::string& name : KeyOf(model_))
    columns.push_back(
        fmt::format("CAST({0} AS {1}) AS {0}", QuoteIdentifier(name), lake::DuckType(schema_.Find(name)->type)));
  return renamed.DatedSql(fmt::format("(SELECT {} FROM ({}))", Join(columns, ", "), all), KeyOf(model_));
}

void ModelBuild::WriteIntervals() {
  const std::string key = QuoteList(KeyOf(model_));
  // What is dated later than a newer version never held: at every moment the newest version that is dated by then does.
  const std::string holding = fmt::format(
      "(SELECT * FROM {} QUALIFY coalesce(_leat_moment < min(_leat_moment) OVER (PARTITION BY {} ORDER BY "
      "_leat_version "
      "NULLS FIRST, _leat_seq ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), true))",
      DatedVersionsSql(), key);
  const std::string timeline = fmt::format("(PARTITION BY {} ORDER BY _leat_moment)", key);
  std::vector<std::string> names, differences = {"_leat_ends IS DISTINCT FROM lag(_leat_ends) OVER w"};
  for (const duck::Column& column : output_.columns) {
    if (IsIntervalColumn(column.name)) continue;
    names.push_back(QuoteIdentifier(column.name));
    differences.push_back(fmt::format("{0} IS DISTINCT FROM lag({0}) OVER w", names.back()));
  }
  const std::string changes =
      fmt::format("(SELECT * FROM {} WINDOW w AS {} QUALIFY {})", holding, timeline, Join(differences, " OR "));
  added_ = Write(fmt::format(
      "SELECT {}, valid_from, valid_to, valid_to IS NULL AS is_current FROM (SELECT *, _leat_moment AS valid_from, "
      "lead(_leat_moment) OVER {} AS valid_to FROM {}) WHERE NOT _leat_ends",
      Join(names, ", "), timeline, changes));
  SetRejectedRowsAside();
  digest_ = DigestOf(connection_, schema_, RowsSql(added_));
}

}  // namespace leat::models
