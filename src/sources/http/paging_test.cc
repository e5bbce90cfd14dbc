#include "sources/http/paging.h"

#include "core/text.h"
#include "sources/http/http_fixture.h"

namespace leat::sources {
namespace {

using testing::ElementsAre;

/// One answer, by what the paging sees of it.
struct Page {
  int64_t records = 1;
  std::string next = {};       ///< what stands at `read`
  std::string link = {};       ///< the header
  std::string next_json = {};  ///< empty: `next` in quotes
};

class PagingTest : public HttpSourceFixture {
 protected:
  /// What follows `https://api.acme.example/v2/invoices` in the requests, or their bodies, until the paging ends.
  std::vector<std::string> Asked(const std::string& paginate, const std::vector<Page>& pages,
                                 const std::string& more = "") {
    Read("paginate: {" + paginate + "}\n" + more + "\nstreams: {invoices: {}}");
    Paging paging(streams()[0], MakeRequest(Peer(), streams()[0], std::nullopt, {}));
    std::vector<std::string> asked;
    for (size_t i = 0; i < pages.size(); ++i) {
      const http::Request& request = paging.request();
      asked.push_back(request.body
                          ? request.body->bytes
                          : request.url.text().substr(std::string("https://api.acme.example/v2/invoices").size()));
      http::Response response = Answered("page " + std::to_string(i));
      response.url = request.url;
      if (!pages[i].link.empty()) response.headers.push_back({"link", pages[i].link});
      const std::string json = pages[i].next_json.empty() ? "\"" + pages[i].next + "\"" : pages[i].next_json;
      if (!paging.Advance(response,
                          {.records = pages[i].records, .next = pages[i].next, .next_json = json, .newest = {}}))
        return asked;
    }
    asked.push_back("and more");
    return asked;
  }
};

TEST_F(PagingTest, WithoutOneAsksOnce) {
  Read("streams: {invoices: {}}");
  Paging paging(streams()[0], MakeRequest(Peer(), streams()[0], std::nullopt, {}));
  EXPECT_FALSE(paging.Advance(Answered("[]"), {}));
}

TEST_F(PagingTest, ByTokenEndsWhereNoneFollows) {
  EXPECT_THAT(Asked("type: token, read: $.next, param: offset", {{.next = "[\"1\",\"2\"]"}, {0, "b"}, {}},
                    "params: {limit: 100}"),
              ElementsAre("?limit=100", "?limit=100&offset=%5B%221%22%2C%222%22%5D", "?limit=100&offset=b"))
      << "an empty page in between is no end";
}

TEST_F(PagingTest, ByPageEndsWithAnEmptyOne) {
  EXPECT_THAT(Asked("type: page, param: page, size: 50, size_param: per_page", {{50}, {3}, {0}}),
              ElementsAre("?per_page=50&page=1", "?per_page=50&page=2", "?per_page=50&page=3"));
  EXPECT_THAT(Asked("type: page, param: p, start: 0", {{1}, {0}}), ElementsAre("?p=0", "?p=1"));
}

TEST_F(PagingTest, ByOffsetGoesOnByTheRowsThatCame) {
  EXPECT_THAT(Asked("type: offset, param: skip, size: 100, size_param: top", {{100}, {40}, {0}}),
              ElementsAre("?top=100&skip=0", "?top=100&skip=100", "?top=100&skip=140"));
}

TEST_F(PagingTest, ByLinkResolvesWhatTheHeaderSays) {
  EXPECT_THAT(
      Asked("type: link", {{.link = R"(<?page=1>; rel=prev, <?page=2&x=a,b>; title="a;b, <c>"; rel="next last")"},
                           {.link = "</v2/invoices?page=3>;REL=next"},
                           {.link = "<?page=1>; rel=first"}}),
      ElementsAre("", "?page=2&x=a,b", "?page=3"));
}

TEST_F(PagingTest, ByLinkInTheBody) {
  EXPECT_THAT(Asked("type: link, read: $.next", {{.next = "https://api.acme.example/v2/invoices?c=7"}, {}}),
              ElementsAre("", "?c=7"));
}

TEST_F(PagingTest, ByCursorInTheBodyKeepsItsType) {
  EXPECT_THAT(
      Asked("type: cursor_in_body, read: $.cursor, field: page.after",
            {{.next = "17", .next_json = "17"}, {.next = "x\"y", .next_json = R"("x\"y")"}, {}}, "body: {limit: 2}"),
      ElementsAre(R"({"limit":2})", R"({"limit":2,"page":{"after":17}})", R"({"limit":2,"page":{"after":"x\"y"}})"));
}

TEST_F(PagingTest, RefusesACircle) {
  EXPECT_EQ(ErrorOf([&] {
              Asked("type: token, read: $.n, param: o", {{1, "a"}, {1, "b"}, {1, "a"}});
            }),
            "sources/api.yaml:3:11: https://api.acme.example/v2/invoices leads to the next page 'a' a second time, on "
            "page 3\nthe API goes in a circle: check `paginate.read`, or report it to whoever runs the API");
  EXPECT_THAT(ErrorOf([&] {
                Asked("type: link", {{.link = "<?p=2>; rel=next"}, {.link = "<?>; rel=next"}});
              }),
              testing::HasSubstr("a second time, on page 2"))
      << "back to the first";
  EXPECT_THAT(ErrorOf([&] {
                Asked("type: link", {{.link = "<?p=2>; rel=next"}, {.link = "<?p=2>; rel=next"}});
              }),
              testing::HasSubstr("a second time, on page 2"));
}

TEST_F(PagingTest, RefusesTheSamePageTwice) {
  Read("paginate: {type: page, param: page}\nstreams: {invoices: {}}");
  Paging paging(streams()[0], MakeRequest(Peer(), streams()[0], std::nullopt, {}));
  EXPECT_TRUE(paging.Advance(Answered("[1]"), {.records = 1}));
  EXPECT_THAT(ErrorOf([&] { paging.Advance(Answered("[1]"), {.records = 1}); }),
              testing::HasSubstr("answered the same page for page=2 as for the one before it"));
}

TEST_F(PagingTest, RefusesALinkToAnotherOrigin) {
  EXPECT_THAT(
      ErrorOf([&] { Asked("type: link", {{.link = "<https://evil.example/v2?key=1>; rel=next"}}); }),
      testing::HasSubstr("names https://evil.example/v2 as the next page; expected an address of the same origin"));
  EXPECT_THAT(ErrorOf([&] { Asked("type: link", {{.link = "<http://api.acme.example/v2>; rel=next"}}); }),
              testing::HasSubstr("same origin"));
  EXPECT_NE(ErrorOf([&] { Asked("type: link", {{.link = "<file:///etc/passwd>; rel=next"}}); }), "no error");
}

TEST_F(PagingTest, EndsAtTheLimit) {
  EXPECT_THAT(ErrorOf([&] {
                Asked("type: page, param: p, max_pages: 2", {{1}, {1}, {1}});
              }),
              testing::HasSubstr("https://api.acme.example/v2/invoices has more than 2 pages"));
  EXPECT_THAT(Asked("type: page, param: p, max_pages: 2", {{1}, {0}}), ElementsAre("?p=1", "?p=2"));
}

}  // namespace
}  // namespace leat::sources
