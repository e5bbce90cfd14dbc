#include "pipeline/query.h"

#include <fmt/format.h>

#include "core/file_system.h"
#include "core/text.h"
#include "models/models.h"
#include "models/parameters.h"
#include "models/periods.h"
#include "models/sql_tokens.h"
#include "pipeline/workspace.h"

namespace leat::pipeline {
namespace {

/// Make the views of what a statement reads; an unknown name is underlined where the statement has it.
void BindAt(engine::Engine& engine, const models::SelectReads& reads, const std::string& file, const std::string& sql) {
  for (const models::TableReference& table : reads.tables) {
    try {
      engine.Bind({table.Name()});
    } catch (Error& error) {
      if (table.position && !file.empty()) error.SetPlace(models::PlaceOfToken(file, sql, *table.position));
      throw;
    }
  }
}

/// What was typed, as the SELECT behind it: of `DESCRIBE mart.x` and `SUMMARIZE SELECT …` the one they are about, its
/// bytes where they were typed.
struct Inquiry {
  std::string select;
  std::string about;  ///< `DESCRIBE`, `SUMMARIZE`; empty: its rows are wanted

  std::string Sql() const { return about.empty() ? select : fmt::format("SELECT * FROM ({} {})", about, select); }
};

Inquiry ParseInquiry(const std::string& file, const std::string& sql) {
  const std::vector<models::StatementSpan> statements = models::SplitStatements(sql);
  if (statements.size() != 1 || statements[0].tokens.size() < 2) return {sql, ""};
  const std::vector<models::Token>& tokens = statements[0].tokens;
  const auto is_first = [&](std::string_view word) { return tokens[0].Is(sql, word); };
  if (is_first("SHOW"))
    throw Error(kConfig, "LEAT0202", models::PlaceOfToken(file, sql, tokens[0].begin),
                "SHOW is not a SELECT; expected one SELECT, DESCRIBE or SUMMARIZE")
        .Hint("leat status --all  lists the tables, DESCRIBE mart.dim_staff  the columns of one");
  if (!is_first("DESCRIBE") && !is_first("DESC") && !is_first("SUMMARIZE")) return {sql, ""};
  const bool is_select = tokens[1].Is(sql, "SELECT") || tokens[1].Is(sql, "FROM") || tokens[1].Is(sql, "WITH") ||
                         tokens[1].IsSymbol(sql, '(');
  std::string word = is_select ? "" : "FROM";
  word.resize(tokens[0].end - tokens[0].begin, ' ');  // what comes after it stays where it was typed
  std::string select = sql.substr(0, statements[0].end());
  select.replace(tokens[0].begin, word.size(), word);
  return {select, is_first("SUMMARIZE") ? "SUMMARIZE" : "DESCRIBE"};
}

/// Of the model in `file`, which may be no model's.
std::optional<config::ModelKind> KindOfFile(const config::Project& project, const std::string& file) {
  for (const config::Model& model : project.models)
    if (model.file == file) return model.kind;
  return std::nullopt;
}

/// Of a period model the last period that ended is shown, of an incremental model all rows.
std::vector<duck::Parameter> ParametersOf(const config::Project& project, duck::Connection& connection,
                                          const std::string& file, Timestamp now) {
  std::vector<duck::Parameter> parameters = {{"run_time", now}, models::SinceParameter(duck::kBeforeAll)};
  for (const config::Model& model : project.models)
    if (model.file == file && model.kind == config::ModelKind::kPeriod)
      for (duck::Parameter& bound : models::ParametersOf(models::LastEndedPeriod(connection, project, model, now)))
        parameters.push_back(std::move(bound));
  return parameters;
}

/// The rows of a period model's table that are of the period of its newest ones.
std::string LastPeriodSql(const config::Project& project, const config::Model& model, const std::string& name) {
  const std::string time = QuoteIdentifier(ToLower(model.time.value));
  const std::string period = fmt::format(
      "date_trunc('{0}', CASE typeof({1}) WHEN 'DATE' THEN CAST({1} AS TIMESTAMP) ELSE timezone({2}, CAST({1} AS "
      "TIMESTAMPTZ)) END)",
      config::PeriodName(model.period), time, QuoteLiteral(project.timezone.value));
  return fmt::format("(SELECT * FROM {0} WHERE {1} = (SELECT max({1}) FROM {0}))", name, period);
}

}  // namespace

void Query(const config::Project& project, const std::string& file, const std::string& sql, const CancelFlag& cancel,
           const std::function<void(duck::Result&)>& use) {
  Workspace workspace(project, Workspace::Access::kRead, cancel);
  engine::Engine& engine = workspace.engine();
  duck::Connection& connection = engine.connection();
  models::Macros macros(connection, project.macros);
  const Inquiry inquiry = ParseInquiry(file, sql);
  const models::SelectReads reads = models::ReadsOf(connection, macros, file, inquiry.select, engine.Names());
  models::RefuseParametersOfOthers(reads, KindOfFile(project, file), file, inquiry.select);
  BindAt(engine, reads, file, sql);
  macros.Make(connection, reads.macros);
  const std::vector<duck::Parameter> parameters = ParametersOf(project, connection, file, SystemClock().Now());
  try {
    if (!connection.IsSingleSelect(inquiry.select))
      throw Error(kConfig, "LEAT0202", Place{file, 1, 1, 0}, "this is not one SELECT; the lake is read-only here")
          .Hint("write one SELECT statement");
    if (!inquiry.about.empty()) connection.Describe(inquiry.select);  // its faults stand where they were typed
    use(*connection.Stream(inquiry.Sql(), parameters));
  } catch (const duck::QueryError& error) {
    throw models::ExplainFault(engine, error, file, inquiry.select);
  }
}

std::string PreviewSql(const config::Project& project, const std::string& table_or_file, int rows) {
  const std::string path = JoinPath(project.folder, table_or_file);
  if (table_or_file.ends_with(".sql")) return ReadFile(path);
  std::string name;
  for (const std::string& part : Split(table_or_file, '.')) name += (name.empty() ? "" : ".") + QuoteIdentifier(part);
  const config::Model* model = project.FindModel(table_or_file);
  if (model != nullptr && model->kind == config::ModelKind::kPeriod) name = LastPeriodSql(project, *model, name);
  return fmt::format("SELECT * FROM {} LIMIT {}", name, rows);
}

}  // namespace leat::pipeline
