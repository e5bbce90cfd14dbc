#include "clients/postgres/connection.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <future>
#include <thread>
#include <utility>

#include "clients/postgres/faults.h"
#include "clients/postgres/log_in.h"

namespace leat::postgres {
namespace {

using namespace std::chrono_literals;

constexpr auto kConnectLimit = 10s;
constexpr auto kPollSlice = 50ms;
constexpr auto kCancelLimit = 150ms;

// One round trip. Sent after the log-in and not as start-up options, which poolers refuse.
constexpr const char* kSession =
    "SET search_path = pg_catalog; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = postgres; "
    "SET lc_monetary = 'C'; SET extra_float_digits = 1; SET bytea_output = hex; SET standard_conforming_strings = on; "
    "SET lock_timeout = '10s'; SET statement_timeout = '60s'; SET idle_in_transaction_session_timeout = 0; "
    "SET row_security = off";

std::string Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

bool IsError(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

}  // namespace

ServerError::ServerError(ErrorKind kind, std::string_view code, std::string message, std::string sqlstate)
    : Error(kind, code, std::move(message)), sqlstate_(std::move(sqlstate)) {}

int64_t Rows::affected() const {
  const char* text = PQcmdTuples(result_.get());
  return *text == '\0' ? 0 : std::stoll(text);
}

Connection::Connection(const Options& options, const CancelFlag* cancel)
    : options_(options), cancel_(cancel), connection_(nullptr, &PQfinish) {
  Start(options_.sslmode);
  if (MustVerify(options_, handle())) Start("verify-full");
  Establish();
  PQsetNoticeProcessor(
      handle(), [](void*, const char*) {}, nullptr);
  PQsetnonblocking(handle(), 1);
  Execute(kSession);
}

void Connection::Start(const std::string& sslmode) {
  Keywords keywords(options_, sslmode);
  connection_.reset(keywords.Start());
  if (connection_ == nullptr) throw Error(kInternal, "LEAT9905", "libpq has no memory for a connection");
  if (PQstatus(handle()) == CONNECTION_BAD) ThrowUnconnected(PQerrorMessage(handle()));
}

void Connection::Establish() {
  const auto deadline = std::chrono::steady_clock::now() + kConnectLimit;
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) ThrowUnconnected(PQerrorMessage(handle()));
    if (cancel_ != nullptr) cancel_->Check();
    const short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!Poll(events, kPollSlice)) {
      if (std::chrono::steady_clock::now() > deadline) ThrowUnconnected("no answer within 10 s");
      continue;
    }
    status = PQconnectPoll(handle());
  }
}

void Connection::ThrowUnconnected(std::string_view reason) {
  const Endpoint endpoint = EndpointOf(options_, handle());
  if (PQconnectionNeedsPassword(handle()) != 0) throw NoPassword(endpoint);
  throw ConnectFault(endpoint, reason);
}

bool Connection::Poll(short events, std::chrono::milliseconds limit) {
  pollfd wait{.fd = PQsocket(handle()), .events = events, .revents = 0};
  const int ready = poll(&wait, 1, static_cast<int>(limit.count()));
  if (ready < 0 && errno != EINTR) throw Error(kInternal, "LEAT9905", fmt::format("poll: {}", std::strerror(errno)));
  return ready > 0;
}

bool Connection::PollReadable() {
  if (PQsocket(handle()) < 0) ThrowLost();
  const bool ready = Poll(POLLIN, kPollSlice);
  if (cancel_ != nullptr && cancel_->is_set()) {
    RequestCancel();
    throw Cancelled{};
  }
  return ready;
}

void Connection::WaitReadable() {
  while (!PollReadable()) {
  }
}

void Connection::Flush() {
  while (true) {
    const int rest = PQflush(handle());
    if (rest < 0) ThrowLost();
    if (rest == 0) return;
    // Both sides may be waiting for the other to read: take in what there is before writing on.
    if (cancel_ != nullptr) cancel_->Check();
    if (Poll(POLLIN | POLLOUT, kPollSlice) && PQconsumeInput(handle()) == 0) ThrowLost();
  }
}

void Connection::Send(const std::string& sql) {
  if (cancel_ != nullptr) cancel_->Check();
  if (PQsendQuery(handle(), sql.c_str()) == 0) ThrowLost();
  Flush();
}

PGresult* Connection::NextResult() {
  while (PQisBusy(handle()) != 0) {
    WaitReadable();
    if (PQconsumeInput(handle()) == 0) ThrowLost();
  }
  return PQgetResult(handle());
}

Rows Connection::Query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters) {
  if (cancel_ != nullptr) cancel_->Check();
  if (parameters.empty()) {
    Send(sql);
  } else {
    std::vector<const char*> values;
    for (const auto& parameter : parameters) values.push_back(parameter ? parameter->c_str() : nullptr);
    if (PQsendQueryParams(handle(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(), nullptr,
                          nullptr, 0) == 0)
      ThrowLost();
    Flush();
  }
  Rows rows(nullptr);
  Rows fault(nullptr);
  bool failed = false;
  while (PGresult* result = NextResult()) {
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      PQclear(result);
      throw Error(kInternal, "LEAT9905", "a COPY was sent as a query");
    }
    // Read to the end even after a refusal, so that the connection can be used again.
    if (IsError(result) && !failed) {
      failed = true;
      fault = Rows(result);
    } else {
      rows = Rows(result);
    }
  }
  if (failed) ThrowRefused(fault.handle());
  return rows;
}

void Connection::RequestCancel() noexcept {
  PGcancel* request = PQgetCancel(handle());
  if (request == nullptr) return;
  try {
    // PQcancel connects without a time limit, so a dead network must not make us wait for it.
    std::promise<void> promise;
    std::future<void> taken = promise.get_future();
    std::thread([request, done = std::move(promise)]() mutable {
      char reason[256];
      PQcancel(request, reason, sizeof reason);
      PQfreeCancel(request);
      done.set_value();
    }).detach();
    taken.wait_for(kCancelLimit);
  } catch (...) {
    PQfreeCancel(request);
  }
}

void Connection::ThrowLost() { throw ConnectionLost(options_.name, options_.place, PQerrorMessage(handle())); }

void Connection::ThrowRefused(const PGresult* result) {
  const std::string sqlstate = Field(result, PG_DIAG_SQLSTATE);
  // First, because the server's own reason says more than that its socket is closed.
  if (EndsSession(sqlstate))
    throw ConnectionLost(options_.name, options_.place, Field(result, PG_DIAG_MESSAGE_PRIMARY));
  if (PQstatus(handle()) == CONNECTION_BAD || sqlstate.empty()) ThrowLost();
  throw Refusal(options_.name, {.sqlstate = sqlstate,
                                .message = Field(result, PG_DIAG_MESSAGE_PRIMARY),
                                .detail = Field(result, PG_DIAG_MESSAGE_DETAIL),
                                .hint = Field(result, PG_DIAG_MESSAGE_HINT),
                                .context = Field(result, PG_DIAG_CONTEXT)});
}

}  // namespace leat::postgres
