#pragma once

#include <curl/curl.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "clients/http/hop.h"
#include "clients/http/message.h"
#include "clients/http/unpack.h"
#include "core/error.h"

namespace leat::http {

/// One request of one hop on its way through libcurl, and what has come of it. It stays where it is: libcurl keeps its
/// address.
class Exchange {
 public:
  /// Throws: Error(kConfig, LEAT0328) for a method or header that cannot be sent.
  Exchange(const Request& request, const Hop& hop);
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  CURL* handle() const { return handle_.get(); }

  /// Say how libcurl ended the transfer. Throws: what went wrong.
  void End(CURLcode code);
  /// Throws: Error(kConnection, LEAT0322) if the body has begun and nothing came for `Request::stall`.
  void CheckStall() const;

  int64_t received_bytes() const { return unpacker_ ? unpacker_->received_bytes() : 0; }
  int status() const { return status_; }
  const Headers& headers() const { return headers_; }
  /// The answer, after End; to be called once.
  Response TakeResponse();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  static size_t OnHeader(char* bytes, size_t size, size_t count, void* self);
  static size_t OnBody(char* bytes, size_t size, size_t count, void* self);
  static curl_socket_t OnOpenSocket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnReady(void* self, char* address, char* local_address, int port, int local_port);

  void SetOptions();
  void SetTrust();
  void SetBody();
  void AddOwnHeaders();
  /// Unless one of that name was added before.
  void AddHeader(const std::string& name, const std::string& value);
  void TakeHeader(std::string_view line);
  void TakeBody(std::string_view bytes);
  void CheckLength() const;
  bool IsAllowed(const std::string& address, const std::string& why);
  /// Run a piece of a callback; what it throws waits for End, since nothing may unwind through libcurl.
  template <typename Work>
  bool Guarded(Work work) noexcept;

  const Request& request_;
  const Hop& hop_;
  const std::string where_;
  const std::string url_;  ///< with credentials
  std::unique_ptr<CURL, void (*)(CURL*)> handle_;
  std::unique_ptr<curl_slist, void (*)(curl_slist*)> sent_headers_;
  char curl_text_[CURL_ERROR_SIZE] = "";

  int status_ = 0;
  Headers headers_;
  bool headers_ended_ = false;
  std::optional<Unpacker> unpacker_;  ///< once the body has begun
  SteadyTime last_piece_;
  std::exception_ptr fault_;
  std::optional<Error> refused_address_;
};

}  // namespace leat::http
