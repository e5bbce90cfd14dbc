#include "clients/http/url.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "core/text.h"

namespace leat::http {
namespace {

class UrlParts {
 public:
  UrlParts() : handle_(curl_url(), &curl_url_cleanup) {
    if (handle_ == nullptr) throw Error(kInternal, "LEAT9905", "libcurl has no memory for an address");
  }

  CURLUcode Set(CURLUPart part, const char* text, unsigned flags = 0) {
    return curl_url_set(handle_.get(), part, text, flags);
  }

  /// Empty if the address has no such part.
  std::string Get(CURLUPart part, unsigned flags = 0) const {
    char* text = nullptr;
    if (curl_url_get(handle_.get(), part, &text, flags) != CURLUE_OK) return "";
    const std::unique_ptr<char, void (*)(void*)> owner(text, &curl_free);
    return text;
  }

 private:
  std::unique_ptr<CURLU, void (*)(CURLU*)> handle_;
};

constexpr unsigned kParse = CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_DISALLOW_USER;

/// What of a broken address may be told: nothing before an `@`, which may be a password, nothing of a query.
std::string Tellable(std::string_view text) {
  std::string told(text.substr(0, text.find_first_of("?#")));
  const size_t at = told.rfind('@');
  if (at != std::string::npos) {
    const size_t slashes = told.find("//");
    const size_t from = slashes == std::string::npos || slashes > at ? 0 : slashes + 2;
    told.replace(from, at - from, "****");
  }
  return Shorten(IsValidUtf8(told) ? told : PercentEncode(told), 100);
}

[[noreturn]] void ThrowNoUrl(std::string_view text, std::string_view reason) {
  throw Error(kConfig, "LEAT0328", fmt::format("'{}' is no address to ask: {}", Tellable(text), reason));
}

void Check(CURLUcode code, std::string_view text) {
  if (code == CURLUE_OK) return;
  if (code == CURLUE_UNSUPPORTED_SCHEME) ThrowNoUrl(text, "expected http:// or https://");
  if (code == CURLUE_USER_NOT_ALLOWED)
    throw Error(kConfig, "LEAT0328", fmt::format("the address '{}' holds a user or password", Tellable(text)))
        .Hint("take them out and say them in `auth`");
  ThrowNoUrl(text, curl_url_strerror(code));
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The text that one part of a query stands for; there `+` is a space.
std::string DecodeQueryPart(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_code =
        text[i] == '%' && i + 2 < text.size() && HexValue(text[i + 1]) >= 0 && HexValue(text[i + 2]) >= 0;
    if (is_code) {
      decoded += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string NameOfParameter(std::string_view parameter) {
  return DecodeQueryPart(parameter.substr(0, parameter.find('=')));
}

void ReplaceAll(std::string& text, std::string_view part, std::string_view by) {
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + by.size()))
    text.replace(at, part.size(), by);
}

bool HasTellingName(std::string_view name) {
  const std::string lower = ToLower(name);
  if (lower == "token") return true;
  for (const std::string_view ending : {"apikey", "api_key", "api-key", "access_token", "auth", "credential", "key",
                                        "password", "secret", "security-token", "sig", "signature"})
    if (lower.ends_with(ending)) return true;
  return false;
}

/// The text with each parameter of its query as `change` leaves it; those it makes empty are dropped.
template <typename Change>
std::string WithChangedParameters(const std::string& text, Change change) {
  const size_t mark = text.find('?');
  if (mark == std::string::npos) return text;
  std::vector<std::string> kept;
  for (const std::string& parameter : Split(std::string_view(text).substr(mark + 1), '&'))
    if (std::string changed = change(parameter); !changed.empty()) kept.push_back(std::move(changed));
  return text.substr(0, mark) + (kept.empty() ? "" : "?" + Join(kept, "&"));
}

}  // namespace

Url Url::Parse(std::string_view text) { return Url().Resolve(text); }

Url Url::Resolve(std::string_view reference) const {
  const std::string_view trimmed = Trim(reference);
  if (trimmed.empty() && !empty()) return *this;
  if (trimmed.find('\0') != std::string_view::npos) ThrowNoUrl("", "it holds a NUL");

  UrlParts parts;
  if (!empty()) Check(parts.Set(CURLUPART_URL, text_.c_str()), text_);
  Check(parts.Set(CURLUPART_URL, std::string(trimmed).c_str(), kParse), trimmed);
  Check(parts.Set(CURLUPART_FRAGMENT, nullptr), trimmed);
  std::string host = ToLower(parts.Get(CURLUPART_HOST));
  if (host.empty()) ThrowNoUrl(trimmed, "it names no host");
  // libcurl would read them by the locale of the process.
  if (std::ranges::any_of(host, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    ThrowNoUrl(trimmed, "write its host in ASCII, as in xn--bcher-kva.example");
  Check(parts.Set(CURLUPART_HOST, host.c_str()), trimmed);

  Url url;
  url.text_ = parts.Get(CURLUPART_URL, CURLU_NO_DEFAULT_PORT);
  url.origin_.scheme = parts.Get(CURLUPART_SCHEME);
  if (url.origin_.scheme != "http" && url.origin_.scheme != "https")
    ThrowNoUrl(trimmed, "expected http:// or https://");
  url.origin_.host = host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
  url.origin_.port = std::stoi(parts.Get(CURLUPART_PORT, CURLU_DEFAULT_PORT));
  return url;
}

Url Url::WithParameter(std::string_view name, std::string_view value) const {
  Url url = *this;
  const bool has_query = text_.find('?') != std::string::npos;
  if (!has_query)
    url.text_ += '?';
  else if (!text_.ends_with('?') && !text_.ends_with('&'))
    url.text_ += '&';
  url.text_ += PercentEncode(name) + "=" + PercentEncode(value);
  return url;
}

Url Url::WithoutParameter(std::string_view name) const {
  Url url = *this;
  url.text_ = WithChangedParameters(text_, [&](const std::string& parameter) {
    return NameOfParameter(parameter) == name ? std::string() : parameter;
  });
  return url;
}

std::string Url::ForMessages() const { return text_.substr(0, text_.find('?')); }

std::string PercentEncode(std::string_view text) {
  std::string encoded;
  for (const char c : text)
    if (IsUnreserved(c))
      encoded += c;
    else
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return encoded;
}

std::string MaskSecrets(std::string text, std::vector<Secret> secrets) {
  // The longest first: one may be a part of another, whose rest would stay.
  std::stable_sort(secrets.begin(), secrets.end(),
                   [](const Secret& a, const Secret& b) { return a.Reveal().size() > b.Reveal().size(); });
  for (const Secret& secret : secrets) {
    if (secret.empty()) continue;
    ReplaceAll(text, PercentEncode(secret.Reveal()), "****");
    ReplaceAll(text, secret.Reveal(), "****");
  }
  return text;
}

std::string RedactedUrl(const Url& url, const std::vector<Secret>& secrets) {
  std::string text = WithChangedParameters(url.text(), [](const std::string& parameter) {
    const bool tells = HasTellingName(NameOfParameter(parameter)) && parameter.find('=') != std::string::npos;
    return tells ? parameter.substr(0, parameter.find('=')) + "=****" : parameter;
  });
  return MaskSecrets(std::move(text), secrets);
}

}  // namespace leat::http
