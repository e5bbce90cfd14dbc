#include "config/postgres_options.h"

namespace leat::config {

postgres::Options PostgresOptions(const Connection& connection) {
  return {.name = connection.name,
          .place = connection.place,
          .host = connection.host,
          .port = connection.port,
          .database = connection.database,
          .user = connection.user,
          .password = connection.password.Resolve(),
          .password_looked_in = connection.password.LookedIn(),
          .service = connection.service,
          .sslmode = connection.sslmode};
}

}  // namespace leat::config
