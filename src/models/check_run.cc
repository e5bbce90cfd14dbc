#include "models/check_run.h"

#include <fmt/format.h>

#include "core/text.h"
#include "engine/engine.h"

namespace leat::models {
namespace {

constexpr int kSampleCharactersMax = 80;

std::string QuotedColumns(const std::vector<std::string>& columns, std::string_view before) {
  std::vector<std::string> quoted;
  for (const std::string& column : columns) quoted.push_back(std::string(before) + QuoteIdentifier(column));
  return Join(quoted, ", ");
}

std::string NoneNull(const std::vector<std::string>& columns) {
  std::vector<std::string> conditions;
  for (const std::string& column : columns)
    conditions.push_back(fmt::format("r.{} IS NOT NULL", QuoteIdentifier(column)));
  return Join(conditions, " AND ");
}

}  // namespace

std::string AnyBroken(const std::vector<const RowRule*>& rules) {
  std::vector<std::string> conditions;
  for (const RowRule* rule : rules) conditions.push_back(rule->broken);
  return "(" + Join(conditions, " OR ") + ")";
}

std::string ReasonsSql(const std::vector<const RowRule*>& rules) {
  std::vector<std::string> reasons;
  for (const RowRule* rule : rules)
    reasons.push_back(fmt::format("CASE WHEN {} THEN {} END", rule->broken, QuoteLiteral(rule->name)));
  return fmt::format("concat_ws(', ', {})", Join(reasons, ", "));
}

std::vector<CheckOutcome> CheckRun::JudgeRows(const std::vector<const RowRule*>& rules, const std::string& rows) {
  if (rules.empty()) return {};
  std::vector<std::string> conditions, counts = {"count(*)"};
  for (size_t i = 0; i < rules.size(); ++i) {
    conditions.push_back(fmt::format("{} AS b{}", rules[i]->broken, i));
    counts.push_back(fmt::format("count(*) FILTER (b{})", i));
  }
  const auto result = connection_.Query(
      fmt::format("SELECT {} FROM (SELECT {} FROM {} r)", Join(counts, ", "), Join(conditions, ", "), rows),
      parameters_);
  const auto chunk = result->Next();
  std::vector<CheckOutcome> outcomes;
  for (size_t i = 0; i < rules.size(); ++i) {
    const RowRule& rule = *rules[i];
    const int64_t failing = chunk->At<int64_t>(i + 1, 0);
    outcomes.push_back({.table = model_.name, .rule = rule.name, .severity = rule.severity, .failing_rows = failing});
    if (failing == 0) continue;
    outcomes.back() = Failed(
        rule.name, rule.code, rule.severity, rule.place, failing,
        fmt::format("{} of {} rows {}", GroupDigits(failing), GroupDigits(chunk->At<int64_t>(0, 0)), rule.complaint));
    std::vector<std::string> shown = key_;
    if (rule.code != "LEAT0701") shown.push_back(ToLower(rule.column));
    const std::vector<std::string> samples = Samples(rows, shown, rule.broken);
    if (!samples.empty()) outcomes.back().diagnostic->notes.push_back("for example " + Join(samples, "; "));
  }
  return outcomes;
}

CheckOutcome CheckRun::JudgeUnique(const UniqueRule& rule, const JudgedRows& rows) {
  const std::string condition =
      rule.where.empty() ? NoneNull(rule.columns) : fmt::format("{} AND ({}\n)", NoneNull(rule.columns), rule.where);
  const std::string columns = QuotedColumns(rule.columns, "r.");
  const std::string only = rows.scope == rows.all ? ""
                                                  : fmt::format(" AND ({}) IN (SELECT ({}) FROM {} r WHERE {})",
                                                                columns, columns, rows.scope, condition);
  const std::string doubled =
      fmt::format("(SELECT {}, count(*) AS rows_count FROM {} r WHERE {}{} GROUP BY ALL HAVING count(*) > 1)", columns,
                  rows.all, condition, only);
  const int64_t failing = connection_.QueryInt64(fmt::format("SELECT coalesce(sum(rows_count), 0) FROM {}", doubled));
  if (failing == 0) return {.table = model_.name, .rule = rule.name, .severity = rule.severity};
  const int64_t all = connection_.QueryInt64(fmt::format("SELECT count(*) FROM {} r", rows.all));
  CheckOutcome outcome =
      Failed(rule.name, "LEAT0702", rule.severity, rule.place, failing,
             fmt::format("{} of {} rows share their value with another row", GroupDigits(failing), GroupDigits(all)));
  outcome.diagnostic->notes.push_back("for example " + Join(Samples(doubled, rule.columns, "true"), "; "));
  return outcome;
}

CheckOutcome CheckRun::JudgeCount(const CountRule& rule, const std::string& all) {
  const std::string where = rule.where.empty() ? "" : fmt::format("WHERE {}\n", rule.where);
  const int64_t rows = connection_.QueryInt64(fmt::format("SELECT count(*) FROM {} r {}", all, where));
  CheckOutcome good{.table = model_.name, .rule = rule.name, .severity = rule.severity};
  if (rule.min && rows < *rule.min)
    return Failed(rule.name, "LEAT0706", rule.severity, rule.place, *rule.min - rows,
                  fmt::format("{} rows; expected at least {}", GroupDigits(rows), GroupDigits(*rule.min)));
  if (rule.max && rows > *rule.max)
    return Failed(rule.name, "LEAT0706", rule.severity, rule.place, rows - *rule.max,
                  fmt::format("{} rows; expected at most {}", GroupDigits(rows), GroupDigits(*rule.max)));
  return good;
}

void CheckRun::RequireKey(const std::string& rows, const std::vector<std::string>& beside) {
  const Place place = model_.key.empty() ? model_.head_place : model_.key.front().place;
  const std::string name = Join(key_, ", ");
  const int64_t nulls =
      connection_.Query(fmt::format("SELECT count(*) FROM {} r WHERE NOT ({})", rows, NoneNull(key_)), parameters_)
          ->Next()
          ->At<int64_t>(0, 0);
  const std::string help =
      look_at_.empty() ? "mend the SELECT" : fmt::format("look at what it reads:  leat preview {}", look_at_);
  if (nulls > 0)
    throw Error(
        kData, "LEAT0708", place,
        fmt::format("{}: key {} is NULL in {} rows; expected a value in each", model_.name, name, GroupDigits(nulls)))
        .Label("does not identify a row")
        .Hint(fmt::format("leave such rows out: WHERE {} IS NOT NULL", Join(key_, " IS NOT NULL AND ")))
        .Hint(help);
  std::vector<std::string> columns = key_;
  columns.insert(columns.end(), beside.begin(), beside.end());
  const std::string doubled =
      fmt::format("(SELECT {} FROM {} r GROUP BY ALL HAVING count(*) > 1)", QuotedColumns(columns, "r."), rows);
  const int64_t count =
      connection_.Query(fmt::format("SELECT count(*) FROM {}", doubled), parameters_)->Next()->At<int64_t>(0, 0);
  if (count == 0) return;
  throw Error(kData, "LEAT0708", place,
              fmt::format("{}: {} values of key {} stand in more than one row; expected each once", model_.name,
                          GroupDigits(count), name))
      .Label("does not identify a row")
      .Note("for example " + Join(Samples(doubled, key_, "true"), "; "))
      .Hint("add a column to `key`, or mend the join that doubles rows")
      .Hint(help);
}

CheckOutcome CheckRun::Failed(const std::string& rule, const std::string& code, config::CheckSeverity severity,
                              const Place& place, int64_t failing, const std::string& what) {
  Diagnostic diagnostic{.code = code, .place = place};
  diagnostic.severity = severity == config::CheckSeverity::kError ? Severity::kError : Severity::kWarning;
  diagnostic.message = fmt::format("check {} on {} failed: {}", rule, model_.name, what);
  if (severity == config::CheckSeverity::kReject) {
    diagnostic.message += ", set aside";
    diagnostic.help.push_back(fmt::format("leat preview {}{}", model_.name, engine::kRejectsSuffix));
  } else if (!look_at_.empty()) {
    diagnostic.help.push_back(fmt::format("look at what it reads:  leat preview {}", look_at_));
  } else {
    diagnostic.help.push_back(fmt::format("look at the rows as published:  leat preview {}", model_.name));
  }
  return {.table = model_.name,
          .rule = rule,
          .severity = severity,
          .failing_rows = failing,
          .diagnostic = std::move(diagnostic)};
}

std::vector<std::string> CheckRun::Samples(const std::string& rows, const std::vector<std::string>& columns,
                                           const std::string& condition) {
  std::vector<std::string> parts, samples;
  for (const std::string& column : columns)
    parts.push_back(fmt::format("{} || coalesce(CAST(r.{} AS VARCHAR), 'NULL')", QuoteLiteral(column + " "),
                                QuoteIdentifier(column)));
  if (parts.empty()) return {};
  const auto result =
      connection_.Query(fmt::format("SELECT {} AS sample FROM {} r WHERE {} ORDER BY {} LIMIT 3",
                                    Join(parts, " || ', ' || "), rows, condition, QuotedColumns(columns, "r.")),
                        parameters_);
  while (const auto chunk = result->Next())
    for (idx_t row = 0; row < chunk->size(); ++row)
      samples.push_back(Shorten(chunk->Text(0, row), kSampleCharactersMax));
  return samples;
}

}  // namespace leat::models
