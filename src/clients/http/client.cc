#include "clients/http/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <utility>

#include "clients/http/exchange.h"
#include "clients/http/faults.h"
#include "clients/http/hop.h"
#include "core/error.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

constexpr auto kPollSlice = 50ms;

void InitializeCurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) throw Error(kInternal, "LEAT9905", fmt::format("libcurl: {}", curl_easy_strerror(code)));
}

CURLM* NewMulti() {
  InitializeCurl();
  CURLM* multi = curl_multi_init();
  if (multi == nullptr) throw Error(kInternal, "LEAT9905", "libcurl has no memory for connections");
  return multi;
}

void CheckMulti(CURLMcode code) {
  if (code != CURLM_OK) throw Error(kInternal, "LEAT9905", fmt::format("libcurl: {}", curl_multi_strerror(code)));
}

/// A handle in its multi handle; taken out again at the end, which closes a connection that is in the middle of
/// something.
class Running {
 public:
  Running(CURLM* multi, CURL* handle) : multi_(multi), handle_(handle) {
    CheckMulti(curl_multi_add_handle(multi_, handle_));
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { curl_multi_remove_handle(multi_, handle_); }

  /// Do what can be done now. Returns how the transfer ended, if it did.
  std::optional<CURLcode> Step() {
    int running = 0, queued = 0;
    CheckMulti(curl_multi_perform(multi_, &running));
    const CURLMsg* message = curl_multi_info_read(multi_, &queued);
    if (message == nullptr || message->msg != CURLMSG_DONE) return std::nullopt;
    return message->data.result;
  }

  void Wait() {
    CheckMulti(curl_multi_poll(multi_, nullptr, 0, std::chrono::milliseconds(kPollSlice).count(), nullptr));
  }

 private:
  CURLM* multi_;
  CURL* handle_;
};

}  // namespace

class Client::Connections {
 public:
  /// Do one hop, until `deadline`.
  void Perform(Exchange& exchange, const Hop& hop, const Request& request, SteadyClock::time_point deadline,
               const CancelFlag* cancel) {
    Running running(multi_.get(), exchange.handle());
    while (true) {
      if (const auto code = running.Step()) return exchange.End(*code);
      if (cancel != nullptr) cancel->Check();
      if (SteadyClock::now() > deadline)
        throw TooSlow(hop.url.ForMessages(), request.timeout, exchange.received_bytes());
      exchange.CheckStall();
      running.Wait();
    }
  }

 private:
  std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)> multi_{NewMulti(), &curl_multi_cleanup};
};

Client::Client() : connections_(std::make_unique<Connections>()) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Response Client::Send(const Request& request, const CancelFlag* cancel) {
  const auto start = SteadyClock::now();
  Hop hop = FirstHop(request);
  while (true) {
    Exchange exchange(request, hop);
    connections_->Perform(exchange, hop, request, start + request.timeout, cancel);
    std::optional<Hop> next = NextHop(request, hop, exchange.status(), exchange.headers());
    if (next) {
      hop = std::move(*next);
      continue;
    }
    Response response = exchange.TakeResponse();
    response.received = SystemClock().Now();
    response.duration = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - start);
    return response;
  }
}

}  // namespace leat::http
