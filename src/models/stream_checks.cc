#include "models/stream_checks.h"

#include <fmt/format.h>

#include "core/hash.h"
#include "core/text.h"
#include "models/check_run.h"
#include "models/fingerprint.h"
#include "models/model_output.h"

namespace leat::models {
namespace {

/// Rules are made and run for models; of a stream they need no more than name, columns and rules.
config::Model AsModel(const config::StreamProperties& stream) {
  config::Model model;
  model.name = stream.name;
  std::tie(model.name_space, model.table) = engine::ParseName(stream.name);
  model.file = stream.place.file;
  model.head_place = stream.place;
  model.checks = stream.checks;
  model.columns = stream.columns;
  return model;
}

/// Refuse a `loaded_at_field` that cannot tell a moment.
void CheckLoadedAt(const config::StreamProperties& stream, const ModelOutput& output) {
  const config::Located<std::string>& field = *stream.loaded_at_field;
  const duck::Column* column = output.Find(field.value);
  const bool is_time = column != nullptr && (column->type == "DATE" || column->type.starts_with("TIMESTAMP"));
  if (is_time) return;
  std::vector<std::string> names;
  for (const duck::Column& known : output.columns) names.push_back(known.name);
  Diagnostic fault{.code = "LEAT0712", .place = field.place};
  fault.message = column == nullptr
                      ? fmt::format("loaded_at_field is '{}', which {} does not have", field.value, stream.name)
                      : fmt::format("loaded_at_field is '{}' of type {}; expected a timestamp or a date", field.value,
                                    column->type);
  if (column == nullptr) SuggestNearest(fault, field.value, names);
  if (fault.help.empty())
    fault.help.push_back(
        "name a column that says when a row was written, or leave it out: then the moment of reading counts");
  throw Error(kConfig, std::move(fault));
}

std::vector<std::string> TablesOf(const config::StreamProperties& stream) {
  std::vector<std::string> tables = {stream.name};
  for (const config::CheckRule& rule : stream.checks)
    for (const auto& reference : rule.references) tables.push_back(reference.table.value);
  return tables;
}

/// Let the engine read the stream and what it refers to.
void BindAll(engine::Engine& engine, const config::StreamProperties& stream) {
  engine.Bind({stream.name});
  for (const config::CheckRule& rule : stream.checks) {
    for (const auto& reference : rule.references) {
      try {
        engine.Bind({reference.table.value});
      } catch (Error& error) {
        error.SetPlace(reference.table.place);
        throw;
      }
    }
  }
}

std::vector<CheckOutcome> Judge(engine::Engine& engine, const config::Project& project, const config::Model& model,
                                const RuleSet& rules) {
  const std::string rows = engine::SqlName(engine::ParseName(model.name));
  const auto target = TargetOf(engine, project, model.name);
  CheckRun run(engine.connection(), model, target ? target->key : std::vector<std::string>{}, /*look_at=*/"", {});
  std::vector<const RowRule*> row_rules;
  for (const RowRule& rule : rules.rows) row_rules.push_back(&rule);
  std::vector<CheckOutcome> outcomes = run.JudgeRows(row_rules, rows);
  for (const UniqueRule& rule : rules.unique) outcomes.push_back(run.JudgeUnique(rule, {.scope = rows, .all = rows}));
  return outcomes;
}

}  // namespace

StreamVerdict JudgeStream(engine::Engine& engine, const config::Project& project,
                          const config::StreamProperties& stream) {
  StreamVerdict verdict;
  const config::Model model = AsModel(stream);
  try {
    BindAll(engine, stream);
    const ModelOutput output{engine.ColumnsOf(stream.name), {}};
    verdict.diagnostics = CheckHeadColumns(model, output);
    const RuleSet rules = RulesOf(
        engine.connection(), model, output, [&](const std::string& table) { return TargetOf(engine, project, table); },
        engine::SqlName(engine::ParseName(stream.name)), verdict.diagnostics);
    verdict.checks = Judge(engine, project, model, rules);
  } catch (const Error& error) {
    verdict.diagnostics.push_back(error.diagnostic());
  }
  for (const CheckOutcome& check : verdict.checks)
    if (check.diagnostic) verdict.diagnostics.push_back(*check.diagnostic);
  return verdict;
}

std::string FingerprintOfStream(const engine::Engine& engine, const config::StreamProperties& stream) {
  std::string text = TextOfRules(AsModel(stream));
  for (const config::ColumnProperties& column : stream.columns) text += fmt::format("\nhas {}", column.name.value);
  for (const std::string& table : TablesOf(stream))
    text += fmt::format("\n{} {}", table, engine.Knows(table) ? InputVersion(engine, table) : "");
  return HashOfText(text);
}

std::optional<Timestamp> NewestLoad(engine::Engine& engine, const config::StreamProperties& stream,
                                    const engine::Relation& relation) {
  const std::string rows = engine.CurrentRowsSql(relation);
  CheckLoadedAt(stream, {engine.connection().Describe("SELECT * FROM " + rows), {}});
  const auto result = engine.connection().Query(
      fmt::format("SELECT max(epoch_us(CAST(x AS TIMESTAMP))) FROM (SELECT {} AS x FROM {}) WHERE isfinite(x)",
                  QuoteIdentifier(ToLower(stream.loaded_at_field->value)), rows));
  const auto chunk = result->Next();
  if (!chunk || chunk->IsNull(0, 0)) return std::nullopt;
  return Timestamp(std::chrono::microseconds(chunk->At<int64_t>(0, 0)));
}

std::vector<Diagnostic> ValidateStream(duck::Connection& connection, const config::StreamProperties& stream,
                                       const std::vector<duck::Column>& columns, const FindTarget& find_target) {
  const config::Model model = AsModel(stream);
  const ModelOutput output{columns, {}};
  std::vector<Diagnostic> diagnostics = CheckHeadColumns(model, output);
  RulesOf(connection, model, output, find_target, "(SELECT 1)", diagnostics);
  try {
    if (stream.loaded_at_field) CheckLoadedAt(stream, output);
  } catch (const Error& error) {
    diagnostics.push_back(error.diagnostic());
  }
  return diagnostics;
}

}  // namespace leat::models
