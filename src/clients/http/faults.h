#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace leat::http {

// What went wrong with a request. `where` is Url::ForMessages().

/// LEAT0320: nobody answers there.
Error Unreachable(const std::string& where, std::string_view reason);
/// LEAT0321: no connection that can be trusted.
Error Untrusted(const std::string& where, std::string_view reason);
/// LEAT0322: the whole answer took longer than it may.
Error TooSlow(const std::string& where, std::chrono::milliseconds limit, int64_t received_bytes);
/// LEAT0322: the answer began and then fell silent.
Error Stalled(const std::string& where, std::chrono::milliseconds silence, int64_t received_bytes);
/// LEAT0323: an address that no API of the internet has.
/// \param why  what WhyNotPublic says
Error NotPublic(const std::string& where, const std::string& host, const std::string& address, const std::string& why);
/// LEAT0325: the answer ended too early or is no HTTP.
Error BrokenOff(const std::string& where, std::string_view reason, int64_t received_bytes);

/// Turn what libcurl says of a transfer into one of the above.
/// \param code      a CURLcode other than CURLE_OK
/// \param os_errno  CURLINFO_OS_ERRNO; 0: none
Error TransferFault(const std::string& where, int code, long os_errno, std::string_view curl_text,
                    int64_t received_bytes);

}  // namespace leat::http
