#include "sources/http/page_look.h"

#include "sources/http/http_fixture.h"

namespace leat::sources {
namespace {

using testing::HasSubstr;

class PageLookTest : public HttpSourceFixture {
 protected:
  PageFacts Look(const std::string& rules, const http::Response& response) {
    Read(rules + "\nstreams: {invoices: {}}");
    return PageLook(database_, streams()[0]).Look(response);
  }
  int64_t Count(const std::string& records, const std::string& body) {
    return Look("records: \"" + records + "\"", Answered(body)).records;
  }
  std::string NextOf(const std::string& body) {
    return Look("records: $.r\npaginate: {type: token, read: \"$.page['next token']\", param: o}", Answered(body)).next;
  }

  duck::Database database_;
};

TEST_F(PageLookTest, CountsRecords) {
  EXPECT_EQ(Count("$.list[*].invoice", R"({"list": [{"invoice": {}}, {"invoice": {}}], "list2": [1]})"), 2);
  EXPECT_EQ(Count("$.list[*].invoice", R"({"list": []})"), 0);
  EXPECT_EQ(Count("$.list", R"({"list": [1, 2, 3]})"), 3);
  EXPECT_EQ(Count("$", "[{}, {}]"), 2);
  EXPECT_EQ(Count("$", R"({"id": 1})"), 1) << "an answer that is one record";
  EXPECT_EQ(Count("$.list", R"({"list": null})"), 0);
  EXPECT_EQ(Count("$.a[*].b[*].c", R"({"a": [{"b": [{}, {}]}, {}, {"b": [{}]}]})"), 3);
  EXPECT_EQ(Count("$.a[*].b[*].c", R"({"a": []})"), 0);
  EXPECT_EQ(Count("$['odd name']['x']", R"({"odd name": {"x": [1]}})"), 1);
}

TEST_F(PageLookTest, RefusesAnAnswerWithoutTheRecords) {
  EXPECT_EQ(ErrorOf([&] { Count("$.list[*].invoice", R"({"error": "no such list"})"); }),
            "sources/api.yaml:3:10: https://api.acme.example/v2/invoices answered application/json: {\"error\": \"no "
            "such list\"}; expected a list at $.list[*].invoice\n"
            "set `records` to the path of the rows, for example  records: \"$.data[*]\"");
  EXPECT_THAT(ErrorOf([&] { Count("$.list[*]", R"({"list": {"a": 1}})"); }), HasSubstr("expected a list at $.list[*]"));
  EXPECT_THAT(ErrorOf([&] { Count("$.list", R"({"list": "none"})"); }), HasSubstr("expected a list at $.list"));
}

TEST_F(PageLookTest, RefusesWhatIsNoJson) {
  EXPECT_THAT(ErrorOf([&] { Look("", Answered("<!DOCTYPE html>\n<html><body>Please log in</body>", "text/html")); }),
              HasSubstr("answered text/html: <!DOCTYPE html> <html><body>Please log in</body>; expected JSON\n"));
  EXPECT_THAT(ErrorOf([&] { Look("", Answered(R"([{"a": 1}, {"a")")); }), HasSubstr("expected JSON"));
  EXPECT_THAT(ErrorOf([&] { Look("", Answered("")); }), HasSubstr("answered nothing; expected JSON"));
  EXPECT_THAT(ErrorOf([&] { Look("", Answered("[\"\xff\"]")); }), HasSubstr("no text in UTF-8; expected JSON"));
  EXPECT_THAT(ErrorOf([&] { Look("format: csv", Answered("<html>", "text/html")); }), HasSubstr("expected CSV"));
  EXPECT_THAT(ErrorOf([&] { Look("format: csv", Answered("{\"error\": 1}")); }), HasSubstr("expected CSV"));
  EXPECT_THAT(ErrorOf([&] { Look("format: jsonl", Answered("<html>", "text/html")); }), HasSubstr("lines of JSON"));
}

TEST_F(PageLookTest, FindsWhatStandsForTheNextPage) {
  EXPECT_EQ(NextOf(R"({"r": [], "page": {"next token": "[\"1\",\"é\"]"}})"), "[\"1\",\"é\"]");
  EXPECT_EQ(NextOf(R"({"r": [], "page": {"next token": 9007199254740993}})"), "9007199254740993");
  for (const char* none : {R"({"r": []})", R"({"r": [], "page": {"next token": null}})",
                           R"({"r": [], "page": {"next token": ""}})", R"({"r": [], "page": {"next token": false}})"})
    EXPECT_EQ(NextOf(none), "") << none;
  EXPECT_THAT(ErrorOf([&] { NextOf(R"({"r": [], "page": {"next token": {"a": 1}}})"); }),
              HasSubstr("answered {\"a\":1} at $.page['next token']; expected a text, a number or null"));
}

TEST_F(PageLookTest, FindsTheNewestRecordWhereNoBoundIsAskedFor) {
  const std::string since = "key: id\nparams: {f: \"{since}\"}\nrecords: $.l[*].r\nposition: {from: t, unit: ";
  EXPECT_EQ(Look(since + "s}", Answered(R"({"l": [{"r": {"t": 5}}, {"r": {"t": 7.0}}, {"r": {}}]})")).newest,
            Timestamp(std::chrono::seconds(7)));
  EXPECT_EQ(Look(since + "ms}", Answered(R"({"l": [{"r": {"t": 1700000000123}}]})")).newest,
            Timestamp(std::chrono::milliseconds(1700000000123)));
  EXPECT_EQ(
      Look(since + "iso}", Answered(R"({"l": [{"r": {"t": "2024-01-01T01:00:00+01:00"}}, {"r": {"t": "x"}}]})")).newest,
      ParseTimestamp("2024-01-01T00:00:00Z"));
  EXPECT_EQ(Look(since + "date}", Answered(R"({"l": [{"r": {"t": "2024-01-02"}}]})")).newest,
            ParseTimestamp("2024-01-02T00:00:00Z"));
  EXPECT_EQ(Look(since + "s}", Answered(R"({"l": []})")).newest, std::nullopt);
  EXPECT_EQ(
      Look("key: id\nparams: {f: \"{since},{until}\"}\nposition: {from: t, unit: s}", Answered(R"([{"t": 5}])")).newest,
      std::nullopt);
  EXPECT_EQ(Look("format: jsonl\nkey: id\nparams: {f: \"{since}\"}\nposition: {from: t, unit: s}",
                 Answered("{\"t\": 3}\n\n{\"t\": 9}\n"))
                .newest,
            Timestamp(std::chrono::seconds(9)));
}

TEST_F(PageLookTest, CountsLines) {
  EXPECT_EQ(Look("format: jsonl", Answered("{\"a\":1}\n\n{\"a\":2}")).records, 2);
  EXPECT_EQ(Look("format: csv", Answered("a,b\n1,\"x\ny\"\n\n2,z\n", "text/csv")).records, 2);
  EXPECT_EQ(Look("format: csv\ncsv: {header: false}", Answered("1,x\r\n2,y", "text/csv")).records, 2);
}

TEST_F(PageLookTest, TakesNoContentForNoRecords) {
  http::Response nothing = Answered("");
  nothing.status = 204;
  EXPECT_EQ(Look("", nothing).records, 0);
}

}  // namespace
}  // namespace leat::sources
