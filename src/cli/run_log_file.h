#pragma once

#include <optional>
#include <string>

#include "cli/run_log.h"
#include "config/project.h"

namespace leat::cli {

/// The log that each run leaves beside the state database, whatever the terminal shows: the lines of `RunLog` in JSON
/// with all that they know, each written at once and whole. Where it cannot be written the run goes on without.
class RunLogFile : public Progress {
 public:
  RunLogFile(const config::Project& project, const CancelFlag& cancel, const Clock& clock = SystemClock());
  RunLogFile(const RunLogFile&) = delete;
  RunLogFile& operator=(const RunLogFile&) = delete;
  ~RunLogFile() override;

  void Waiting(const state::LeaseHolder&) override {}  // there is no run yet
  void RunStarted(const state::Run& run, int tables, int threads) override;
  void StepStarted(const std::string& table, const std::string& step) override;
  void StepProgress(const std::string& table, const std::string& step, int64_t rows,
                    std::optional<int64_t> rows_expected) override;
  void StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) override;
  void Tick() override;
  void Close() override {}  // the end is told with all that came of it

  /// Write what no step told, and the summary.
  void End(const pipeline::RunSummary& summary);
  /// Write why there is no summary.
  void BreakOff(const Diagnostic& fault);

  /// Why the log is not whole: a warning.
  const std::optional<Diagnostic>& loss() const { return loss_; }

 private:
  void Open(int64_t run);
  void Append(std::string_view line);
  void Lose(const std::string& reason);
  void TellFault(const Diagnostic& fault);

  const config::Project& project_;
  std::string path_;
  int fd_ = -1;
  std::vector<Diagnostic> told_;
  std::optional<Diagnostic> loss_;
  RunLog log_;
};

}  // namespace leat::cli
