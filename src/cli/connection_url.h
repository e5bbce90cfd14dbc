#pragma once

#include <string>

namespace leat::cli {

/// What a `postgresql://` URL says, percent-decoded; empty: not said.
struct ConnectionUrl {
  std::string host, port, database, user, sslmode, service;
};

/// Parse the value of `flag` (`--source`), as libpq parses it.
/// Throws: Error(kConfig, LEAT0192) for anything that is no PostgreSQL URL or says more than a connection takes;
/// Error(kConfig, LEAT0193) for a URL with a password, with the ~/.pgpass line to add. The password is in no message.
ConnectionUrl ParseConnectionUrl(const std::string& flag, const std::string& url);

/// Check the value of `flag` as the address of an HTTP API: `https://host:port/path`. Gives it without a slash at the
/// end. Throws: Error(kConfig, LEAT0192) for anything else; Error(kConfig, LEAT0193) for one with a user or a password,
/// which is in no message.
std::string ParseApiUrl(const std::string& flag, std::string url);

/// The entry of `connections:` for it: `{type: postgres, host: db, …}`, values quoted where YAML needs it.
std::string FormatConnection(const ConnectionUrl& url);

}  // namespace leat::cli
