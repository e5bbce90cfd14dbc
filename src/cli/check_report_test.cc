#include "cli/check_report.h"

#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

using config::CheckSeverity;
using pipeline::CheckReport;

CheckReport Report() {
  const Diagnostic fault{.code = "LEAT0701", .message = "x"};
  return {.checks = {{.table = "mart.dim_staff", .rule = "not_null(name)"},
                     {.table = "mart.dim_staff", .rule = "unique(id)", .failing_rows = 1200, .diagnostic = fault},
                     {.table = "mart.fact",
                      .rule = "range(price)",
                      .severity = CheckSeverity::kReject,
                      .failing_rows = 3,
                      .diagnostic = fault},
                     {.rule = "no_gaps", .severity = CheckSeverity::kWarn}},
          .never_built = {"mart.new"},
          .diagnostics = {fault}};
}

TEST(CheckReportTest, GivesALinePerCheck) {
  EXPECT_EQ(FormatChecks(Report(), kTerminal),
            "     TABLE           CHECK           STATE         ROWS\n"
            "  ✓  mart.dim_staff  not_null(name)  passed           –\n"
            "  ✗  mart.dim_staff  unique(id)      failed       1\u202f200\n"
            "  !  mart.fact       range(price)    rejects          3\n"
            "  ✓  checks/         no_gaps         passed           –\n"
            "  ·  mart.new        –               never built      –\n"
            "4 checks: 2 passed, 1 failed, 1 warned\n");
  EXPECT_EQ(FormatChecks({}, kPipe), "0 checks: 0 passed, 0 failed\n");
}

TEST(CheckReportTest, SaysTheSameInJson) {
  const Json json = ChecksJson(Report());
  EXPECT_EQ(json["checks_failed"], 1);
  EXPECT_EQ(DumpLine(json["checks"][2]),
            R"j({"table":"mart.fact","check":"range(price)","severity":"reject","state":"rejects","rows_failing":3})j");
  EXPECT_TRUE(json["checks"][3]["table"].is_null());
  EXPECT_EQ(DumpLine(json["never_built"]), R"(["mart.new"])");
}

}  // namespace
}  // namespace leat::cli
