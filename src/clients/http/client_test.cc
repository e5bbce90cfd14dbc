#include "clients/http/client.h"

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "clients/http/authenticate.h"
#include "clients/http/faults.h"
#include "clients/http/packed_fixture.h"
#include "clients/http/server_fixture.h"
#include "core/error.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// A request that may go to the servers of these tests.
Request To(const std::string& url) { return {.url = Url::Parse(url), .timeout = 20s, .allowed_hosts = {"127.0.0.1"}}; }

Request WithCanaries(Request request) {
  request.headers = {{"X-Project", "canary-1"}};
  request.credentials = {.headers = {{"Authorization", Secret("Bearer canary-2")}, {"X-Api-Key", Secret("canary-3")}},
                         .parameters = {{"key", Secret("canary-4")}}};
  return request;
}

template <typename Work>
std::string FaultIn(Work work) {
  try {
    work();
    return "no fault";
  } catch (const Error& error) {
    return error.code() + " " + error.message();
  }
}

class ClientTest : public testing::Test {
 protected:
  std::string FaultOf(const Request& request) {
    return FaultIn([&] { client.Send(request); });
  }
  /// What comes of a server that answers every request so.
  std::string FaultOf(const Reply& reply) {
    Server server([&](const Received&) { return reply; });
    Request request = To(server.Base() + "/x?secret=s3cret");
    request.stall = 150ms;
    const std::string fault = FaultOf(request);
    EXPECT_THAT(fault, Not(HasSubstr("s3cret")));
    return fault;
  }

  Client client;
};

TEST_F(ClientTest, BringsTheWholeAnswer) {
  Server server([](const Received&) { return Answered(404, "{\"a\":1}", "X-One: 1\r\nx-one: 2\r\nETag:\"e\"\r\n"); });
  const Response response = client.Send(To(server.Base() + "/items?a=b"));
  EXPECT_EQ(response.status, 404);
  EXPECT_FALSE(response.ok());
  EXPECT_EQ(response.body, "{\"a\":1}");
  EXPECT_EQ(response.gzip, "");
  EXPECT_EQ(FindHeader(response.headers, "X-ONE"), "1");
  EXPECT_EQ(FindHeader(response.headers, "etag"), "\"e\"");
  EXPECT_EQ(response.url.text(), server.Base() + "/items?a=b");
  EXPECT_GT(response.duration, 0us);

  const Received seen = server.received().at(0);
  EXPECT_EQ(seen.target, "/items?a=b");
  EXPECT_EQ(seen.Header("Accept-Encoding"), "gzip, deflate, br");
  EXPECT_THAT(seen.Header("User-Agent"), HasSubstr("leat/"));
}

TEST_F(ClientTest, SendsBodiesAndHeaders) {
  Server server([](const Received&) { return Answered(200, ""); });
  Request request = WithCanaries(To(server.Base() + "/q?key=old&a=1"));
  request.method = "POST";
  request.body = Body{"application/json", std::string(200'000, 'x')};
  client.Send(request);
  const Received seen = server.received().at(0);
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.body, request.body->bytes);
  EXPECT_EQ(seen.Header("Content-Type"), "application/json");
  EXPECT_EQ(seen.Header("X-Project"), "canary-1");
  EXPECT_EQ(seen.Header("Authorization"), "Bearer canary-2");
  EXPECT_EQ(seen.target, "/q?a=1&key=canary-4");
}

TEST_F(ClientTest, UsesAConnectionAgain) {
  Server server([](const Received&) { return Answered(200, "x"); });
  for (int i = 0; i < 5; ++i) client.Send(To(server.Base()));
  EXPECT_EQ(server.received().size(), 5u);
  EXPECT_EQ(server.connection_count(), 1u);
}

TEST_F(ClientTest, UnpacksAndKeepsWhatWasPacked) {
  const std::string packed = Packed("[1,2,3]");
  Server server([&](const Received&) { return Answered(200, packed, "Content-Encoding: gzip\r\n"); });
  const Response response = client.Send(To(server.Base()));
  EXPECT_EQ(response.body, "[1,2,3]");
  EXPECT_EQ(response.gzip, packed);
}

TEST_F(ClientTest, JoinsChunksAndForgetsInterimAnswers) {
  Server server([](const Received&) {
    return Reply{
        "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n"};
  });
  const Response response = client.Send(To(server.Base()));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "abcde");
  EXPECT_EQ(FindHeader(response.headers, "x-early"), std::nullopt);
}

TEST_F(ClientTest, TakesNoShortPageForAWholeOne) {
  using enum Reply::Then;
  const std::string packed = Packed("[1,2,3]");
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", kClose}),
              ContainsRegex("LEAT0325 http://127.0.0.1:[0-9]+/x: the answer is broken: .*; 5 bytes of it had come"));
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", kClose}),
              HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", kClose}), HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed.substr(0, 20), kClose}),
              HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf(Answered(200, "[1,2,3]", "Content-Encoding: gzip\r\n")), HasSubstr("said to be gzip and is not"));
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nContent-Le", kClose}), HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 5\r\n\r\n12345", kClose}),
              HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n12345", kClose}), HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf({"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n12345", kClose}), HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf({"", kClose}), HasSubstr("LEAT0325"));
  EXPECT_THAT(FaultOf({"SSH-2.0-OpenSSH_9\r\n\r\n", kClose}), HasSubstr("LEAT0325"));
}

TEST_F(ClientTest, TellsSilence) {
  using enum Reply::Then;
  EXPECT_THAT(
      FaultOf({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", kSilence}),
      ContainsRegex("LEAT0322 http://127.0.0.1:[0-9]+/x: the answer stood still for 0.1 s; 5 bytes of it had come"));

  Server server([](const Received&) { return Reply{"", kSilence}; });
  Request request = To(server.Base() + "/x");
  request.timeout = 200ms;
  request.stall = 10ms;  // of the body only: a server may think before it answers
  EXPECT_THAT(
      FaultOf(request),
      ContainsRegex("LEAT0322 http://127.0.0.1:[0-9]+/x: no whole answer within 0.2 s; nothing of it had come"));
}

TEST_F(ClientTest, StopsAtOnceWhenCancelled) {
  Server server([](const Received&) { return Reply{"", Reply::Then::kSilence}; });
  CancelFlag cancel;
  std::chrono::steady_clock::time_point wish;
  std::thread stopper([&] {
    while (server.received().empty()) std::this_thread::sleep_for(1ms);
    wish = std::chrono::steady_clock::now();
    cancel.Set();
  });
  EXPECT_THROW(client.Send(To(server.Base()), &cancel), Cancelled);
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - wish, 100ms + 400ms) << "100 ms, and what a busy machine takes";
}

TEST_F(ClientTest, StopsAtTheLimit) {
  Server server([](const Received& request) {
    std::string headers;
    for (int i = 0; i < 20 && request.target == "/headers"; ++i) headers += "X: " + std::string(90'000, 'x') + "\r\n";
    return Answered(200, std::string(2'000'000, 'x'), headers);
  });
  EXPECT_THAT(FaultOf(To(server.Base() + "/headers")), HasSubstr("LEAT0325")) << "libcurl's own limit";
  Request request = To(server.Base() + "/x");
  request.bytes_max = 1'000'000;
  EXPECT_THAT(FaultOf(request), ContainsRegex("LEAT0324 .*/x: the answer is larger than 1.0 MB"));
  request.bytes_max = 2'000'000;
  EXPECT_EQ(client.Send(request).body.size(), 2'000'000u);
}

TEST_F(ClientTest, LeavesCredentialsBehindAndNeverTakesThemUpAgain) {
  std::string away, back;
  Server home([&](const Received& request) {
    return request.target.starts_with("/back") ? Answered(200, "ok") : RedirectedTo(302, away);
  });
  Server other([&](const Received&) { return RedirectedTo(302, back); });
  away = other.Base() + "/away?key=canary-4";
  back = home.Base() + "/back";

  const Response response = client.Send(WithCanaries(To(home.Base() + "/start")));
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.url.text(), back);
  ASSERT_EQ(home.received().size(), 2u);
  ASSERT_EQ(other.received().size(), 1u);
  for (const char* canary : {"canary-1", "canary-2", "canary-3", "canary-4"})
    EXPECT_THAT(home.received()[0].All(), HasSubstr(canary));
  EXPECT_THAT(other.received()[0].All(), Not(HasSubstr("canary")));
  EXPECT_THAT(home.received()[1].All(), Not(HasSubstr("canary")));
}

TEST_F(ClientTest, TakesCredentialsAlongAtHome) {
  Server server([](const Received& request) {
    return request.target.starts_with("/new") ? Answered(200, "ok") : RedirectedTo(301, "/new?key=canary-4&a=1");
  });
  const Response response = client.Send(WithCanaries(To(server.Base() + "/old")));
  EXPECT_EQ(response.url.text(), server.Base() + "/new?a=1");
  const Received seen = server.received().at(1);
  EXPECT_EQ(seen.target, "/new?a=1&key=canary-4");
  EXPECT_EQ(seen.Header("Authorization"), "Bearer canary-2");
}

TEST_F(ClientTest, ChangesThePostAsBrowsersDo) {
  int status = 0;
  Server server([&](const Received& request) {
    return request.target == "/new" ? Answered(200, "ok") : RedirectedTo(status, "/new");
  });
  for (status = 302; status <= 307; status += 5) {
    Request request = To(server.Base() + "/old");
    request.method = "POST";
    request.body = Body{"text/plain", "question"};
    client.Send(request);
  }
  const std::vector<Received> seen = server.received();
  EXPECT_EQ(seen.at(1).method + seen.at(1).body + seen.at(1).Header("Content-Type"), "GET(none)");
  EXPECT_EQ(seen.at(3).method + seen.at(3).body + seen.at(3).Header("Content-Type"), "POSTquestiontext/plain");
}

TEST_F(ClientTest, StopsGoingRound) {
  Server server([](const Received& request) { return RedirectedTo(302, request.target + "x"); });
  EXPECT_THAT(FaultOf(To(server.Base() + "/")), ContainsRegex("LEAT0326 .*/xxxxx redirects more than 5 times"));
  EXPECT_EQ(server.received().size(), 6u);
}

TEST_F(ClientTest, AsksNoMachineThatTheProjectDoesNotName) {
  Server server([](const Received&) { return Answered(200, "secret of the metadata service"); });
  Request request = To(server.Base() + "/x");
  request.allowed_hosts = {};
  EXPECT_EQ(FaultOf(request), fmt::format("LEAT0323 {}/x: 127.0.0.1 has the address 127.0.0.1, which belongs to this "
                                          "machine",
                                          server.Base()));
  for (const char* host : {"localhost", "[::ffff:127.0.0.1]"})
    EXPECT_THAT(FaultOf(To(fmt::format("http://{}:{}/x", host, server.port()))), HasSubstr("LEAT0323")) << host;
  EXPECT_EQ(server.connection_count(), 0u);
}

TEST_F(ClientTest, ChecksTheAddressOfEachHop) {
  Server inner([](const Received&) { return Answered(200, "inner"); });
  Server outer([&](const Received&) { return RedirectedTo(302, fmt::format("http://localhost:{}/in", inner.port())); });
  EXPECT_THAT(FaultOf(To(outer.Base())),
              ContainsRegex("LEAT0323 http://localhost:[0-9]+/in: localhost has the address "));
  EXPECT_EQ(inner.connection_count(), 0u);

  Request both = To(outer.Base());
  both.allowed_hosts.insert("localhost");
  EXPECT_EQ(client.Send(both).body, "inner");
}

TEST_F(ClientTest, ChecksTheAddressOfAConnectionThatIsUsedAgain) {
  Server server([](const Received&) { return Answered(200, "x"); });
  client.Send(To(server.Base()));
  Request request = To(server.Base());
  request.allowed_hosts = {};
  EXPECT_THAT(FaultOf(request), HasSubstr("LEAT0323"));
  EXPECT_EQ(server.received().size(), 1u);
}

TEST_F(ClientTest, TellsThatNobodyAnswers) {
  int port;
  {
    Server gone([](const Received&) { return Answered(200, ""); });
    port = gone.port();
  }
  EXPECT_EQ(FaultOf(To(fmt::format("http://127.0.0.1:{}/x?k=v", port))),
            fmt::format("LEAT0320 cannot reach http://127.0.0.1:{}/x: Connection refused", port));
}

TEST_F(ClientTest, DoesNotUseTheProxyOfTheEnvironment) {
  Server server([](const Received&) { return Answered(200, "direct"); });
  Server proxy([](const Received&) { return Answered(200, "proxy"); });
  setenv("http_proxy", proxy.Base().c_str(), 1);
  setenv("ALL_PROXY", proxy.Base().c_str(), 1);
  EXPECT_EQ(client.Send(To(server.Base())).body, "direct");
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}

TEST_F(ClientTest, SendsNoRequestThatIsAnotherThanItSeems) {
  Server server([](const Received&) { return Answered(200, ""); });
  const auto with = [&](Header header) {
    Request request = To(server.Base());
    request.headers = {std::move(header)};
    return FaultOf(request);
  };
  EXPECT_EQ(with({"X-A", "1\r\nX-B: 2"}), "LEAT0328 the value of header 'X-A' holds a line break or NUL");
  EXPECT_EQ(with({"X A", "1"}), "LEAT0328 'X%20A' cannot be sent as a header");
  EXPECT_EQ(with({"host", "b.example"}), "LEAT0328 'host' cannot be sent as a header");
  EXPECT_EQ(with({"Content-Length", "0"}), "LEAT0328 'Content-Length' cannot be sent as a header");
  Request request = WithCanaries(To(server.Base()));
  request.credentials.headers[0].value = Secret("s3cret\nX: y");
  EXPECT_EQ(FaultOf(request), "LEAT0328 the value of header 'Authorization' holds a line break or NUL");
  request = To(server.Base());
  request.method = "DELETE";
  EXPECT_EQ(FaultOf(request), "LEAT0328 method 'DELETE' cannot be sent; expected GET or POST");
  EXPECT_EQ(server.received().size(), 0u);
}

TEST_F(ClientTest, SaysWhatALostConnectionAndABadCertificateAre) {
  const auto told = [](CURLcode code, long os_errno, std::string_view text) {
    const Error error = TransferFault("https://a.example/x", code, os_errno, text, 0);
    return error.code() + " " + error.message();
  };
  EXPECT_EQ(told(CURLE_COULDNT_RESOLVE_HOST, 0, "Could not resolve host: a.example"),
            "LEAT0320 cannot reach https://a.example/x: Could not resolve host: a.example");
  EXPECT_EQ(told(CURLE_PEER_FAILED_VERIFICATION, 0, "SSL certificate problem: certificate has expired"),
            "LEAT0321 no trusted connection to https://a.example/x: SSL certificate problem: certificate has expired");
  EXPECT_EQ(told(CURLE_SSL_CONNECT_ERROR, ECONNRESET, "OpenSSL SSL_connect: Connection reset by peer"),
            "LEAT0320 cannot reach https://a.example/x: Connection reset by peer");
  EXPECT_EQ(
      told(CURLE_HTTP2_STREAM, 0, "stream 1 was not closed cleanly"),
      "LEAT0325 https://a.example/x: the answer is broken: stream 1 was not closed cleanly; nothing of it had come");
}

}  // namespace
}  // namespace leat::http
