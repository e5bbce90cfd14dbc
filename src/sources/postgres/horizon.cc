#include "sources/postgres/horizon.h"

#include <fmt/format.h>

#include "core/text.h"

namespace leat::sources {
namespace {

constexpr auto kPatience = std::chrono::minutes(10);

constexpr const char* kPrepared = R"(
SELECT gid, owner, database, prepared FROM pg_prepared_xacts WHERE transaction::text::bigint = $1::bigint & 4294967295)";

// Of other roles' sessions only pg_read_all_stats shows the transaction.
constexpr const char* kRunning = R"(
SELECT pid, coalesce(usename, '?'), coalesce(datname, '?'), xact_start
  FROM pg_stat_activity WHERE backend_xid::text::bigint = $1::bigint & 4294967295)";

void DescribePrepared(const postgres::Rows& row, Diagnostic& warning) {
  warning.message += fmt::format(": prepared transaction '{}' of {} in database {}, prepared {}", row.Text(0, 0),
                                 row.Text(0, 1), row.Text(0, 2), row.Text(0, 3));
  const std::string gid = QuoteLiteral(row.Text(0, 0));
  warning.help.push_back(
      fmt::format("in database {}:  COMMIT PREPARED {}  or  ROLLBACK PREPARED {}", row.Text(0, 2), gid, gid));
}

void DescribeRunning(const postgres::Rows& row, Diagnostic& warning) {
  warning.message += fmt::format(": process {} of {} in database {}", row.Text(0, 0), row.Text(0, 1), row.Text(0, 2));
  if (!row.IsNull(0, 3)) warning.message += fmt::format(", in a transaction since {}", row.Text(0, 3));
  warning.help.push_back(fmt::format("let it end, or end it by  SELECT pg_terminate_backend({})", row.Text(0, 0)));
}

}  // namespace

std::optional<Diagnostic> StuckHorizon(postgres::Connection& connection, const Moment& moment, Timestamp since) {
  const auto age = moment.time - since;
  if (moment.is_standby || moment.horizon >= moment.next || age < kPatience) return std::nullopt;
  Diagnostic warning{
      .severity = Severity::kWarning,
      .code = "LEAT0416",
      .message = fmt::format("a transaction holds back connection \"{}\" for {}", connection.options().name,
                             FormatDuration(age)),
      .place = connection.options().place,
      .notes = {"nothing is lost: until it ends each run reads again all rows that were written since it began"}};
  const std::string id = std::to_string(moment.horizon);
  if (const postgres::Rows prepared = connection.Query(kPrepared, {id}); prepared.size() > 0) {
    DescribePrepared(prepared, warning);
  } else if (const postgres::Rows running = connection.Query(kRunning, {id}); running.size() > 0) {
    DescribeRunning(running, warning);
  } else {
    warning.help.push_back(
        "ask who it is as a superuser:  SELECT pid, usename, datname, xact_start, query FROM "
        "pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY xact_start");
  }
  return warning;
}

}  // namespace leat::sources
