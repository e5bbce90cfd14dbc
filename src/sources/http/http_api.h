#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clients/http/authenticate.h"
#include "clients/http/retry.h"
#include "sources/http/http_request.h"
#include "sources/http/pace.h"

namespace leat::sources {

/// One partition of a source as it is asked: its credentials, its pace, retries. Secrets are looked up with the first
/// request. Threads: safe.
class HttpApi {
 public:
  /// What is passed must outlive it; `budget` is shared by all partitions.
  HttpApi(const HttpPeer& peer, http::RetryBudget& budget, const CancelFlag& cancel);

  /// Send a request with its credentials until there is an answer, of whatever status.
  /// Throws: what ResolveCredential and http::SendWithRetries throw.
  http::Answer Ask(http::Client& client, http::Request request);
  /// The fault of an answer that is no success.
  Error FaultOf(http::Request request, const http::Answer& answer);
  /// What must not be seen in an address or a message: secrets, and what was sent in their stead. Empty before the
  /// first request.
  std::vector<Secret> secrets();

  const HttpPeer& peer() const { return peer_; }

 private:
  void LookUp();
  std::vector<const config::Credential*> Parts() const;
  std::string OriginOfSecrets() const;
  Secret Resolve(const config::Credential& part);

  const HttpPeer peer_;
  http::RetryBudget& budget_;
  const CancelFlag& cancel_;
  Pace pace_;
  http::RetryPolicy retry_;
  std::mutex mutex_;
  bool is_looked_up_ = false;
  http::Credentials credentials_;
  std::vector<Secret> secrets_;  ///< what they are made of
  std::unique_ptr<http::OAuth2> oauth2_;
};

}  // namespace leat::sources
