#pragma once

#include <string>
#include <vector>

#include "clients/postgres/connection.h"

namespace leat::postgres {

/// A value that libpq goes by where the project gives none.
struct SettledValue {
  std::string value;
  std::string origin;  ///< `variable PGHOST`, `service warehouse`, `default`
};

/// What a log-in would use of libpq's world: its environment, its service file, its password file, its defaults. What
/// `options` give has an empty origin.
struct Settled {
  SettledValue host, port, database, user, sslmode;
  /// Of the password, if libpq finds one and `options` give none: `variable PGPASSWORD`, `~/.pgpass`.
  std::string password_origin;
  /// All the places a password was looked for, each with its state.
  std::vector<std::string> password_looked_in;
};

/// Ask libpq what it makes of a connection's settings, speaking to no server.
/// Throws: Error(kConfig, LEAT0311) for settings that libpq refuses, such as a service that no file has.
Settled Settle(const Options& options);

}  // namespace leat::postgres
