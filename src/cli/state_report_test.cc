#include "cli/state_report.h"

#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

using pipeline::TableState;

const Timestamp kAfternoon = ParseTimestamp("2024-11-21T15:00:00Z");

std::vector<TableState> States() {
  const Timestamp read = ParseTimestamp("2024-11-20T14:05:00Z");
  return {
      {.table = "crm.customer",
       .kind = TableState::Kind::kStream,
       .data_to = read,
       .read = "changes",
       .commit_number = 12,
       .position = R"({"read":"changes","ring":[1,2]})"},
      {.table = "crm.log", .kind = TableState::Kind::kStream, .position = "no JSON"},
      {.table = "mart.dim_staff", .kind = TableState::Kind::kModel, .data_to = read, .fingerprint = "d1c9f00d11-2-3-4"},
      {.table = "mart.fact", .kind = TableState::Kind::kModel}};
}

TEST(StateReportTest, ShowsStreamsAndModels) {
  EXPECT_EQ(FormatTableStates(States(), kAfternoon, kTerminal),
            "  STREAM        AS OF         READ     COMMIT\n"
            "  crm.customer  20 Nov 14:05  changes      12\n"
            "  crm.log       –             –             0\n"
            "  MODEL           DATA TO       BUILT FROM\n"
            "  mart.dim_staff  20 Nov 14:05  d1c9f00d\n"
            "  mart.fact       –             nothing: rebuilt by the next run\n");
  EXPECT_EQ(FormatTableStates({}, kAfternoon, kPipe), "nothing is kept yet\n  Start with  leat run\n");
}

TEST(StateReportTest, GivesPositionsAsJson) {
  const Json json = TableStatesJson(States());
  EXPECT_EQ(json["streams"][0]["position"]["ring"][1], 2);
  EXPECT_EQ(json["streams"][1]["position"], "no JSON");
  EXPECT_EQ(json["streams"][0]["data_to"], "2024-11-20T14:05:00Z");
  EXPECT_EQ(json["models"][0]["fingerprint"], "d1c9f00d11-2-3-4");
  EXPECT_TRUE(json["models"][1]["fingerprint"].is_null());
}

}  // namespace
}  // namespace leat::cli
