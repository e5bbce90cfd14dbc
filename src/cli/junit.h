#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.h"
#include "core/error.h"
#include "pipeline/check.h"
#include "pipeline/run.h"

namespace leat::cli {

class Session;

/// Results as JUnit XML, the form that CI systems read: a suite for each table, in it a case for each step and check.
/// Checks with `severity: warn` pass, with the warning as their output.
class JunitReport {
 public:
  using Draw = std::function<std::string(const Diagnostic&)>;

  /// `name` of the whole, as the project; `draw` gives the text of a failure.
  JunitReport(std::string name, Draw draw) : name_(std::move(name)), draw_(std::move(draw)) {}

  void Add(const pipeline::RunSummary& summary);
  void Add(const pipeline::CheckReport& report);
  /// Faults that belong to no table, as cases of a suite named after the command. Warnings are left out.
  void AddFaults(const std::string& command, const std::vector<Diagnostic>& diagnostics);

  std::string Format() const;

 private:
  enum class Verdict { kPassed, kFailed, kSkipped };
  struct Case {
    std::string name;
    Verdict verdict = Verdict::kPassed;
    std::optional<Diagnostic> diagnostic;
    std::optional<std::chrono::microseconds> duration;
  };
  struct Suite {
    std::string name;
    std::vector<Case> cases;
  };

  void AddCase(const std::string& suite, Case added);
  void AddStep(const state::Step& step);
  void AddCheck(const models::CheckOutcome& check);
  bool IsTold(const Diagnostic& diagnostic) const;
  std::string Format(const Suite& suite) const;
  std::string Format(const Suite& suite, const Case& one) const;

  std::string name_;
  Draw draw_;
  std::vector<Suite> suites_;  ///< in the order in which they came
};

/// Escape for XML, in text and in attributes. What XML cannot hold, as most control characters, becomes U+FFFD.
std::string EscapeXml(std::string_view text);

/// Do the work of a command and write its report to the file of --junit, if one is asked for, also when the work ends
/// by an error. Throws: what the work throws; Error(kConfig, LEAT0195) before the work where the file cannot be made.
ExitCode WithJunit(Session& session, const std::function<ExitCode(JunitReport&)>& work);

}  // namespace leat::cli
