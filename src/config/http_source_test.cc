#include "config/http_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/project_fixture.h"

namespace leat::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kBilling = R"(base_url: https://{site}.acme.example/v2
partitions: {site: {eu: {api_key: "${EU_KEY}"}, us: {api_key: "${US_KEY}"}}}
auth: {type: basic, user: "{api_key}"}
params: {limit: 100, "updated_at[between]": "[{since},{until}]"}
position: {from: updated_at, unit: s, start: 2015-01-01}
key: id
timestamps: ["*_at", date]
)";

class HttpSourceTest : public ProjectTest {
 protected:
  static std::string Files(const std::string& source) {
    return "=== leat.yaml\nname: shop\n=== sources/billing.yaml\ntype: http\n" + source;
  }
  Source Read(const std::string& source) { return Loaded(Files(source)).sources.at(0); }
  std::vector<std::string> FaultsOf(const std::string& source) {
    std::vector<std::string> faults;
    Write(Files(source));
    for (const Diagnostic& fault : Load().diagnostics) faults.push_back(fault.code + " " + fault.message);
    return faults;
  }
};

TEST(Placeholders, AreNamesInBracesOnly) {
  EXPECT_THAT(PlaceholdersIn("/{site}/x/{invoice_id}?{site}"), ElementsAre("site", "invoice_id"));
  EXPECT_THAT(PlaceholdersIn(R"({"a": {"b": 1}, "c": "{}", "{D}", "{1}")"), IsEmpty());
  EXPECT_EQ(FillIn(R"({"from": "{since}", "x": {other}})", {{"since", "7"}}), R"({"from": "7", "x": {other}})");
  EXPECT_EQ(FillIn("{a}{b}{a}", {{"a", "{b}"}, {"b", "2"}}), "{b}2{b}") << "a value is not looked at again";
}

TEST(JsonPaths, AreNamesAndEach) {
  EXPECT_THAT(*ParseJsonPath("$"), IsEmpty());
  EXPECT_THAT(*ParseJsonPath("$.list[*].invoice"),
              ElementsAre(JsonStep{.name = "list"}, JsonStep{.each = true}, JsonStep{.name = "invoice"}));
  EXPECT_THAT(*ParseJsonPath("$['a.b'].c"), ElementsAre(JsonStep{.name = "a.b"}, JsonStep{.name = "c"}));
  for (const char* wrong : {"", "list", "$.", "$..a", "$[0]", "$.a[", "$.a[*", "$['']", "$ .a", "$.a[?(@.b)]"})
    EXPECT_FALSE(ParseJsonPath(wrong)) << wrong;
}

TEST_F(HttpSourceTest, ReadsWhatTheSourceSaysOnce) {
  const Source source = Read(std::string(kBilling) + R"(rate_limit: {requests: 150, per: 1m}
retry: {attempts: 3, status: [429], wait_max: 10s}
timeout: 5m
streams: {invoices: }
)");
  EXPECT_EQ(source.http.partition_name, "site");
  ASSERT_EQ(source.http.partitions.size(), 2u);
  EXPECT_EQ(source.http.partitions[1].name.value, "us");
  EXPECT_EQ(source.http.rate_limit.requests, 150);
  EXPECT_EQ(source.http.rate_limit.concurrent, 4);
  EXPECT_THAT(source.http.retry.status, ElementsAre(429));
  EXPECT_EQ(source.http.timeout, std::chrono::minutes(5));
  EXPECT_EQ(source.http.auth.type, HttpAuth::Type::kBasic);
}

TEST_F(HttpSourceTest, LaysStreamsOverTheFile) {
  const Source source = Read(std::string(kBilling) + R"(streams:
  "inv*": {children: [line_items]}
  invoices: {path: "/i", params: {limit: null, "sort_by[asc]": date}, position: {from: date, unit: ms, window: 7d}}
  plans: {position: null, params: null}
)");
  const HttpRules invoices = source.RuleFor("invoices")->http;
  EXPECT_EQ(invoices.path.value, "/i");
  EXPECT_EQ(invoices.params.size(), 2u);
  EXPECT_EQ(invoices.params.at("sort_by[asc]")->value, "date");
  EXPECT_FALSE(invoices.finds_children);
  EXPECT_EQ(invoices.position->unit, TimeUnit::kMilliseconds);
  EXPECT_EQ(invoices.position->window, std::chrono::hours(24 * 7));
  const HttpRules plans = source.RuleFor("plans")->http;
  EXPECT_THAT(plans.params, IsEmpty());
  EXPECT_FALSE(plans.position);
  EXPECT_TRUE(plans.finds_children);
  EXPECT_FALSE(source.RuleFor("others"));
}

TEST_F(HttpSourceTest, PutsASecretOfThePartitionIntoCredentials) {
  variables["EU_KEY"] = "eu-secret";
  const Source source = Read(std::string(kBilling) + "streams: {invoices: }\n");
  EXPECT_EQ(ResolveCredential(source.http.auth.user, source.http.partitions[0], "site").Reveal(), "eu-secret");
  try {
    ResolveCredential(source.http.auth.user, source.http.partitions[1], "site");
    FAIL() << "US_KEY is not set";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the environment variable US_KEY is not set; the source billing takes a secret from it");
  }
}

TEST_F(HttpSourceTest, RefusesWhatHasNoValue) {
  EXPECT_THAT(FaultsOf(std::string(kBilling) + "streams: {invoices: {path: \"/{sit}/{api_key}\"}, plans: }\n"),
              ElementsAre("LEAT0121 invoices.path names {sit}, which has no value here",
                          "LEAT0121 invoices.path names {api_key}, a secret; it may stand in auth only"));
  EXPECT_THAT(FaultsOf("base_url: https://api.acme.example\nstreams: {a: {params: {s: \"{since}\"}}}\n"),
              ElementsAre("LEAT0121 a.s names {since}, which has no value here"));
}

TEST_F(HttpSourceTest, RefusesKeysThatDoNotGoTogether) {
  const std::string base = "base_url: https://api.acme.example\n";
  EXPECT_THAT(FaultsOf(base + "streams: {a: {position: {from: t}}}\n"),
              ElementsAre(HasSubstr("LEAT0122 a has a position and no key")));
  EXPECT_THAT(FaultsOf(base + "streams: {b: , a: {for_each: {stream: b, values: {i: id}}}}\n"),
              ElementsAre(HasSubstr("LEAT0122 a has for_each and no key")));
  EXPECT_THAT(FaultsOf(base + "streams: {a: {children: [b]}}\n"), ElementsAre(HasSubstr("a has children and no key")));
  EXPECT_THAT(FaultsOf(base + "streams: {a: {body: {x: 1}, method: GET}}\n"),
              ElementsAre(HasSubstr("a has a body, which method GET has not")));
  EXPECT_THAT(FaultsOf(base + "streams: {a: {read: full}}\n"),
              ElementsAre("LEAT0115 streams.a.read belongs to type postgres; this source has type http"));
  EXPECT_THAT(FaultsOf(base), ElementsAre(HasSubstr("LEAT0106 streams is missing")));
  EXPECT_THAT(FaultsOf(base + "paginate: {type: token, read: $.n}\nstreams: {a: }\n"),
              ElementsAre("LEAT0106 paginate.param is missing"));
}

TEST_F(HttpSourceTest, RefusesSecretsInTheFile) {
  EXPECT_THAT(FaultsOf("base_url: https://u:p@api.acme.example\nstreams: {a: }\n"), ElementsAre(HasSubstr("LEAT0108")));
  EXPECT_THAT(FaultsOf("base_url: https://a.example\nauth: {type: bearer, token: abc}\nstreams: {a: }\n"),
              ElementsAre(HasSubstr("LEAT0108 auth.token stands in the file")));
  EXPECT_THAT(FaultsOf("base_url: https://{s}.a.example\npartitions: {s: {x: {api_key: live_123}}}\nstreams: {a: }\n"),
              ElementsAre(HasSubstr("LEAT0108 x.api_key stands in the file")));
  const std::string base = "base_url: https://a.example\n";
  for (const char* given :
       {"headers: {Authorization: Bearer abc}", "headers: {X-Api-Key: abc}", "params: {api_key: abc}",
        "body: {of: [{access_token: abc}]}", "auth: {type: basic, user: sk_live_abc}"})
    EXPECT_THAT(FaultsOf(base + "streams: {a: {}}\n" + given), ElementsAre(HasSubstr("LEAT0108"))) << given;
  for (const char* given :
       {"params: {page_token: abc, value: 5, sort_key: id}", "params: {token: \"{s}\"}\npartitions: {s: [x]}",
        "auth: {type: basic, user: me, password: \"${PW}\"}", "auth: {type: basic, user: \"${KEY}\"}"})
    EXPECT_THAT(FaultsOf(base + "streams: {a: {}}\n" + given), IsEmpty()) << given;
}

TEST_F(HttpSourceTest, RefusesPartitionsThatCannotBeFolders) {
  const std::string rest = "base_url: https://a.example\nstreams: {a: }\n";
  EXPECT_THAT(FaultsOf("partitions: {site: [a/b]}\n" + rest), ElementsAre(HasSubstr("'a/b'")));
  EXPECT_THAT(FaultsOf("partitions: {site: [..]}\n" + rest), ElementsAre(HasSubstr("LEAT0104")));
  EXPECT_THAT(FaultsOf("partitions: {site: [a, a]}\n" + rest), ElementsAre(HasSubstr("stands twice")));
  EXPECT_THAT(FaultsOf("partitions: [a]\n" + rest), ElementsAre(HasSubstr("LEAT0104 partitions is not a map")));
  EXPECT_THAT(FaultsOf("partitions: {site: []}\n" + rest), ElementsAre(HasSubstr("has 0 values")));
}

}  // namespace
}  // namespace leat::config
