#include "cli/json_document.h"

#include <gtest/gtest.h>

namespace leat::cli {
namespace {

TEST(JsonDocumentTest, HasOneFormForEveryCommand) {
  EXPECT_EQ(JsonDocument("status", {{"tables", Json::array()}}, {}),
            "{\"format\":1,\"command\":\"status\",\"data\":{\"tables\":[]},\"diagnostics\":[]}\n");
}

TEST(JsonDocumentTest, GivesEveryFieldOfADiagnostic) {
  const Diagnostic diagnostic{.severity = Severity::kWarning,
                              .code = "LEAT0118",
                              .message = "not read",
                              .place = {"a.sql", 7, 10, 24},
                              .label = "this",
                              .help = {"rename it"}};
  EXPECT_EQ(
      DumpLine(ToJson(diagnostic)),
      R"({"severity":"warning","code":"LEAT0118","message":"not read","file":"a.sql","line":7,"column":10,"end_line":7,"end_column":24,)"
      R"("label":"this","looked_in":[],"help":["rename it"],"notes":[],"candidates":[]})");
  const Json placeless = ToJson(Diagnostic{.code = "LEAT0190", .message = "x"});
  EXPECT_EQ(placeless["file"], nullptr);
  EXPECT_EQ(placeless["end_line"], nullptr);
}

TEST(JsonDocumentTest, WritesMomentsAndDurationsWithUnits) {
  const Timestamp started = ParseTimestamp("2024-11-21T14:05:01Z");
  EXPECT_EQ(
      DumpLine(ToJson(state::Run{
          .number = 42, .status = "partial", .started = started, .ended = started + std::chrono::milliseconds(1500)})),
      R"({"number":42,"status":"partial","selection":"","started_at":"2024-11-21T14:05:01Z","ended_at":"2024-11-21T14:05:02.500000Z","dur_s":1.5})");
}

TEST(JsonDocumentTest, NeverFailsOnBrokenUtf8) { EXPECT_EQ(DumpLine(Json("a\xff")), "\"a\xEF\xBF\xBD\""); }

}  // namespace
}  // namespace leat::cli
