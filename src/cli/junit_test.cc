#include "cli/junit.h"

#include <gtest/gtest.h>

#include "core/diagnostic_json.h"

namespace leat::cli {
namespace {

const Timestamp kBegin = ParseTimestamp("2024-11-21T14:05:59Z");

JunitReport EmptyReport() {
  return {"leat", [](const Diagnostic& diagnostic) { return "drawn <" + diagnostic.code + ">\n"; }};
}

state::Step StepWith(const std::string& table, const std::string& step, const std::string& status,
                     const std::string& diagnostic = "") {
  return {.table = table,
          .step = step,
          .status = status,
          .started = kBegin,
          .ended = kBegin + std::chrono::milliseconds(1500),
          .diagnostic = diagnostic};
}

TEST(JunitTest, EscapesWhatXmlCannotHold) {
  EXPECT_EQ(EscapeXml("a < b & \"c\" > 'd'"), "a &lt; b &amp; &quot;c&quot; &gt; &apos;d&apos;");
  EXPECT_EQ(EscapeXml("line\n\ttab\r"), "line&#10;&#9;tab&#13;");
  EXPECT_EQ(EscapeXml(std::string("\x1b[31m\0\x08", 7)), "\uFFFD[31m\uFFFD\uFFFD");
  EXPECT_EQ(EscapeXml("ünï ✗ 😀"), "ünï ✗ 😀");
  EXPECT_EQ(EscapeXml("\xFF\xC3"), "\uFFFD\uFFFD") << "no UTF-8";
  EXPECT_EQ(EscapeXml("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD") << "a surrogate";
  EXPECT_EQ(EscapeXml("\xEF\xBF\xBE"), "\uFFFD\uFFFD\uFFFD") << "U+FFFE";
}

TEST(JunitTest, GivesASuitePerTableAndACasePerStepAndCheck) {
  const Diagnostic null{.code = "LEAT0701", .message = "3 rows are \"NULL\""};
  const Diagnostic warning{.severity = Severity::kWarning, .code = "LEAT0703", .message = "odd"};
  const Diagnostic lost{.code = "LEAT0301", .message = "no answer"};
  pipeline::RunSummary summary;
  summary.steps = {
      StepWith("crm.a", "extract", "done"), StepWith("mart.m", "build", "failed", FormatDiagnosticJson(null)),
      StepWith("mart.m", "check", "failed", FormatDiagnosticJson(null)), StepWith("mart.below", "build", "skipped")};
  summary.checks = {{.table = "mart.m", .rule = "not_null(a)", .failing_rows = 3, .diagnostic = null},
                    {.table = "mart.m", .rule = "unique(a)"},
                    {.rule = "no_gaps", .severity = config::CheckSeverity::kWarn, .diagnostic = warning}};
  summary.diagnostics = {null, warning, lost};
  JunitReport report = EmptyReport();
  report.Add(summary);
  EXPECT_EQ(report.Format(), R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="leat" tests="7" failures="3" errors="0">
  <testsuite name="crm.a" tests="1" failures="0" errors="0" skipped="0" time="1.500">
    <testcase classname="crm.a" name="extract" time="1.500"/>
  </testsuite>
  <testsuite name="mart.m" tests="3" failures="2" errors="0" skipped="0" time="1.500">
    <testcase classname="mart.m" name="build" time="1.500"><failure type="LEAT0701" message="3 rows are &quot;NULL&quot;">drawn &lt;LEAT0701&gt;&#10;</failure></testcase>
    <testcase classname="mart.m" name="not_null(a)"><failure type="LEAT0701" message="3 rows are &quot;NULL&quot;">drawn &lt;LEAT0701&gt;&#10;</failure></testcase>
    <testcase classname="mart.m" name="unique(a)"/>
  </testsuite>
  <testsuite name="mart.below" tests="1" failures="0" errors="0" skipped="1" time="1.500">
    <testcase classname="mart.below" name="build" time="1.500"><skipped message="what it needs failed or is not there"/></testcase>
  </testsuite>
  <testsuite name="checks" tests="1" failures="0" errors="0" skipped="0" time="0.000">
    <testcase classname="checks" name="no_gaps"><system-out>drawn &lt;LEAT0703&gt;&#10;</system-out></testcase>
  </testsuite>
  <testsuite name="run" tests="1" failures="1" errors="0" skipped="0" time="0.000">
    <testcase classname="run" name="LEAT0301"><failure type="LEAT0301" message="no answer">drawn &lt;LEAT0301&gt;&#10;</failure></testcase>
  </testsuite>
</testsuites>
)xml");
}

TEST(JunitTest, IsWholeWithoutAnyResult) {
  EXPECT_EQ(EmptyReport().Format(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites name=\"leat\" tests=\"0\" failures=\"0\" errors=\"0\">\n</testsuites>\n");
}

}  // namespace
}  // namespace leat::cli
