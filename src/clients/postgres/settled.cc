#include "clients/postgres/settled.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "clients/postgres/faults.h"
#include "clients/postgres/log_in.h"

namespace leat::postgres {
namespace {

/// libpq refuses this one last of all settings, after it has settled the others and before it speaks to anybody.
constexpr const char* kRefusedLast = "target_session_attrs";

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string SystemUser() {
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : "";
}

/// Names the origins of one connection's values.
class Origins {
 public:
  Origins(const Options& options, PGconn* connection)
      : service_(options.service.empty() ? Variable("PGSERVICE") : options.service), connection_(connection) {}

  /// \param given  what the project says; empty: nothing
  /// \param variable  the one that libpq reads
  /// \param fallback  what libpq takes where neither service nor variable say anything
  SettledValue Of(const std::string& given, const std::string& value, const char* variable,
                  const std::string& fallback) const {
    if (!given.empty()) return {value, ""};
    const std::string from_variable = Variable(variable);
    // The service comes before the environment; where both say the same, either is true.
    const bool from_service = !service_.empty() && value != (from_variable.empty() ? fallback : from_variable);
    if (from_service) return {value, "service " + service_};
    return {value, from_variable.empty() ? "default" : std::string("variable ") + variable};
  }

  std::string OfPassword(const Endpoint& endpoint) const {
    const std::string password = PQpass(connection_);
    if (password.empty()) return "";
    if (!service_.empty() && password == Effective(connection_, "password") && password != Variable("PGPASSWORD"))
      return "service " + service_;
    return Variable("PGPASSWORD").empty() ? PasswordFileName(endpoint) : "variable PGPASSWORD";
  }

 private:
  const std::string service_;
  PGconn* connection_;
};

}  // namespace

Settled Settle(const Options& options) {
  Keywords keywords(options, options.sslmode);
  const std::string nothing = "nothing";
  keywords.Add(kRefusedLast, nothing);
  const std::unique_ptr<PGconn, void (*)(PGconn*)> connection(keywords.Start(), &PQfinish);
  if (connection == nullptr) throw Error(kInternal, "LEAT9905", "libpq has no memory for a connection");
  const Endpoint endpoint = EndpointOf(options, connection.get());
  const std::string_view refusal = PQerrorMessage(connection.get());
  if (refusal.find(kRefusedLast) == std::string_view::npos) throw ConnectFault(endpoint, refusal);

  const Origins origins(options, connection.get());
  Settled settled;
  const std::string address = Effective(connection.get(), "hostaddr");
  settled.host = address.empty() ? origins.Of(options.host, endpoint.host, "PGHOST", std::string(kDefaultSocketFolder))
                                 : origins.Of("", address, "PGHOSTADDR", "");
  settled.port = origins.Of(options.port, endpoint.port, "PGPORT", "5432");
  settled.user = origins.Of(options.user, endpoint.user, "PGUSER", SystemUser());
  settled.database = origins.Of(options.database, endpoint.database, "PGDATABASE", endpoint.user);
  settled.sslmode = MustVerify(options, connection.get())
                        ? SettledValue{"verify-full", "default"}
                        : origins.Of(options.sslmode, Effective(connection.get(), "sslmode"), "PGSSLMODE", "prefer");
  if (options.password.empty()) settled.password_origin = origins.OfPassword(endpoint);
  settled.password_looked_in = NoPassword(endpoint).diagnostic().looked_in;
  return settled;
}

}  // namespace leat::postgres
