#pragma once

#include "clients/postgres/connection.h"
#include "config/project.h"

namespace leat::config {

/// What the project says of a server, without its password: enough to tell where values come from.
postgres::Options PostgresSettings(const Connection& connection);

/// How to reach the server behind a connection of the project; its secrets are resolved here, on first use.
/// Throws: Error(kConfig, LEAT0109) for a secret that cannot be read.
postgres::Options PostgresOptions(const Connection& connection);

}  // namespace leat::config
