#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cli/commands.h"
#include "pipeline/validate.h"

namespace leat::cli {
namespace {

/// `shop`, or `shop for target prod`.
std::string TitleOf(const config::Project& project) {
  if (project.target.value == config::kNoTarget) return project.name;
  return fmt::format("{} for target {}", project.name, project.target.value);
}

std::string ValidText(const std::string& project, const pipeline::Validation& found, std::chrono::microseconds duration,
                      const Terminal& terminal) {
  return fmt::format("{} {} is valid: {} with {}, {}, {} ({})\n", Paint(terminal, Tint::kGreen, SignsOf(terminal).done),
                     project, FormatNumberOf(terminal, found.sources, "source"),
                     FormatNumberOf(terminal, found.streams, "stream"), FormatNumberOf(terminal, found.models, "model"),
                     FormatNumberOf(terminal, found.checks, "check"), FormatDuration(duration));
}

std::string InvalidText(const std::string& project, int64_t errors, std::chrono::microseconds duration,
                        const Terminal& terminal) {
  return fmt::format("{} {} is not valid: {} ({})\n", Paint(terminal, Tint::kRed, SignsOf(terminal).failed), project,
                     FormatNumberOf(terminal, errors, "error"), FormatDuration(duration));
}

}  // namespace

ExitCode Validate(Session& session) {
  const auto started = std::chrono::steady_clock::now();
  const config::Project project = session.OpenProject();
  const auto look_up = session.line().fast ? pipeline::LookUp::kNever : pipeline::LookUp::kWhereUnknown;
  const pipeline::Validation found = pipeline::Validate(project, look_up, session.cancel());
  const auto duration =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - started);
  const auto errors =
      std::count_if(found.diagnostics.begin(), found.diagnostics.end(),
                    [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::kError; });
  Json data;
  data["project"] = project.name;
  data["target"] = project.target.value;
  data["valid"] = errors == 0;
  data["sources"] = found.sources;
  data["streams"] = found.streams;
  data["models"] = found.models;
  data["checks"] = found.checks;
  data["dur_s"] = SecondsJson(duration);
  const Terminal& terminal = session.out_terminal();
  session.Answer(errors == 0 ? ValidText(TitleOf(project), found, duration, terminal)
                             : InvalidText(TitleOf(project), errors, duration, terminal),
                 data, found.diagnostics);
  if (errors == 0) return kAllDone;
  return errors == 1 && found.unreachable ? kNoConnection : kNothingRun;
}

}  // namespace leat::cli
