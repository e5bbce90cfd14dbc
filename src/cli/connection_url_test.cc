#include "cli/connection_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string Entry(const std::string& url) { return FormatConnection(ParseConnectionUrl("--source", url)); }

Diagnostic UrlRefusal(const std::string& url) {
  try {
    ParseConnectionUrl("--source", url);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kConfig);
    return error.diagnostic();
  }
  ADD_FAILURE() << url << " was accepted";
  return {};
}

TEST(ConnectionUrlTest, TakesBothSchemesAndWhatTheySay) {
  EXPECT_EQ(Entry("postgresql://reader@db.internal:5433/totesys"),
            "{type: postgres, host: db.internal, port: 5433, database: totesys, user: reader}");
  EXPECT_EQ(Entry("postgres://db/totesys"), "{type: postgres, host: db, database: totesys}");
  EXPECT_EQ(Entry("postgresql://"), "{type: postgres}");
}

TEST(ConnectionUrlTest, KeepsKnownParameters) {
  EXPECT_EQ(Entry("postgresql://r@db/x?sslmode=require"),
            "{type: postgres, host: db, database: x, user: r, sslmode: require}");
  EXPECT_EQ(Entry("postgresql://?service=shop"), "{type: postgres, service: shop}");
  EXPECT_EQ(Entry("postgresql:///x?host=/run/pg&port=20001"),
            "{type: postgres, host: /run/pg, port: 20001, database: x}");
}

TEST(ConnectionUrlTest, QuotesWhatYamlWouldReadOtherwise) {
  EXPECT_EQ(Entry("postgresql://r@[::1]/x"), "{type: postgres, host: \"::1\", database: x, user: r}");
  EXPECT_EQ(Entry("postgresql://my%20self@db/a%22b%2C%7D"),
            "{type: postgres, host: db, database: \"a\\\"b,}\", user: \"my self\"}");
  EXPECT_EQ(Entry("postgresql://no@db/x"), "{type: postgres, host: db, database: x, user: \"no\"}");
}

TEST(ConnectionUrlTest, RefusesPasswordsWithoutRepeatingThem) {
  for (const char* url :
       {"postgresql://reader:s3cret@db:5433/totesys", "postgresql://reader@db:5433/totesys?password=s3cret",
        "postgresql://reader:s3cret/x@db:5433/totesys", "postgresql://reader:x@s3cret@db/totesys",
        "postgresql://reader:s3cret%ZZ@db/totesys"}) {
    const Diagnostic refusal = UrlRefusal(url);
    EXPECT_EQ(refusal.code, "LEAT0193") << url;
    EXPECT_EQ(refusal.message,
              "--source holds a password; others could read it in the list of processes and in the shell's history");
    EXPECT_THAT(testing::PrintToString(refusal.help), Not(HasSubstr("s3cret"))) << url;
  }
  EXPECT_THAT(UrlRefusal("postgresql://reader:s3cret@db:5433/totesys").help,
              ElementsAre("leave the password out of the URL, add this line to ~/.pgpass, then  chmod 600 ~/.pgpass",
                          "db:5433:totesys:reader:<password>"));
  EXPECT_THAT(UrlRefusal("postgres://a%3Ab:s3cret@db/x").help.back(), "db:5432:x:a\\:b:<password>");
}

TEST(ConnectionUrlTest, RefusesOtherUrls) {
  EXPECT_EQ(UrlRefusal("mysql://db/x").message,
            "--source is no PostgreSQL URL: 'mysql://db/x'; expected postgresql://user@host:port/database");
  EXPECT_THAT(UrlRefusal("mysql://me:s3cret@db/x").message, Not(HasSubstr("s3cret")));
  EXPECT_EQ(UrlRefusal("postgresql://db/x?connect_timeout=3").message,
            "--source sets 'connect_timeout'; a connection takes host, port, database, user, sslmode and service");
  EXPECT_THAT(UrlRefusal("postgresql://db/x?nonsense=3").message, HasSubstr("--source is no PostgreSQL URL: "));
}

}  // namespace
}  // namespace leat::cli
