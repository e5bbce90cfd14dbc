#include "cli/progress.h"

#include <condition_variable>
#include <mutex>

#include "cli/run_lines.h"
#include "cli/run_log.h"

namespace leat::cli {
namespace {

constexpr auto kTickInterval = std::chrono::milliseconds(100);

class NoProgress : public Progress {
 public:
  void Tick() override {}
  void Close() override {}
  void RunStarted(const state::Run&, int, int) override {}
  void StepStarted(const std::string&, const std::string&) override {}
  void StepProgress(const std::string&, const std::string&, int64_t, std::optional<int64_t>) override {}
  void StepFinished(const state::Step&, const std::optional<Diagnostic>&) override {}
};

}  // namespace

std::unique_ptr<Progress> MakeProgress(ProgressContext context) {
  if (context.loudness == Loudness::kQuiet) return std::make_unique<NoProgress>();
  if (context.terminal.is_terminal()) return std::make_unique<RunLines>(std::move(context));
  return std::make_unique<RunLog>(std::move(context));
}

ProgressTicker::ProgressTicker(Progress& progress)
    : progress_(progress), thread_([this](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!wake.wait_for(lock, stop, kTickInterval, [&] { return stop.stop_requested(); })) progress_.Tick();
      }) {}

ProgressTicker::~ProgressTicker() {
  thread_.request_stop();
  thread_.join();
  progress_.Close();
}

}  // namespace leat::cli
