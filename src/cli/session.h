#pragma once

#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/json_document.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "config/project.h"
#include "core/cancel.h"

namespace leat::cli {

/// One command being worked on: what was typed, and where its answer and its diagnostics go.
class Session {
 public:
  Session(CommandLine line, const CancelFlag& cancel);

  const CommandLine& line() const { return line_; }
  const CancelFlag& cancel() const { return cancel_; }
  Stream& out() { return out_; }
  Stream& err() { return err_; }
  const Terminal& out_terminal() const { return out_terminal_; }
  const Terminal& err_terminal() const { return err_terminal_; }

  /// Read the project of the working directory; its warnings are kept for the answer.
  /// Throws: Error(kConfig, LEAT0101) where there is none; pipeline::InvalidProject for faults of its files.
  config::Project OpenProject();

  /// Give the answer: with --json one document of `data` and all diagnostics on standard output, else the diagnostics
  /// on standard error and `text` on standard output.
  void Answer(const std::string& text, const Json& data, const std::vector<Diagnostic>& diagnostics = {});

  /// Tell diagnostics on standard error: drawn with their source, or as one event each where the log is JSON.
  void PrintDiagnostics(const std::vector<Diagnostic>& diagnostics);

  /// One diagnostic as text without colour, as it would be printed.
  std::string Draw(const Diagnostic& diagnostic) const;

  /// In a job of GitHub, tell the diagnostics of commands that judge a project as annotations too, on standard error;
  /// not where its lines are JSON.
  void Annotate(const std::vector<Diagnostic>& diagnostics);

  /// A text of the command line that diagnostics point into, as `query`.
  void SetTypedText(const std::string& name, const std::string& text) {
    typed_name_ = name;
    typed_text_ = text;
  }
  const std::vector<Diagnostic>& warnings() const { return warnings_; }
  /// `leat`, with `-t` where that was typed: how commands that are told to people begin.
  std::string Invocation() const { return line_.target.empty() ? "leat" : "leat -t " + line_.target; }
  /// The target of the project that was opened.
  const std::string& target() const { return target_; }
  /// Diagnostics that a line of the log has told already.
  std::vector<Diagnostic>& logged() { return logged_; }
  /// Whether each line of standard error is to be a JSON object.
  bool logs_json() const { return line_.log_format == LogFormat::kJson && !err_terminal_.is_terminal(); }

 private:
  void LogDiagnostics(const std::vector<Diagnostic>& diagnostics);
  std::optional<std::string> SourceText(const std::string& file) const;

  CommandLine line_;
  const CancelFlag& cancel_;
  Stream out_;
  Stream err_;
  Terminal out_terminal_;
  Terminal err_terminal_;
  std::string project_folder_;
  std::string target_{config::kNoTarget};
  std::string typed_name_, typed_text_;
  std::vector<Diagnostic> warnings_;  ///< of the project's files
  std::vector<Diagnostic> logged_;
};

/// What progress on standard error needs of a session.
ProgressContext ContextOf(Session& session);

}  // namespace leat::cli
