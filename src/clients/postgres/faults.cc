#include "clients/postgres/faults.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "core/text.h"

namespace leat::postgres {
namespace {

bool IsSocket(std::string_view host) { return host.empty() || host.starts_with('/') || host.starts_with('@'); }

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// The part of libpq's text that says why: of several addresses tried, the last.
std::string Reason(std::string_view text) {
  std::string_view reason = text;
  constexpr std::string_view kFailed = " failed: ";
  if (const size_t at = text.rfind(kFailed); at != std::string_view::npos) reason = text.substr(at + kFailed.size());
  reason = Trim(reason.substr(0, reason.find('\n')));
  if (reason.starts_with("FATAL:")) reason = Trim(reason.substr(6));
  return std::string(reason);
}

std::string LogInHint(std::string_view reason, const Endpoint& endpoint) {
  if (Contains(reason, "password authentication failed"))
    return fmt::format("check the user and the password of connection \"{}\"", endpoint.name);
  if (reason.starts_with("database ")) return fmt::format("check `database` of connection \"{}\"", endpoint.name);
  if (Contains(reason, "pg_hba.conf"))
    return fmt::format("the server's pg_hba.conf has to admit user {} to database {} from this machine", endpoint.user,
                       endpoint.database);
  if (Contains(reason, "certificate") || Contains(reason, "SSL"))
    return "put the root certificate of the server into ~/.postgresql/root.crt, or set `sslmode` of the connection";
  return "";
}

bool Refuses(std::string_view text) {
  return Contains(text, "FATAL:") || Contains(text, "SSL") || Contains(text, "certificate") ||
         Contains(text, "authentication") || Contains(text, "channel binding");
}

bool NeverAnswered(std::string_view text) {
  return Contains(text, " failed: ") || Contains(text, "could not translate host name") || Contains(text, "no answer");
}

std::string EnvironmentState(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  return value != nullptr && *value != '\0' ? "set" : "not set";
}

std::string PasswordFileState(const Endpoint& endpoint) {
  std::string path = endpoint.password_file;
  const char* home = std::getenv("HOME");
  if (path.empty() && home != nullptr) path = std::string(home) + "/.pgpass";
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "absent";
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return "not read: others have access; chmod 600 it";
  return "no line for " + endpoint.PasswordLine();
}

ErrorKind KindOf(std::string_view sqlstate) {
  struct Row {
    std::string_view prefix;
    ErrorKind kind;
  };
  // The first that fits; classes of SQLSTATE in PostgreSQL's appendix A.
  static constexpr Row kKinds[] = {
      {"42501", kConfig},      // insufficient_privilege
      {"42601", kInternal},    // syntax_error: the statement is ours
      {"42P01", kConfig},      // undefined_table
      {"42P07", kConfig},      // duplicate_table
      {"42703", kConfig},      // undefined_column
      {"42704", kConfig},      // undefined_object
      {"428C9", kConfig},      // generated_always
      {"25006", kConfig},      // read_only_sql_transaction
      {"55P03", kConnection},  // lock_not_available: somebody else holds it
      {"57014", kConnection},  // query_canceled: a time limit
      {"08", kConnection},    {"28", kConnection}, {"3D", kConfig},     {"3F", kConfig},      {"22", kData},
      {"23", kData},          {"40", kConnection}, {"53", kConnection}, {"57P", kConnection},
  };
  for (const Row& row : kKinds)
    if (sqlstate.starts_with(row.prefix)) return row.kind;
  return kInternal;
}

}  // namespace

std::string Endpoint::Address() const {
  if (host.empty()) return fmt::format("{}/.s.PGSQL.{}", kDefaultSocketFolder, port);
  return IsSocket(host) ? fmt::format("{}/.s.PGSQL.{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string Endpoint::PasswordLine() const {
  // libpq looks the default socket up as localhost; a colon in a field is escaped.
  std::string line;
  const std::string file_host = host.empty() || host == kDefaultSocketFolder ? "localhost" : host;
  for (const std::string& field : {file_host, port, database, user}) {
    if (!line.empty()) line += ':';
    for (const char c : field) line += (c == ':' || c == '\\') ? std::string{'\\', c} : std::string{c};
  }
  return line;
}

std::string PasswordFileName(const Endpoint& endpoint) {
  const char* home = std::getenv("HOME");
  const bool is_default =
      endpoint.password_file.empty() || (home != nullptr && endpoint.password_file == std::string(home) + "/.pgpass");
  return is_default ? "~/.pgpass" : endpoint.password_file;
}

bool IsLocalHost(std::string_view hosts) {
  for (const std::string& host : Split(hosts, ','))
    if (!IsSocket(host) && host != "localhost" && host != "::1" && !host.starts_with("127.")) return false;
  return true;
}

Error ConnectFault(const Endpoint& endpoint, std::string_view libpq_text) {
  const std::string reason = Reason(libpq_text);
  if (Refuses(libpq_text)) {
    Error error(kConnection, "LEAT0302", endpoint.place,
                fmt::format("cannot log in to connection \"{}\" at {}: {}", endpoint.name, endpoint.Address(), reason));
    if (std::string hint = LogInHint(reason, endpoint); !hint.empty()) std::move(error).Hint(std::move(hint));
    return error;
  }
  if (NeverAnswered(libpq_text))
    return Error(kConnection, "LEAT0301", endpoint.place,
                 fmt::format("cannot reach connection \"{}\" at {}: {}", endpoint.name, endpoint.Address(), reason))
        .Hint("check that the server runs, and `host` and `port` of the connection");
  return Error(kConfig, "LEAT0311", endpoint.place,
               fmt::format("connection \"{}\" has settings that cannot be used: {}", endpoint.name, reason));
}

Error ConnectionLost(const std::string& connection_name, const Place& place, std::string_view libpq_text) {
  const std::string reason = Reason(libpq_text);
  return Error(kConnection, "LEAT0303", place,
               fmt::format("connection \"{}\" was lost: {}", connection_name,
                           reason.empty() ? "the server closed it" : reason))
      .Hint("run again; nothing of what was under way is published");
}

Error NoPassword(const Endpoint& endpoint) {
  const std::string file = PasswordFileName(endpoint);
  Diagnostic diagnostic;
  diagnostic.code = "LEAT0310";
  diagnostic.place = endpoint.place;
  diagnostic.message = fmt::format("connection \"{}\" has no password", endpoint.name);
  diagnostic.looked_in = endpoint.password_looked_in;
  diagnostic.looked_in.push_back(fmt::format("PGPASSWORD ({})", EnvironmentState("PGPASSWORD")));
  diagnostic.looked_in.push_back(fmt::format("{} ({})", file, PasswordFileState(endpoint)));
  diagnostic.help = {
      fmt::format("add this line to {}, then  chmod 600 {}\n{}:<password>", file, file, endpoint.PasswordLine())};
  return Error(kConfig, std::move(diagnostic));
}

ServerError Refusal(const std::string& connection_name, const ServerReply& reply) {
  const bool right_missing = reply.sqlstate == "42501";
  ServerError error(KindOf(reply.sqlstate), right_missing ? "LEAT0304" : "LEAT0305",
                    fmt::format("connection \"{}\": {} (SQLSTATE {})", connection_name, reply.message, reply.sqlstate),
                    reply.sqlstate);
  for (const std::string* note : {&reply.detail, &reply.context})
    if (!note->empty()) std::move(error).Note(*note);
  if (!reply.hint.empty()) std::move(error).Note("the server's hint: " + reply.hint);
  return error;
}

bool EndsSession(std::string_view sqlstate) { return sqlstate.starts_with("08") || sqlstate.starts_with("57P0"); }

std::string GrantStatement(std::string_view privilege, std::string_view table, std::string_view user) {
  return fmt::format("GRANT {} ON {} TO {}", privilege, table, QuoteIdentifier(user));
}

}  // namespace leat::postgres
