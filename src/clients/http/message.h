#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clients/http/url.h"
#include "core/clock.h"
#include "core/secret.h"

namespace leat::http {

struct Header {
  std::string name;
  std::string value;

  bool operator==(const Header&) const = default;
};
using Headers = std::vector<Header>;

/// The value of the first header of that name, whatever its case. Points into `headers`.
std::optional<std::string_view> FindHeader(const Headers& headers, std::string_view name);

/// One header or parameter whose value nobody may see.
struct SecretField {
  std::string name;
  Secret value;
};

/// What proves who asks. It is sent to the origin of Request::url and never to another one, and it stands in no message
/// and no address that a Response tells.
struct Credentials {
  std::vector<SecretField> headers;
  std::vector<SecretField> parameters;  ///< of the query; they replace those of the same name

  /// Every value, for RedactedUrl.
  std::vector<Secret> Values() const;
};

struct Body {
  std::string content_type;
  std::string bytes;
};

struct Request {
  std::string method = "GET";
  Url url;
  Headers headers;  ///< of the project: dropped with the credentials when a redirect leaves the origin
  std::optional<Body> body;
  Credentials credentials;
  /// For the whole answer: all redirects, the last byte.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  /// The longest silence once the body has begun.
  std::chrono::milliseconds stall = std::chrono::seconds(30);
  /// Of the body, as received and decoded.
  int64_t bytes_max = 256'000'000;
  /// Hosts, as in Origin::host, that may be machines of a private network.
  std::set<std::string> allowed_hosts;
};

/// A whole answer, of whatever status.
struct Response {
  int status = 0;
  Headers headers;
  std::string body;  ///< decoded
  std::string gzip;  ///< the body as the server packed it; empty unless that was gzip
  Url url;           ///< where the answer came from after redirects, without credentials
  Timestamp received;
  std::chrono::microseconds duration{0};

  bool ok() const { return status >= 200 && status <= 299; }
};

}  // namespace leat::http
