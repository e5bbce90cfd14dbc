#include "cli/run_log.h"

#include <fmt/format.h>

#include <cmath>

namespace leat::cli {
namespace {

constexpr auto kHeartbeatInterval = std::chrono::seconds(30);

std::string LogTime(Timestamp time) { return FormatTimestamp(std::chrono::floor<std::chrono::seconds>(time)); }

double SecondsOf(std::chrono::microseconds duration) { return std::chrono::duration<double>(duration).count(); }

/// To the tenth; short steps to the millisecond, so that they do not read as nothing.
double RoundedSeconds(std::chrono::microseconds duration) {
  const double seconds = SecondsOf(duration);
  return seconds < 0.1 ? std::round(seconds * 1000) / 1000 : std::round(seconds * 10) / 10;
}

int64_t RowsPerSecond(int64_t rows, std::chrono::microseconds duration) {
  const double seconds = SecondsOf(duration);
  return seconds > 0 ? std::llround(static_cast<double>(rows) / seconds) : rows;
}

/// A value as logfmt has it: quoted where blanks, quotes or `=` would break the line apart.
std::string LogfmtValue(const Json& value) {
  if (!value.is_string()) return DumpLine(value);
  const std::string& text = value.get_ref<const std::string&>();
  const auto special = [](unsigned char c) { return c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 127; };
  if (!text.empty() && std::none_of(text.begin(), text.end(), special)) return text;
  return DumpLine(value);
}

/// Counts beyond the rows of the line, where they say something.
void AddCounts(Json& fields, const state::Step& step, int64_t rows) {
  if (step.rows_written != rows) fields["rows_written"] = step.rows_written;
  if (step.rows_repeated > 0) fields["rows_repeated"] = step.rows_repeated;
  if (step.rows_rejected > 0) fields["rows_rejected"] = step.rows_rejected;
  if (step.rows_deleted > 0) fields["rows_deleted"] = step.rows_deleted;
}

}  // namespace

Json FaultFields(const Diagnostic& fault, bool in_full) {
  Json fields;
  fields["code"] = fault.code;
  if (fault.place.known()) fields["at"] = fault.place.ToString();
  fields["msg"] = fault.message;
  if (in_full) fields["diagnostic"] = ToJson(fault);
  return fields;
}

std::string FormatLogLine(LogFormat format, const Json& fields) {
  if (format == LogFormat::kJson) return DumpLine(fields);
  std::string line;
  for (const auto& [name, value] : fields.items())
    line += line.empty() ? value.get<std::string>() : fmt::format(" {}={}", name, LogfmtValue(value));
  return line;
}

std::string FormatFaultEvent(Timestamp now, const Diagnostic& fault) {
  Json fields = {{"time", LogTime(now)}, {"event", fault.severity == Severity::kError ? "error" : "warning"}};
  fields.update(FaultFields(fault, /*in_full=*/false));
  return FormatLogLine(LogFormat::kJson, fields) + "\n";
}

void RunLog::Write(const std::string& event, const Json& fields) {
  Json line;
  const Timestamp now = context_.clock->Now();
  line["time"] = context_.in_full ? FormatTimestamp(now) : LogTime(now);
  line["run"] = run_;
  line["event"] = event;
  line.update(fields);
  context_.write(FormatLogLine(context_.log_format, line) + "\n");
}

void RunLog::Waiting(const state::LeaseHolder& holder) {
  Tell("waiting", {{"for_run", holder.run}, {"holder", holder.holder}, {"holds", holder.name}});
}

void RunLog::Tell(const std::string& event, const Json& fields) {
  const std::lock_guard lock(mutex_);
  Write(event, fields);
}

void RunLog::RunStarted(const state::Run& run, int tables, int threads) {
  const std::lock_guard lock(mutex_);
  run_ = run.number;
  Json fields = {{"tables", tables}, {"threads", threads}, {"target", context_.target}};
  if (!run.selection.empty()) fields["selection"] = run.selection;
  Write("run_started", fields);
}

void RunLog::StepStarted(const std::string& table, const std::string& step) {
  const std::lock_guard lock(mutex_);
  const Timestamp now = context_.clock->Now();
  live_[{table, step}] = {.started = now, .told = now};
  if (context_.loudness == Loudness::kVerbose || context_.in_full)
    Write("table_started", {{"table", table}, {"step", step}});
}

void RunLog::StepProgress(const std::string& table, const std::string& step, int64_t rows,
                          std::optional<int64_t> rows_expected) {
  const std::lock_guard lock(mutex_);
  const auto found = live_.find({table, step});
  if (found == live_.end()) return;
  found->second.rows = rows;
  found->second.rows_expected = rows_expected;
}

void RunLog::StepFinished(const state::Step& step, const std::optional<Diagnostic>& fault) {
  const std::lock_guard lock(mutex_);
  live_.erase({step.table, step.step});
  Json fields = {{"table", step.table}, {"step", step.step}};
  if (step.step == "check") {
    // A check counts rules where the other steps count rows.
    fields["checks"] = step.rows_read;
    fields["checks_failed"] = step.rows_read - step.rows_written;
  } else if (step.status == "done" || step.status == "warned") {
    const auto duration = step.ended - step.started;
    const int64_t rows = step.rows_read > 0 ? step.rows_read : step.rows_written;
    fields["rows"] = rows;
    AddCounts(fields, step, rows);
    fields["rows_per_s"] = RowsPerSecond(rows, duration);
    fields["dur_s"] = RoundedSeconds(duration);
  } else if (step.status == "unchanged") {
    fields["dur_s"] = RoundedSeconds(step.ended - step.started);
  }
  if (fault) {
    fields.update(FaultFields(*fault, context_.in_full));
    if (context_.logged != nullptr) context_.logged->push_back(*fault);
  }
  Write("table_" + step.status, fields);
}

void RunLog::WriteHeartbeat(const std::string& table, const std::string& step, const Live& live) {
  const int64_t rows_per_s = RowsPerSecond(live.rows, context_.clock->Now() - live.started);
  Json fields = {{"table", table}, {"step", step}, {"rows", live.rows}, {"rows_per_s", rows_per_s}};
  if (live.rows > 0 && rows_per_s > 0 && live.rows_expected && *live.rows_expected >= live.rows) {
    fields["pct"] = live.rows * 100 / *live.rows_expected;
    fields["eta_s"] = (*live.rows_expected - live.rows) / rows_per_s;
  }
  Write("progress", fields);
}

void RunLog::Tick() {
  const std::lock_guard lock(mutex_);
  if (!cancel_told_ && context_.cancel != nullptr && context_.cancel->is_set()) {
    cancel_told_ = true;
    Write("run_stopping", Json::object());
  }
  const Timestamp now = context_.clock->Now();
  for (auto& [key, live] : live_) {
    if (now - live.told < kHeartbeatInterval) continue;
    live.told = now;
    WriteHeartbeat(key.first, key.second, live);
  }
}

void RunLog::Close() {
  const std::lock_guard lock(mutex_);
  if (run_ != 0) Write("run_ended", Json::object());
}

}  // namespace leat::cli
