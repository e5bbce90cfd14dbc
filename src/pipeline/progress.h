#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "pipeline/events.h"
#include "sources/source.h"

namespace leat::pipeline {

/// Passes what happens in the threads of a run to its observer, one call at a time, and reports the rows so far of
/// steps that go on, ten times a second.
class Progress : public sources::ReadObserver {
 public:
  Progress(RunObserver& observer, int64_t run);
  ~Progress() override;

  void Started(const sources::StreamInfo& stream, std::function<int64_t()> rows) override;
  void Finished(const sources::StreamOutcome& outcome) override;
  void Aborted(const sources::StreamInfo& stream) override;

  void StepStarted(const std::string& table, const std::string& step);
  void StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault);

 private:
  struct Running {
    std::function<int64_t()> rows;
    std::optional<int64_t> rows_expected;
  };
  void Tick(std::stop_token stop);

  RunObserver& observer_;
  int64_t run_;
  std::mutex mutex_;
  std::map<std::string, Running> running_;  ///< streams being read
  std::jthread ticker_;
};

}  // namespace leat::pipeline
