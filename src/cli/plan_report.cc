#include "cli/plan_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cli/moment.h"
#include "cli/run_lines.h"
#include "core/text.h"
#include "pipeline/plan.h"
#include "pipeline/scope.h"

namespace leat::cli {
namespace {

using pipeline::ColumnChange;
using pipeline::PlannedChanges;
using pipeline::PlannedTable;
using pipeline::SettingChange;
using Change = PlannedTable::Change;
using How = sources::ReadForecast::How;
using Work = PlannedTable::Work;

constexpr int kLinesShown = 20;  // of a difference of SQL
constexpr int kReasonsShown = 3;

/// How a change is shown: `~`, `changed`.
struct ChangeWords {
  const char* sign;
  const char* ascii_sign;
  const char* word;
  Tint tint;
};

ChangeWords WordsOf(Change change) {
  switch (change) {
    case Change::kNew:
      return {"+", "+", "new", Tint::kGreen};
    case Change::kChanged:
      return {"~", "~", "changed", Tint::kAmber};
    case Change::kRebuilt:
      return {"·", "*", "rebuilt", Tint::kDim};
    case Change::kGone:
      return {"-", "-", "dropped", Tint::kRed};
    case Change::kRefused:
      return {"✗", "x", "refused", Tint::kRed};
    case Change::kSkipped:
      return {"·", "*", "skipped", Tint::kRed};
    case Change::kUnchanged:
      break;
  }
  return {"=", "=", "unchanged", Tint::kDim};
}

const char* WordOf(ColumnChange::Kind kind) {
  switch (kind) {
    case ColumnChange::Kind::kAdded:
      return "added";
    case ColumnChange::Kind::kDropped:
      return "dropped";
    case ColumnChange::Kind::kWidened:
      return "widened";
    case ColumnChange::Kind::kReplaced:
      return "replaced";
    case ColumnChange::Kind::kRefused:
      break;
  }
  return "refused";
}

const char* WordOf(Work work) {
  switch (work) {
    case Work::kRead:
      return "read";
    case Work::kBuild:
      return "build";
    case Work::kCheck:
      return "check";
    case Work::kLoad:
      return "load";
    case Work::kNone:
      break;
  }
  return "none";
}

const char* WordOf(How how) {
  switch (how) {
    case How::kFirst:
      return "first";
    case How::kFull:
      return "full";
    case How::kChanges:
      return "changes";
    case How::kNothing:
      break;
  }
  return "nothing";
}

/// Writes what people see of a plan.
class PlanText {
 public:
  PlanText(const PlannedChanges& changes, PlanDetail detail, const Terminal& terminal)
      : changes_(changes), detail_(detail), terminal_(terminal) {
    for (const PlannedTable& table : changes.tables)
      if (table.change != Change::kUnchanged) name_width_ = std::max(name_width_, DisplayWidth(table.name));
  }

  std::string Head(const config::Project& project, Timestamp now) const {
    const std::string root = project.folder + "/";
    const std::string& lake = project.lake.value;
    const char* dot = SignsOf(terminal_).dot;
    const std::string title =
        fmt::format("{} {} target {} {} lake {}", Paint(terminal_, Tint::kBold, project.name), dot,
                    project.target.value, dot, lake.starts_with(root) ? "./" + lake.substr(root.size()) : lake);
    if (!changes_.last_run) return fmt::format("{} {} never run\n", title, dot);
    const state::Run& run = *changes_.last_run;
    return fmt::format("{} {} compared with run {}, {}\n", title, dot, run.number,
                       FormatMomentOfDay(run.ended.value_or(run.started), now, terminal_));
  }

  std::string Tables() const {
    std::string text;
    for (const PlannedTable& table : changes_.tables)
      if (table.change != Change::kUnchanged) text += Entry(table);
    if (const int same = changes_.Count(Change::kUnchanged); same > 0)
      text += fmt::format("  = {} unchanged\n", FormatNumberOf(terminal_, same, "table"));
    return text;
  }

  std::string Reads() const {
    std::map<std::string, std::vector<const PlannedTable*>> by_source;
    for (const PlannedTable& table : changes_.tables)
      if (table.read) by_source[pipeline::NamespaceOf(table.name)].push_back(&table);
    std::string text;
    for (const auto& [source, streams] : by_source)
      text += Labelled(text.empty() ? "reads" : "", 12, ReadsOf(source, streams));
    return text;
  }

  std::string Warehouse() const {
    std::string text;
    for (const warehouse::PlannedChange& change : changes_.warehouse)
      for (const std::string& statement : change.statements)
        for (const std::string& line : Split(statement, '\n'))
          text += fmt::format("  {:<12}{}\n", text.empty() ? "warehouse" : "", line);
    return text;
  }

 private:
  std::string Arrow() const { return terminal_.unicode ? "→" : "->"; }

  /// `    label    items`, wrapped between items.
  std::string Labelled(const std::string& label, int width, const std::vector<std::string>& items,
                       int indent = 2) const {
    std::string text = std::string(static_cast<size_t>(indent), ' ') + PadRight(label, width);
    const int begin = indent + width;
    int column = begin;
    for (const std::string& item : items) {
      const int length = DisplayWidth(item);
      if (column > begin && terminal_.is_terminal() && column + 3 + length > terminal_.width) {
        text += "\n" + std::string(static_cast<size_t>(begin), ' ');
        column = begin;
      } else if (column > begin) {
        text += "   ";
        column += 3;
      }
      text += item;
      column += length;
    }
    return text + "\n";
  }

  std::string Detail(const std::string& label, const std::vector<std::string>& items) const {
    return items.empty() ? "" : Labelled(label, 10, items, 6);
  }

  std::string Entry(const PlannedTable& table) const {
    const ChangeWords words = WordsOf(table.change);
    const bool is_own = table.change != Change::kRebuilt && table.change != Change::kSkipped;
    std::string told = is_own ? table.file : "";
    if (!table.because.empty()) told += (told.empty() ? "" : "   ") + table.because;
    const std::string sign = terminal_.unicode ? words.sign : words.ascii_sign;
    std::string text = fmt::format("  {} {}  {}  {}\n", Paint(terminal_, words.tint, sign),
                                   PadRight(table.name, name_width_), PadRight(words.word, 8), told);
    text += Detail("columns", ColumnItems(table));
    for (const char* part : {"head", "checks", "macros", "rules", "warehouse"})
      text += Detail(part, SettingItems(table, part));
    text += Sql(table);
    if (is_own && table.work != Work::kNone) text += Detail(WorkLabel(table), {WorkText(table)});
    return text;
  }

  std::vector<std::string> ColumnItems(const PlannedTable& table) const {
    std::vector<std::string> items;
    for (const ColumnChange& column : table.columns) {
      if (table.change == Change::kNew)
        items.push_back(fmt::format("{} {}", column.name, column.after));
      else if (column.before.empty())
        items.push_back(fmt::format("+ {} {}", column.name, column.after));
      else if (column.after.empty())
        items.push_back(fmt::format("- {} {}", column.name, column.before));
      else
        items.push_back(fmt::format("~ {} {} {} {} ({})", column.name, column.before, Arrow(), column.after,
                                    column.kind == ColumnChange::Kind::kWidened    ? "widening"
                                    : column.kind == ColumnChange::Kind::kReplaced ? "made anew"
                                                                                   : "no wider type"));
    }
    return items;
  }

  std::vector<std::string> SettingItems(const PlannedTable& table, const std::string& part) const {
    std::vector<std::string> items;
    for (const SettingChange& setting : table.settings) {
      if (setting.part != part) continue;
      const bool is_opaque = part == "macros";  // what they mean is no text for people
      const auto text = [&](const std::optional<std::string>& value) {
        return is_opaque || value->empty() ? "" : " " + *value;
      };
      if (!setting.before)
        items.push_back(fmt::format("+ {}{}", setting.name, text(setting.after)));
      else if (!setting.after)
        items.push_back(fmt::format("- {}{}", setting.name, text(setting.before)));
      else if (is_opaque)
        items.push_back("~ " + setting.name);
      else
        items.push_back(fmt::format("~ {}{} {}{}", setting.name, text(setting.before), Arrow(), text(setting.after)));
    }
    return items;
  }

  std::string Sql(const PlannedTable& table) const {
    std::vector<std::string> lines;
    for (const Hunk& hunk : table.sql) {
      lines.push_back(fmt::format("      @@ line {}", hunk.line));
      for (const std::string& line : hunk.removed) lines.push_back(Paint(terminal_, Tint::kRed, "      - " + line));
      for (const std::string& line : hunk.added) lines.push_back(Paint(terminal_, Tint::kGreen, "      + " + line));
    }
    const auto count = static_cast<int>(lines.size());
    if (detail_ == PlanDetail::kChanges && count > kLinesShown + 1) {
      lines.resize(kLinesShown);
      lines.push_back(
          fmt::format("      {} and {} more lines (--all)", SignsOf(terminal_).ellipsis, count - kLinesShown));
    }
    return lines.empty() ? "" : Join(lines, "\n") + "\n";
  }

  static std::string WorkLabel(const PlannedTable& table) {
    return table.work == Work::kBuild && table.change != Change::kNew ? "rebuild" : WordOf(table.work);
  }

  std::string WorkText(const PlannedTable& table) const {
    std::string text = WorkExtent(table);
    if (table.rows) text += fmt::format(", about {}", FormatNumberOf(terminal_, *table.rows, "row"));
    if (table.took && table.work != Work::kLoad) text += fmt::format(", {} last time", FormatDuration(*table.took));
    return text;
  }

  static std::string WorkExtent(const PlannedTable& table) {
    switch (table.work) {
      case Work::kRead:
        if (table.read->how == How::kChanges) return "what changed since the last read";
        return table.read->because.empty() ? "all rows" : fmt::format("all rows ({})", table.read->because);
      case Work::kCheck:
        return "the rows as they are";
      case Work::kLoad:
        return "into the warehouse alone";
      case Work::kBuild:
      case Work::kNone:
        break;
    }
    return "whole table";
  }

  std::vector<std::string> ReadsOf(const std::string& source, const std::vector<const PlannedTable*>& streams) const {
    std::map<How, int> counts;
    std::vector<std::string> reasons;
    for (const PlannedTable* stream : streams) {
      ++counts[stream->read->how];
      if (stream->read->how == How::kFull)
        reasons.push_back(fmt::format("{}: {}", stream->name, stream->read->because));
    }
    std::vector<std::string> parts;
    const auto add = [&](How how, const char* text) {
      if (counts[how] > 0) parts.push_back(fmt::format("{} {}", FormatCount(terminal_, counts[how]), text));
    };
    add(How::kFirst, "for the first time");
    add(How::kChanges, "by what changed");
    add(How::kNothing, "not at all");
    add(How::kFull, "in full");
    std::vector<std::string> items = {source + ": " + Join(parts, ", ")};
    const auto count = static_cast<int>(reasons.size());
    const bool is_cut = detail_ == PlanDetail::kChanges && count > kReasonsShown;
    if (is_cut) {
      reasons.resize(kReasonsShown);
      reasons.push_back(fmt::format("{} {} more", SignsOf(terminal_).ellipsis, count - kReasonsShown));
    }
    items.insert(items.end(), reasons.begin(), reasons.end());
    return items;
  }

  const PlannedChanges& changes_;
  PlanDetail detail_;
  const Terminal& terminal_;
  int name_width_ = 0;
};

std::string FaultsText(const PlannedChanges& changes, const Terminal& terminal) {
  const auto errors = std::ranges::count(changes.diagnostics, Severity::kError, &Diagnostic::severity);
  const auto warnings = std::ranges::count(changes.diagnostics, Severity::kWarning, &Diagnostic::severity);
  std::string text;
  if (errors > 0) text += fmt::format(" {}.", FormatNumberOf(terminal, errors, "error"));
  if (warnings > 0) text += fmt::format(" {}.", FormatNumberOf(terminal, warnings, "warning"));
  return text;
}

std::string CommandOfPlan(const std::string& leat, const char* command, const pipeline::RunOptions& options) {
  const std::string scope = pipeline::FormatScope(
      {.select = options.select, .exclude = options.exclude, .full_refresh = options.full_refresh});
  return scope.empty() ? fmt::format("{} {}", leat, command) : fmt::format("{} {} {}", leat, command, scope);
}

std::string CountsText(const PlannedChanges& changes, const pipeline::RunOptions& options, const std::string& leat,
                       const Terminal& terminal) {
  if (changes.IsEmpty())
    return fmt::format("No changes.{} New rows come with  {}\n", FaultsText(changes, terminal),
                       CommandOfPlan(leat, "run", options));
  std::string text =
      fmt::format("Plan: {} to add, {} to change, {} to rebuild, {} to drop", changes.Count(Change::kNew),
                  changes.Count(Change::kChanged), changes.Count(Change::kRebuilt), changes.Count(Change::kGone));
  if (const int refused = changes.Count(Change::kRefused); refused > 0) text += fmt::format(", {} refused", refused);
  if (const int skipped = changes.Count(Change::kSkipped); skipped > 0) text += fmt::format(", {} skipped", skipped);
  return fmt::format("{}.{}\n  Apply with  {}      Save with  {} -o plan.json\n", text, FaultsText(changes, terminal),
                     CommandOfPlan(leat, "run", options), CommandOfPlan(leat, "plan", options));
}

Json TextOrNull(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

Json ChangeJson(const PlannedTable& table) {
  Json json = {{"table", table.name},
               {"kind", table.is_stream ? "stream" : "model"},
               {"change", WordsOf(table.change).word},
               {"file", table.file},
               {"because", table.because},
               {"work", WordOf(table.work)},
               {"columns", Json::array()},
               {"settings", Json::array()},
               {"sql", Json::array()}};
  for (const ColumnChange& column : table.columns)
    json["columns"].push_back({{"name", column.name},
                               {"change", WordOf(column.kind)},
                               {"type_before", column.before},
                               {"type_after", column.after}});
  for (const SettingChange& setting : table.settings)
    json["settings"].push_back({{"part", setting.part},
                                {"name", setting.name},
                                {"before", TextOrNull(setting.before)},
                                {"after", TextOrNull(setting.after)}});
  for (const Hunk& hunk : table.sql)
    json["sql"].push_back({{"line", hunk.line}, {"removed", hunk.removed}, {"added", hunk.added}});
  return json;
}

}  // namespace

std::string FormatPlan(const config::Project& project, const pipeline::RunOptions& options,
                       const PlannedChanges& changes, PlanDetail detail, const std::string& leat, Timestamp now,
                       const Terminal& terminal) {
  const PlanText text(changes, detail, terminal);
  const bool tells_reads = !changes.IsEmpty() || detail == PlanDetail::kEverything;
  return text.Head(project, now) + text.Tables() + (tells_reads ? text.Reads() : "") + text.Warehouse() +
         CountsText(changes, options, leat, terminal);
}

Json PlanJson(const config::Project& project, const pipeline::RunOptions& options, const PlannedChanges& changes) {
  Json json;
  json["project"] = project.name;
  json["target"] = project.target.value;
  json["compared_with"] = changes.last_run ? ToJson(*changes.last_run) : Json(nullptr);
  json["selection"] = {
      {"select", options.select}, {"exclude", options.exclude}, {"full_refresh", options.full_refresh}};
  json["to_add"] = changes.Count(Change::kNew);
  json["to_change"] = changes.Count(Change::kChanged);
  json["to_rebuild"] = changes.Count(Change::kRebuilt);
  json["to_drop"] = changes.Count(Change::kGone);
  json["refused"] = changes.Count(Change::kRefused);
  json["skipped"] = changes.Count(Change::kSkipped);
  json["unchanged"] = changes.Count(Change::kUnchanged);
  json["changes"] = Json::array();
  json["expected"] = Json::array();
  json["reads"] = Json::array();
  json["warehouse"] = Json::array();
  for (const PlannedTable& table : changes.tables) {
    if (table.read)
      json["reads"].push_back(
          {{"stream", table.name}, {"how", WordOf(table.read->how)}, {"because", table.read->because}});
    if (table.change == Change::kUnchanged) continue;
    json["changes"].push_back(ChangeJson(table));
    json["expected"].push_back({{"table", table.name},
                                {"rows", table.rows ? Json(*table.rows) : Json(nullptr)},
                                {"dur_s", table.took ? SecondsJson(*table.took) : Json(nullptr)}});
  }
  for (const warehouse::PlannedChange& change : changes.warehouse)
    json["warehouse"].push_back({{"table", change.model}, {"statements", change.statements}});
  return json;
}

}  // namespace leat::cli
