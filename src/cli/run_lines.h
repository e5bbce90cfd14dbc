#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/progress.h"

namespace leat::cli {

/// Progress for people: finished lines stay, a few live lines below them are redrawn at most ten times a second, as one
/// write each. Where redrawing is not wanted only the finished lines appear.
class RunLines : public Progress {
 public:
  explicit RunLines(ProgressContext context) : context_(std::move(context)) {}

  void Waiting(const state::LeaseHolder& holder) override;
  void RunStarted(const state::Run& run, int tables, int threads) override;
  void StepStarted(const std::string& table, const std::string& step) override;
  void StepProgress(const std::string& table, const std::string& step, int64_t rows,
                    std::optional<int64_t> rows_expected) override;
  void StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) override;
  void Tick() override;
  void Close() override;

 private:
  /// A step that goes on.
  struct Live {
    std::string table;
    std::string step;
    Timestamp started;
    int64_t rows = 0;
    std::optional<int64_t> rows_expected;
  };
  /// Loads are one transaction and end together: they are told as one line.
  struct Loads {
    int tables = 0;
    int64_t rows = 0;
    std::optional<Timestamp> started, ended;
  };

  void Keep(const std::string& line) { kept_ += line + "\n"; }
  void KeepFinished(const state::Step& step);
  std::string FinishedLine(const state::Step& step) const;
  std::string LiveLine(const Live& live) const;
  std::string LiveLines() const;
  int NameWidth() const;
  void Draw();
  void Count(const state::Step& step);

  const ProgressContext context_;
  std::mutex mutex_;
  std::vector<Live> live_;  ///< in the order in which they began
  std::string kept_;        ///< finished lines not yet written
  int drawn_lines_ = 0;     ///< live lines on the screen
  int frame_ = 0;
  int name_width_ = 24;
  bool cancel_told_ = false;
  Loads loads_;
  std::set<std::string> unchanged_;  ///< tables with a step that changed nothing
  std::set<std::string> changed_;    ///< tables with any other step
};

}  // namespace leat::cli
