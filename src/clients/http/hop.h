#pragma once

#include <optional>
#include <string>
#include <vector>

#include "clients/http/message.h"

namespace leat::http {

/// Where a request stands on its way along redirects.
struct Hop {
  std::string method;
  Url url;  ///< without credentials
  bool has_body = false;
  bool is_at_home = true;         ///< has never left the origin of the request: headers and credentials go along
  std::vector<Url> visited = {};  ///< the hops before this one
};

/// The first hop of a request.
Hop FirstHop(const Request& request);

/// Follow a redirect as browsers do: 303 turns any method into GET, 301 and 302 turn POST into GET, 307 and 308 keep
/// all. Returns nullopt for an answer that is no redirect or names no place.
///
/// Throws: Error(kConfig, LEAT0326) for a sixth redirect, a loop, a step from https to http, a body that would leave
/// its origin, an address that is none.
std::optional<Hop> NextHop(const Request& request, const Hop& hop, int status, const Headers& headers);

}  // namespace leat::http
