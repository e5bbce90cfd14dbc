#include "clients/http/hop.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace leat::http {
namespace {

constexpr size_t kRedirectsMax = 5;

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// An address as every hop has it: a server that repeats a credential in its Location does not make it travel.
Url WithoutCredentials(Url url, const Credentials& credentials) {
  for (const SecretField& parameter : credentials.parameters) url = url.WithoutParameter(parameter.name);
  return url;
}

[[noreturn]] void ThrowNotFollowed(const Hop& hop, const std::string& why) {
  throw Error(kConfig, "LEAT0326", fmt::format("{} redirects {}", hop.url.ForMessages(), why))
      .Hint("ask the address that the server means");
}

Url Target(const Hop& hop, std::string_view location) {
  try {
    return hop.url.Resolve(location);
  } catch (const Error& error) {
    ThrowNotFollowed(hop, "to what cannot be asked: " + error.message());
  }
}

bool BecomesGet(const std::string& method, int status) {
  return status == 303 || (method == "POST" && (status == 301 || status == 302));
}

void CheckStep(const Hop& hop, const Hop& next) {
  const std::string target = next.url.ForMessages();
  if (next.visited.size() > kRedirectsMax) ThrowNotFollowed(hop, fmt::format("more than {} times", kRedirectsMax));
  if (hop.url.origin().scheme == "https" && next.url.origin().scheme == "http")
    ThrowNotFollowed(hop, fmt::format("from https to {}, where everybody can listen", target));
  // A POST that was redirected to the same address as GET is no loop, and comes once only.
  if (next.method == hop.method && std::ranges::count(next.visited, next.url) > 0)
    ThrowNotFollowed(hop, fmt::format("to {}, which was asked before", target));
  if (next.has_body && !next.is_at_home)
    ThrowNotFollowed(hop, fmt::format("to {} with the body of the request, which may hold secrets", target));
}

}  // namespace

Hop FirstHop(const Request& request) {
  return {.method = request.method,
          .url = WithoutCredentials(request.url, request.credentials),
          .has_body = request.body.has_value()};
}

std::optional<Hop> NextHop(const Request& request, const Hop& hop, int status, const Headers& headers) {
  const auto location = FindHeader(headers, "location");
  if (!IsRedirect(status) || !location || location->empty()) return std::nullopt;

  Hop next = hop;
  next.visited.push_back(hop.url);
  next.url = WithoutCredentials(Target(hop, *location), request.credentials);
  if (BecomesGet(hop.method, status)) {
    next.method = "GET";
    next.has_body = false;
  }
  if (next.url.origin() != request.url.origin()) next.is_at_home = false;
  CheckStep(hop, next);
  return next;
}

}  // namespace leat::http
