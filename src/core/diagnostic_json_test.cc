#include "core/diagnostic_json.h"

#include <gtest/gtest.h>

namespace leat {
namespace {

TEST(DiagnosticJsonTest, RoundTripsAndLeavesOutWhatIsEmpty) {
  const Diagnostic full{.severity = Severity::kWarning,
                        .code = "LEAT0203",
                        .message = "column \"department_nam\" does not exist in totesys.department",
                        .place = {"models/mart/dim_staff.sql", 7, 10, 24},
                        .label = "not in totesys.department",
                        .looked_in = {"~/.pgpass"},
                        .help = {"did you mean department_name?"},
                        .notes = {"totesys.department has 6 columns"},
                        .candidates = {"department_name"}};
  EXPECT_EQ(ParseDiagnosticJson(FormatDiagnosticJson(full)), full);
  EXPECT_EQ(FormatDiagnosticJson({.code = "LEAT0101", .message = "m"}),
            R"({"code":"LEAT0101","message":"m","severity":"error"})");
}

TEST(DiagnosticJsonTest, KeepsTextThatIsNoJson) { EXPECT_EQ(ParseDiagnosticJson("disk full").message, "disk full"); }

}  // namespace
}  // namespace leat
