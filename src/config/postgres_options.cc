#include "config/postgres_options.h"

namespace leat::config {

postgres::Options PostgresSettings(const Connection& connection) {
  return {.name = connection.name,
          .place = connection.place,
          .host = connection.host,
          .port = connection.port,
          .database = connection.database,
          .user = connection.user,
          .password_looked_in = connection.password.LookedIn(),
          .service = connection.service,
          .sslmode = connection.sslmode};
}

postgres::Options PostgresOptions(const Connection& connection) {
  postgres::Options options = PostgresSettings(connection);
  options.password = connection.password.Resolve();
  return options;
}

}  // namespace leat::config
