#include "cli/run_log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "cli/run_summary.h"
#include "core/file_system.h"
#include "pipeline/history.h"

namespace leat::cli {

RunLogFile::RunLogFile(const config::Project& project, const CancelFlag& cancel, const Clock& clock)
    : project_(project),
      log_({.write = [this](std::string_view line) { Append(line); },
            .clock = &clock,
            .cancel = &cancel,
            .log_format = LogFormat::kJson,
            .target = project.target.value,
            .in_full = true,
            .logged = &told_}) {}

RunLogFile::~RunLogFile() {
  if (fd_ >= 0) close(fd_);
}

void RunLogFile::Lose(const std::string& reason) {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  loss_ = Diagnostic{.severity = Severity::kWarning,
                     .code = "LEAT0519",
                     .message = fmt::format("the log of this run cannot be written to {}: {}", path_, reason),
                     .help = {"free space on this disk, or let the folder be written to; the run went on without it"}};
}

void RunLogFile::Open(int64_t run) {
  path_ = pipeline::RunLogPath(project_, run);
  try {
    MakeDirectories(ParentPath(path_));
  } catch (const Error& error) {
    return Lose(error.message());
  }
  fd_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) Lose(std::strerror(errno));
}

/// One write for each line, so that a killed run leaves whole ones.
void RunLogFile::Append(std::string_view line) {
  if (fd_ < 0) return;
  const off_t before = lseek(fd_, 0, SEEK_END);
  ssize_t written = 0;
  do written = write(fd_, line.data(), line.size());
  while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) return;
  const std::string reason = std::strerror(written < 0 ? errno : ENOSPC);  // a disk that fills up takes a part
  const bool is_cut = ftruncate(fd_, before) == 0;
  Lose(is_cut ? reason : reason + "; its last line is broken");
}

void RunLogFile::RunStarted(const state::Run& run, int tables, int threads) {
  Open(run.number);
  log_.RunStarted(run, tables, threads);
}

void RunLogFile::StepStarted(const std::string& table, const std::string& step) { log_.StepStarted(table, step); }

void RunLogFile::StepProgress(const std::string& table, const std::string& step, int64_t rows,
                              std::optional<int64_t> rows_expected) {
  log_.StepProgress(table, step, rows, rows_expected);
}

void RunLogFile::StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) {
  log_.StepFinished(step, fault);
}

void RunLogFile::Tick() { log_.Tick(); }

void RunLogFile::TellFault(const Diagnostic& fault) {
  log_.Tell(fault.severity == Severity::kError ? "error" : "warning", FaultFields(fault, /*in_full=*/true));
}

void RunLogFile::End(const pipeline::RunSummary& summary) {
  for (const Diagnostic& diagnostic : summary.diagnostics)
    if (std::find(told_.begin(), told_.end(), diagnostic) == told_.end()) TellFault(diagnostic);
  Json fields = RunSummaryJson(summary);
  fields.erase("run");    // its number is in every line
  fields.erase("steps");  // told one by one
  Json ended = {{"status", summary.run.status}};
  if (summary.run.ended) ended["dur_s"] = SecondsJson(*summary.run.ended - summary.run.started);
  ended.update(fields);
  log_.Tell("run_ended", ended);
}

void RunLogFile::BreakOff(const Diagnostic& fault) {
  TellFault(fault);
  log_.Tell("run_ended", {{"status", "failed"}});
}

}  // namespace leat::cli
