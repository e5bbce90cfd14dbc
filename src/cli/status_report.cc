#include "cli/status_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cli/moment.h"
#include "cli/text_table.h"
#include "core/text.h"
#include "pipeline/freshness.h"

namespace leat::cli {
namespace {

using pipeline::ProjectStatus;
using pipeline::TableStatus;

constexpr int kHealthyShown = 5;

/// A state as it is drawn, the same everywhere: the sign says it without the colour.
struct StateLook {
  const char* state;
  const char* sign;
  const char* ascii_sign;
  Tint tint;
};

constexpr StateLook kLooks[] = {
    {"healthy", "●", "*", Tint::kGreen}, {"late", "◐", "~", Tint::kAmber},       {"failing", "✗", "x", Tint::kRed},
    {"unknown", "?", "?", Tint::kDim},   {"never loaded", "○", "o", Tint::kDim},
};

TextTable::Cell StateCell(const std::string& state, const Terminal& terminal) {
  for (const StateLook& look : kLooks)
    if (state == look.state)
      return {fmt::format("{} {}", terminal.unicode ? look.sign : look.ascii_sign, state), look.tint};
  return {state};
}

/// The limit that must not be passed.
std::string PromiseText(const config::Freshness& promise, const char* dash) {
  if (promise.empty()) return dash;
  return pipeline::FormatSpan(promise.error_after ? *promise.error_after : *promise.warn_after);
}

/// Why the state is what it is, and how far deletes lag behind.
std::string NoteOf(const TableStatus& table, Timestamp now, const Terminal& terminal) {
  const bool lags = table.deletes_to && table.data_to && *table.deletes_to < *table.data_to;
  if (!lags) return table.reason;
  const std::string deletes = fmt::format("deletes as of {}", FormatMomentOfDay(*table.deletes_to, now, terminal));
  return table.reason.empty() ? deletes : fmt::format("{}; {}", table.reason, deletes);
}

/// Tables to show, worst first as they come; the first few healthy ones stand for the others.
std::vector<const TableStatus*> Shown(const ProjectStatus& status, HealthyTables healthy) {
  std::vector<const TableStatus*> shown;
  int healthy_shown = 0;
  for (const TableStatus& table : status.tables) {
    if (table.state == "healthy" && healthy == HealthyTables::kFew && ++healthy_shown > kHealthyShown) continue;
    shown.push_back(&table);
  }
  return shown;
}

std::string TablesText(const std::vector<const TableStatus*>& tables, Timestamp now, const Terminal& terminal) {
  const char* dash = SignsOf(terminal).dash;
  const auto moment = [&](const std::optional<Timestamp>& time) {
    return time ? FormatMoment(*time, now, terminal) : dash;
  };
  // A narrow terminal goes without what is least wanted.
  TextTable text({{.title = "TABLE"},
                  {.title = "STATE"},
                  {.title = "DATA TO", .leaves = 2},
                  {.title = "LOADED", .leaves = 4},
                  {.title = "PROMISE", .leaves = 1},
                  {.title = "ROWS", .align = TextTable::Align::kRight},
                  {.title = "CHECKS", .leaves = 3}});
  for (const TableStatus* table : tables)
    text.Add({{table->name},
              StateCell(table->state, terminal),
              {moment(table->data_to)},
              {moment(table->loaded)},
              {PromiseText(table->promise, dash)},
              {table->rows ? FormatCount(terminal, *table->rows) : dash},
              {table->checks > 0 ? fmt::format("{}/{}", table->checks - table->checks_failed, table->checks) : dash}},
             NoteOf(*table, now, terminal));
  return text.Format(terminal);
}

Json SecondsOrNull(const std::optional<std::chrono::milliseconds>& duration) {
  return duration ? SecondsJson(*duration) : Json(nullptr);
}

std::string LastRunText(const ProjectStatus& status, Timestamp now, const Terminal& terminal) {
  const state::Run& run = *status.last_run;
  std::vector<std::string> counts;
  for (const char* state : {"failing", "unknown", "late"})
    if (const auto count = std::count_if(status.tables.begin(), status.tables.end(),
                                         [&](const TableStatus& table) { return table.state == state; }))
      counts.push_back(fmt::format("{} {}", count, state));
  const std::string moment = FormatMoment(run.ended.value_or(run.started), now, terminal);
  // Off a terminal the zone stands in the moment; a day alone has none.
  const bool is_clock = moment.find(':') != std::string::npos;
  return fmt::format("last run {} {} {}{}, {}{}", run.number, is_clock ? "at" : "on", moment,
                     is_clock && !moment.ends_with('Z') ? " UTC" : "", run.status,
                     counts.empty() ? "" : fmt::format(" ({})", Join(counts, ", ")));
}

}  // namespace

std::string FormatStatus(const std::string& project, const ProjectStatus& status, HealthyTables healthy, Timestamp now,
                         const Terminal& terminal) {
  const Signs& signs = SignsOf(terminal);
  const std::string title = fmt::format("{} {} {}", Paint(terminal, Tint::kBold, project), signs.dot, status.target);
  if (!status.last_run && !status.fault)
    return fmt::format("{} {} {}, never run\n  Start with  leat run\n", title, signs.dot,
                       FormatNumberOf(terminal, static_cast<int64_t>(status.tables.size()), "table"));
  std::string text = fmt::format("{} {} {}\n", title, signs.dot,
                                 status.last_run ? LastRunText(status, now, terminal) : "the state cannot be read");
  if (status.tables.empty()) return text + "  no tables yet: add a file to sources/ or models/\n";
  const auto shown = Shown(status, healthy);
  text += TablesText(shown, now, terminal);
  if (shown.size() < status.tables.size())
    text += fmt::format("  {} {} more healthy (--all)\n", signs.ellipsis, status.tables.size() - shown.size());
  return text;
}

Json StatusJson(const std::string& project, const ProjectStatus& status) {
  Json json;
  json["project"] = project;
  json["target"] = status.target;
  json["last_run"] = status.last_run ? ToJson(*status.last_run) : Json(nullptr);
  json["tables"] = Json::array();
  for (const TableStatus& table : status.tables) {
    Json entry;
    entry["table"] = table.name;
    entry["kind"] = table.kind;
    entry["state"] = table.state;
    entry["data_to"] = ToJson(table.data_to);
    entry["deletes_to"] = ToJson(table.deletes_to);
    entry["loaded_at"] = ToJson(table.loaded);
    entry["warn_after_s"] = SecondsOrNull(table.promise.warn_after);
    entry["error_after_s"] = SecondsOrNull(table.promise.error_after);
    entry["rows"] = table.rows ? Json(*table.rows) : Json(nullptr);
    entry["checks"] = table.checks;
    entry["checks_failed"] = table.checks_failed;
    entry["reason"] = table.reason;
    json["tables"].push_back(entry);
  }
  return json;
}

}  // namespace leat::cli
