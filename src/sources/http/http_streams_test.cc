#include "sources/http/http_streams.h"

#include "sources/http/http_fixture.h"

namespace leat::sources {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class HttpStreamsTest : public HttpSourceFixture {};

TEST_F(HttpStreamsTest, AreTheNamedEntriesThatAreNotSkipped) {
  Read("streams: {\"*\": {key: id}, Invoices: {}, plans: {skip: true}, \"re*\": {path: /r}, refunds: {}}");
  ASSERT_EQ(streams().size(), 2);
  EXPECT_EQ(streams()[0].name(), "api.invoices");
  EXPECT_EQ(streams()[0].nested.info.origin, "https://api.acme.example/v2/Invoices");
  EXPECT_EQ(streams()[1].nested.info.origin, "https://api.acme.example/v2/r");
  EXPECT_THAT(streams()[1].nested.info.key, ElementsAre("id"));
}

TEST_F(HttpStreamsTest, HaveThePartitionAndTheParentsValuesInTheirKey) {
  Read(R"(partitions: {site: [eu, us]}
key: ID
streams:
  invoices: {rename: {ID: number}}
  notes: {path: "/invoices/{invoice_id}/notes", for_each: {stream: invoices, values: {invoice_id: number}}}
  totals: {key: null})");
  EXPECT_THAT(Stream("api.invoices").nested.given_columns, ElementsAre("site"));
  EXPECT_THAT(Stream("api.invoices").nested.info.key, ElementsAre("site", "number"));
  const HttpStream& notes = Stream("api.notes");
  EXPECT_THAT(notes.nested.given_columns, ElementsAre("site", "invoice_id"));
  EXPECT_THAT(notes.nested.info.key, ElementsAre("site", "invoice_id", "id"));
  EXPECT_EQ(notes.parent, "api.invoices");
  EXPECT_THAT(notes.parent_columns, ElementsAre("number"));
  EXPECT_EQ(notes.level, 1);
  EXPECT_THAT(Stream("api.totals").nested.info.key, IsEmpty());
}

TEST_F(HttpStreamsTest, AreReadInPartsWhereARequestHasBothBounds) {
  Read(R"(key: id
position: {from: updated_at}
streams:
  both: {params: {f: "{since},{until}"}}
  since: {params: {f: "{since}"}}
  in_body: {body: {range: {from: "{since}", to: ["{until}"]}}}
  none: {position: null})");
  EXPECT_TRUE(Stream("api.both").HasWindows());
  EXPECT_FALSE(Stream("api.since").HasWindows());
  EXPECT_TRUE(Stream("api.in_body").HasWindows());
  EXPECT_TRUE(Stream("api.none").IsReadInFull());
  EXPECT_FALSE(Stream("api.both").IsReadInFull());
}

TEST_F(HttpStreamsTest, OfOneNameAreRefused) {
  EXPECT_EQ(ErrorOf([&] { Read("streams: {Orders: {}, orders: {}}"); }),
            "sources/api.yaml:3:23: \"Orders\" and \"orders\" would both be the stream api.orders\n"
            "add  rename: {orders: orders_2}  at the top of the file");
}

TEST_F(HttpStreamsTest, AreNotAskedForRowsOfWhatIsNotRead) {
  const auto fault = [&](const std::string& invoices) {
    return ErrorOf([&] {
      Read("key: id\nstreams:\n  invoices: " + invoices +
           "\n  notes: {path: \"/{i}\", for_each: {stream: invoice, values: {i: id}}}");
    });
  };
  EXPECT_THAT(fault("{}"),
              HasSubstr("for_each of api.notes names stream invoice, which sources/api.yaml does not read\n"
                        "did you mean invoices?"));
}

TEST_F(HttpStreamsTest, ThatAskForEachOtherAreRefused) {
  EXPECT_THAT(ErrorOf([&] {
                Read(R"(key: id
streams:
  a: {path: "/{i}", for_each: {stream: b, values: {i: id}}}
  b: {path: "/{i}", for_each: {stream: a, values: {i: id}}})");
              }),
              HasSubstr("for_each of api.a leads back to itself"));
}

TEST_F(HttpStreamsTest, WithForEachHaveNoPosition) {
  EXPECT_THAT(ErrorOf([&] {
                Read(R"(key: id
position: {from: updated_at}
streams:
  a: {}
  b: {path: "/{i}", for_each: {stream: a, values: {i: id}}})");
              }),
              HasSubstr("api.b has a position and is asked for each row of api.a; expected one of the two\n"
                        "remove what it inherits by  position: null"));
}

}  // namespace
}  // namespace leat::sources
