#include "clients/http/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace leat::http {
namespace {

constexpr std::string_view kThisMachine = "this machine";
constexpr std::string_view kLinkLocal = "the local link";
constexpr std::string_view kPrivate = "a private network";
constexpr std::string_view kNoMachine = "no single machine";

struct Range {
  std::array<uint8_t, 16> start;
  int bits;
  std::string_view what;
};

constexpr Range kIpv4[] = {
    {{0}, 8, kThisMachine},       {{10}, 8, kPrivate},       {{100, 64}, 10, kPrivate},   {{127}, 8, kThisMachine},
    {{169, 254}, 16, kLinkLocal}, {{172, 16}, 12, kPrivate}, {{192, 0, 0}, 24, kPrivate}, {{192, 168}, 16, kPrivate},
    {{198, 18}, 15, kPrivate},    {{224}, 4, kNoMachine},    {{240}, 4, kNoMachine},
};

constexpr Range kIpv6[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 127, kThisMachine},  // :: and ::1
    {{}, 96, kNoMachine},                                                   // IPv4-compatible, long out of use
    // IPv4-mapped: resolvers bring none, so somebody wrote it to get past a check.
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, kPrivate},
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, kPrivate},  // NAT64 of one network
    {{0x20, 0x01, 0x00, 0x00}, 32, kNoMachine},            // Teredo
    {{0xfc}, 7, kPrivate},
    {{0xfe, 0x80}, 10, kLinkLocal},
    {{0xfe, 0xc0}, 10, kPrivate},
    {{0xff}, 8, kNoMachine},
};

bool IsIn(std::span<const uint8_t> address, const Range& range) {
  const auto whole = static_cast<size_t>(range.bits / 8);
  if (std::memcmp(address.data(), range.start.data(), whole) != 0) return false;
  const int rest = range.bits % 8;
  return rest == 0 || (address[whole] >> (8 - rest)) == (range.start[whole] >> (8 - rest));
}

std::string WhatIsIpv4(std::span<const uint8_t> address) {
  for (const Range& range : kIpv4)
    if (IsIn(address, range)) return std::string(range.what);
  return "";
}

std::string WhatIsIpv6(std::span<const uint8_t> address) {
  constexpr Range kNat64{{0x00, 0x64, 0xff, 0x9b}, 96, ""};
  constexpr Range kSixToFour{{0x20, 0x02}, 16, ""};
  if (IsIn(address, kNat64)) return WhatIsIpv4(address.subspan(12));
  if (IsIn(address, kSixToFour)) return WhatIsIpv4(address.subspan(2));
  for (const Range& range : kIpv6)
    if (IsIn(address, range)) return std::string(range.what);
  return "";
}

const void* BytesOf(const sockaddr* address) {
  if (address->sa_family == AF_INET6) return &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  return &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
}

std::span<const uint8_t> AsBytes(const void* bytes, size_t size) { return {static_cast<const uint8_t*>(bytes), size}; }

}  // namespace

std::string AddressText(const sockaddr* address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address->sa_family, BytesOf(address), text, sizeof text);
  return text;
}

std::string WhyNotPublic(const sockaddr* address) {
  if (address->sa_family == AF_INET) return WhatIsIpv4(AsBytes(BytesOf(address), 4));
  if (address->sa_family == AF_INET6) return WhatIsIpv6(AsBytes(BytesOf(address), 16));
  return std::string(kThisMachine);  // sockets of the file system
}

std::string WhyNotPublic(const std::string& address) {
  in_addr ipv4{};
  if (inet_pton(AF_INET, address.c_str(), &ipv4) == 1) return WhatIsIpv4(AsBytes(&ipv4, 4));
  in6_addr ipv6{};
  const std::string without_zone = address.substr(0, address.find('%'));
  if (inet_pton(AF_INET6, without_zone.c_str(), &ipv6) == 1) return WhatIsIpv6(AsBytes(&ipv6, 16));
  return std::string(kNoMachine);
}

}  // namespace leat::http
