#include "cli/session.h"

#include <unistd.h>

#include "cli/diagnostic_printer.h"
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
  config::LoadResult loaded = config::LoadProject(AbsolutePath("."));
  project_folder_ = loaded.project.folder;
  if (!loaded.ok()) throw pipeline::InvalidProject{std::move(loaded.diagnostics)};
  warnings_ = std::move(loaded.diagnostics);
  if (line_.threads) loaded.project.limits.threads = *line_.threads;
  return std::move(loaded.project);
}

void Session::PrintDiagnostics(const std::vector<Diagnostic>& diagnostics) {
  if (diagnostics.empty()) return;
  const auto source = [this](const std::string& file) -> std::optional<std::string> {
    if (!typed_name_.empty() && file == typed_name_) return typed_text_;
    const std::string path = file.starts_with('/') ? file : JoinPath(project_folder_, file);
    if (project_folder_.empty() || !PathExists(path) || IsDirectory(path)) return std::nullopt;
    return ReadFile(path);
  };
  const DiagnosticPrinter printer(source, err_terminal_.escapes ? Color::kOn : Color::kOff,
                                  err_terminal_.unicode ? Drawing::kUtf8 : Drawing::kAscii);
  err_.Write(printer.FormatList(diagnostics, line_.all ? Show::kAll : Show::kFirst));
}

void Session::Answer(const std::string& text, const Json& data, const std::vector<Diagnostic>& diagnostics) {
  std::vector<Diagnostic> all = warnings_;
  all.insert(all.end(), diagnostics.begin(), diagnostics.end());
  if (line_.json) {
    out_.Write(JsonDocument(line_.command, data, all));
    return;
  }
  PrintDiagnostics(all);
  out_.Write(text);
}

}  // namespace leat::cli
