#include "sources/http/http_request.h"

#include "sources/http/http_fixture.h"

namespace leat::sources {
namespace {

using testing::ElementsAre;

class HttpRequestTest : public HttpSourceFixture {
 protected:
  http::Request Make(const std::map<std::string, std::string>& given = {}, size_t partition = 0) {
    return MakeRequest(Peer(partition), streams()[0], kSpan, given);
  }
  static constexpr HttpSpan kSpan{Timestamp(std::chrono::milliseconds(1'700'000'000'123)),
                                  Timestamp(std::chrono::seconds(1'700'003'600))};
};

TEST(Moments, AreWrittenInTheUnitOfTheApi) {
  const Timestamp time(std::chrono::microseconds(1'700'000'000'123'456));
  EXPECT_EQ(FormatMoment(time, config::TimeUnit::kSeconds), "1700000000");
  EXPECT_EQ(FormatMoment(time, config::TimeUnit::kMilliseconds), "1700000000123");
  EXPECT_EQ(FormatMoment(time, config::TimeUnit::kIso), "2023-11-14T22:13:20Z");
  EXPECT_EQ(FormatMoment(time, config::TimeUnit::kDate), "2023-11-14");
}

TEST_F(HttpRequestTest, HoldsThePartitionAndTheSpanPercentEncoded) {
  Read(R"(partitions: {site: {eu: {region: "fra/1"}, us: {region: "nyc"}}}
headers: {X-Site: "{site}"}
params: {"updated_at[between]": "[{since},{until}]", limit: 100}
key: id
position: {from: updated_at, unit: s}
streams: {invoices: {path: "/{region}/invoices"}})",
       "https://{site}.acme.example/v2/");
  const http::Request request = Make();
  EXPECT_EQ(
      request.url.text(),
      "https://eu.acme.example/v2/fra/1/invoices?limit=100&updated_at%5Bbetween%5D=%5B1700000000%2C1700003600%5D");
  EXPECT_EQ(*http::FindHeader(request.headers, "x-site"), "eu");
  EXPECT_THAT(request.allowed_hosts, ElementsAre("eu.acme.example"));
  EXPECT_TRUE(Make({}, 1).url.text().starts_with("https://us.acme.example/v2/nyc/invoices?"));
}

TEST_F(HttpRequestTest, DoesNotLetDataLeadToAnotherPath) {
  Read(
      "key: id\nstreams:\n  notes: {path: \"/invoices/{i}/notes\", for_each: {stream: invoices, values: {i: id}}}\n"
      "  invoices: {}");
  const http::Request request = MakeRequest(Peer(), Stream("api.notes"), std::nullopt, {{"i", "../a b?x=1"}});
  EXPECT_EQ(request.url.text(), "https://api.acme.example/v2/invoices/..%2Fa%20b%3Fx%3D1/notes");
}

TEST_F(HttpRequestTest, SendsTheBodyAsJsonWithNumbersAsNumbers) {
  Read(R"(key: id
position: {from: t, unit: ms}
streams: {events: {body: {limit: 50, live: true, zip: "0123", from: "{since}", text: "t>{until}", sort: [a, null]}}})");
  const http::Request request = Make();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body->content_type, "application/json");
  EXPECT_EQ(request.body->bytes,
            R"({"limit":50,"live":true,"zip":"0123","from":1700000000123,"text":"t>1700003600000","sort":["a",null]})");
}

TEST_F(HttpRequestTest, HasAMarkOfWhatIsAskedForButNotOfTheMoment) {
  const auto mark = [&](const std::string& stream, const std::string& base = "https://api.acme.example") {
    Read("position: {from: t}\nkey: id\nstreams: {a: " + stream + "}", base);
    return RequestMark(Peer(), streams()[0]);
  };
  const std::string first = mark("{params: {f: \"{since}\", limit: 10}}");
  EXPECT_EQ(mark("{params: {f: \"{since}\", limit: 10}, description: other, max_pages: }"), first);
  for (const char* other :
       {"{params: {f: \"{until}\", limit: 10}}", "{params: {f: \"{since}\", limit: 10}, path: /b}",
        "{params: {f: \"{since}\", limit: 10}, key: [id, b]}", "{params: {f: \"{since}\", limit: 10}, records: $.rows}",
        "{params: {f: \"{since}\", limit: 10}, headers: {Version: \"2\"}}",
        "{params: {f: \"{since}\", limit: 10}, position: {from: t, start: 2020-01-01}}",
        "{params: {f: \"{since}\", limit: 10}, paginate: {type: token, read: $.next, param: cursor}}",
        "{params: {f: \"{since}\", limit: 10}, paginate: {type: page, param: p}}"})
    EXPECT_NE(mark(other), first) << other;
  EXPECT_NE(mark("{params: {f: \"{since}\", limit: 10}}", "https://other.acme.example"), first);
}

}  // namespace
}  // namespace leat::sources
