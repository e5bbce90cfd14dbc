#include "clients/http/exchange.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "clients/http/address.h"
#include "clients/http/faults.h"
#include "core/error.h"
#include "core/text.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;

constexpr auto kConnectLimit = 10s;

/// The address as it is sent: at home with the parameters that prove who asks.
std::string AddressToSend(const Request& request, const Hop& hop) {
  Url url = hop.url;
  if (hop.is_at_home)
    for (const SecretField& parameter : request.credentials.parameters)
      url = url.WithParameter(parameter.name, parameter.value.Reveal());
  return url.text();
}

/// RFC 9110 §5.6.2.
bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

/// Headers that frame the message or say where it goes: with them a request could be another than the one we check.
bool IsOurs(std::string_view name) {
  const std::string lower = ToLower(name);
  return lower == "host" || lower == "content-length" || lower == "transfer-encoding" || lower == "connection" ||
         lower == "expect" || lower == "upgrade";
}

void CheckHeader(const std::string& name, const std::string& value) {
  if (!IsToken(name) || IsOurs(name))
    throw Error(kConfig, "LEAT0328", fmt::format("'{}' cannot be sent as a header", Shorten(PercentEncode(name), 60)));
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
    throw Error(kConfig, "LEAT0328", fmt::format("the value of header '{}' holds a line break or NUL", name));
}

void CheckMethod(const Request& request) {
  if (request.method != "GET" && request.method != "POST")
    throw Error(kConfig, "LEAT0328", fmt::format("method '{}' cannot be sent; expected GET or POST", request.method));
  if (request.method == "GET" && request.body)
    throw Error(kConfig, "LEAT0328", "a GET has no body").Hint("set `method: POST`");
}

const char* FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : nullptr;
}

CURL* NewHandle() {
  CURL* handle = curl_easy_init();
  if (handle == nullptr) throw Error(kInternal, "LEAT9905", "libcurl has no memory for a request");
  return handle;
}

template <typename Value>
void Set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  if (code != CURLE_OK)
    throw Error(kInternal, "LEAT9905",
                fmt::format("libcurl refuses option {}: {}", static_cast<int>(option), curl_easy_strerror(code)));
}

}  // namespace

Exchange::Exchange(const Request& request, const Hop& hop)
    : request_(request),
      hop_(hop),
      where_(hop.url.ForMessages()),
      url_(AddressToSend(request, hop)),
      handle_(NewHandle(), &curl_easy_cleanup),
      sent_headers_(nullptr, &curl_slist_free_all) {
  CheckMethod(request);
  SetOptions();
  SetTrust();
  if (hop.method == "POST") SetBody();
  if (hop.is_at_home) AddOwnHeaders();
  AddHeader("User-Agent", "leat/" LEAT_VERSION);
  AddHeader("Accept-Encoding", std::string(kEncodings));
  // libcurl reads a header without a value as "send none of your own".
  AddHeader("Expect", "");
  Set(handle(), CURLOPT_HTTPHEADER, sent_headers_.get());
}

void Exchange::SetOptions() {
  Set(handle(), CURLOPT_URL, url_.c_str());
  Set(handle(), CURLOPT_PROTOCOLS_STR, "http,https");
  Set(handle(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  Set(handle(), CURLOPT_PROXY, "");
  Set(handle(), CURLOPT_FOLLOWLOCATION, 0L);
  Set(handle(), CURLOPT_NOSIGNAL, 1L);
  // A name that is being looked up does not hold up Ctrl-C.
  Set(handle(), CURLOPT_QUICK_EXIT, 1L);
  Set(handle(), CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::min<std::chrono::milliseconds>(kConnectLimit, request_.timeout).count()));
  Set(handle(), CURLOPT_TCP_KEEPALIVE, 1L);
  Set(handle(), CURLOPT_ERRORBUFFER, curl_text_);
  Set(handle(), CURLOPT_HEADERFUNCTION, &Exchange::OnHeader);
  Set(handle(), CURLOPT_HEADERDATA, this);
  Set(handle(), CURLOPT_WRITEFUNCTION, &Exchange::OnBody);
  Set(handle(), CURLOPT_WRITEDATA, this);
  Set(handle(), CURLOPT_OPENSOCKETFUNCTION, &Exchange::OnOpenSocket);
  Set(handle(), CURLOPT_OPENSOCKETDATA, this);
  Set(handle(), CURLOPT_PREREQFUNCTION, &Exchange::OnReady);
  Set(handle(), CURLOPT_PREREQDATA, this);
}

void Exchange::SetTrust() {
  Set(handle(), CURLOPT_SSL_VERIFYPEER, 1L);
  Set(handle(), CURLOPT_SSL_VERIFYHOST, 2L);
  Set(handle(), CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The library itself looks at none of these; curl's command and OpenSSL do.
  const char* file = FromEnvironment("CURL_CA_BUNDLE");
  if (file == nullptr) file = FromEnvironment("SSL_CERT_FILE");
  if (file != nullptr) Set(handle(), CURLOPT_CAINFO, file);
  if (const char* folder = FromEnvironment("SSL_CERT_DIR")) Set(handle(), CURLOPT_CAPATH, folder);
}

void Exchange::SetBody() {
  const std::string_view bytes = hop_.has_body ? std::string_view(request_.body->bytes) : std::string_view("");
  Set(handle(), CURLOPT_POST, 1L);
  Set(handle(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(bytes.size()));
  Set(handle(), CURLOPT_POSTFIELDS, bytes.data());
  AddHeader("Content-Type", hop_.has_body ? request_.body->content_type : "");
}

void Exchange::AddOwnHeaders() {
  for (const SecretField& header : request_.credentials.headers) {
    CheckHeader(header.name, header.value.Reveal());
    AddHeader(header.name, header.value.Reveal());
  }
  for (const Header& header : request_.headers) {
    CheckHeader(header.name, header.value);
    AddHeader(header.name, header.value);
  }
}

void Exchange::AddHeader(const std::string& name, const std::string& value) {
  // What stands first wins: the project may name its own User-Agent.
  for (const curl_slist* sent = sent_headers_.get(); sent != nullptr; sent = sent->next)
    if (ToLower(std::string_view(sent->data).substr(0, name.size() + 1)) == ToLower(name) + ":") return;
  curl_slist* longer = curl_slist_append(sent_headers_.get(), fmt::format("{}: {}", name, value).c_str());
  if (longer == nullptr) throw Error(kInternal, "LEAT9905", "libcurl has no memory for a header");
  static_cast<void>(sent_headers_.release());
  sent_headers_.reset(longer);
}

template <typename Work>
bool Exchange::Guarded(Work work) noexcept {
  try {
    work();
    return true;
  } catch (...) {
    fault_ = std::current_exception();
    return false;
  }
}

size_t Exchange::OnHeader(char* bytes, size_t size, size_t count, void* self) {
  auto* exchange = static_cast<Exchange*>(self);
  const bool is_taken = exchange->Guarded([&] { exchange->TakeHeader({bytes, size * count}); });
  return is_taken ? size * count : 0;
}

size_t Exchange::OnBody(char* bytes, size_t size, size_t count, void* self) {
  auto* exchange = static_cast<Exchange*>(self);
  const bool is_taken = exchange->Guarded([&] { exchange->TakeBody({bytes, size * count}); });
  // Any other number than that of the bytes makes libcurl stop; for an empty piece 0 would not.
  return is_taken ? size * count : CURL_WRITEFUNC_ERROR;
}

void Exchange::TakeHeader(std::string_view line) {
  if (unpacker_) return;  // trailers
  if (line.starts_with("HTTP/")) {
    headers_.clear();  // those of an interim answer such as 103
    headers_ended_ = false;
    return;
  }
  if (Trim(line).empty()) headers_ended_ = true;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  headers_.push_back({std::string(line.substr(0, colon)), std::string(Trim(line.substr(colon + 1)))});
}

void Exchange::TakeBody(std::string_view bytes) {
  if (!unpacker_) unpacker_.emplace(FindHeader(headers_, "content-encoding").value_or(""), request_.bytes_max, where_);
  last_piece_ = std::chrono::steady_clock::now();
  unpacker_->Feed(bytes);
}

bool Exchange::IsAllowed(const std::string& address, const std::string& why) {
  const std::string& host = hop_.url.origin().host;
  if (why.empty() || request_.allowed_hosts.contains(host)) return true;
  refused_address_ = NotPublic(where_, host, address, why);
  return false;
}

curl_socket_t Exchange::OnOpenSocket(void* self, curlsocktype, curl_sockaddr* address) {
  auto* exchange = static_cast<Exchange*>(self);
  bool is_allowed = false;
  exchange->Guarded(
      [&] { is_allowed = exchange->IsAllowed(AddressText(&address->addr), WhyNotPublic(&address->addr)); });
  if (!is_allowed) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// A connection that another request opened is used again without asking OnOpenSocket, and that one may have had other
/// allowed hosts.
int Exchange::OnReady(void* self, char* address, char*, int, int) {
  auto* exchange = static_cast<Exchange*>(self);
  bool is_allowed = false;
  exchange->Guarded([&] { is_allowed = exchange->IsAllowed(address, WhyNotPublic(std::string(address))); });
  return is_allowed ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

void Exchange::End(CURLcode code) {
  if (fault_) std::rethrow_exception(fault_);
  if (code != CURLE_OK) {
    if (refused_address_ && (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK))
      throw *refused_address_;
    long os_errno = 0;
    curl_easy_getinfo(handle(), CURLINFO_OS_ERRNO, &os_errno);
    throw TransferFault(where_, code, os_errno, curl_text_, received_bytes());
  }
  // libcurl takes a connection that is closed in the middle of the headers for an answer without a body.
  if (!headers_ended_) throw BrokenOff(where_, "it ends in the middle of its headers", 0);
  CheckLength();
  if (unpacker_) unpacker_->Finish();
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  status_ = static_cast<int>(status);
}

/// RFC 9112 §6.3: a length that is none, or two that differ, leave open where the answer ends; libcurl takes the last
/// number that it can read.
void Exchange::CheckLength() const {
  std::optional<std::string> length;
  for (const Header& header : headers_) {
    if (ToLower(header.name) != "content-length") continue;
    const bool is_number = header.value.find_first_not_of("0123456789") == std::string::npos;
    if (!is_number || header.value.empty() || header.value != length.value_or(header.value))
      throw BrokenOff(where_, "it has no certain Content-Length", received_bytes());
    length = header.value;
  }
}

void Exchange::CheckStall() const {
  if (unpacker_ && std::chrono::steady_clock::now() - last_piece_ > request_.stall)
    throw Stalled(where_, request_.stall, received_bytes());
}

Response Exchange::TakeResponse() {
  Response response{.status = status_, .headers = std::move(headers_), .url = hop_.url};
  if (unpacker_) {
    response.body = std::move(unpacker_->body());
    response.gzip = std::move(unpacker_->gzip());
  }
  return response;
}

}  // namespace leat::http
