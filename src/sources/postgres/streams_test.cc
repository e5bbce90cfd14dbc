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

config::Located<std::string> At(const std::string& value, int line = 7) {
  return {value, {"sources/totesys.yaml", line, 1, 0}};
}

config::StreamRule Excluding(const std::string& pattern, const std::string& column) {
  config::StreamRule rule = Rule(pattern);
  rule.columns.exclude = {At(column)};
  rule.given = {"columns.exclude"};
  return rule;
}

TEST(MatchStreamsTest, AMisspeltColumnStopsItsStream) {
  const auto staff = Match(Totesys({Rule("*"), Excluding("staff", "nmae")}), kShop)[2];
  ASSERT_TRUE(staff.info.fault);
  EXPECT_EQ(staff.info.fault->code, "LEAT0420");
  EXPECT_EQ(staff.info.fault->message, "columns.exclude names column nmae, which staff does not have");
  EXPECT_EQ(staff.info.fault->help[0], "did you mean name?");
}

TEST(MatchStreamsTest, AMisspeltColumnOfManyTablesStopsTheSource) {
  EXPECT_EQ(
      MessageOf(Totesys({Excluding("*", "nmae")}), kShop),
      "sources/totesys.yaml:7:1: columns.exclude names column nmae, which any table that \"*\" stands for does not "
      "have\ndid you mean name?");
  EXPECT_EQ(Match(Totesys({Excluding("*", "name")}), kShop).size(), 3u) << "in some of them is enough";
}

TEST(MatchStreamsTest, AGlobThatMatchesNoColumnIsAWarning) {
  const auto matched = MatchStreams(Totesys({Excluding("staff", "phone*")}), kShop, "reader");
  ASSERT_EQ(matched.warnings.size(), 1u);
  EXPECT_EQ(matched.warnings[0].code, "LEAT0421");
  EXPECT_EQ(matched.warnings[0].severity, Severity::kWarning);
  EXPECT_FALSE(matched.streams[0].info.fault.has_value());
}

TEST(MatchStreamsTest, AColumnHasTheTypeThatTheProjectWants) {
  config::StreamRule rule = Rule("staff");
  rule.columns.types = {{"staff_id", At("bigint")}};
  rule.given = {"columns.types"};
  EXPECT_EQ(Match(Totesys({rule}), kShop)[0].info.columns[0], (duck::Column{"staff_id", "BIGINT"}));
  rule.columns.types = {{"name", At("bigint")}};
  const Diagnostic fault = *Match(Totesys({rule}), kShop)[0].info.fault;
  EXPECT_EQ(fault.code, "LEAT0422");
  EXPECT_EQ(fault.message, "column name of staff is text and cannot be taken as bigint; expected one of VARCHAR");
  EXPECT_EQ(fault.place.line, 7);
}

TEST(MatchStreamsTest, ProposesNamesThatNobodyHas) {
  const auto help = [](const CatalogTable& table) {
    return Match(Totesys({Rule("*")}), {table})[0].info.fault->help[0];
  };
  EXPECT_EQ(help(Table("t", {"a b", "a-b", "a_b_2"})), "add  rename: {\"a-b\": a_b_3}  to the stream");
  EXPECT_EQ(help(Table("t", {"_leat_op"})), "add  rename: {_leat_op: leat_op}  to the stream");
  EXPECT_EQ(help(Table("_Leat x", {"id"})), "add  rename: {\"_Leat x\": leat_x}  at the top of the file");
  const std::string longest(63, 'n');
  EXPECT_EQ(help(Table("t", {longest, "N" + longest.substr(1)})),
            "add  rename: {N" + longest.substr(1) + ": " + longest.substr(0, 57) + "_2}  to the stream");
}

TEST(MatchStreamsTest, ATableWithoutColumnsIsLeftOutUnlessNamed) {
  const auto matched = MatchStreams(Totesys({Rule("*")}), {Table("z", {})}, "reader");
  EXPECT_THAT(matched.streams, IsEmpty());
  EXPECT_EQ(matched.warnings.at(0).code, "LEAT0423");
  EXPECT_EQ(Match(Totesys({Rule("z")}), {Table("z", {})})[0].info.fault->code, "LEAT0423");
  EXPECT_EQ(Match(Totesys({Excluding("staff", "*")}), kShop)[0].info.fault->code, "LEAT0423");
}

TEST(MatchStreamsTest, ARenameNeedsItsTable) {
  config::Source source = Totesys({Rule("*")});
  source.rename = {{"Staff", At("people", 3)}};
  EXPECT_EQ(
      MessageOf(source, kShop),
      "sources/totesys.yaml:3:1: rename names table Staff, which schema public does not have\ndid you mean staff?");
  config::StreamRule skip = Rule("Staff");
  skip.skip = true;
  skip.given = {"skip"};
  source.streams.push_back(skip);
  EXPECT_EQ(Match(source, kShop).size(), 3u);
}

TEST(MatchStreamsTest, ATableWithoutKeyHasNone) {
  EXPECT_THAT(Match(Totesys({Rule("*")}), {Table("log", {"line"})})[0].info.key, IsEmpty());
}

}  // namespace
}  // namespace leat::sources
