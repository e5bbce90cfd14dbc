#include "sources/postgres/streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::sources {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint32_t kInteger = 23;
constexpr uint32_t kText = 25;

/// The language of these tests: Table("staff", {"staff_id", "name"}, {"staff_id"}).
CatalogTable Table(const std::string& name, const std::vector<std::string>& columns,
                   const std::vector<std::string>& key = {}, char kind = 'r') {
  CatalogTable table{.name = name, .kind = kind, .primary_key = key};
  for (const std::string& column : columns) {
    const bool is_id = column.ends_with("id");
    table.columns.push_back({.name = column,
                             .type = {.oid = is_id ? kInteger : kText, .formatted = is_id ? "integer" : "text"},
                             .readable = true});
  }
  return table;
}

config::StreamRule Rule(const std::string& pattern) {
  return {.pattern = {pattern, {"sources/totesys.yaml", 4, 3, 0}}};
}

config::Source Totesys(std::vector<config::StreamRule> rules) {
  return {.name = "totesys", .file = "sources/totesys.yaml", .type = "postgres", .streams = std::move(rules)};
}

std::vector<PostgresStream> Match(const config::Source& source, const std::vector<CatalogTable>& tables) {
  return MatchStreams(source, tables, "reader").streams;
}

std::vector<std::string> Names(const std::vector<PostgresStream>& streams) {
  std::vector<std::string> names;
  for (const auto& stream : streams) names.push_back(stream.info.name);
  return names;
}

std::string MessageOf(const config::Source& source, const std::vector<CatalogTable>& tables) {
  try {
    Match(source, tables);
  } catch (const Error& error) {
    return error.what() + (error.diagnostic().help.empty() ? "" : "\n" + error.diagnostic().help[0]);
  }
  return "no error";
}

const std::vector<CatalogTable> kShop = {
    Table("_prisma_migrations", {"id"}, {"id"}), Table("design", {"design_id", "name"}, {"design_id"}),
    Table("staff", {"staff_id", "name"}, {"staff_id"}), Table("totals", {"name"}, {}, 'v')};

TEST(MatchStreamsTest, AStarTakesTablesButNoViews) {
  EXPECT_THAT(Names(Match(Totesys({Rule("*")}), kShop)),
              ElementsAre("totesys._prisma_migrations", "totesys.design", "totesys.staff"));
  EXPECT_THAT(Names(Match(Totesys({Rule("totals")}), kShop)), ElementsAre("totesys.totals"));
}

TEST(MatchStreamsTest, AnExactNameWinsOverAGlobWhereverItStands) {
  config::StreamRule skip = Rule("_prisma_migrations");
  skip.skip = true;
  skip.given = {"skip"};
  EXPECT_THAT(Names(Match(Totesys({skip, Rule("*")}), kShop)), ElementsAre("totesys.design", "totesys.staff"));
}

TEST(MatchStreamsTest, TheKeyIsThePrimaryKeyUnlessTheProjectNamesOne) {
  const auto by_server = Match(Totesys({Rule("staff")}), kShop)[0];
  EXPECT_THAT(by_server.info.key, ElementsAre("staff_id"));
  EXPECT_TRUE(by_server.key_is_enforced);
  config::StreamRule rule = Rule("staff");
  rule.key = {{"name", {}}};
  rule.given = {"key"};
  const auto by_project = Match(Totesys({rule}), kShop)[0];
  EXPECT_THAT(by_project.info.key, ElementsAre("name"));
  EXPECT_FALSE(by_project.key_is_enforced);
}

TEST(MatchStreamsTest, CleansNamesAndRefusesAClash) {
  EXPECT_THAT(Names(Match(Totesys({Rule("*")}), {Table("Order Lines", {"id"})})), ElementsAre("totesys.order_lines"));
  EXPECT_EQ(MessageOf(Totesys({Rule("*")}), {Table("Staff", {"id"}), Table("staff", {"id"})}),
            "sources/totesys.yaml:4:3: tables \"Staff\" and \"staff\" would both be the stream totesys.staff\n"
            "add  rename: {staff: staff_2}  at the top of the file");
}

TEST(MatchStreamsTest, ARuleThatMatchesNothingNamesTheNearestTable) {
  EXPECT_EQ(MessageOf(Totesys({Rule("*"), Rule("desing")}), kShop),
            "sources/totesys.yaml:4:3: stream desing matches no table of schema public\ndid you mean design?");
}

TEST(MatchStreamsTest, ASkippedStreamNeedNotBeThere) {
  config::StreamRule gone = Rule("door_log");
  gone.skip = true;
  gone.given = {"skip"};
  EXPECT_EQ(Match(Totesys({Rule("*"), gone}), kShop).size(), 3u);
}

TEST(MatchStreamsTest, AFaultyStreamDoesNotHideTheOthers) {
  std::vector<CatalogTable> tables = kShop;
  for (CatalogColumn& column : tables[1].columns) column.readable = false;
  const auto streams = Match(Totesys({Rule("design"), Rule("staff")}), tables);
  ASSERT_EQ(streams.size(), 2u);
  EXPECT_EQ(streams[0].info.fault->message, "the role may not read public.design");
  EXPECT_THAT(streams[0].info.fault->help,
              ElementsAre("run as its owner:  GRANT SELECT ON \"public\".\"design\" TO \"reader\"",
                          "or leave the stream out by  design: {skip: true}"));
  EXPECT_FALSE(streams[1].info.fault.has_value());
}

TEST(MatchStreamsTest, ExcludedColumnsStayOutAndAKeyNeedsItsColumns) {
  config::StreamRule rule = Rule("staff");
  rule.columns.exclude = {{"na*", {}}};
  rule.given = {"columns.exclude"};
  const auto narrow = Match(Totesys({rule}), kShop)[0];
  EXPECT_THAT(narrow.info.columns, ElementsAre(duck::Column{"staff_id", "INTEGER"}));
  rule.columns.exclude = {{"staff_id", {}}};
  EXPECT_EQ(Match(Totesys({rule}), kShop)[0].info.fault->message,
            "key column staff_id of staff is not among the columns read");
}

TEST(MatchStreamsTest, ATableWithoutKeyHasNone) {
  EXPECT_THAT(Match(Totesys({Rule("*")}), {Table("log", {"line"})})[0].info.key, IsEmpty());
}

}  // namespace
}  // namespace leat::sources
