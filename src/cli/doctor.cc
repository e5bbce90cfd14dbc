#include "pipeline/doctor.h"

#include <algorithm>

#include "cli/commands.h"
#include "cli/doctor_report.h"
#include "pipeline/run.h"

namespace leat::cli {
namespace {

using pipeline::Finding;

void Append(std::vector<Finding>& findings, std::vector<Finding> more) {
  findings.insert(findings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// The project of this folder, if there is one; a broken one is a finding.
std::optional<config::Project> TryOpenProject(Session& session, std::vector<Finding>& findings) {
  try {
    return session.OpenProject();
  } catch (const pipeline::InvalidProject& invalid) {
    const auto errors = std::count_if(invalid.diagnostics.begin(), invalid.diagnostics.end(),
                                      [](const Diagnostic& d) { return d.severity == Severity::kError; });
    findings.push_back(
        pipeline::Fault("project", FormatNumberOf({}, errors, "error") + " in its files", "leat validate"));
  } catch (const Error& error) {
    if (error.code() != "LEAT0101") throw;
    findings.push_back(pipeline::Good("project", "none here: only the machine was looked at"));
  }
  return std::nullopt;
}

}  // namespace

ExitCode Doctor(Session& session) {
  std::vector<Finding> findings;
  const std::optional<config::Project> project = TryOpenProject(session, findings);
  Append(findings, pipeline::ExamineMachine(project ? project->limits : config::Limits{}));
  if (project) {
    Append(findings, pipeline::ExamineProject(*project, session.cancel()));
    Append(findings, pipeline::ExamineConnections(*project, session.cancel()));
  }
  session.Answer(FormatFindings(findings, session.out_terminal()), FindingsJson(findings));
  const bool is_sick =
      std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.state == Finding::State::kFault; });
  return is_sick ? kSomeFailed : kAllDone;
}

}  // namespace leat::cli
