#include "cli/run_lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/scope.h"

namespace leat::cli {
namespace {

constexpr int kLiveLinesMax = 6;
constexpr int kBarCells = 16;
constexpr int kWidthForBar = 90;  // below, the numbers need the room
constexpr int kNameWidthMax = 40;
constexpr int kRowsWidth = 17;
constexpr int kChangeWidth = 14;

/// `912`, `41 k`, `1.2 M`: a rate need not be exact.
std::string RoundedRate(double per_second) {
  if (per_second < 1'000) return fmt::format("{:.0f}", per_second);
  if (per_second < 1'000'000) return fmt::format("{:.0f} k", per_second / 1'000);
  return fmt::format("{:.1f} M", per_second / 1'000'000);
}

const char* Doing(const std::string& step) {
  if (step == "extract") return "reading";
  if (step == "build") return "building";
  if (step == "check") return "checking";
  return "loading";
}

std::string Bar(const Terminal& terminal, int percent) {
  const Signs& signs = SignsOf(terminal);
  const int full = percent * kBarCells / 100;
  std::string bar;
  for (int cell = 0; cell < kBarCells; ++cell) bar += cell < full ? signs.bar_full : signs.bar_empty;
  return bar;
}

struct Verdict {
  const char* sign;
  Tint tint;
};

Verdict VerdictOf(const state::Step& step, const Signs& signs) {
  if (step.status == "failed") return {signs.failed, Tint::kRed};
  if (step.status == "warned") return {signs.warned, Tint::kAmber};
  if (step.status == "skipped") return {signs.skipped, Tint::kDim};
  if (step.status == "unchanged") return {signs.unchanged, Tint::kDim};
  return {signs.done, Tint::kGreen};
}

/// Rows of the table afterwards; of a load, those sent.
int64_t RowsShown(const state::Step& step) { return step.step == "load" ? step.rows_written : step.rows_total; }

/// What changed in a table: `+412 −3`; nothing where all its rows are new. A check counts rules, not rows.
std::string ChangeText(const state::Step& step, const Terminal& terminal) {
  std::string change;
  if (step.step == "check") return change;
  if (step.rows_written != RowsShown(step)) change = "+" + FormatCount(terminal, step.rows_written);
  if (step.rows_deleted > 0)
    change += fmt::format("{}{}{}", change.empty() ? "" : " ", SignsOf(terminal).minus,
                          FormatCount(terminal, step.rows_deleted));
  return change;
}

}  // namespace

void RunLines::Waiting(const state::LeaseHolder& holder) {
  const std::lock_guard lock(mutex_);
  Keep(fmt::format("  waiting for run {} ({}), which holds {} (Ctrl-C ends the wait)", holder.run, holder.holder,
                   holder.name));
  Draw();
}

void RunLines::RunStarted(const state::Run& run, int tables, int threads) {
  const std::lock_guard lock(mutex_);
  const Terminal& terminal = context_.terminal;
  const char* dot = SignsOf(terminal).dot;
  Keep(Paint(terminal, Tint::kBold, fmt::format("Run {}", run.number)) +
       fmt::format(" {} target {} {} {} {} {}", dot, context_.target, dot, FormatNumberOf(terminal, tables, "table"),
                   dot, FormatNumberOf(terminal, threads, "thread")) +
       (pipeline::ParseScope(run.selection).retry_of != 0
            ? fmt::format(" {} {}, reads at a new moment", dot, run.selection)
            : ""));
  Draw();
}

void RunLines::StepStarted(const std::string& table, const std::string& step) {
  const std::lock_guard lock(mutex_);
  live_.push_back({.table = table, .step = step, .started = context_.clock->Now()});
  name_width_ = std::clamp(DisplayWidth(table), name_width_, kNameWidthMax);
}

void RunLines::StepProgress(const std::string& table, const std::string& step, int64_t rows,
                            std::optional<int64_t> rows_expected) {
  const std::lock_guard lock(mutex_);
  for (Live& live : live_) {
    if (live.table != table || live.step != step) continue;
    live.rows = rows;
    live.rows_expected = rows_expected;
  }
}

void RunLines::StepFinished(const state::Step& step, const std::optional<Diagnostic>&) {
  const std::lock_guard lock(mutex_);
  std::erase_if(live_, [&](const Live& live) { return live.table == step.table && live.step == step.step; });
  Count(step);
  KeepFinished(step);
}

void RunLines::Count(const state::Step& step) {
  const bool passed = step.step == "check" && step.status == "done";
  if (!passed) (step.status == "unchanged" ? unchanged_ : changed_).insert(step.table);
  if (step.step != "load" || step.status != "done") return;
  ++loads_.tables;
  loads_.rows += step.rows_written;
  loads_.started = std::min(loads_.started.value_or(step.started), step.started);
  loads_.ended = std::max(loads_.ended.value_or(step.ended), step.ended);
}

void RunLines::KeepFinished(const state::Step& step) {
  const bool ordinary =
      step.status == "unchanged" || (step.status == "done" && (step.step == "load" || step.step == "check"));
  if (ordinary && context_.loudness != Loudness::kVerbose) return;
  name_width_ = std::clamp(DisplayWidth(step.table), name_width_, kNameWidthMax);
  Keep(FinishedLine(step));
}

std::string RunLines::FinishedLine(const state::Step& step) const {
  const Terminal& terminal = context_.terminal;
  const Verdict verdict = VerdictOf(step, SignsOf(terminal));
  std::string middle;
  if (step.status == "done" || step.status == "warned") {
    middle = PadRight(
        PadLeft(FormatNumberOf(terminal, RowsShown(step), "row"), kRowsWidth) + "  " + ChangeText(step, terminal),
        kRowsWidth + 2 + kChangeWidth);
    if (step.status == "warned" || step.step == "load" || step.step == "check")
      middle += fmt::format("  {} in {}", step.status, step.step);
  } else {
    middle = PadRight(fmt::format("{} in {}", step.status, step.step), kRowsWidth + 2 + kChangeWidth);
  }
  const std::string start =
      fmt::format("  {} {}  ", Paint(terminal, verdict.tint, verdict.sign), PadRight(step.table, name_width_));
  if (step.status == "skipped") return start + "skipped";
  return start + middle + "  " + FormatDuration(step.ended - step.started);
}

std::string RunLines::LiveLine(const Live& live) const {
  const Terminal& terminal = context_.terminal;
  const double elapsed_s = std::max(0.001, std::chrono::duration<double>(context_.clock->Now() - live.started).count());
  const double per_second = static_cast<double>(live.rows) / elapsed_s;
  std::string line = fmt::format("  {} {}  ", SignsOf(terminal).spinner[frame_ % 10],
                                 PadRight(FitWidth(terminal, live.table, NameWidth()), NameWidth()));
  if (live.rows == 0) return FitWidth(terminal, line + Doing(live.step), terminal.width - 1);
  line += PadLeft(FormatNumberOf(terminal, live.rows, "row"), kRowsWidth);
  const bool estimated = live.rows_expected && *live.rows_expected >= live.rows;
  if (estimated) {
    const auto percent = static_cast<int>(live.rows * 100 / *live.rows_expected);
    const bool has_room = terminal.width >= kWidthForBar;
    line += fmt::format("  {}{} %", has_room ? Bar(terminal, percent) + " " : "", percent);
  }
  line += fmt::format("   {} rows/s", RoundedRate(per_second));
  if (estimated && elapsed_s >= 1) {
    const double left_s = static_cast<double>(*live.rows_expected - live.rows) / per_second;
    line += fmt::format("   ~{} left", FormatDuration(std::chrono::microseconds(static_cast<int64_t>(left_s * 1e6))));
  }
  return FitWidth(terminal, line, terminal.width - 1);
}

std::string RunLines::LiveLines() const {
  std::string lines;
  for (size_t i = 0; i < live_.size() && i < kLiveLinesMax; ++i) lines += LiveLine(live_[i]) + "\n";
  if (live_.size() > kLiveLinesMax)
    lines += fmt::format("  {} and {} more\n", SignsOf(context_.terminal).ellipsis, live_.size() - kLiveLinesMax);
  return lines;
}

int RunLines::NameWidth() const {
  return std::min(name_width_, context_.terminal.width / 3);  // a live line must not wrap
}

void RunLines::Draw() {
  // Cursor up to the first live line, then erase to the end of the screen.
  std::string frame = drawn_lines_ > 0 ? fmt::format("\x1b[{}A\x1b[J", drawn_lines_) : "";
  const std::string live = context_.terminal.escapes ? LiveLines() : "";
  drawn_lines_ = static_cast<int>(std::count(live.begin(), live.end(), '\n'));
  frame += kept_ + live;
  kept_.clear();
  if (!frame.empty()) context_.write(frame);
}

void RunLines::Tick() {
  const std::lock_guard lock(mutex_);
  ++frame_;
  if (!cancel_told_ && context_.cancel != nullptr && context_.cancel->is_set()) {
    cancel_told_ = true;
    Keep("  stopping; what is published stays (Ctrl-C again ends at once)");
  }
  Draw();
}

void RunLines::Close() {
  const std::lock_guard lock(mutex_);
  live_.clear();
  const Terminal& terminal = context_.terminal;
  if (loads_.tables > 0 && context_.loudness != Loudness::kVerbose) {
    const std::string what = FormatNumberOf(terminal, loads_.tables, "table") + " to the warehouse";
    Keep(fmt::format(
        "  {} {}  {}  {}", Paint(terminal, Tint::kGreen, SignsOf(terminal).done), PadRight(what, name_width_),
        PadRight(PadLeft(FormatNumberOf(terminal, loads_.rows, "row"), kRowsWidth), kRowsWidth + 2 + kChangeWidth),
        FormatDuration(*loads_.ended - *loads_.started)));
  }
  for (const std::string& table : changed_) unchanged_.erase(table);
  if (!unchanged_.empty())
    Keep(Paint(terminal, Tint::kDim,
               unchanged_.size() == 1
                   ? fmt::format("  = {} unchanged", *unchanged_.begin())
                   : fmt::format("  = {} unchanged",
                                 FormatNumberOf(terminal, static_cast<int64_t>(unchanged_.size()), "table"))));
  Draw();
}

}  // namespace leat::cli
