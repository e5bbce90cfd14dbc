#pragma once

#include <sys/socket.h>

#include <string>

namespace leat::http {

/// The address as text, such as `10.0.0.5` or `fe80::1`.
std::string AddressText(const sockaddr* address);

/// Why a request of the project must not go to an address unless its host is named: `a private network`, `this
/// machine` … Empty for an address of the public internet. An IPv6 address that stands for an IPv4 one is judged by
/// that one.
/// Source: IANA's special-purpose address registries (RFC 6890).
std::string WhyNotPublic(const sockaddr* address);
/// The same of an address as text; one that cannot be read is not public.
std::string WhyNotPublic(const std::string& address);

}  // namespace leat::http
