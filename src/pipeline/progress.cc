#include "pipeline/progress.h"

#include <condition_variable>

#include "pipeline/steps.h"

namespace leat::pipeline {
namespace {

constexpr auto kTickInterval = std::chrono::milliseconds(100);

}  // namespace

Progress::Progress(RunObserver& observer, int64_t run)
    : observer_(observer), run_(run), ticker_([this](std::stop_token stop) { Tick(std::move(stop)); }) {}

Progress::~Progress() {
  ticker_.request_stop();
  ticker_.join();
}

void Progress::Started(const sources::StreamInfo& stream, std::function<int64_t()> rows) {
  const std::lock_guard lock(mutex_);
  std::optional<int64_t> expected;
  if (stream.rows_estimate > 0) expected = stream.rows_estimate;
  running_[stream.name] = {std::move(rows), expected};
  observer_.StepStarted(stream.name, "extract");
}

void Progress::Finished(const sources::StreamOutcome& outcome) {
  const std::lock_guard lock(mutex_);
  running_.erase(outcome.stream);
  observer_.StepFinished(StepOf(outcome, run_), outcome.diagnostic);
}

void Progress::Aborted(const sources::StreamInfo& stream) {
  const std::lock_guard lock(mutex_);
  running_.erase(stream.name);
}

void Progress::StepStarted(const std::string& table, const std::string& step) {
  const std::lock_guard lock(mutex_);
  observer_.StepStarted(table, step);
}

void Progress::StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) {
  const std::lock_guard lock(mutex_);
  observer_.StepFinished(step, fault);
}

void Progress::Tick(std::stop_token stop) {
  std::mutex sleep_mutex;
  std::condition_variable_any wake;
  while (!stop.stop_requested()) {
    std::unique_lock sleep_lock(sleep_mutex);
    wake.wait_for(sleep_lock, stop, kTickInterval, [] { return false; });
    const std::lock_guard lock(mutex_);
    for (const auto& [table, running] : running_)
      observer_.StepProgress(table, "extract", running.rows(), running.rows_expected);
  }
}

}  // namespace leat::pipeline
