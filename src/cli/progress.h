#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cli/command_line.h"
#include "cli/terminal.h"
#include "config/project.h"
#include "core/cancel.h"
#include "core/clock.h"
#include "core/error.h"
#include "pipeline/run.h"

namespace leat::cli {

/// A run as it is told on standard error. The pipeline's calls and `Tick` come from different threads.
class Progress : public pipeline::RunObserver {
 public:
  /// Called about ten times a second while the run goes on.
  virtual void Tick() = 0;
  /// The run has ended or broke off: say what is still to be said, leave no line half drawn.
  virtual void Close() = 0;
};

/// What progress needs of its surroundings.
struct ProgressContext {
  Terminal terminal;
  std::function<void(std::string_view)> write;  ///< whole lines, or one frame, at a time
  const Clock* clock = &SystemClock();
  const CancelFlag* cancel = nullptr;
  Loudness loudness = Loudness::kNormal;
  LogFormat log_format = LogFormat::kText;
  std::string target{config::kNoTarget};
  bool in_full = false;                       ///< a log says all it knows: steps that begin, whole diagnostics
  std::vector<Diagnostic>* logged = nullptr;  ///< takes what a line of the log has told
};

/// Lines for people on a terminal, log lines elsewhere, nothing if quiet.
std::unique_ptr<Progress> MakeProgress(ProgressContext context);

/// One run told to two.
class ProgressTee : public Progress {
 public:
  ProgressTee(Progress& first, Progress& second) : first_(first), second_(second) {}

  void Waiting(const state::LeaseHolder& holder) override;
  void RunStarted(const state::Run& run, int tables, int threads) override;
  void StepStarted(const std::string& table, const std::string& step) override;
  void StepProgress(const std::string& table, const std::string& step, int64_t rows,
                    std::optional<int64_t> rows_expected) override;
  void StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) override;
  void Tick() override;
  void Close() override;

 private:
  Progress& first_;
  Progress& second_;
};

/// Ticks a progress until it goes out of scope, then closes it.
class ProgressTicker {
 public:
  explicit ProgressTicker(Progress& progress);
  ProgressTicker(const ProgressTicker&) = delete;
  ProgressTicker& operator=(const ProgressTicker&) = delete;
  ~ProgressTicker();

 private:
  Progress& progress_;
  std::jthread thread_;
};

}  // namespace leat::cli
