#pragma once

#include <memory>

#include "clients/http/message.h"
#include "core/cancel.h"

namespace leat::http {

/// Sends requests and keeps connections open between them: HTTP/1.1, over TLS HTTP/2 where the server has it. Used by
/// one thread at a time; each thread of a pool has its own, and they share nothing.
///
/// Certificates are always verified, TLS is at least 1.2; CURL_CA_BUNDLE, SSL_CERT_FILE and SSL_CERT_DIR name other
/// authorities than the system's. Proxies of the environment are not used: a proxy resolves names itself, and addresses
/// could no longer be checked.
///
/// Addresses are checked when a connection is opened or used again, for each hop: those of this machine, of private
/// networks and of no single machine are refused unless the request allows the host of that hop.
class Client {
 public:
  Client();
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Send one request, follow at most five redirects as browsers do and wait for the whole answer. A status is never an
  /// error; sends once and never again. A body whose length nothing tells (HTTP/1.0 without Content-Length, not packed)
  /// ends where the server closes.
  ///
  /// When a redirect leaves the origin (scheme, host, port), headers and credentials stay behind for good.
  ///
  /// Throws: Cancelled, within 100 ms of the wish;
  ///   Error(kConnection): LEAT0320 nobody answers, LEAT0321 TLS, LEAT0322 too slow, LEAT0325 the answer broke off or
  ///   is broken; Error(kConfig): LEAT0323 a private address, LEAT0326 redirects that are not followed (a sixth one, a
  ///   loop, https to http, a body that would leave its origin), LEAT0328 a header or method that cannot be sent;
  ///   Error(kData, LEAT0324), a body over `bytes_max`.
  Response Send(const Request& request, const CancelFlag* cancel = nullptr);

 private:
  class Connections;
  std::unique_ptr<Connections> connections_;
};

}  // namespace leat::http
