#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "clients/postgres/connection.h"
#include "core/error.h"

namespace leat::postgres {

/// Where a log-in was tried, with the values that libpq settled on.
struct Endpoint {
  std::string name;  ///< of the connection in the project
  Place place;
  std::string host;  ///< a folder that starts with `/`: a socket in it
  std::string port;
  std::string database;
  std::string user;
  std::string password_file;  ///< path that libpq reads; empty: ~/.pgpass
  /// Where the project's own password was looked for; libpq's places come after them.
  std::vector<std::string> password_looked_in;

  /// `127.0.0.1:5432`, or the socket's path.
  std::string Address() const;
  /// `host:port:database:user`, as a line of ~/.pgpass begins.
  std::string PasswordLine() const;
};

/// Where a server's socket is looked for if nothing says where it is.
inline constexpr std::string_view kDefaultSocketFolder = "/var/run/postgresql";

/// `~/.pgpass`, unless another file was asked for.
std::string PasswordFileName(const Endpoint& endpoint);

/// Whether all hosts of a libpq list (`a,b`) are this machine: sockets, `localhost`, loopback addresses.
bool IsLocalHost(std::string_view hosts);

/// Turn what libpq says of a log-in that came to nothing into LEAT0301 (nobody there), LEAT0302 (refused) or LEAT0311
/// (settings it does not take).
Error ConnectFault(const Endpoint& endpoint, std::string_view libpq_text);

/// LEAT0303: a session that was there is gone.
Error ConnectionLost(const std::string& connection_name, const Place& place, std::string_view libpq_text);

/// LEAT0310: the server asks for a password, and no place gave one.
Error NoPassword(const Endpoint& endpoint);

/// What the server says of a statement, taken apart.
struct ServerReply {
  std::string sqlstate;
  std::string message;
  std::string detail;
  std::string hint;
  std::string context;
};

/// Turn a refusal into LEAT0304 (a right is missing) or LEAT0305.
ServerError Refusal(const std::string& connection_name, const ServerReply& reply);

/// Whether the server ends the whole session with this SQLSTATE.
bool EndsSession(std::string_view sqlstate);

}  // namespace leat::postgres
