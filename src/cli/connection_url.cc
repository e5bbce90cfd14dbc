#include "cli/connection_url.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "core/error.h"
#include "core/text.h"

namespace leat::cli {
namespace {

constexpr const char* kForm = "postgresql://user@host:port/database";

using Values = std::map<std::string, std::string>;

/// Whether the text may hold a password, even one that is not escaped as a URL needs it: nothing of it is repeated
/// then.
bool MayHoldPassword(const std::string& url) {
  const size_t start = url.find("://");
  const std::string rest = start == std::string::npos ? url : url.substr(start + 3);
  const size_t colon = rest.find(':');
  return (colon != std::string::npos && rest.find('@', colon) != std::string::npos) ||
         ToLower(rest).find("password=") != std::string::npos;
}

/// What libpq reads from the URL; nothing where it refuses, its reason in `reason`.
Values ReadByLibpq(const std::string& url, std::string& reason) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse(url.c_str(), &message),
                                                                               &PQconninfoFree);
  if (message != nullptr) reason = Trim(message);
  PQfreemem(message);
  Values values;
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option)
    if (option->val != nullptr && *option->val != '\0') values[option->keyword] = option->val;
  return values;
}

std::string Take(Values& values, const char* name) {
  const auto node = values.extract(name);
  return node.empty() ? "" : node.mapped();
}

/// A field of ~/.pgpass, where `:` and `\` are escaped.
std::string PgpassField(const std::string& value, const char* otherwise) {
  if (value.empty()) return otherwise;
  std::string field;
  for (const char c : value) {
    if (c == ':' || c == '\\') field += '\\';
    field += c;
  }
  return field;
}

/// Whether libpq parted the URL where its author meant it. A password with an unescaped `/` or `@` ends up in other
/// parts.
bool IsWellParted(const ConnectionUrl& url) {
  for (const std::string* part : {&url.host, &url.port, &url.database, &url.user})
    if (part->find('@') != std::string::npos) return false;
  return true;
}

Error PasswordRefused(const std::string& flag, const ConnectionUrl& parsed) {
  const ConnectionUrl url = IsWellParted(parsed) ? parsed : ConnectionUrl{};
  return Error(
             kConfig, "LEAT0193",
             fmt::format(
                 "{} holds a password; others could read it in the list of processes and in the shell's history", flag))
      .Hint("leave the password out of the URL, add this line to ~/.pgpass, then  chmod 600 ~/.pgpass")
      .Hint(fmt::format("{}:{}:{}:{}:<password>", PgpassField(url.host, "*"), PgpassField(url.port, "5432"),
                        PgpassField(url.database, "*"), PgpassField(url.user, "*")));
}

/// Whether YAML reads `value` inside braces as this very text.
bool IsPlain(const std::string& value) {
  static constexpr std::array kWords = {"true", "false", "null", "yes", "no", "on", "off"};
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '/';
  };
  const auto is_inner = [&](char c) { return is_plain(c) || c == '-'; };
  return !value.empty() && is_plain(value[0]) && std::all_of(value.begin(), value.end(), is_inner) &&
         std::find(kWords.begin(), kWords.end(), ToLower(value)) == kWords.end();
}

std::string YamlScalar(const std::string& value) {
  if (IsPlain(value)) return value;
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

ConnectionUrl ParseConnectionUrl(const std::string& flag, const std::string& url) {
  const bool secret = MayHoldPassword(url);
  if (!url.starts_with("postgresql://") && !url.starts_with("postgres://"))
    throw Error(
        kConfig, "LEAT0192",
        fmt::format("{} is no PostgreSQL URL{}; expected {}", flag, secret ? "" : fmt::format(": '{}'", url), kForm))
        .Hint(fmt::format("{} {}", flag, kForm));
  std::string reason;
  Values values = ReadByLibpq(url, reason);
  const bool has_password = values.erase("password") > 0;
  ConnectionUrl parsed{.host = Take(values, "host"),
                       .port = Take(values, "port"),
                       .database = Take(values, "dbname"),
                       .user = Take(values, "user"),
                       .sslmode = Take(values, "sslmode"),
                       .service = Take(values, "service")};
  if (has_password || secret) throw PasswordRefused(flag, parsed);
  if (!reason.empty())
    throw Error(kConfig, "LEAT0192", fmt::format("{} is no PostgreSQL URL: {}", flag, reason))
        .Hint(fmt::format("{} {}", flag, kForm));
  if (!values.empty())
    throw Error(kConfig, "LEAT0192",
                fmt::format("{} sets '{}'; a connection takes host, port, database, user, sslmode and service", flag,
                            values.begin()->first))
        .Hint("leave it out; PG* variables and service files may set it");
  return parsed;
}

std::string ParseApiUrl(const std::string& flag, std::string url) {
  if (url.find('@') != std::string::npos)
    throw Error(kConfig, "LEAT0193",
                fmt::format("{} holds a user or a password; others could read it in the list of processes and in the "
                            "shell's history",
                            flag))
        .Hint("leave it out of the URL; keys of an API stand in the environment, see auth: in the source's file");
  while (url.ends_with('/')) url.pop_back();
  const size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : url.size();
  if (scheme == url.size() || url[scheme] == '/' || url.find_first_of(" \t\r\n\"'\\<>{}?#") != std::string::npos)
    throw Error(kConfig, "LEAT0192",
                fmt::format("{} is no address of an API: '{}'; expected https://host:port/path", flag, url))
        .Hint(fmt::format("{} https://host:port/path", flag));
  return url;
}

std::string FormatConnection(const ConnectionUrl& url) {
  std::string entry = "{type: postgres";
  for (const auto& [key, value] :
       {std::pair("host", &url.host), std::pair("port", &url.port), std::pair("database", &url.database),
        std::pair("user", &url.user), std::pair("service", &url.service), std::pair("sslmode", &url.sslmode)})
    if (!value->empty()) entry += fmt::format(", {}: {}", key, YamlScalar(*value));
  return entry + "}";
}

}  // namespace leat::cli
