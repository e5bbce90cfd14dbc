#include "sources/postgres/stream_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "duck/sign_of_zero.h"

namespace leat::sources {

StreamSql::StreamSql(const PostgresStream& stream, const StreamSchema& now, const engine::Engine& engine,
                     const engine::Relation* lake)
    : stream_(stream), now_(now), engine_(engine), lake_(lake) {
  for (const std::string& name : now.schema.Names())
    if (!engine::IsOwnColumn(name)) columns_.push_back(name);
}

std::string StreamSql::Key() const { return QuoteList(stream_.info.key); }

std::string StreamSql::NullColumn(const std::string& name) const {
  return fmt::format("CAST(NULL AS {}) AS {}", lake::DuckType(now_.schema.Find(name)->type), QuoteIdentifier(name));
}

std::string StreamSql::Rows(const std::string& scan) const {
  std::vector<std::string> list;
  for (const std::string& name : columns_) {
    const bool is_read =
        std::any_of(now_.columns.begin(), now_.columns.end(), [&](const auto& c) { return c.name == name; });
    list.push_back(is_read ? QuoteIdentifier(name) : NullColumn(name));
  }
  return fmt::format("(SELECT {} FROM {})", Join(list, ", "), scan);
}

std::string StreamSql::WithAllColumns(const std::string& rows) const {
  std::vector<std::string> list;
  for (const std::string& name : columns_)
    list.push_back(lake_->schema.Find(name) != nullptr ? QuoteIdentifier(name) : NullColumn(name));
  return fmt::format("(SELECT {} FROM {})", Join(list, ", "), rows);
}

std::string StreamSql::Current() const { return WithAllColumns(engine_.CurrentRowsSql(*lake_)); }

std::string StreamSql::CurrentOf(const std::string& keys) const {
  return WithAllColumns(engine_.CurrentRowsOfSql(*lake_, keys));
}

std::string StreamSql::Versions(const std::string& from, const std::string& op, int64_t seq, Timestamp time,
                                int64_t run) const {
  const bool is_parted = now_.schema.Find(lake::kSupersededColumn) != nullptr;
  const std::string superseded = is_parted ? fmt::format(", false AS {}", lake::kSupersededColumn) : "";
  return fmt::format(
      "SELECT {}, {} AS _leat_op, {}::BIGINT AS _leat_seq, make_timestamptz({}) AS _leat_time, {}::BIGINT AS "
      "_leat_run{} FROM {}",
      QuoteList(columns_), op, seq, time.time_since_epoch().count(), run, superseded, from);
}

std::string StreamSql::AnyDistinct() const {
  std::vector<std::string> conditions;
  for (const std::string& column : columns_) {
    const std::string name = QuoteIdentifier(column);
    conditions.push_back(duck::IsDistinct("r." + name, "c." + name, lake::DuckType(now_.schema.Find(column)->type)));
  }
  return Join(conditions, " OR ");
}

std::string StreamSql::AgainstAll(const std::string& rows) const {
  const std::string key = QuoteIdentifier(stream_.info.key.front());
  std::vector<std::string> join, list;
  for (const std::string& part : stream_.info.key) join.push_back(fmt::format("r.{0} = c.{0}", QuoteIdentifier(part)));
  for (const std::string& column : columns_)
    list.push_back(
        fmt::format("CASE WHEN r.{0} IS NULL THEN c.{1} ELSE r.{1} END AS {1}", key, QuoteIdentifier(column)));
  return fmt::format(
      "SELECT {0}, CASE WHEN r.{1} IS NULL THEN 'd' ELSE 'u' END AS _leat_op, c.{1} IS NULL AS _leat_is_new "
      "FROM {2} r FULL JOIN {3} c ON {4} WHERE r.{1} IS NULL OR c.{1} IS NULL OR {5}",
      Join(list, ", "), key, rows, Current(), Join(join, " AND "), AnyDistinct());
}

std::string StreamSql::AgainstSome(const std::string& rows) const {
  std::vector<std::string> list;
  for (const std::string& column : columns_) list.push_back("r." + QuoteIdentifier(column));
  // A repeat is a row whose newest version in the lake is an upsert of the same content.
  return fmt::format(
      "SELECT {0}, 'u' AS _leat_op, c.{1} IS NULL AS _leat_is_new FROM {2} r LEFT JOIN {3} c USING ({4}) "
      "WHERE c.{1} IS NULL OR {5}",
      Join(list, ", "), QuoteIdentifier(stream_.info.key.front()), rows, CurrentOf(rows), Key(), AnyDistinct());
}

std::string StreamSql::NoDifference(const std::string& rows) const {
  return fmt::format("SELECT {}, 'u' AS _leat_op, false AS _leat_is_new FROM {} WHERE false", QuoteList(columns_),
                     rows);
}

std::string StreamSql::KeysGone(const std::string& keys) const {
  return fmt::format("SELECT {0} FROM {1} ANTI JOIN {2} USING ({0})", Key(), Current(), keys);
}

std::string StreamSql::Deleted(const std::string& gone) const {
  return fmt::format("SELECT {}, 'd' AS _leat_op, false AS _leat_is_new FROM {}", QuoteList(columns_), CurrentOf(gone));
}

}  // namespace leat::sources
