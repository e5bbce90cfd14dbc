#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "clients/http/client.h"
#include "clients/http/message.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/secret.h"

namespace leat::http {

/// `Authorization: Basic …`. Throws: Error(kConfig, LEAT0328) for a user with a colon.
Credentials BasicCredentials(const Secret& user, const Secret& password);
/// `Authorization: Bearer …`.
Credentials BearerCredentials(const Secret& token);
Credentials HeaderCredentials(const std::string& name, const Secret& value);
/// A parameter of the query.
Credentials QueryCredentials(const std::string& name, const Secret& value);

/// OAuth 2.0 client credentials (RFC 6749 §4.4): a token fetched from the token server, kept in memory until shortly
/// before it expires. Used by many threads, which share one token; while one of them fetches it the others wait.
class OAuth2 {
 public:
  struct Options {
    Url token_url;
    Secret client_id;
    Secret client_secret;
    std::string scope;  ///< empty: none is asked for
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
    std::set<std::string> allowed_hosts;  ///< as Request::allowed_hosts
  };

  explicit OAuth2(Options options, const Clock& clock = SystemClock());

  /// Send `request` with the token; when the answer is 401, once more with a new one.
  /// Throws: as Client::Send; Error(LEAT0327) for a token server that refuses, kConnection if that may pass.
  Response Send(Client& client, Request request, const CancelFlag* cancel = nullptr);

  /// Every token so far, and what they were asked for with: for MaskSecrets. Threads: safe.
  std::vector<Secret> Sent();

 private:
  struct Token {
    Secret value;
    std::optional<Timestamp> good_until;  ///< nullopt: until it is refused
    int64_t number = 0;                   ///< counts the tokens fetched
  };

  /// What came of asking the token server; neither: cancelled.
  struct Fetched {
    std::optional<Token> token;
    std::optional<Error> fault;
  };

  Token Current(Client& client, const CancelFlag* cancel);
  Fetched TryToFetch(Client& client, const CancelFlag* cancel);
  void Discard(int64_t number);
  bool IsGood() const;
  Token Fetch(Client& client, const CancelFlag* cancel);
  Request TokenRequest() const;
  Credentials ClientCredentials() const;

  const Options options_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable fetched_;
  bool is_fetching_ = false;
  /// Where the client's name and secret stand: in a header, which every token server must take (RFC 6749 §2.3.1), or
  /// in the form, for those that take nothing else.
  bool in_form_ = false;
  std::optional<Token> token_;
  std::optional<Error> fault_;  ///< of the last fetch
  int64_t fetched_count_ = 0;
  std::vector<Secret> tokens_;  ///< all that were fetched: an answer may speak of one that is no more
};

}  // namespace leat::http
