#include "sources/http/http_api.h"

#include <fmt/format.h>

#include <set>

#include "core/text.h"

namespace leat::sources {
namespace {

using AuthType = config::HttpAuth::Type;

}  // namespace

HttpApi::HttpApi(const HttpPeer& peer, http::RetryBudget& budget, const CancelFlag& cancel)
    : peer_(peer),
      budget_(budget),
      cancel_(cancel),
      pace_(peer.source.rate_limit),
      retry_{.attempts = static_cast<int>(peer.source.retry.attempts),
             .statuses = {peer.source.retry.status.begin(), peer.source.retry.status.end()},
             .wait_max = peer.source.retry.wait_max} {}

http::Answer HttpApi::Ask(http::Client& client, http::Request request) {
  LookUp();
  request.credentials = credentials_;
  const auto attempt = [&] {
    const Pace::Turn turn = pace_.Take(cancel_);
    return oauth2_ ? oauth2_->Send(client, request, &cancel_) : client.Send(request, &cancel_);
  };
  const auto on_wait = [&](const http::RetryWait& wait) {
    if (wait.asked) pace_.HoldUntil(http::RealPatience().Now() + wait.duration);
  };
  return http::SendWithRetries(attempt, retry_, budget_, &cancel_, on_wait);
}

Error HttpApi::FaultOf(http::Request request, const http::Answer& answer) {
  request.credentials = credentials_;
  for (const Secret& secret : secrets()) request.credentials.parameters.push_back({"", secret});  // nor alone
  Error fault = http::StatusFault(request, answer);
  const bool is_refused = answer.response.status == 401 || answer.response.status == 403;
  const std::string origin = is_refused ? OriginOfSecrets() : "";
  return origin.empty() ? fault : std::move(fault).Hint("what it was asked with comes from " + origin);
}

std::vector<Secret> HttpApi::secrets() {
  const std::lock_guard lock(mutex_);
  std::vector<Secret> all = secrets_;
  for (Secret& sent : credentials_.Values()) all.push_back(std::move(sent));
  if (oauth2_)
    for (Secret& sent : oauth2_->Sent()) all.push_back(std::move(sent));
  return all;
}

std::vector<const config::Credential*> HttpApi::Parts() const {
  const config::HttpAuth& auth = peer_.source.auth;
  switch (auth.type) {
    case AuthType::kNone:
      return {};
    case AuthType::kBasic:
      return {&auth.user, &auth.password};
    case AuthType::kBearer:
      return {&auth.token};
    case AuthType::kHeader:
    case AuthType::kQuery:
      return {&auth.value};
    case AuthType::kOauth2:
      return {&auth.client_id, &auth.client_secret};
  }
  return {};
}

/// `variable EU_KEY`, `/run/secrets/eu`: every place that gave a part of the credentials.
std::string HttpApi::OriginOfSecrets() const {
  std::set<std::string> origins;
  for (const config::Credential* part : Parts()) {
    if (part->secret) origins.insert(part->secret->Origin());
    for (const std::string& name : config::PlaceholdersIn(part->text.value))
      if (const auto value = peer_.partition.values.find(name);
          value != peer_.partition.values.end() && value->second.secret)
        origins.insert(value->second.secret->Origin());
  }
  origins.erase("");
  return Join({origins.begin(), origins.end()}, " and ");
}

Secret HttpApi::Resolve(const config::Credential& part) {
  return secrets_.emplace_back(config::ResolveCredential(part, peer_.partition, peer_.source.partition_name));
}

void HttpApi::LookUp() {
  const std::lock_guard lock(mutex_);
  if (is_looked_up_) return;
  secrets_.clear();
  const config::HttpAuth& auth = peer_.source.auth;
  switch (auth.type) {
    case AuthType::kNone:
      break;
    case AuthType::kBasic:
      credentials_ = http::BasicCredentials(Resolve(auth.user), Resolve(auth.password));
      break;
    case AuthType::kBearer:
      credentials_ = http::BearerCredentials(Resolve(auth.token));
      break;
    case AuthType::kHeader:
      credentials_ = http::HeaderCredentials(auth.name.value, Resolve(auth.value));
      break;
    case AuthType::kQuery:
      credentials_ = http::QueryCredentials(auth.name.value, Resolve(auth.value));
      break;
    case AuthType::kOauth2: {
      const auto plain = peer_.partition.PlainValues(peer_.source.partition_name);
      http::OAuth2::Options options{.token_url = http::Url::Parse(config::FillIn(auth.token_url.value, plain)),
                                    .client_id = Resolve(auth.client_id),
                                    .client_secret = Resolve(auth.client_secret),
                                    .scope = auth.scope,
                                    .timeout = peer_.source.timeout};
      options.allowed_hosts = {options.token_url.origin().host};
      oauth2_ = std::make_unique<http::OAuth2>(std::move(options));
      break;
    }
  }
  is_looked_up_ = true;
}

}  // namespace leat::sources
