#include "cli/runs_report.h"

#include <fmt/format.h>

#include <set>

#include "cli/moment.h"
#include "cli/run_log.h"
#include "cli/text_table.h"
#include "core/diagnostic_json.h"
#include "core/text.h"
#include "pipeline/steps.h"

namespace leat::cli {
namespace {

using pipeline::RunRecord;

Tint TintOfRun(const std::string& status) {
  if (status == "succeeded") return Tint::kGreen;
  if (status == "failed" || status == "crashed") return Tint::kRed;
  if (status == "partial" || status == "cancelled") return Tint::kAmber;
  return Tint::kNone;
}

Tint TintOfStep(const std::string& status) {
  if (status == "failed") return Tint::kRed;
  if (status == "warned") return Tint::kAmber;
  return status == "done" ? Tint::kGreen : Tint::kDim;
}

/// Rows that streams sent; of a stream that broke off nothing counts.
int64_t RowsRead(const RunRecord& record) {
  int64_t rows = 0;
  for (const state::Step& step : record.steps)
    if (step.step == "extract" && step.status != "failed") rows += step.rows_read;
  return rows;
}

std::string DurationText(const state::Run& run, const Terminal& terminal) {
  return run.ended ? FormatDuration(*run.ended - run.started) : SignsOf(terminal).dash;
}

/// Rows that a step wrote; of a check, its rules that passed.
std::string CountText(const state::Step& step, const Terminal& terminal) {
  if (step.step == "check") return fmt::format("{}/{}", step.rows_written, step.rows_read);
  if (step.status == "failed" || step.status == "skipped") return SignsOf(terminal).dash;
  return FormatCount(terminal, step.rows_written);
}

std::string FaultText(const state::Step& step) {
  if (step.diagnostic.empty()) return "";
  const Diagnostic fault = ParseDiagnosticJson(step.diagnostic);
  return fault.code.empty() ? fault.message : fmt::format("{} {}", fault.code, fault.message);
}

/// A count of a run's steps. Of a run that goes on or was killed only commits are recorded: that nothing failed, or
/// nothing was done, is not known.
std::string CountOfRun(const state::Run& run, int64_t count, const Terminal& terminal) {
  const bool is_known = run.status != "running" && run.status != "crashed";
  return is_known || count > 0 ? FormatCount(terminal, count) : SignsOf(terminal).dash;
}

std::string StepsText(const RunRecord& record, const Terminal& terminal) {
  TextTable steps({{.title = "TABLE"},
                   {.title = "STEP"},
                   {.title = "STATUS"},
                   {.title = "ROWS", .align = TextTable::Align::kRight},
                   {.title = "DURATION", .align = TextTable::Align::kRight, .leaves = 1}});
  for (const state::Step& step : record.steps)
    steps.Add({{step.table},
               {step.step},
               {step.status, TintOfStep(step.status)},
               {CountText(step, terminal)},
               {FormatDuration(step.ended - step.started)}},
              FaultText(step));
  return steps.Format(terminal);
}

Json RunJson(const RunRecord& record) {
  const pipeline::TableCounts tables = pipeline::CountTables(record.steps);
  Json json = ToJson(record.run);
  json["tables_done"] = tables.done;
  json["tables_failed"] = tables.failed;
  json["tables_skipped"] = tables.skipped;
  json["rows_read"] = RowsRead(record);
  return json;
}

}  // namespace

std::string FormatRuns(const std::vector<RunRecord>& runs, Timestamp now, const Terminal& terminal) {
  if (runs.empty()) return "no runs yet\n  Start with  leat run\n";
  constexpr auto kRight = TextTable::Align::kRight;
  TextTable text({{.title = "RUN", .align = kRight},
                  {.title = "STATUS"},
                  {.title = "STARTED"},
                  {.title = "DURATION", .align = kRight, .leaves = 1},
                  {.title = "DONE", .align = kRight, .leaves = 3},
                  {.title = "FAILED", .align = kRight},
                  {.title = "SKIPPED", .align = kRight, .leaves = 2},
                  {.title = "ROWS READ", .align = kRight, .leaves = 4}},
                 "SELECTION");
  for (const RunRecord& record : runs) {
    const state::Run& run = record.run;
    const pipeline::TableCounts tables = pipeline::CountTables(record.steps);
    text.Add({{std::to_string(run.number)},
              {run.status, TintOfRun(run.status)},
              {FormatMomentOfDay(run.started, now, terminal)},
              {DurationText(run, terminal)},
              {CountOfRun(run, tables.done, terminal)},
              {CountOfRun(run, tables.failed, terminal)},
              {CountOfRun(run, tables.skipped, terminal)},
              {CountOfRun(run, RowsRead(record), terminal)}},
             run.selection);
  }
  return text.Format(terminal);
}

Json RunsJson(const std::vector<RunRecord>& runs) {
  Json json = {{"runs", Json::array()}};
  for (const RunRecord& record : runs) json["runs"].push_back(RunJson(record));
  return json;
}

std::string FormatRunRecord(const RunRecord& record, Timestamp now, const Terminal& terminal) {
  const state::Run& run = record.run;
  const std::string dot = fmt::format(" {} ", SignsOf(terminal).dot);
  std::string text = Paint(terminal, Tint::kBold, fmt::format("Run {}", run.number)) + dot +
                     Paint(terminal, TintOfRun(run.status), run.status) + dot + "started " +
                     FormatMomentOfDay(run.started, now, terminal) + (terminal.is_terminal() ? " UTC" : "");
  if (run.ended) text += ", " + DurationText(run, terminal);
  if (!run.selection.empty()) text += dot + run.selection;
  text += "\n";
  text += record.steps.empty() ? "  no step is recorded\n" : StepsText(record, terminal);
  const bool has_ended = run.status != "running" && run.status != "succeeded";
  return has_ended ? text + fmt::format("  What is left of it:  leat retry {}\n", run.number) : text;
}

Json RunRecordJson(const RunRecord& record) {
  Json json = {{"run", RunJson(record)}, {"steps", Json::array()}};
  for (const state::Step& step : record.steps) {
    Json entry = ToJson(step);
    entry["diagnostic"] = step.diagnostic.empty() ? Json(nullptr) : ToJson(ParseDiagnosticJson(step.diagnostic));
    json["steps"].push_back(entry);
  }
  return json;
}

std::vector<std::string> TablesInLog(const std::string& log) {
  std::set<std::string> tables;
  for (const std::string& line : Split(log, '\n')) {
    const Json fields = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (fields.is_object() && fields.contains("table") && fields["table"].is_string())
      tables.insert(fields["table"].get<std::string>());
  }
  return {tables.begin(), tables.end()};
}

std::string FormatLog(const std::string& log, const std::string& table, LogFormat format) {
  std::string text;
  for (const std::string& line : Split(log, '\n')) {
    Json fields = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!fields.is_object() || !fields.contains("time") || !fields["time"].is_string()) continue;
    if (!table.empty() && fields.value("table", "") != table) continue;
    if (format == LogFormat::kJson) {
      text += line + "\n";
      continue;
    }
    fields.erase("diagnostic");
    fields["time"] =
        FormatTimestamp(std::chrono::floor<std::chrono::seconds>(ParseTimestamp(fields["time"].get<std::string>())));
    text += FormatLogLine(LogFormat::kText, fields) + "\n";
  }
  return text;
}

}  // namespace leat::cli
