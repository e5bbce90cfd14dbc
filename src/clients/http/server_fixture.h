#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "clients/http/message.h"
#include "core/text.h"

namespace leat::http {

/// What a client sent.
struct Received {
  std::string method;
  std::string target;
  Headers headers;
  std::string body;

  std::string Header(std::string_view name) const { return std::string(FindHeader(headers, name).value_or("(none)")); }
  /// Everything that crossed the wire, to look for what must not be there.
  std::string All() const {
    std::string all = method + " " + target + "\n";
    for (const http::Header& header : headers) all += header.name + ": " + header.value + "\n";
    return all + body;
  }
};

/// What a server does about it.
struct Reply {
  enum class Then { kNextRequest, kClose, kSilence };
  std::string bytes;  ///< as they go over the wire
  Then then = Then::kNextRequest;
};

/// A whole answer with its length. \param headers  lines with \r\n
inline Reply Answered(int status, std::string_view body, std::string_view headers = "") {
  return {.bytes =
              fmt::format("HTTP/1.1 {} Told\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body)};
}
inline Reply RedirectedTo(int status, std::string_view location) {
  return Answered(status, "", fmt::format("Location: {}\r\n", location));
}

/// A server on a free port of 127.0.0.1 that does what it is told, right or wrong. Each connection has a thread.
class Server {
 public:
  using Handler = std::function<Reply(const Received&)>;

  explicit Server(Handler handler) : handler_(std::move(handler)), listening_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t size = sizeof address;
    bind(listening_, reinterpret_cast<sockaddr*>(&address), size);
    listen(listening_, 64);
    getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { Accept(); });
  }

  ~Server() {
    shutdown(listening_, SHUT_RDWR);
    accepting_.join();
    close(listening_);
    for (Connection& connection : connections_) {
      shutdown(connection.socket, SHUT_RDWR);
      connection.thread.join();
      close(connection.socket);
    }
  }

  int port() const { return port_; }
  std::string Base() const { return fmt::format("http://127.0.0.1:{}", port_); }
  std::vector<Received> received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  size_t connection_count() {
    const std::lock_guard lock(mutex_);
    return connections_.size();
  }

 private:
  struct Connection {
    int socket;
    std::thread thread;
  };

  void Accept() {
    while (true) {
      const int client = accept(listening_, nullptr, nullptr);
      if (client < 0) return;
      const std::lock_guard lock(mutex_);
      connections_.push_back({.socket = client, .thread = {}});
      connections_.back().thread = std::thread([this, client] { Serve(client); });
    }
  }

  void Serve(int client) {
    std::string buffer;
    Received request;
    while (ReadRequest(client, buffer, request)) {
      {
        const std::lock_guard lock(mutex_);
        received_.push_back(request);
      }
      const Reply reply = handler_(request);
      send(client, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
      if (reply.then == Reply::Then::kSilence) WaitForClose(client);
      if (reply.then != Reply::Then::kNextRequest) break;
    }
    shutdown(client, SHUT_RDWR);
  }

  static bool ReadMore(int client, std::string& buffer) {
    char piece[65536];
    const ssize_t count = recv(client, piece, sizeof piece, 0);
    if (count <= 0) return false;
    buffer.append(piece, static_cast<size_t>(count));
    return true;
  }

  static void WaitForClose(int client) {
    std::string ignored;
    while (ReadMore(client, ignored)) {
    }
  }

  static bool ReadRequest(int client, std::string& buffer, Received& request) {
    size_t end;
    while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
      if (!ReadMore(client, buffer)) return false;
    request = {};
    std::vector<std::string> lines = Split(buffer.substr(0, end), '\n');
    const std::vector<std::string> first = Split(Trim(lines.front()), ' ');
    request.method = first.at(0);
    request.target = first.at(1);
    for (size_t i = 1; i < lines.size(); ++i) {
      const size_t colon = lines[i].find(':');
      request.headers.push_back({lines[i].substr(0, colon), std::string(Trim(lines[i].substr(colon + 1)))});
    }
    const auto length = FindHeader(request.headers, "content-length");
    const size_t body_bytes = length ? std::stoul(std::string(*length)) : 0;
    while (buffer.size() < end + 4 + body_bytes)
      if (!ReadMore(client, buffer)) return false;
    request.body = buffer.substr(end + 4, body_bytes);
    buffer.erase(0, end + 4 + body_bytes);
    return true;
  }

  Handler handler_;
  int listening_;
  int port_ = 0;
  std::thread accepting_;
  std::mutex mutex_;
  std::list<Connection> connections_;
  std::vector<Received> received_;
};

}  // namespace leat::http
