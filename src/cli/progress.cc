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
  void Waiting(const state::LeaseHolder&) override {}
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

void ProgressTee::Waiting(const state::LeaseHolder& holder) {
  first_.Waiting(holder);
  second_.Waiting(holder);
}

void ProgressTee::RunStarted(const state::Run& run, int tables, int threads) {
  first_.RunStarted(run, tables, threads);
  second_.RunStarted(run, tables, threads);
}

void ProgressTee::StepStarted(const std::string& table, const std::string& step) {
  first_.StepStarted(table, step);
  second_.StepStarted(table, step);
}

void ProgressTee::StepProgress(const std::string& table, const std::string& step, int64_t rows,
                               std::optional<int64_t> rows_expected) {
  first_.StepProgress(table, step, rows, rows_expected);
  second_.StepProgress(table, step, rows, rows_expected);
}

void ProgressTee::StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) {
  first_.StepFinished(step, fault);
  second_.StepFinished(step, fault);
}

void ProgressTee::Tick() {
  first_.Tick();
  second_.Tick();
}

void ProgressTee::Close() {
  first_.Close();
  second_.Close();
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
