#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "cli/json_document.h"
#include "cli/progress.h"

namespace leat::cli {

/// Progress for logs: one whole line for each finished step, and every 30 s one for each step that goes on.
///
///     2024-11-21T14:05:02Z run=42 event=table_done table=totesys.sales_order step=extract rows=412 rows_per_s=2060
///     dur_s=0.2
///     {"time":"2024-11-21T14:05:02Z","run":42,"event":"table_done","table":"totesys.sales_order","step":"extract",…}
///
/// Events: waiting, run_started, table_started (-v), progress, table_done, table_unchanged, table_warned, table_failed,
/// table_skipped, run_stopping, run_ended.
class RunLog : public Progress {
 public:
  explicit RunLog(ProgressContext context) : context_(std::move(context)) {}

  void Waiting(const state::LeaseHolder& holder) override;
  void RunStarted(const state::Run& run, int tables, int threads) override;
  void StepStarted(const std::string& table, const std::string& step) override;
  void StepProgress(const std::string& table, const std::string& step, int64_t rows,
                    std::optional<int64_t> rows_expected) override;
  void StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) override;
  void Tick() override;
  void Close() override;
  /// Write a line that is no part of the progress.
  void Tell(const std::string& event, const Json& fields);

 private:
  /// A step that goes on.
  struct Live {
    Timestamp started;
    Timestamp told;  ///< when it last gave a line
    int64_t rows = 0;
    std::optional<int64_t> rows_expected;
  };

  void Write(const std::string& event, const Json& fields);
  void WriteHeartbeat(const std::string& table, const std::string& step, const Live& live);

  const ProgressContext context_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Live> live_;  ///< by table and step
  int64_t run_ = 0;
  bool cancel_told_ = false;
};

/// The line of a JSON log about a diagnostic that no step has told:
/// `{"time":…,"event":"error","code":…,"at":…,"msg":…}`.
std::string FormatFaultEvent(Timestamp now, const Diagnostic& fault);

/// The fields of a log's line about a diagnostic; `in_full` adds all of it as `diagnostic`.
Json FaultFields(const Diagnostic& fault, bool in_full);

/// One line of a log, without its end: fields in their order, `time` first and bare in text.
std::string FormatLogLine(LogFormat format, const Json& fields);

}  // namespace leat::cli
