#include "clients/http/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::http {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string ParseFault(std::string_view text) {
  try {
    return "no fault: " + Url::Parse(text).text();
  } catch (const Error& error) {
    return error.code() + " " + error.message();
  }
}

TEST(UrlTest, TellsOriginsApart) {
  EXPECT_EQ(Url::Parse("https://API.Example.com/v2").origin(), (Origin{"https", "api.example.com", 443}));
  EXPECT_EQ(Url::Parse("http://api.example.com:8080").origin(), (Origin{"http", "api.example.com", 8080}));
  EXPECT_EQ(Url::Parse("http://[::1]:9/").origin(), (Origin{"http", "::1", 9}));
}

TEST(UrlTest, GivesEqualAddressesEqualTexts) {
  const Url url = Url::Parse("https://api.example.com/a/b?x=1");
  EXPECT_EQ(Url::Parse("HTTPS://API.example.com:443/a/./c/../b?x=1#part"), url);
  EXPECT_EQ(Url::Parse(" https://api.example.com/a/b?x=1 "), url);
  EXPECT_EQ(Url::Parse("https://api.example.com").text(), "https://api.example.com/");
}

TEST(UrlTest, ReadsNumbersAsTheAddressesThatTheyAre) {
  EXPECT_EQ(Url::Parse("http://2130706433/").origin().host, "127.0.0.1");
  EXPECT_EQ(Url::Parse("http://0x7f.1/").origin().host, "127.0.0.1");
}

TEST(UrlTest, RefusesWhatIsNoAddressToAsk) {
  EXPECT_EQ(ParseFault("ftp://a.example/x"),
            "LEAT0328 'ftp://a.example/x' is no address to ask: expected http:// or https://");
  EXPECT_EQ(
      ParseFault("https://bücher.example/"),
      "LEAT0328 'https://bücher.example/' is no address to ask: write its host in ASCII, as in xn--bcher-kva.example");
  EXPECT_THAT(ParseFault("file:///etc/passwd"), HasSubstr("LEAT0328"));
  EXPECT_THAT(ParseFault("gopher://a/"), HasSubstr("LEAT0328"));
  EXPECT_THAT(ParseFault("/v2/items"), HasSubstr("LEAT0328"));
  EXPECT_THAT(ParseFault(""), HasSubstr("LEAT0328"));
  EXPECT_THAT(ParseFault("https://"), HasSubstr("LEAT0328"));
  EXPECT_THAT(ParseFault("https://a.example:99999/"), HasSubstr("LEAT0328"));
  EXPECT_THAT(ParseFault("https://a.example/\r\nX-Y: 1"), HasSubstr("LEAT0328"));
  EXPECT_THAT(ParseFault(std::string_view("https://a.example/\0", 19)), HasSubstr("LEAT0328"));
}

TEST(UrlTest, TellsNoPasswordOfABrokenAddress) {
  EXPECT_EQ(ParseFault("https://me:pw123@a.example/?k=s456"),
            "LEAT0328 the address 'https://****@a.example/' holds a user or password");
  EXPECT_THAT(ParseFault("ftp://me:pw123@a.example/?k=s456"), Not(testing::ContainsRegex("pw123|s456")));
}

TEST(UrlTest, ResolvesReferences) {
  const Url base = Url::Parse("https://api.example.com/v2/items?page=1");
  const auto resolved = [&](std::string_view reference) { return base.Resolve(reference).text(); };
  EXPECT_EQ(resolved("https://other.example/x"), "https://other.example/x");
  EXPECT_EQ(resolved("//other.example/x"), "https://other.example/x");
  EXPECT_EQ(resolved("/v3/items"), "https://api.example.com/v3/items");
  EXPECT_EQ(resolved("plans?a=b"), "https://api.example.com/v2/plans?a=b");
  EXPECT_EQ(resolved("../up"), "https://api.example.com/up");
  EXPECT_EQ(resolved("?page=2"), "https://api.example.com/v2/items?page=2");
  EXPECT_EQ(resolved(""), base.text());
  EXPECT_EQ(resolved("/a b/é"), "https://api.example.com/a%20b/%c3%a9");
  EXPECT_THROW(base.Resolve("javascript:alert(1)"), Error);
  EXPECT_THROW(base.Resolve("https://me:pw@api.example.com/"), Error);
}

TEST(UrlTest, EncodesAllButUnreservedCharacters) {
  EXPECT_EQ(PercentEncode("updated_at[after]"), "updated_at%5Bafter%5D");
  EXPECT_EQ(PercentEncode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(PercentEncode(" +&=#%/?é"), "%20%2B%26%3D%23%25%2F%3F%C3%A9");
}

TEST(UrlTest, AddsAndTakesParameters) {
  const Url url = Url::Parse("https://a.example/x");
  const Url two = url.WithParameter("updated_at[after]", "1 2").WithParameter("limit", "100");
  EXPECT_EQ(two.text(), "https://a.example/x?updated_at%5Bafter%5D=1%202&limit=100");
  EXPECT_EQ(two.WithoutParameter("updated_at[after]").text(), "https://a.example/x?limit=100");
  EXPECT_EQ(two.WithoutParameter("updated_at[after]").WithoutParameter("limit"), url);
  EXPECT_EQ(Url::Parse("https://a.example/x?k%65y=1&key=2&z").WithoutParameter("key").text(), "https://a.example/x?z");
}

TEST(UrlTest, HidesSecretsByValueAndByName) {
  const Url url =
      Url::Parse("https://a.example/hook/s3%2Fcr?q=s3%2Fcr&raw=s3/cr&api_key=other&page_token=7&X-Amz-Signature=f00");
  EXPECT_EQ(RedactedUrl(url, {Secret("s3/cr"), Secret("")}),
            "https://a.example/hook/****?q=****&raw=****&api_key=****&page_token=7&X-Amz-Signature=****");
  EXPECT_EQ(url.ForMessages(), "https://a.example/hook/s3%2Fcr");
}

TEST(UrlTest, MasksTheLongestSecretFirst) {
  EXPECT_EQ(MaskSecrets("a ke+y b ke%2By c ke+y2", {Secret("ke+y"), Secret(), Secret("ke+y2")}),
            "a **** b **** c ****");
}

}  // namespace
}  // namespace leat::http
