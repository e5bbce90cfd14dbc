#include "warehouse/postgres/postgres_warehouse.h"

namespace leat::warehouse {
namespace {

constexpr char kIdentitySql[] =
    "SELECT extract(epoch FROM pg_postmaster_start_time())::text, host(inet_server_addr()) || ':' || "
    "inet_server_port(), oid::text, datname, "
    "coalesce(has_function_privilege(to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE'), false) "
    "FROM pg_database WHERE datname = current_database()";

}  // namespace

Identity IdentityOf(postgres::Connection& connection, const std::string& schema) {
  const auto row = connection.Query(kIdentitySql);
  Identity identity{.system_identifier = {},
                    .server_started_at = row.Text(0, 0),
                    .address = row.Text(0, 1),
                    .database_oid = row.Text(0, 2),
                    .database = row.Text(0, 3),
                    .schema = schema};
  // A statement of its own: the right is checked even where a CASE would never call the function.
  if (row.At(0, 4) == "t") {
    identity.system_identifier = connection.Query("SELECT system_identifier FROM pg_control_system()").Text(0, 0);
  }
  return identity;
}

bool IsSame(const Identity& one, const Identity& other) {
  if (one.database_oid != other.database_oid || one.database != other.database || one.schema != other.schema) {
    return false;
  }
  if (!one.system_identifier.empty() && !other.system_identifier.empty()) {
    return one.system_identifier == other.system_identifier;
  }
  return one.server_started_at == other.server_started_at;
}

}  // namespace leat::warehouse
