#include "clients/postgres/log_in.h"

#include <cstdlib>
#include <memory>
#include <utility>

namespace leat::postgres {
namespace {

std::string TextOr(const char* text, const std::string& fallback) {
  return text != nullptr && *text != '\0' ? text : fallback;
}

const std::pair<const char*, std::string> kFixed[] = {
    {"client_encoding", "UTF8"},   {"application_name", "leat"},  {"keepalives", "1"},
    {"keepalives_idle", "30"},     {"keepalives_interval", "10"}, {"keepalives_count", "3"},
    {"tcp_user_timeout", "60000"},
};

}  // namespace

Keywords::Keywords(const Options& options, const std::string& sslmode) {
  Add("service", options.service);
  Add("host", options.host);
  Add("port", options.port);
  Add("dbname", options.database);
  Add("user", options.user);
  Add("password", options.password.Reveal());
  Add("sslmode", sslmode);
  for (const auto& [keyword, value] : kFixed) Add(keyword, value);
}

void Keywords::Add(const char* keyword, const std::string& value) {
  if (value.empty()) return;
  keywords_.push_back(keyword);
  values_.push_back(value.c_str());
}

PGconn* Keywords::Start() {
  keywords_.push_back(nullptr);
  values_.push_back(nullptr);
  return PQconnectStartParams(keywords_.data(), values_.data(), /*expand_dbname=*/0);
}

std::string Effective(PGconn* connection, std::string_view keyword) {
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> all(PQconninfo(connection), &PQconninfoFree);
  for (const PQconninfoOption* option = all.get(); option != nullptr && option->keyword != nullptr; ++option)
    if (option->keyword == keyword) return option->val != nullptr ? option->val : "";
  return "";
}

Endpoint EndpointOf(const Options& options, PGconn* connection) {
  return {.name = options.name,
          .place = options.place,
          .host = TextOr(PQhost(connection), options.host),
          .port = TextOr(PQport(connection), options.port.empty() ? "5432" : options.port),
          .database = TextOr(PQdb(connection), options.database),
          .user = TextOr(PQuser(connection), options.user),
          .password_file = Effective(connection, "passfile"),
          .password_looked_in = options.password_looked_in};
}

bool MustVerify(const Options& options, PGconn* connection) {
  if (!options.sslmode.empty() || std::getenv("PGSSLMODE") != nullptr) return false;
  if (Effective(connection, "sslmode") != "prefer") return false;
  const std::string address = Effective(connection, "hostaddr");
  return !IsLocalHost(address.empty() ? Effective(connection, "host") : address);
}

}  // namespace leat::postgres
