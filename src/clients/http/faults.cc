#include "clients/http/faults.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cstring>

#include "core/clock.h"
#include "core/text.h"

namespace leat::http {
namespace {

std::string SoFar(int64_t bytes) {
  return bytes == 0 ? std::string("nothing of it had come") : fmt::format("{} of it had come", FormatBytes(bytes));
}

bool IsAboutTrust(int code) {
  switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return true;
    default:
      return false;
  }
}

bool IsAboutReaching(int code) {
  return code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT;
}

}  // namespace

Error Unreachable(const std::string& where, std::string_view reason) {
  return Error(kConnection, "LEAT0320", fmt::format("cannot reach {}: {}", where, reason))
      .Hint("check the address, and that this machine may reach it without a proxy");
}

Error Untrusted(const std::string& where, std::string_view reason) {
  return Error(kConnection, "LEAT0321", fmt::format("no trusted connection to {}: {}", where, reason))
      .Hint("a private authority is named by SSL_CERT_FILE=<file.pem>");
}

Error TooSlow(const std::string& where, std::chrono::milliseconds limit, int64_t received_bytes) {
  return Error(kConnection, "LEAT0322",
               fmt::format("{}: no whole answer within {}; {}", where, FormatDuration(limit), SoFar(received_bytes)))
      .Hint("allow more with `timeout`, or ask for fewer records in one page");
}

Error Stalled(const std::string& where, std::chrono::milliseconds silence, int64_t received_bytes) {
  return Error(
      kConnection, "LEAT0322",
      fmt::format("{}: the answer stood still for {}; {}", where, FormatDuration(silence), SoFar(received_bytes)));
}

Error NotPublic(const std::string& where, const std::string& host, const std::string& address, const std::string& why) {
  return Error(kConfig, "LEAT0323",
               fmt::format("{}: {} has the address {}, which belongs to {}", where, host, address, why))
      .Hint("if it is meant, name this host in `base_url` or `token_url`");
}

Error BrokenOff(const std::string& where, std::string_view reason, int64_t received_bytes) {
  return Error(kConnection, "LEAT0325",
               fmt::format("{}: the answer is broken: {}; {}", where, reason, SoFar(received_bytes)));
}

Error TransferFault(const std::string& where, int code, long os_errno, std::string_view curl_text,
                    int64_t received_bytes) {
  const std::string reason(curl_text.empty() ? curl_easy_strerror(static_cast<CURLcode>(code)) : Trim(curl_text));
  const std::string system = os_errno != 0 ? std::strerror(static_cast<int>(os_errno)) : "";
  if (code == CURLE_COULDNT_CONNECT && !system.empty()) return Unreachable(where, system);
  if (IsAboutReaching(code)) return Unreachable(where, reason);
  // A connection that was cut while keys were exchanged says nothing about trust.
  if (code == CURLE_SSL_CONNECT_ERROR && os_errno != 0) return Unreachable(where, system);
  if (IsAboutTrust(code)) return Untrusted(where, reason);
  if (code == CURLE_OUT_OF_MEMORY) return Error(kInternal, "LEAT9905", "libcurl has no memory");
  return BrokenOff(where, reason, received_bytes);
}

}  // namespace leat::http
