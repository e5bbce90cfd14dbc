#include "cli/junit.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/output.h"
#include "cli/session.h"
#include "core/diagnostic_json.h"

namespace leat::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Bytes of the UTF-8 character at the start of `text`; 0 for what is none, or what XML 1.0 does not allow.
size_t BytesOfXmlCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  const size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return 0;
  unsigned code = first & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0u) != 0x80) return 0;
    code = (code << 6) | (byte(i) & 0x3Fu);
  }
  const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  return overlong || surrogate || code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF ? 0 : bytes;
}

/// What stands for a character that XML reads otherwise; line ends and tabs would become blanks in attributes.
std::string_view EntityOf(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\t':
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return {};
  }
}

std::string TimeAttribute(const std::optional<std::chrono::microseconds>& duration) {
  return duration ? fmt::format(" time=\"{:.3f}\"", std::chrono::duration<double>(*duration).count()) : "";
}

}  // namespace

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t bytes = BytesOfXmlCharacter(text);
    if (bytes == 0)
      escaped += kReplacement;
    else if (const std::string_view entity = EntityOf(text[0]); !entity.empty())
      escaped += entity;
    else
      escaped += text.substr(0, bytes);
    text.remove_prefix(std::max<size_t>(bytes, 1));
  }
  return escaped;
}

void JunitReport::AddCase(const std::string& suite, Case added) {
  auto found = std::find_if(suites_.begin(), suites_.end(), [&](const Suite& other) { return other.name == suite; });
  if (found == suites_.end()) found = suites_.insert(suites_.end(), {suite, {}});
  found->cases.push_back(std::move(added));
}

void JunitReport::AddStep(const state::Step& step) {
  Case added{.name = step.step, .verdict = Verdict::kPassed, .diagnostic = {}, .duration = step.ended - step.started};
  if (step.status == "failed") added.verdict = Verdict::kFailed;
  if (step.status == "skipped") added.verdict = Verdict::kSkipped;
  if (!step.diagnostic.empty()) added.diagnostic = ParseDiagnosticJson(step.diagnostic);
  AddCase(step.table, std::move(added));
}

void JunitReport::AddCheck(const models::CheckOutcome& check) {
  const bool failed = check.diagnostic && check.diagnostic->severity == Severity::kError;
  AddCase(check.table.empty() ? "checks" : check.table, {.name = check.rule,
                                                         .verdict = failed ? Verdict::kFailed : Verdict::kPassed,
                                                         .diagnostic = check.diagnostic,
                                                         .duration = {}});
}

void JunitReport::Add(const pipeline::RunSummary& summary) {
  for (const state::Step& step : summary.steps) {
    const bool told_one_by_one =
        step.step == "check" && std::any_of(summary.checks.begin(), summary.checks.end(),
                                            [&](const auto& check) { return check.table == step.table; });
    if (!told_one_by_one) AddStep(step);
  }
  for (const models::CheckOutcome& check : summary.checks) AddCheck(check);
  AddFaults("run", summary.diagnostics);
}

void JunitReport::Add(const pipeline::CheckReport& report) {
  for (const models::CheckOutcome& check : report.checks) AddCheck(check);
  for (const std::string& table : report.never_built)
    AddCase(table, {.name = "check", .verdict = Verdict::kSkipped, .diagnostic = {}, .duration = {}});
  AddFaults("check", report.diagnostics);
}

void JunitReport::AddFaults(const std::string& command, const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics)
    if (diagnostic.severity == Severity::kError && !IsTold(diagnostic))
      AddCase(command,
              {.name = diagnostic.place.known() ? fmt::format("{} {}", diagnostic.code, diagnostic.place.ToString())
                                                : diagnostic.code,
               .verdict = Verdict::kFailed,
               .diagnostic = diagnostic,
               .duration = {}});
}

bool JunitReport::IsTold(const Diagnostic& diagnostic) const {
  return std::any_of(suites_.begin(), suites_.end(), [&](const Suite& suite) {
    return std::any_of(suite.cases.begin(), suite.cases.end(), [&](const Case& one) {
      return one.diagnostic && one.diagnostic->code == diagnostic.code &&
             one.diagnostic->message == diagnostic.message && one.diagnostic->place == diagnostic.place;
    });
  });
}

std::string JunitReport::Format() const {
  std::string suites;
  size_t tests = 0;
  int64_t failures = 0;
  for (const Suite& suite : suites_) {
    suites += Format(suite);
    tests += suite.cases.size();
    failures += std::count_if(suite.cases.begin(), suite.cases.end(),
                              [](const Case& one) { return one.verdict == Verdict::kFailed; });
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\">\n{}</testsuites>\n",
      EscapeXml(name_), tests, failures, suites);
}

std::string JunitReport::Format(const Suite& suite) const {
  std::string cases;
  int failures = 0, skipped = 0;
  std::chrono::microseconds duration{0};
  for (const Case& one : suite.cases) {
    cases += Format(suite, one);
    failures += one.verdict == Verdict::kFailed;
    skipped += one.verdict == Verdict::kSkipped;
    duration += one.duration.value_or(std::chrono::microseconds(0));
  }
  return fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"{}>\n{}  </testsuite>\n",
      EscapeXml(suite.name), suite.cases.size(), failures, skipped, TimeAttribute(duration), cases);
}

std::string JunitReport::Format(const Suite& suite, const Case& one) const {
  const std::string begin = fmt::format("    <testcase classname=\"{}\" name=\"{}\"{}", EscapeXml(suite.name),
                                        EscapeXml(one.name), TimeAttribute(one.duration));
  const std::string text = one.diagnostic ? EscapeXml(draw_(*one.diagnostic)) : "";
  const std::string message = one.diagnostic ? EscapeXml(one.diagnostic->message) : "";
  std::string inside;
  if (one.verdict == Verdict::kFailed)
    inside = fmt::format("<failure type=\"{}\" message=\"{}\">{}</failure>",
                         one.diagnostic ? EscapeXml(one.diagnostic->code) : "", message, text);
  else if (one.verdict == Verdict::kSkipped)
    inside =
        fmt::format("<skipped message=\"{}\"/>", message.empty() ? "what it needs failed or is not there" : message);
  else if (!text.empty())
    inside = fmt::format("<system-out>{}</system-out>", text);
  return inside.empty() ? begin + "/>\n" : fmt::format("{}>{}</testcase>\n", begin, inside);
}

ExitCode WithJunit(Session& session, const std::function<ExitCode(JunitReport&)>& work) {
  JunitReport report("leat", [&](const Diagnostic& diagnostic) { return session.Draw(diagnostic); });
  if (session.line().junit.empty()) return work(report);
  OutputFile file(session.line().junit);
  const auto write = [&] {
    file.Write(report.Format());
    file.Finish();
  };
  try {
    const ExitCode code = work(report);
    write();
    return code;
  } catch (const Error& error) {
    report.AddFaults(session.line().command, {error.diagnostic()});
    write();
    throw;
  } catch (const pipeline::InvalidProject& invalid) {
    report.AddFaults(session.line().command, invalid.diagnostics);
    write();
    throw;
  }
}

}  // namespace leat::cli
