#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/secret.h"

namespace leat::http {

/// Whom a request talks to. Two addresses of one origin share credentials; any difference is a stranger.
struct Origin {
  std::string scheme;  ///< `http` or `https`
  std::string host;    ///< lower case; an IPv6 address without its brackets
  int port = 0;        ///< the scheme's own if the address names none

  bool operator==(const Origin&) const = default;
};

/// An absolute address with scheme http or https and without user and password. The fragment is dropped. A value: equal
/// texts are equal addresses.
class Url {
 public:
  /// An address that stands for none; only to be assigned to.
  Url() = default;

  /// Read an address. Spaces and other characters that no address may hold are percent-encoded. Throws: Error(kConfig,
  /// LEAT0328) for what is no address, another scheme, a user or a password in it, a host that is not ASCII.
  static Url Parse(std::string_view text);

  /// Read `reference` as a link that stands in the answer of this address (RFC 3986 §5). Throws: as Parse.
  Url Resolve(std::string_view reference) const;

  /// The same address with one more parameter. Both texts are percent-encoded; equal names may repeat.
  Url WithParameter(std::string_view name, std::string_view value) const;
  /// The same address without the parameters called `name`.
  Url WithoutParameter(std::string_view name) const;

  /// The address as it is sent.
  const std::string& text() const { return text_; }
  const Origin& origin() const { return origin_; }
  bool empty() const { return text_.empty(); }
  /// `https://host:8443/path`: the address for messages. The query stays out, since it may hold a secret.
  std::string ForMessages() const;

  bool operator==(const Url&) const = default;

 private:
  std::string text_;
  Origin origin_;
};

/// Encode a text as one part of a query or path: all but letters, digits and `-._~` as `%41`.
std::string PercentEncode(std::string_view text);

/// A text as it may be shown: each of `secrets`, as it is and percent-encoded, is `****`.
std::string MaskSecrets(std::string text, std::vector<Secret> secrets);

/// The address as it may be stored: `secrets` masked, and the values of parameters with
/// telling names (`api_key`, `signature`, …) are `****`.
std::string RedactedUrl(const Url& url, const std::vector<Secret>& secrets);

}  // namespace leat::http
