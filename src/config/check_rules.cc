#include "config/check_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/check_fields.h"
#include "config/scalars.h"
#include "core/text.h"

namespace leat::config {
namespace {

struct Rule {
  std::string_view name;
  bool row_wise;  ///< about single rows, which can be taken out; the others are about the table
};

constexpr Rule kRules[] = {
    {"not_null", true},   {"unique", false}, {"accepted_values", true},
    {"references", true}, {"range", true},   {"rows", false},
};

std::string RuleNames() {
  std::vector<std::string> names;
  for (const Rule& rule : kRules) names.emplace_back(rule.name);
  return Join(names, ", ");
}

/// The one rule of an entry; nullptr after a report, or if it was faulty itself.
const Rule* FindRule(const Values& entry, std::vector<Diagnostic>& diagnostics) {
  const Rule* found = nullptr;
  for (const Rule& rule : kRules) {
    if (!entry.Given(rule.name)) continue;
    if (found != nullptr) {
      diagnostics.push_back(
          MakeFault("LEAT0115", entry.KeyPlace(rule.name),
                    fmt::format("one check holds {} and {}; expected one rule", found->name, rule.name),
                    "write each rule behind a dash of its own"));
      return nullptr;
    }
    found = &rule;
  }
  // A misspelled rule was reported as an unknown key.
  if (found == nullptr && !entry.HasUnknownKeys()) {
    diagnostics.push_back(
        MakeFault("LEAT0106", entry.place(), "this check has no rule", fmt::format("add one of {}", RuleNames())));
  }
  return found != nullptr && entry.Faulty(found->name) ? nullptr : found;
}

std::vector<CheckRule::ColumnValues> ReadAccepted(const Values& entry) {
  std::vector<CheckRule::ColumnValues> accepted;
  const YamlNode* map = entry.Find("accepted_values");
  if (map == nullptr) return accepted;
  for (const YamlEntry& column : map->entries) {
    if (column.value == nullptr) continue;
    CheckRule::ColumnValues values{{column.key, column.key_place}, {}};
    for (const YamlPointer& value : column.value->items) values.values.push_back(value->text);
    accepted.push_back(std::move(values));
  }
  return accepted;
}

std::vector<CheckRule::Reference> ReadReferences(const Values& entry) {
  std::vector<CheckRule::Reference> references;
  const YamlNode* map = entry.Find("references");
  if (map == nullptr) return references;
  for (const YamlEntry& column : map->entries)
    if (column.value != nullptr)
      references.push_back({{column.key, column.key_place}, {column.value->text, column.value->place}});
  return references;
}

std::optional<std::string> TextOf(const Values& values, std::string_view name) {
  const auto text = values.OptionalText(name);
  return text ? std::optional(text->value) : std::nullopt;
}

bool IsAbove(const std::optional<std::string>& min, const std::optional<std::string>& max) {
  if (!min || !max) return false;
  const auto least = ParseInteger(*min), most = ParseInteger(*max);
  return least && most && *least > *most;
}

std::vector<CheckRule::Range> ReadRanges(const Values& entry, std::vector<Diagnostic>& diagnostics) {
  std::vector<CheckRule::Range> ranges;
  for (const auto& [column, limits] : entry.Sections("range")) {
    CheckRule::Range range{{column.key, column.key_place}, TextOf(limits, "min"), TextOf(limits, "max")};
    const bool empty = limits.entries().empty() && !limits.HasUnknownKeys();
    if (empty)
      ReportContradiction(column.key_place, fmt::format("the range of {} has no limit", column.key),
                          "add min, max or both", diagnostics);
    if (IsAbove(range.min, range.max)) {
      ReportContradiction(column.key_place,
                          fmt::format("the range of {} has min {} above max {}", column.key, *range.min, *range.max),
                          "swap them", diagnostics);
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

void ReadRows(const Values& entry, CheckRule& rule, std::vector<Diagnostic>& diagnostics) {
  const auto limits = entry.Section("rows");
  if (!limits) return;
  rule.rows_min = limits->Integer("min");
  rule.rows_max = limits->Integer("max");
  if (limits->entries().empty() && !limits->HasUnknownKeys())
    ReportContradiction(rule.place, "rows has no limit", "add min, max or both", diagnostics);
  if (rule.rows_min && rule.rows_max && *rule.rows_min > *rule.rows_max) {
    ReportContradiction(rule.place, fmt::format("rows has min {} above max {}", *rule.rows_min, *rule.rows_max),
                        "swap them", diagnostics);
  }
}

/// A rule about nothing would pass for ever.
void RefuseEmpty(const CheckRule& rule, std::vector<Diagnostic>& diagnostics) {
  const bool about_something =
      !rule.columns.empty() || !rule.accepted.empty() || !rule.references.empty() || !rule.ranges.empty();
  if (about_something || rule.rule == "rows") return;
  diagnostics.push_back(
      MakeFault("LEAT0105", rule.place, fmt::format("{} names no column", rule.rule), "name at least one column"));
}

CheckSeverity ReadSeverity(const Values& entry, const Rule& rule, std::vector<Diagnostic>& diagnostics) {
  const auto severity = entry.LocatedText("severity");
  if (severity.value == "warn") return CheckSeverity::kWarn;
  if (severity.value != "reject") return CheckSeverity::kError;
  if (!rule.row_wise) {
    ReportContradiction(
        severity.place,
        fmt::format("severity is reject for {}, which is about the table; reject takes out single rows", rule.name),
        "use error or warn", diagnostics);
  }
  return CheckSeverity::kReject;
}

CheckRule ReadRule(const Values& entry, const Rule& rule, std::vector<Diagnostic>& diagnostics) {
  CheckRule check;
  check.rule = rule.name;
  check.place = entry.KeyPlace(rule.name);
  check.severity = ReadSeverity(entry, rule, diagnostics);
  check.where = entry.Text("where");
  if (rule.name == "not_null" || rule.name == "unique") check.columns = entry.List(rule.name);
  check.accepted = ReadAccepted(entry);
  check.references = ReadReferences(entry);
  check.ranges = ReadRanges(entry, diagnostics);
  ReadRows(entry, check, diagnostics);
  return check;
}

}  // namespace

std::vector<CheckRule> ReadCheckRules(const Values& model, std::vector<Diagnostic>& diagnostics) {
  std::vector<CheckRule> rules;
  for (const auto& [item, entry] : model.Sections("checks")) {
    const Rule* rule = FindRule(entry, diagnostics);
    if (rule == nullptr) continue;
    const size_t faults = diagnostics.size();
    rules.push_back(ReadRule(entry, *rule, diagnostics));
    if (diagnostics.size() == faults && !entry.HasFaultyPart(rule->name)) RefuseEmpty(rules.back(), diagnostics);
  }
  return rules;
}

}  // namespace leat::config
