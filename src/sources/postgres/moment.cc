#include "sources/postgres/moment.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

namespace leat::sources {
namespace {

constexpr int kVersionMin = 130000;
constexpr auto kFlushPause = std::chrono::milliseconds(10);

// pg_walfile_name shows a new timeline at once, the control file only after the next checkpoint.
constexpr const char* kMoment = R"(
SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       pg_is_in_recovery(),
       CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn() END,
       CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END,
       (SELECT oid FROM pg_database WHERE datname = current_database()),
       (SELECT 3 * setting::bigint FROM pg_settings WHERE name = 'wal_writer_delay'),
       coalesce(has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE'), false),
       coalesce(has_function_privilege(to_regprocedure('pg_catalog.pg_control_checkpoint()'), 'EXECUTE'), false))";

}  // namespace

Moment ReadMoment(postgres::Connection& connection) {
  if (connection.server_version() < kVersionMin)
    throw Error(kConfig, "LEAT0419", connection.options().place,
                fmt::format("connection \"{}\" is PostgreSQL {}; a source needs 13 or later", connection.options().name,
                            connection.server_version() / 10000))
        .Hint("upgrade the server");
  const postgres::Rows row = connection.Query(kMoment);
  Moment moment{.time = Timestamp(std::chrono::microseconds(row.Int64(0, 0))),
                .horizon = row.Int64(0, 1),
                .next = row.Int64(0, 2),
                .is_standby = row.At(0, 3) == "t",
                .system = {},
                .timeline = row.Text(0, 5),
                .database = row.Text(0, 6),
                .wal_written = row.Text(0, 4),
                .flush_limit_ms = row.Int64(0, 7)};
  if (row.At(0, 8) == "t")
    moment.system = connection.Query("SELECT system_identifier FROM pg_control_system()").Text(0, 0);
  if (row.At(0, 9) == "t" && moment.is_standby)
    moment.timeline =
        connection.Query("SELECT lpad(upper(to_hex(timeline_id)), 8, '0') FROM pg_control_checkpoint()").Text(0, 0);
  return moment;
}

bool AwaitFlush(postgres::Connection& connection, const Moment& moment) {
  if (moment.is_standby) return true;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(moment.flush_limit_ms);
  for (;;) {
    const postgres::Rows row =
        connection.Query("SELECT pg_current_wal_flush_lsn() >= $1::pg_lsn", {moment.wal_written});
    if (row.At(0, 0) == "t") return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kFlushPause);
  }
}

}  // namespace leat::sources
