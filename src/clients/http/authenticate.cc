#include "clients/http/authenticate.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kWaitSlice = 50ms;
/// A token that is about to expire is not used for a request that may take a while.
constexpr std::chrono::seconds kMarginMax = 60s;
constexpr int64_t kTokenBytesMax = 1'000'000;

std::string Base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) text += i + j <= bytes.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

Credentials Authorization(std::string value) {
  return {.headers = {{.name = "Authorization", .value = Secret(std::move(value))}}};
}

/// What the token server's answer says, if it is one of RFC 6749 §5.1.
struct TokenAnswer {
  Secret token;
  std::optional<std::chrono::seconds> expires_in;
};

std::optional<std::chrono::seconds> ExpiresIn(const nlohmann::json& answer) {
  const auto field = answer.find("expires_in");
  if (field == answer.end()) return std::nullopt;
  double seconds = 0;
  if (field->is_number()) seconds = field->get<double>();
  if (field->is_string()) seconds = std::strtod(field->get<std::string>().c_str(), nullptr);
  if (!(seconds > 0)) return std::nullopt;
  return std::chrono::seconds(static_cast<int64_t>(std::min(seconds, 1e9)));
}

std::optional<TokenAnswer> ParseTokenAnswer(const std::string& body) {
  const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
  if (!answer.is_object()) return std::nullopt;
  const auto token = answer.find("access_token");
  if (token == answer.end() || !token->is_string() || token->get<std::string>().empty()) return std::nullopt;
  return TokenAnswer{.token = Secret(token->get<std::string>()), .expires_in = ExpiresIn(answer)};
}

/// The error of RFC 6749 §5.2: `invalid_client: no such client`. Nothing else of the answer is told.
std::string RefusalText(const std::string& body, const std::vector<Secret>& secrets) {
  const nlohmann::json answer = nlohmann::json::parse(body, nullptr, false);
  std::string text;
  if (!answer.is_object()) return text;
  for (const char* field : {"error", "error_description"})
    if (const auto value = answer.find(field); value != answer.end() && value->is_string())
      text += ": " + Shorten(MaskSecrets(value->get<std::string>(), secrets), 200);
  return text;
}

Error TokenRefused(const Url& token_url, const Response& response, const std::vector<Secret>& secrets) {
  const bool may_pass = response.status == 408 || response.status == 429 || response.status >= 500;
  Error error(may_pass ? kConnection : kConfig, "LEAT0327",
              fmt::format("no token from {}: answered {}{}", token_url.ForMessages(), response.status,
                          RefusalText(response.body, secrets)));
  return may_pass ? error : std::move(error).Hint("check `client_id`, `client_secret` and `scope` of `auth`");
}

Error NoTokenInAnswer(const Url& token_url) {
  return Error(kConfig, "LEAT0327",
               fmt::format("no token from {}: the answer has no `access_token`", token_url.ForMessages()))
      .Hint("check `token_url`");
}

}  // namespace

Credentials BasicCredentials(const Secret& user, const Secret& password) {
  // RFC 7617 §2: the first colon ends the user.
  if (user.Reveal().find(':') != std::string::npos)
    throw Error(kConfig, "LEAT0328", "the `user` of `auth` holds a colon, which basic authentication cannot send");
  return Authorization("Basic " + Base64(user.Reveal() + ":" + password.Reveal()));
}

Credentials BearerCredentials(const Secret& token) { return Authorization("Bearer " + token.Reveal()); }

Credentials HeaderCredentials(const std::string& name, const Secret& value) { return {.headers = {{name, value}}}; }

Credentials QueryCredentials(const std::string& name, const Secret& value) { return {.parameters = {{name, value}}}; }

OAuth2::OAuth2(Options options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

Response OAuth2::Send(Client& client, Request request, const CancelFlag* cancel) {
  Token token = Current(client, cancel);
  request.credentials = BearerCredentials(token.value);
  Response response = client.Send(request, cancel);
  if (response.status != 401) return response;
  Discard(token.number);
  token = Current(client, cancel);
  request.credentials = BearerCredentials(token.value);
  return client.Send(request, cancel);
}

bool OAuth2::IsGood() const { return token_ && (!token_->good_until || clock_.Now() < *token_->good_until); }

OAuth2::Token OAuth2::Current(Client& client, const CancelFlag* cancel) {
  std::unique_lock lock(mutex_);
  const bool others_fetch = is_fetching_;
  while (is_fetching_) {
    fetched_.wait_for(lock, kWaitSlice);
    if (cancel != nullptr) cancel->Check();
  }
  if (IsGood()) return *token_;
  // What one thread was told holds for those that waited: a server in trouble is not asked by each of them.
  if (others_fetch && fault_) throw *fault_;

  is_fetching_ = true;
  lock.unlock();
  const Fetched fetched = TryToFetch(client, cancel);
  lock.lock();
  is_fetching_ = false;
  fetched_.notify_all();
  token_ = fetched.token;
  fault_ = fetched.fault;
  if (fault_) throw *fault_;
  if (!token_) throw Cancelled{};
  token_->number = ++fetched_count_;
  tokens_.push_back(token_->value);
  return *token_;
}

OAuth2::Fetched OAuth2::TryToFetch(Client& client, const CancelFlag* cancel) {
  try {
    return {.token = Fetch(client, cancel)};
  } catch (const Error& error) {
    return {.fault = error};
  } catch (const Cancelled&) {
    return {};
  }
}

void OAuth2::Discard(int64_t number) {
  const std::lock_guard lock(mutex_);
  if (token_ && token_->number == number) token_.reset();
}

/// RFC 6749 §2.3.1: both are form-encoded before they are put together.
Credentials OAuth2::ClientCredentials() const {
  return BasicCredentials(Secret(PercentEncode(options_.client_id.Reveal())),
                          Secret(PercentEncode(options_.client_secret.Reveal())));
}

std::vector<Secret> OAuth2::Sent() {
  std::vector<Secret> sent = ClientCredentials().Values();
  sent.push_back(options_.client_secret);
  const std::lock_guard lock(mutex_);
  sent.insert(sent.end(), tokens_.begin(), tokens_.end());
  return sent;
}

Request OAuth2::TokenRequest() const {
  std::string form = "grant_type=client_credentials";
  if (!options_.scope.empty()) form += "&scope=" + PercentEncode(options_.scope);
  const std::string id = PercentEncode(options_.client_id.Reveal());
  const std::string secret = PercentEncode(options_.client_secret.Reveal());
  if (in_form_) form += "&client_id=" + id + "&client_secret=" + secret;
  return {.method = "POST",
          .url = options_.token_url,
          .headers = {{"Accept", "application/json"}},
          .body = Body{.content_type = "application/x-www-form-urlencoded", .bytes = std::move(form)},
          .credentials = in_form_ ? Credentials{} : ClientCredentials(),
          .timeout = options_.timeout,
          .bytes_max = kTokenBytesMax,
          .allowed_hosts = options_.allowed_hosts};
}

OAuth2::Token OAuth2::Fetch(Client& client, const CancelFlag* cancel) {
  const Timestamp asked = clock_.Now();
  Response response = client.Send(TokenRequest(), cancel);
  if (!in_form_ && (response.status == 400 || response.status == 401)) {
    in_form_ = true;
    Response second = client.Send(TokenRequest(), cancel);
    in_form_ = second.ok();
    // The first refusal is the one of the way that every server must take.
    if (second.ok()) response = std::move(second);
  }
  if (!response.ok()) throw TokenRefused(options_.token_url, response, Sent());
  std::optional<TokenAnswer> answer = ParseTokenAnswer(response.body);
  if (!answer) throw NoTokenInAnswer(options_.token_url);

  Token token{.value = std::move(answer->token)};
  if (answer->expires_in)
    token.good_until =
        asked + *answer->expires_in - std::min<std::chrono::seconds>(kMarginMax, *answer->expires_in / 10);
  return token;
}

}  // namespace leat::http
