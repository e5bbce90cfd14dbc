#include "clients/http/hop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::http {
namespace {

using testing::HasSubstr;

Request Get(std::string_view url) { return {.url = Url::Parse(url)}; }
Request Post(std::string_view url) {
  return {.method = "POST", .url = Url::Parse(url), .body = Body{"text/plain", "x"}};
}

std::optional<Hop> After(const Request& request, const Hop& hop, int status, std::string_view location) {
  return NextHop(request, hop, status, {{"location", std::string(location)}});
}
std::optional<Hop> After(const Request& request, int status, std::string_view location) {
  return After(request, FirstHop(request), status, location);
}

std::string RedirectFault(const Request& request, int status, std::string_view location) {
  try {
    After(request, status, location);
    return "no fault";
  } catch (const Error& error) {
    return error.code() + " " + error.message();
  }
}

TEST(HopTest, KeepsOrChangesTheMethodAsBrowsersDo) {
  for (const int status : {301, 302, 303, 307, 308}) {
    EXPECT_EQ(After(Get("https://a.example/"), status, "/b")->method, "GET") << status;
    const bool keeps = status == 307 || status == 308;
    const std::optional<Hop> hop = After(Post("https://a.example/"), status, "/b");
    EXPECT_EQ(hop->method, keeps ? "POST" : "GET") << status;
    EXPECT_EQ(hop->has_body, keeps) << status;
  }
}

TEST(HopTest, LeavesOtherAnswersAlone) {
  for (const int status : {200, 201, 300, 304, 305, 400, 404, 500})
    EXPECT_EQ(After(Get("https://a.example/"), status, "/b"), std::nullopt) << status;
  EXPECT_EQ(NextHop(Get("https://a.example/"), FirstHop(Get("https://a.example/")), 302, {}), std::nullopt);
}

TEST(HopTest, KnowsWhenItLeavesTheOrigin) {
  const Request request = Get("https://a.example/x");
  for (const char* home : {"/b", "b", "?c", "https://a.example/b", "https://A.EXAMPLE:443/b", "//a.example/b"})
    EXPECT_TRUE(After(request, 302, home)->is_at_home) << home;
  for (const char* stranger : {"https://b.example/x", "https://a.example:8443/x", "https://sub.a.example/x",
                               "https://a.example.b.example/", "//b.example/", "https://a.example./x"})
    EXPECT_FALSE(After(request, 302, stranger)->is_at_home) << stranger;
  EXPECT_FALSE(After(Get("http://a.example/"), 302, "https://a.example/")->is_at_home);
}

TEST(HopTest, StaysAStrangerAfterComingBack) {
  const Request request = Get("https://a.example/x");
  const std::optional<Hop> away = After(request, 302, "https://b.example/");
  EXPECT_FALSE(After(request, *away, 302, "https://a.example/y")->is_at_home);
}

TEST(HopTest, LetsNoParameterOfTheCredentialsTravel) {
  Request request = Get("https://a.example/x?api%5Fkey=old&page=1");
  request.credentials = {.parameters = {{"api_key", Secret("canary")}}};
  EXPECT_EQ(FirstHop(request).url.text(), "https://a.example/x?page=1");
  EXPECT_EQ(After(request, 302, "https://b.example/?api_key=canary&y=1")->url.text(), "https://b.example/?y=1");
}

TEST(HopTest, RefusesToGoFromHttpsToHttp) {
  EXPECT_EQ(RedirectFault(Get("https://a.example/x"), 302, "http://a.example/x"),
            "LEAT0326 https://a.example/x redirects from https to http://a.example/x, where everybody can listen");
}

TEST(HopTest, RefusesOtherSchemesAndUsers) {
  for (const char* target : {"file:///etc/passwd", "gopher://a.example/", "javascript:1", "https://me:pw@a.example/"})
    EXPECT_THAT(RedirectFault(Get("https://a.example/x"), 302, target), HasSubstr("LEAT0326")) << target;
}

TEST(HopTest, RefusesToTakeABodyAway) {
  EXPECT_EQ(
      RedirectFault(Post("https://a.example/x"), 307, "https://b.example/y?z=1"),
      "LEAT0326 https://a.example/x redirects to https://b.example/y with the body of the request, which may hold "
      "secrets");
  EXPECT_EQ(RedirectFault(Post("https://a.example/x"), 302, "https://b.example/y"), "no fault");
}

TEST(HopTest, RefusesLoopsAndASixthRedirect) {
  EXPECT_THAT(RedirectFault(Get("https://a.example/x"), 302, "/x"),
              HasSubstr("to https://a.example/x, which was asked before"));
  EXPECT_EQ(RedirectFault(Post("https://a.example/x"), 303, "/x"), "no fault");

  const Request request = Get("https://a.example/0");
  std::optional<Hop> hop = FirstHop(request);
  for (int i = 1; i <= 5; ++i) hop = After(request, *hop, 302, "/" + std::to_string(i));
  try {
    After(request, *hop, 302, "/6");
    FAIL() << "a sixth redirect was followed";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "https://a.example/5 redirects more than 5 times");
  }
}

}  // namespace
}  // namespace leat::http
