#include "cli/check_report.h"

#include <fmt/format.h>

#include "cli/text_table.h"

namespace leat::cli {
namespace {

using models::CheckOutcome;
using pipeline::CheckReport;

/// passed, failed, warned; rejects: rows that the next run would set aside.
const char* StateOf(const CheckOutcome& check) {
  if (!check.diagnostic) return "passed";
  switch (check.severity) {
    case config::CheckSeverity::kError:
      return "failed";
    case config::CheckSeverity::kWarn:
      return "warned";
    case config::CheckSeverity::kReject:
      return "rejects";
  }
  return "failed";
}

const char* SeverityName(config::CheckSeverity severity) {
  switch (severity) {
    case config::CheckSeverity::kError:
      return "error";
    case config::CheckSeverity::kWarn:
      return "warn";
    case config::CheckSeverity::kReject:
      return "reject";
  }
  return "error";
}

struct StateSign {
  const char* sign;
  Tint tint;
};

StateSign SignOf(const CheckOutcome& check, const Terminal& terminal) {
  const Signs& signs = SignsOf(terminal);
  if (!check.diagnostic) return {signs.done, Tint::kGreen};
  return check.severity == config::CheckSeverity::kError ? StateSign{signs.failed, Tint::kRed}
                                                         : StateSign{signs.warned, Tint::kAmber};
}

struct CheckCounts {
  int passed = 0, failed = 0, warned = 0;
};

CheckCounts CountChecks(const CheckReport& report) {
  CheckCounts counts;
  for (const CheckOutcome& check : report.checks) {
    if (!check.diagnostic)
      ++counts.passed;
    else
      ++(check.severity == config::CheckSeverity::kError ? counts.failed : counts.warned);
  }
  return counts;
}

}  // namespace

std::string FormatChecks(const CheckReport& report, const Terminal& terminal) {
  TextTable table({{.title = ""},
                   {.title = "TABLE"},
                   {.title = "CHECK"},
                   {.title = "STATE"},
                   {.title = "ROWS", .align = TextTable::Align::kRight}});
  const char* dash = SignsOf(terminal).dash;
  for (const CheckOutcome& check : report.checks) {
    const StateSign state = SignOf(check, terminal);
    table.Add({{state.sign, state.tint},
               {check.table.empty() ? "checks/" : check.table},
               {check.rule},
               {StateOf(check), state.tint},
               {check.failing_rows > 0 ? FormatCount(terminal, check.failing_rows) : dash}});
  }
  for (const std::string& model : report.never_built)
    table.Add({{SignsOf(terminal).skipped, Tint::kDim}, {model}, {dash}, {"never built", Tint::kDim}, {dash}});
  const CheckCounts counts = CountChecks(report);
  std::string text = report.checks.empty() && report.never_built.empty() ? "" : table.Format(terminal);
  text += FormatNumberOf(terminal, static_cast<int64_t>(report.checks.size()), "check");
  text += fmt::format(": {} passed, {} failed", counts.passed, counts.failed);
  if (counts.warned > 0) text += fmt::format(", {} warned", counts.warned);
  return text + "\n";
}

Json ChecksJson(const CheckReport& report) {
  const CheckCounts counts = CountChecks(report);
  Json json;
  json["checks_passed"] = counts.passed;
  json["checks_failed"] = counts.failed;
  json["checks_warned"] = counts.warned;
  json["checks"] = Json::array();
  for (const CheckOutcome& check : report.checks) {
    Json entry;
    entry["table"] = check.table.empty() ? Json(nullptr) : Json(check.table);
    entry["check"] = check.rule;
    entry["severity"] = SeverityName(check.severity);
    entry["state"] = StateOf(check);
    entry["rows_failing"] = check.failing_rows;
    json["checks"].push_back(entry);
  }
  json["never_built"] = report.never_built;
  return json;
}

}  // namespace leat::cli
