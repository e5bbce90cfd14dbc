#include "cli/rows_answer.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "core/text.h"
#include "pipeline/query.h"

namespace leat::cli {
namespace {

constexpr int64_t kTableRowsOnTerminal = 200;
constexpr int64_t kTableRowsElsewhere = 10'000;  // a table is held in memory

bool ToStandardOutput(const CommandLine& line) { return line.output.empty() || line.output == "-"; }

RowLimit LimitOf(const RowsQuestion& question, RowFormat format, const Terminal& terminal) {
  if (question.rows_max) return {.rows_max = *question.rows_max, .rest = RowLimit::Rest::kLookOnce};
  if (format != RowFormat::kTable) return {};
  return {.rows_max = terminal.is_terminal() ? kTableRowsOnTerminal : kTableRowsElsewhere};
}

Json ColumnsJson(const duck::Result& result) {
  Json columns = Json::array();
  for (idx_t column = 0; column < result.column_count(); ++column)
    columns.push_back({{"name", result.ColumnName(column)}, {"type", result.ColumnType(column)}});
  return columns;
}

/// `20 rows`, and that there are more.
std::string Footer(const RowsWritten& written, const RowsQuestion& question, const Terminal& terminal) {
  std::string line = FormatNumberOf(terminal, written.rows, "row");
  if (written.omitted == 0) return line + "\n";
  // A preview looks for one row more than it shows: how many there are is not known.
  const std::string number = question.rows_max ? "more rows" : FormatNumberOf(terminal, written.omitted, "more row");
  return fmt::format("{} {} {} {} ({})\n", line, SignsOf(terminal).dot, SignsOf(terminal).ellipsis, number,
                     question.more_hint);
}

/// One document; the rows go in as text, because a parsed number would lose digits.
std::string RowsDocument(const std::string& command, const Json& columns, std::string rows,
                         const RowsWritten& written) {
  while (rows.ends_with('\n')) rows.pop_back();
  return fmt::format(
      "{{\"format\":1,\"command\":\"{}\",\"data\":{{\"columns\":{},\"rows\":{},\"complete\":{}}},\"diagnostics\":[]}}"
      "\n",
      command, DumpLine(columns), rows, written.omitted == 0);
}

/// Where the rows go: a file, or standard output as long as somebody reads.
class Destination {
 public:
  explicit Destination(Session& session) : session_(session) {
    if (!ToStandardOutput(session.line())) file_.emplace(session.line().output);
  }
  void Write(std::string_view text) {
    if (file_) return file_->Write(text);
    session_.out().Write(text);
    if (!session_.out().is_closed()) return;
    session_.cancel().Check();
    throw ReaderGone{};
  }
  void Finish() {
    if (file_) file_->Finish();
  }

 private:
  Session& session_;
  std::optional<OutputFile> file_;
};

void AnswerDocument(Session& session, duck::Result& result, const RowsQuestion& question) {
  std::string rows;
  const RowLimit limit = LimitOf(question, RowFormat::kJson, session.out_terminal());
  const RowsWritten written =
      WriteRows(result, RowFormat::kJson, limit, session.out_terminal(), [&](std::string_view text) { rows += text; });
  Destination destination(session);
  destination.Write(RowsDocument(session.line().command, ColumnsJson(result), std::move(rows), written));
  destination.Finish();
}

void AnswerFormat(Session& session, duck::Result& result, const RowsQuestion& question, RowFormat format) {
  const bool to_output = ToStandardOutput(session.line());
  const Terminal terminal = to_output ? session.out_terminal() : Terminal{.unicode = session.out_terminal().unicode};
  Destination destination(session);
  const RowsWritten written = WriteRows(result, format, LimitOf(question, format, terminal), terminal,
                                        [&](std::string_view text) { destination.Write(text); });
  const std::string footer = Footer(written, question, terminal);
  if (format == RowFormat::kTable) destination.Write(footer);
  destination.Finish();
  // CSV and JSON hold rows and nothing else; what was left out is told on the side.
  const bool told = format == RowFormat::kTable || written.omitted == 0;
  if (!to_output && session.line().loudness != Loudness::kQuiet)
    session.err().Write(fmt::format("Wrote {} to {}\n", FormatNumberOf(session.err_terminal(), written.rows, "row"),
                                    session.line().output));
  if (!told && session.line().loudness != Loudness::kQuiet) session.err().Write(footer);
}

}  // namespace

RowFormat ChooseFormat(const CommandLine& line, const Terminal& terminal) {
  if (line.format == "table") return RowFormat::kTable;
  if (line.format == "csv") return RowFormat::kCsv;
  if (line.format == "json") return RowFormat::kJson;
  if (ToStandardOutput(line)) return terminal.is_terminal() ? RowFormat::kTable : RowFormat::kCsv;
  const std::string file = ToLower(line.output);
  if (file.ends_with(".csv")) return RowFormat::kCsv;
  if (file.ends_with(".json")) return RowFormat::kJson;
  if (file.ends_with(".txt")) return RowFormat::kTable;
  throw Error(kConfig, "LEAT0195",
              fmt::format("the ending of '{}' names no format; expected .csv, .json or .txt", line.output))
      .Hint("name the format: --format csv");
}

void AnswerRows(Session& session, const config::Project& project, const RowsQuestion& question) {
  const RowFormat format = ChooseFormat(session.line(), session.out_terminal());
  session.SetTypedText(question.file, question.sql);
  session.PrintDiagnostics(session.warnings());
  pipeline::Query(project, question.file, question.sql, session.cancel(), [&](duck::Result& result) {
    if (session.line().json)
      AnswerDocument(session, result, question);
    else
      AnswerFormat(session, result, question, format);
  });
}

}  // namespace leat::cli
