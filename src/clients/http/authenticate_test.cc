#include "clients/http/authenticate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "clients/http/server_fixture.h"
#include "core/error.h"

namespace leat::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string Told(const Credentials& credentials) {
  std::string told;
  for (const SecretField& header : credentials.headers) told += header.name + ": " + header.value.Reveal();
  for (const SecretField& parameter : credentials.parameters)
    told += "?" + parameter.name + "=" + parameter.value.Reveal();
  return told;
}

TEST(AuthenticateTest, MakesCredentials) {
  // RFC 7617 §2, and RFC 4648 §10 for what is left over.
  EXPECT_EQ(Told(BasicCredentials(Secret("Aladdin"), Secret("open sesame"))),
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(Told(BasicCredentials(Secret("key"), Secret())), "Authorization: Basic a2V5Og==");
  EXPECT_EQ(Told(BasicCredentials(Secret("fo"), Secret("ba"))), "Authorization: Basic Zm86YmE=");
  EXPECT_EQ(Told(BasicCredentials(Secret("foo"), Secret("\xff\xfe"))), "Authorization: Basic Zm9vOv/+");
  EXPECT_EQ(Told(BearerCredentials(Secret("t"))), "Authorization: Bearer t");
  EXPECT_EQ(Told(HeaderCredentials("X-Api-Key", Secret("t"))), "X-Api-Key: t");
  EXPECT_EQ(Told(QueryCredentials("api_key", Secret("t"))), "?api_key=t");
  EXPECT_THROW(BasicCredentials(Secret("a:b"), Secret("c")), Error);
}

/// An API, and the server that gives out its tokens: `t1`, `t2`, …
class OAuth2Test : public testing::Test {
 protected:
  OAuth2Test()
      : tokens([this](const Received& request) { return GiveToken(request); }), api([this](const Received& request) {
          if (before_rows) before_rows(request);
          return refused.contains(request.Header("Authorization")) ? Answered(401, "no") : Answered(200, "rows");
        }) {
    Start();
  }

  Reply GiveToken(const Received& request) {
    if (before_token) before_token();
    const bool is_in_form = request.body.find("client_secret=") != std::string::npos;
    if (form_only && !is_in_form) return Answered(401, R"({"error":"invalid_client"})");
    if (token_status != 200) return Answered(token_status, token_body);
    return Answered(
        200, token_body.empty()
                 ? fmt::format(R"({{"access_token":"t{}","expires_in":{},"token_type":"Bearer"}})", ++given, expires_in)
                 : token_body);
  }

  /// One that has no token yet.
  void Start() {
    auth.emplace(OAuth2::Options{.token_url = Url::Parse(tokens.Base() + "/token?tenant=1"),
                                 .client_id = Secret("me & you"),
                                 .client_secret = Secret("s3:cret"),
                                 .scope = "read write",
                                 .allowed_hosts = {"127.0.0.1"}},
                 clock);
  }

  Response Send() {
    Client client;
    return auth->Send(client, {.url = Url::Parse(api.Base() + "/x"), .allowed_hosts = {"127.0.0.1"}});
  }
  std::string UsedToken() { return api.received().back().Header("Authorization"); }
  std::string Fault() {
    try {
      Send();
      return "no fault";
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), Not(HasSubstr("s3")));
      return (error.kind() == kConnection ? "passing " : "final ") + error.code() + " " + error.message();
    }
  }

  FakeClock clock{ParseTimestamp("2026-01-01T00:00:00Z")};
  std::function<void()> before_token;
  std::function<void(const Received&)> before_rows;
  bool form_only = false;
  int token_status = 200;
  std::string token_body;
  std::string expires_in = "3600";
  std::atomic<int> given = 0;
  std::set<std::string> refused;
  Server tokens;
  Server api;
  std::optional<OAuth2> auth;
};

TEST_F(OAuth2Test, AsksForATokenOnceAndKeepsIt) {
  EXPECT_EQ(Send().body, "rows");
  EXPECT_EQ(Send().body, "rows");
  EXPECT_EQ(UsedToken(), "Bearer t1");
  ASSERT_EQ(tokens.received().size(), 1u);
  const Received asked = tokens.received()[0];
  EXPECT_EQ(asked.method + " " + asked.target, "POST /token?tenant=1");
  EXPECT_EQ(asked.body, "grant_type=client_credentials&scope=read%20write");
  EXPECT_EQ(asked.Header("Content-Type"), "application/x-www-form-urlencoded");
  // base64 of "me%20%26%20you:s3%3Acret"
  EXPECT_EQ(asked.Header("Authorization"), "Basic bWUlMjAlMjYlMjB5b3U6czMlM0FjcmV0");
}

TEST_F(OAuth2Test, RenewsATokenShortlyBeforeItExpires) {
  Send();
  clock.Advance(3539s);
  Send();
  EXPECT_EQ(UsedToken(), "Bearer t1");
  clock.Advance(1s);
  Send();
  EXPECT_EQ(UsedToken(), "Bearer t2");
}

TEST_F(OAuth2Test, ReadsOddLifetimes) {
  for (const char* odd : {"null", "0", "-5", "\"soon\"", "[]", "1e300"}) {
    Start();
    expires_in = odd;
    Send();
    clock.Advance(24h);
    const std::string first = UsedToken();
    Send();
    EXPECT_EQ(UsedToken(), first) << odd << ": good until it is refused";
  }
  Start();
  expires_in = "\"100\"";
  Send();
  const std::string first = UsedToken();
  clock.Advance(90s);
  Send();
  EXPECT_NE(UsedToken(), first);
}

TEST_F(OAuth2Test, RenewsARefusedTokenOnce) {
  refused = {"Bearer t1"};
  EXPECT_EQ(Send().body, "rows");
  EXPECT_EQ(UsedToken(), "Bearer t2");
  refused = {"Bearer t2", "Bearer t3"};
  EXPECT_EQ(Send().status, 401);
  EXPECT_EQ(given, 3);
}

TEST_F(OAuth2Test, SharesOneTokenAmongThreads) {
  refused = {"Bearer t1"};
  Send();  // t2 is good
  refused = {"Bearer t1", "Bearer t2"};
  std::vector<std::thread> threads;
  std::atomic<int> rows = 0;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { rows += Send().body == "rows"; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rows, 8);
  EXPECT_EQ(given, 3);
}

TEST_F(OAuth2Test, KeepsATokenThatIsNewerThanTheRefusedOne) {
  refused = {"Bearer t1"};
  std::atomic<int> old_uses = 0;
  std::atomic<bool> is_renewed = false;
  before_rows = [&](const Received& request) {
    if (request.Header("Authorization") == "Bearer t2") is_renewed = true;
    if (request.Header("Authorization") == "Bearer t1" && ++old_uses == 1)
      while (!is_renewed) std::this_thread::yield();
  };
  std::thread late([&] { Send(); });
  while (old_uses == 0) std::this_thread::yield();
  Send();
  late.join();
  EXPECT_EQ(old_uses, 2);
  EXPECT_EQ(given, 2);
}

TEST_F(OAuth2Test, DoesNotAskAServerInTroubleOncePerThread) {
  token_status = 503;
  std::atomic<int> started = 0;
  before_token = [&] {
    while (started < 8) std::this_thread::yield();
    std::this_thread::sleep_for(50ms);  // from the count to the wait
  };
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      ++started;
      failed += Fault().starts_with("passing LEAT0327");
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 8);
  EXPECT_LT(tokens.received().size(), 8u) << "once, unless a thread came late";
}

TEST_F(OAuth2Test, PutsTheSecretIntoTheFormWhereNothingElseIsTaken) {
  form_only = true;
  EXPECT_EQ(Send().body, "rows");
  EXPECT_EQ(tokens.received().at(1).body,
            "grant_type=client_credentials&scope=read%20write&client_id=me%20%26%20you&client_secret=s3%3Acret");
  EXPECT_EQ(tokens.received().at(1).Header("Authorization"), "(none)");
  clock.Advance(2h);
  Send();
  EXPECT_EQ(tokens.received().size(), 3u) << "the way that worked is remembered";
}

TEST_F(OAuth2Test, TellsWhyThereIsNoToken) {
  const std::string where = tokens.Base() + "/token";
  token_status = 401;
  token_body = R"({"error":"invalid_client","error_description":"no such client"})";
  EXPECT_EQ(Fault(), "final LEAT0327 no token from " + where + ": answered 401: invalid_client: no such client");
  token_status = 503;
  token_body = "<html>";
  EXPECT_EQ(Fault(), "passing LEAT0327 no token from " + where + ": answered 503");
  token_status = 200;
  for (const char* body : {"<html>", "[]", "{}", R"({"access_token":""})", R"({"access_token":7})"}) {
    token_body = body;
    EXPECT_EQ(Fault(), "final LEAT0327 no token from " + where + ": the answer has no `access_token`");
  }
  EXPECT_EQ(api.received().size(), 0u);
  token_body = "";
  EXPECT_EQ(Send().body, "rows") << "a failure is not for ever";
}

}  // namespace
}  // namespace leat::http
