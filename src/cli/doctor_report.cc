#include "cli/doctor_report.h"

#include <fmt/format.h>

#include <algorithm>

namespace leat::cli {
namespace {

using pipeline::Finding;

struct FindingLook {
  const char* word;
  const char* sign;
  Tint tint;
};

FindingLook LookOf(Finding::State state, const Signs& signs) {
  switch (state) {
    case Finding::State::kFault:
      return {"fault", signs.failed, Tint::kRed};
    case Finding::State::kWarning:
      return {"warning", signs.warned, Tint::kAmber};
    case Finding::State::kGood:
      break;
  }
  return {"good", signs.done, Tint::kGreen};
}

int CountOf(const std::vector<Finding>& findings, Finding::State state) {
  return static_cast<int>(
      std::count_if(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.state == state; }));
}

}  // namespace

std::string FormatFindings(const std::vector<Finding>& findings, const Terminal& terminal) {
  const Signs& signs = SignsOf(terminal);
  int sign_width = 0, subject_width = 0;
  for (const Finding& finding : findings) {
    sign_width = std::max(sign_width, DisplayWidth(LookOf(finding.state, signs).sign));
    subject_width = std::max(subject_width, DisplayWidth(finding.subject));
  }
  std::string text;
  for (const Finding& finding : findings) {
    const FindingLook look = LookOf(finding.state, signs);
    text += fmt::format("  {} {}  {}\n", Paint(terminal, look.tint, PadRight(look.sign, sign_width)),
                        PadRight(finding.subject, subject_width), finding.text);
    const std::string indent(static_cast<size_t>(sign_width + subject_width + 5), ' ');
    if (!finding.remedy.empty()) text += fmt::format("{}= help: {}\n", indent, finding.remedy);
  }
  const int faults = CountOf(findings, Finding::State::kFault);
  const int warnings = CountOf(findings, Finding::State::kWarning);
  if (faults + warnings == 0) return text + "Nothing is wrong.\n";
  return text + fmt::format("{}, {}.\n", FormatNumberOf(terminal, faults, "fault"),
                            FormatNumberOf(terminal, warnings, "warning"));
}

Json FindingsJson(const std::vector<Finding>& findings) {
  Json json = {{"findings", Json::array()}};
  for (const Finding& finding : findings)
    json["findings"].push_back({{"state", LookOf(finding.state, SignsOf({})).word},
                                {"subject", finding.subject},
                                {"text", finding.text},
                                {"remedy", finding.remedy.empty() ? Json(nullptr) : Json(finding.remedy)}});
  json["faults"] = CountOf(findings, Finding::State::kFault);
  json["warnings"] = CountOf(findings, Finding::State::kWarning);
  return json;
}

}  // namespace leat::cli
