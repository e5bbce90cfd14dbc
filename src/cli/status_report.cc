#include "cli/status_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

namespace leat::cli {
namespace {

using pipeline::ProjectStatus;
using pipeline::TableStatus;

constexpr int kHealthyShown = 5;
constexpr std::array kTitles = {"TABLE", "STATE", "DATA TO", "LOADED", "ROWS", "CHECKS"};
constexpr size_t kStateColumn = 1, kDataToColumn = 2, kLoadedColumn = 3, kRowsColumn = 4, kChecksColumn = 5;
constexpr int kReasonWidthMin = 40;  // narrower, a reason stands below its table
constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// `14:05` of today, `20 Nov` of this year, `20 Nov 2023` of others.
std::string MomentText(Timestamp time, Timestamp now, const Terminal& terminal) {
  if (!terminal.is_terminal()) return FormatTimestamp(std::chrono::floor<std::chrono::seconds>(time));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  if (day == std::chrono::floor<std::chrono::days>(now)) {
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format("{:02}:{:02}", clock.hours().count(), clock.minutes().count());
  }
  const std::chrono::year_month_day date{day};
  const std::string text =
      fmt::format("{} {}", static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1));
  const bool this_year = date.year() == std::chrono::year_month_day{std::chrono::floor<std::chrono::days>(now)}.year();
  return this_year ? text : fmt::format("{} {}", text, static_cast<int>(date.year()));
}

Tint TintOf(const std::string& state) {
  if (state == "healthy") return Tint::kGreen;
  if (state == "failing") return Tint::kRed;
  if (state == "late") return Tint::kAmber;
  return Tint::kDim;
}

using Cells = std::array<std::string, kTitles.size()>;

Cells CellsOf(const TableStatus& table, Timestamp now, const Terminal& terminal) {
  const char* dash = SignsOf(terminal).dash;
  const auto moment = [&](const std::optional<Timestamp>& time) {
    return time ? MomentText(*time, now, terminal) : dash;
  };
  return {table.name,
          table.state,
          moment(table.data_to),
          moment(table.loaded),
          table.rows ? FormatCount(terminal, *table.rows) : dash,
          table.checks > 0 ? fmt::format("{}/{}", table.checks - table.checks_failed, table.checks) : dash};
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

/// Width of each column; 0: left out.
using Widths = std::array<int, kTitles.size()>;

int TotalWidth(const Widths& widths) {
  return std::accumulate(widths.begin(), widths.end(), 0,
                         [](int sum, int width) { return sum + (width > 0 ? width + 2 : 0); });
}

Widths WidthsOf(const std::vector<Cells>& rows, const Terminal& terminal) {
  Widths widths{};
  for (size_t column = 0; column < widths.size(); ++column)
    for (const Cells& cells : rows) widths[column] = std::max(widths[column], DisplayWidth(cells[column]));
  // What a narrow terminal has no room for, least wanted first.
  for (const size_t column : {kDataToColumn, kChecksColumn, kLoadedColumn})
    if (terminal.is_terminal() && TotalWidth(widths) > terminal.width) widths[column] = 0;
  return widths;
}

std::string WithoutTrailingBlanks(const std::string& line) { return line.substr(0, line.find_last_not_of(' ') + 1); }

std::string Line(const Cells& cells, const Widths& widths, Tint tint, const std::string& reason,
                 const Terminal& terminal) {
  std::string line;
  for (size_t column = 0; column < cells.size(); ++column) {
    if (widths[column] == 0) continue;
    const std::string padded =
        column == kRowsColumn ? PadLeft(cells[column], widths[column]) : PadRight(cells[column], widths[column]);
    line += "  " + Paint(terminal, column == kStateColumn ? tint : Tint::kNone, padded);
  }
  if (reason.empty()) return WithoutTrailingBlanks(line) + "\n";
  if (!terminal.is_terminal()) return line + "  " + reason + "\n";
  const int left = terminal.width - TotalWidth(widths) - 2;
  if (left >= std::min(kReasonWidthMin, DisplayWidth(reason)))
    return line + "  " + FitWidth(terminal, reason, left) + "\n";
  return WithoutTrailingBlanks(line) + "\n" + FitWidth(terminal, "      " + reason, terminal.width) + "\n";
}

std::string TablesText(const std::vector<const TableStatus*>& tables, Timestamp now, const Terminal& terminal) {
  std::vector<Cells> rows(1);
  std::copy(kTitles.begin(), kTitles.end(), rows[0].begin());
  for (const TableStatus* table : tables) rows.push_back(CellsOf(*table, now, terminal));
  const Widths widths = WidthsOf(rows, terminal);
  std::string text = Line(rows[0], widths, Tint::kNone, "", terminal);
  for (size_t i = 0; i < tables.size(); ++i)
    text += Line(rows[i + 1], widths, TintOf(tables[i]->state), tables[i]->reason, terminal);
  return text;
}

std::string LastRunText(const ProjectStatus& status, Timestamp now, const Terminal& terminal) {
  const state::Run& run = *status.last_run;
  const auto failing = std::count_if(status.tables.begin(), status.tables.end(),
                                     [](const TableStatus& table) { return table.state == "failing"; });
  const std::string moment = MomentText(run.ended.value_or(run.started), now, terminal);
  // Off a terminal the zone stands in the moment; a day alone has none.
  const bool is_clock = moment.find(':') != std::string::npos;
  return fmt::format("last run {} {} {}{}, {}{}", run.number, is_clock ? "at" : "on", moment,
                     is_clock && !moment.ends_with('Z') ? " UTC" : "", run.status,
                     failing > 0 ? fmt::format(" ({} failing)", failing) : "");
}

}  // namespace

std::string FormatStatus(const std::string& project, const ProjectStatus& status, HealthyTables healthy, Timestamp now,
                         const Terminal& terminal) {
  const Signs& signs = SignsOf(terminal);
  const std::string title = Paint(terminal, Tint::kBold, project);
  if (!status.last_run)
    return fmt::format("{} {} {}, never run\n  Start with  leat run\n", title, signs.dot,
                       FormatNumberOf(terminal, static_cast<int64_t>(status.tables.size()), "table"));
  std::string text = fmt::format("{} {} {}\n", title, signs.dot, LastRunText(status, now, terminal));
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
  json["last_run"] = status.last_run ? ToJson(*status.last_run) : Json(nullptr);
  json["tables"] = Json::array();
  for (const TableStatus& table : status.tables) {
    Json entry;
    entry["table"] = table.name;
    entry["kind"] = table.kind;
    entry["state"] = table.state;
    entry["data_to"] = ToJson(table.data_to);
    entry["loaded_at"] = ToJson(table.loaded);
    entry["rows"] = table.rows ? Json(*table.rows) : Json(nullptr);
    entry["checks"] = table.checks;
    entry["checks_failed"] = table.checks_failed;
    entry["reason"] = table.reason;
    json["tables"].push_back(entry);
  }
  return json;
}

}  // namespace leat::cli
