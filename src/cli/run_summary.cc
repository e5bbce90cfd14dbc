#include "cli/run_summary.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "engine/engine.h"
#include "pipeline/scope.h"

namespace leat::cli {
namespace {

using pipeline::RunSummary;

bool ChangedNothing(const state::Step& step) {
  // A check changes nothing; a model that warns may still be as it was.
  return step.step == "check" || step.status == "unchanged" ||
         (step.status == "warned" && step.rows_written == 0 && step.rows_deleted == 0);
}

bool ChangedSomething(const RunSummary& summary) {
  return std::any_of(summary.steps.begin(), summary.steps.end(), [](const state::Step& step) {
    return !ChangedNothing(step) && step.status != "failed" && step.status != "skipped";
  });
}

bool NothingChanged(const RunSummary& summary) {
  return summary.run.status == "succeeded" && !summary.steps.empty() &&
         std::all_of(summary.steps.begin(), summary.steps.end(), ChangedNothing);
}

std::string RejectHint(const std::vector<std::string>& tables) {
  if (tables.empty()) return "";
  const std::string more = tables.size() > 1 ? fmt::format(" and {} more", tables.size() - 1) : "";
  return fmt::format(" (leat preview {}{}{})", tables.front(), engine::kRejectsSuffix, more);
}

/// `read 5 = written 3 + repeated 2`, zeros left out; nothing where no row was read.
std::string EquationText(const Reconciliation& counts, const Terminal& terminal) {
  if (counts.read == 0 && counts.is_equal()) return "";
  std::vector<std::string> terms;
  for (const auto& [name, rows] : {std::pair("written", counts.written), std::pair("repeated", counts.repeated),
                                   std::pair("rejected", counts.rejected)})
    if (rows > 0) terms.push_back(fmt::format("{} {}", name, FormatCount(terminal, rows)));
  return fmt::format("read {} {} {}{}", FormatCount(terminal, counts.read),
                     counts.is_equal() ? "=" : SignsOf(terminal).unequal,
                     terms.empty() ? "written 0" : Join(terms, " + "), RejectHint(counts.rejecting));
}

/// Rows that checks took out of models; they are no part of the equation, which is about what sources sent.
std::string ModelRejects(const RunSummary& summary, const Terminal& terminal) {
  int64_t rows = 0;
  std::vector<std::string> tables;
  for (const state::Step& step : summary.steps) {
    if (step.step == "extract" || step.rows_rejected == 0) continue;
    // Build and check of one model may both tell the same count.
    if (std::find(tables.begin(), tables.end(), step.table) != tables.end()) continue;
    rows += step.rows_rejected;
    tables.push_back(step.table);
  }
  return rows == 0 ? "" : fmt::format("checks rejected {}{}", FormatCount(terminal, rows), RejectHint(tables));
}

bool IsRetry(const RunSummary& summary) { return pipeline::ParseScope(summary.run.selection).retry_of != 0; }

/// The words for a shell that would take a `*` for names of files.
std::string ForShell(const std::string& selection) {
  std::string text;
  for (const std::string& word : Split(selection, ' '))
    text += word.find_first_of("*?") == std::string::npos ? " " + word : fmt::format(" '{}'", word);
  return text;
}

/// The command that does the same again.
std::string Again(const RunSummary& summary, const std::string& leat) {
  if (summary.run.selection.empty() || IsRetry(summary)) return leat + (IsRetry(summary) ? " retry" : " run");
  return leat + " run" + ForShell(summary.run.selection);
}

std::string FirstLine(const RunSummary& summary, const Terminal& terminal) {
  const std::string dot = fmt::format(" {} ", SignsOf(terminal).dot);
  const auto duration = summary.run.ended.value_or(summary.run.started) - summary.run.started;
  std::string line = summary.tables_done == summary.tables
                         ? FormatNumberOf(terminal, summary.tables, "table")
                         : fmt::format("{} of {}", FormatCount(terminal, summary.tables_done),
                                       FormatNumberOf(terminal, summary.tables, "table"));
  line += fmt::format(" done in {}", FormatDuration(duration));
  if (NothingChanged(summary)) line += ", nothing changed";
  for (const std::string& part : {EquationText(Reconcile(summary), terminal), ModelRejects(summary, terminal)})
    if (!part.empty()) line += dot + part;
  if (summary.rows_deleted > 0) line += fmt::format("{}deleted {}", dot, FormatCount(terminal, summary.rows_deleted));
  return line + "\n";
}

std::string FailureLine(const RunSummary& summary, const Terminal& terminal, const std::string& leat) {
  const bool one = summary.tables_failed + summary.tables_skipped <= 1;
  return fmt::format("{} failed, {} skipped; {} good rows.  Fix {}, then  {} retry\n",
                     FormatCount(terminal, summary.tables_failed), FormatCount(terminal, summary.tables_skipped),
                     one ? "the failed table keeps its last" : "these tables keep their last",
                     one ? "it" : "what failed", leat);
}

}  // namespace

Reconciliation Reconcile(const RunSummary& summary) {
  Reconciliation counts;
  for (const state::Step& step : summary.steps) {
    // A stream that broke off published nothing: what it had read so far is nobody's.
    if (step.step != "extract" || step.status == "failed" || step.status == "skipped") continue;
    counts.read += step.rows_read;
    counts.written += step.rows_written;
    counts.repeated += step.rows_repeated;
    counts.rejected += step.rows_rejected;
    const int64_t accounted = step.rows_written + step.rows_repeated + step.rows_rejected;
    if (step.rows_read != accounted)
      counts.unequal.push_back(fmt::format("{}: read {}, accounted for {}", step.table, step.rows_read, accounted));
    if (step.rows_rejected > 0) counts.rejecting.push_back(step.table);
  }
  return counts;
}

std::string FormatRunSummary(const RunSummary& summary, const Terminal& terminal, const std::string& leat) {
  std::string text = FirstLine(summary, terminal);
  if (IsRetry(summary))
    text += fmt::format("This was the {}; what it read is of a new moment.\n", summary.run.selection);
  for (const std::string& stream : Reconcile(summary).unequal)
    text += fmt::format("counts do not add up: {}\n", stream);
  if (summary.run.status == "cancelled")
    return text +
           fmt::format(
               "Stopped as asked. What was done is published, the other tables are as they were; lake and positions "
               "are consistent.\nGo on with  {}\n",
               summary.run.number != 0 ? leat + " retry" : Again(summary, leat));
  if (summary.tables_failed + summary.tables_skipped > 0) return text + FailureLine(summary, terminal, leat);
  if (summary.run.status != "succeeded")
    text += fmt::format("Not all went well.  Mend the cause, then  {}\n", Again(summary, leat));
  return text;
}

Json RunSummaryJson(const RunSummary& summary) {
  const Reconciliation counts = Reconcile(summary);
  Json json;
  json["run"] = ToJson(summary.run);
  json["tables"] = summary.tables;
  json["tables_done"] = summary.tables_done;
  json["tables_failed"] = summary.tables_failed;
  json["tables_skipped"] = summary.tables_skipped;
  json["changed"] = ChangedSomething(summary);
  json["rows_read"] = counts.read;
  json["rows_written"] = counts.written;
  json["rows_repeated"] = counts.repeated;
  json["rows_rejected"] = counts.rejected;
  json["rows_deleted"] = summary.rows_deleted;
  json["counts_equal"] = counts.is_equal();
  json["steps"] = Json::array();
  for (const state::Step& step : summary.steps) json["steps"].push_back(ToJson(step));
  return json;
}

}  // namespace leat::cli
