#include "clients/postgres/faults.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace leat::postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Endpoint kTotesys{.name = "totesys",
                        .place = {.file = "leat.yaml", .line = 7, .column = 3},
                        .host = "db.internal",
                        .port = "5432",
                        .database = "totesys",
                        .user = "reader",
                        .password_file = "/nowhere/.pgpass"};

std::string Told(const Error& error) { return error.code() + " " + error.message(); }

TEST(FaultsTest, NamesAServerThatIsNotThere) {
  const Error error =
      ConnectFault(kTotesys,
                   "connection to server at \"db.internal\" (10.0.0.5), port 5432 failed: Connection refused\n"
                   "\tIs the server running on that host and accepting TCP/IP connections?\n");
  EXPECT_EQ(Told(error), "LEAT0301 cannot reach connection \"totesys\" at db.internal:5432: Connection refused");
  EXPECT_EQ(error.kind(), kConnection);
  EXPECT_EQ(error.place(), kTotesys.place);
  EXPECT_THAT(error.diagnostic().help,
              ElementsAre("check that the server runs, and `host` and `port` of the connection"));
}

TEST(FaultsTest, NamesASocketByItsPath) {
  Endpoint endpoint = kTotesys;
  endpoint.host = "/run/pg";
  const Error error = ConnectFault(
      endpoint,
      "connection to server on socket \"/run/pg/.s.PGSQL.5432\" failed: No such file or directory\n\tIs it?\n");
  EXPECT_EQ(Told(error),
            "LEAT0301 cannot reach connection \"totesys\" at /run/pg/.s.PGSQL.5432: No such file or directory");
}

TEST(FaultsTest, TellsUnknownHostsAndSilence) {
  EXPECT_EQ(Told(ConnectFault(kTotesys,
                              "could not translate host name \"db.internal\" to address: Name or service not known\n")),
            "LEAT0301 cannot reach connection \"totesys\" at db.internal:5432: could not translate host name "
            "\"db.internal\" to address: Name or service not known");
  EXPECT_EQ(Told(ConnectFault(kTotesys, "no answer within 10 s")),
            "LEAT0301 cannot reach connection \"totesys\" at db.internal:5432: no answer within 10 s");
}

TEST(FaultsTest, TellsARefusedLogIn) {
  const Error error = ConnectFault(kTotesys,
                                   "connection to server at \"db.internal\", port 5432 failed: FATAL:  password "
                                   "authentication failed for user \"reader\"\n");
  EXPECT_EQ(Told(error),
            "LEAT0302 cannot log in to connection \"totesys\" at db.internal:5432: password authentication failed for "
            "user \"reader\"");
  EXPECT_THAT(error.diagnostic().help, ElementsAre("check the user and the password of connection \"totesys\""));
}

TEST(FaultsTest, TellsAnUnknownDatabase) {
  const Error error = ConnectFault(
      kTotesys,
      "connection to server at \"db.internal\", port 5432 failed: FATAL:  database \"totesys\" does not exist\n");
  EXPECT_EQ(
      Told(error),
      "LEAT0302 cannot log in to connection \"totesys\" at db.internal:5432: database \"totesys\" does not exist");
  EXPECT_THAT(error.diagnostic().help, ElementsAre("check `database` of connection \"totesys\""));
}

TEST(FaultsTest, TellsACertificateThatIsNotTrusted) {
  const Error error =
      ConnectFault(kTotesys,
                   "connection to server at \"db.internal\", port 5432 failed: root certificate file "
                   "\"/srv/leat/.postgresql/root.crt\" does not exist\nEither provide the file or change sslmode\n");
  EXPECT_EQ(error.code(), "LEAT0302");
  EXPECT_THAT(error.diagnostic().help, ElementsAre(HasSubstr("`sslmode` of the connection")));
}

TEST(FaultsTest, TellsSettingsThatLibpqRefuses) {
  const Error error = ConnectFault(kTotesys, "definition of service \"shop\" not found\n");
  EXPECT_EQ(
      Told(error),
      "LEAT0311 connection \"totesys\" has settings that cannot be used: definition of service \"shop\" not found");
  EXPECT_EQ(error.kind(), kConfig);
}

TEST(FaultsTest, ListsWhereAPasswordWasLookedFor) {
  setenv("PGPASSWORD", "hunter2", 1);
  Endpoint endpoint = kTotesys;
  endpoint.password_looked_in = {"LEAT_CONNECTIONS_TOTESYS_PASSWORD (not set)", "TOTESYS_PW (not set)"};
  const Error error = NoPassword(endpoint);
  unsetenv("PGPASSWORD");
  EXPECT_EQ(Told(error), "LEAT0310 connection \"totesys\" has no password");
  EXPECT_EQ(error.kind(), kConfig);
  EXPECT_THAT(error.diagnostic().looked_in,
              ElementsAre("LEAT_CONNECTIONS_TOTESYS_PASSWORD (not set)", "TOTESYS_PW (not set)", "PGPASSWORD (set)",
                          "/nowhere/.pgpass (absent)"));
  EXPECT_THAT(error.diagnostic().help,
              ElementsAre("add this line to /nowhere/.pgpass, then  chmod 600 /nowhere/.pgpass\n"
                          "db.internal:5432:totesys:reader:<password>"));
}

TEST(FaultsTest, EscapesTheLineOfAPasswordFile) {
  Endpoint endpoint = kTotesys;
  endpoint.host = "::1";
  endpoint.user = "a\\b";
  EXPECT_EQ(endpoint.PasswordLine(), "\\:\\:1:5432:totesys:a\\\\b");
  endpoint.host = "/var/run/postgresql";
  EXPECT_EQ(endpoint.PasswordLine(), "localhost:5432:totesys:a\\\\b");
}

TEST(FaultsTest, TellsALostConnection) {
  EXPECT_EQ(Told(ConnectionLost("totesys", {}, "server closed the connection unexpectedly\n\tThis probably means\n")),
            "LEAT0303 connection \"totesys\" was lost: server closed the connection unexpectedly");
  EXPECT_EQ(Told(ConnectionLost("totesys", {}, "")), "LEAT0303 connection \"totesys\" was lost: the server closed it");
}

TEST(FaultsTest, KeepsWhatTheServerSaysOfAStatement) {
  const ServerError error =
      Refusal("warehouse", {.sqlstate = "23505",
                            .message = "duplicate key value violates unique constraint \"x_pkey\"",
                            .detail = "Key (id)=(1) already exists.",
                            .context = "COPY x, line 2"});
  EXPECT_EQ(
      Told(error),
      "LEAT0305 connection \"warehouse\": duplicate key value violates unique constraint \"x_pkey\" (SQLSTATE 23505)");
  EXPECT_EQ(error.kind(), kData);
  EXPECT_EQ(error.sqlstate(), "23505");
  EXPECT_THAT(error.diagnostic().notes, ElementsAre("Key (id)=(1) already exists.", "COPY x, line 2"));
}

TEST(FaultsTest, SaysWhoHasToAct) {
  const auto kind = [](const char* sqlstate) { return Refusal("x", {.sqlstate = sqlstate, .message = "no"}).kind(); };
  EXPECT_EQ(kind("42501"), kConfig);
  EXPECT_EQ(kind("42P01"), kConfig);
  EXPECT_EQ(kind("42601"), kInternal);
  EXPECT_EQ(kind("22001"), kData);
  EXPECT_EQ(kind("55P03"), kConnection);
  EXPECT_EQ(kind("40P01"), kConnection);
  EXPECT_EQ(kind("XX000"), kInternal);
  EXPECT_EQ(Refusal("x", {.sqlstate = "42501", .message = "no"}).code(), "LEAT0304");
}

TEST(FaultsTest, WritesTheGrant) {
  EXPECT_EQ(GrantStatement("SELECT", "\"public\".\"staff\"", "read\"er"),
            "GRANT SELECT ON \"public\".\"staff\" TO \"read\"\"er\"");
}

TEST(FaultsTest, KnowsThisMachine) {
  for (const char* host :
       {"", "localhost", "127.0.0.1", "127.9.9.9", "::1", "/run/postgresql", "@abstract", "localhost,::1"})
    EXPECT_TRUE(IsLocalHost(host)) << host;
  for (const char* host : {"db.internal", "10.0.0.1", "localhost,db.internal", "localhost.example"})
    EXPECT_FALSE(IsLocalHost(host)) << host;
}

TEST(ConnectionTest, NamesTheAddressWhereNobodyAnswers) {
  // Port 1 is reserved for a service that nobody runs.
  const Options options{.name = "totesys", .host = "127.0.0.1", .port = "1", .database = "d", .user = "u"};
  try {
    Connection connection(options);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(Told(error), "LEAT0301 cannot reach connection \"totesys\" at 127.0.0.1:1: Connection refused");
  }
}

}  // namespace
}  // namespace leat::postgres
