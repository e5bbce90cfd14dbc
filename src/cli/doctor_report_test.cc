#include "cli/doctor_report.h"

#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

const std::vector<pipeline::Finding> kFindings = {
    pipeline::Good("clock", "2024-11-21T14:05:02Z"),
    pipeline::Warning("open files", "at most 256", "ulimit -n 1024"),
    pipeline::Fault("connection crm", "no answer within 5 s", "check the address"),
};

TEST(DoctorReportTest, GivesEachFindingALineAndItsRemedyBelow) {
  EXPECT_EQ(FormatFindings(kFindings, kTerminal),
            "  ✓ clock           2024-11-21T14:05:02Z\n"
            "  ! open files      at most 256\n"
            "                    = help: ulimit -n 1024\n"
            "  ✗ connection crm  no answer within 5 s\n"
            "                    = help: check the address\n"
            "1 fault, 1 warning.\n");
}

TEST(DoctorReportTest, SaysThatNothingIsWrong) {
  EXPECT_EQ(FormatFindings({pipeline::Good("clock", "right")}, Terminal{.width = 80}),
            "  ok clock  right\nNothing is wrong.\n");
}

TEST(DoctorReportTest, TellsTheSameInJson) {
  const Json json = FindingsJson(kFindings);
  EXPECT_EQ(json["findings"][1]["state"], "warning");
  EXPECT_EQ(json["findings"][1]["remedy"], "ulimit -n 1024");
  EXPECT_TRUE(json["findings"][0]["remedy"].is_null());
  EXPECT_EQ(json["faults"], 1);
  EXPECT_EQ(json["warnings"], 1);
}

}  // namespace
}  // namespace leat::cli
