#include "cli/session.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/diagnostic_printer.h"
#include "cli/github_annotations.h"
#include "cli/run_log.h"
#include "config/environment.h"
#include "config/redact.h"
#include "core/file_system.h"
#include "pipeline/run.h"

namespace leat::cli {

Session::Session(CommandLine line, const CancelFlag& cancel)
    : line_(std::move(line)),
      cancel_(cancel),
      out_(STDOUT_FILENO, Stream::Loss::kThrow),
      err_(STDERR_FILENO, Stream::Loss::kIgnore) {
  const EscapesWish wish = line_.colour ? EscapesWish::kAuto : EscapesWish::kNever;
  out_terminal_ = DetectTerminal(STDOUT_FILENO, wish);
  err_terminal_ = DetectTerminal(STDERR_FILENO, wish);
}

config::Project Session::OpenProject() {
  config::LoadResult loaded = config::LoadProject(AbsolutePath("."), config::ProcessEnvironment(), line_.target);
  project_folder_ = loaded.project.folder;
  if (!loaded.ok()) throw pipeline::InvalidProject{std::move(loaded.diagnostics)};
  warnings_ = std::move(loaded.diagnostics);
  target_ = loaded.project.target.value;
  if (line_.threads) loaded.project.limits.threads = *line_.threads;
  return std::move(loaded.project);
}

void Session::PrintDiagnostics(const std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) return;
  if (logs_json()) return LogDiagnostics(diagnostics);
  const DiagnosticPrinter printer([this](const std::string& file) { return SourceText(file); },
                                  err_terminal_.escapes ? Color::kOn : Color::kOff,
                                  err_terminal_.unicode ? Drawing::kUtf8 : Drawing::kAscii);
  err_.Write(printer.FormatList(diagnostics, line_.all ? Show::kAll : Show::kFirst));
}

std::optional<std::string> Session::SourceText(const std::string& file) const {
  if (!typed_name_.empty() && file == typed_name_) return typed_text_;
  if (project_folder_.empty()) return std::nullopt;
  return config::TextForDisplay(project_folder_, file);
}

std::string Session::Draw(const Diagnostic& diagnostic) const {
  return DiagnosticPrinter([this](const std::string& file) { return SourceText(file); }, Color::kOff, Drawing::kUtf8)
      .Format(diagnostic);
}

void Session::Annotate(const std::vector<Diagnostic>& diagnostics) {
  static constexpr std::array kJudging = {"validate", "plan", "run", "retry", "check"};
  const bool judges = std::find(kJudging.begin(), kJudging.end(), line_.command) != kJudging.end();
  const config::Environment environment = config::ProcessEnvironment();
  if (!judges || logs_json() || environment("GITHUB_ACTIONS") != "true") return;
  const std::string folder = FolderInWorkspace(project_folder_, environment("GITHUB_WORKSPACE").value_or(""));
  err_.Write(FormatAnnotations(diagnostics, folder));
}

void Session::LogDiagnostics(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics)
    if (std::find(logged_.begin(), logged_.end(), diagnostic) == logged_.end())
      err_.Write(FormatFaultEvent(SystemClock().Now(), diagnostic));
}

void Session::Answer(const std::string& text, const Json& data, const std::vector<Diagnostic>& diagnostics) {
  std::vector<Diagnostic> all = warnings_;
  all.insert(all.end(), diagnostics.begin(), diagnostics.end());
  Annotate(all);
  if (line_.json) {
    out_.Write(JsonDocument(line_.command, data, all));
    return;
  }
  PrintDiagnostics(all);
  out_.Write(text);
}

ProgressContext ContextOf(Session& session) {
  return {.terminal = session.err_terminal(),
          .write = [&err = session.err()](std::string_view text) { err.Write(text); },
          .cancel = &session.cancel(),
          .loudness = session.line().loudness,
          .log_format = session.line().log_format,
          .target = session.target(),
          .logged = &session.logged()};
}

}  // namespace leat::cli
