#include "models/model_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.h"
#include "models/dim_date.h"
#include "models/history_select.h"
#include "models/periods.h"
#include "models/query_fault.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

bool ReadsVersions(const config::Model& model) {
  return model.kind == config::ModelKind::kHistory || model.kind == config::ModelKind::kScd2;
}

/// Columns that `*` brings along from a stream's history are dropped; a name that the author wrote is refused.
bool ComesFromStar(engine::Engine& engine, const config::Model& model, const std::string& column) {
  return !PositionOfOutput(ParseSelect(engine.connection(), {model.file, model.text}), column).has_value();
}

[[noreturn]] void RefuseName(engine::Engine& engine, const config::Model& model, const std::string& column,
                             const std::string& why, const std::string& hint) {
  throw Error(kConfig, "LEAT0216", PlaceOfOutputColumn(engine, model, column), why).Hint(hint);
}

/// Lower the case of each name and refuse those that no table can have.
std::vector<duck::Column> CheckNames(engine::Engine& engine, const config::Model& model,
                                     const std::vector<duck::Column>& columns) {
  std::vector<duck::Column> kept;
  std::set<std::string> seen;
  for (const duck::Column& column : columns) {
    const std::string name = ToLower(column.name);
    if (ReadsVersions(model) && engine::IsOwnColumn(name) && ComesFromStar(engine, model, name)) continue;
    if (name.starts_with("_leat"))
      RefuseName(engine, model, column.name, fmt::format("column name {} is reserved for leat", name),
                 fmt::format("give it another name: {} AS seen_at, or leave it out: * EXCLUDE ({})", name, name));
    if (!IsValidName(name))
      RefuseName(engine, model, column.name,
                 fmt::format("column \"{}\" has no usable name; expected letters, digits and single _", column.name),
                 "name it in the SELECT: expression AS name");
    if (!seen.insert(name).second)
      RefuseName(engine, model, column.name, fmt::format("two columns are named {}", name),
                 "name one of them differently: expression AS name");
    if (model.record_id && name == ToLower(model.record_id->value))
      RefuseName(engine, model, column.name,
                 fmt::format("column {} is numbered by leat and cannot come from the SELECT", name),
                 "leave it out of the SELECT, or give `record_id` another name");
    if (model.kind == config::ModelKind::kScd2 && IsIntervalColumn(name))
      RefuseName(engine, model, column.name,
                 fmt::format("column {} is made by leat and cannot come from the SELECT of an scd2 model", name),
                 fmt::format("give it another name, or leave it out: * EXCLUDE ({})", name));
    kept.push_back({name, column.type});
  }
  if (model.kind == config::ModelKind::kScd2)
    kept.insert(kept.end(), IntervalColumns().begin(), IntervalColumns().end());
  return kept;
}

lake::Schema SchemaWithPlaces(engine::Engine& engine, const config::Model& model,
                              const std::vector<duck::Column>& columns) {
  // One by one, since the error alone does not say where the column is made.
  for (const duck::Column& column : columns) {
    try {
      lake::SchemaOf({column});
    } catch (Error& error) {
      error.SetPlace(PlaceOfOutputColumn(engine, model, column.name));
      throw;
    }
  }
  std::vector<duck::Column> all = columns;
  if (model.kind == config::ModelKind::kHistory) {
    if (model.record_id) all.insert(all.begin(), {model.record_id->value, "INTEGER"});
    all.push_back({"_leat_seq", "BIGINT"});
  }
  return lake::SchemaOf(all);
}

/// Those that are no TIMESTAMP; their values do not matter.
std::vector<duck::Parameter> TypedParameters(const config::Model& model) {
  return model.kind == config::ModelKind::kPeriod ? ParametersOf(Period()) : std::vector<duck::Parameter>();
}

std::vector<duck::Column> DescribeModel(engine::Engine& engine, const config::Model& model) {
  duck::Connection& connection = engine.connection();
  std::vector<duck::Column> columns;
  try {
    columns = connection.Describe(model.text, TypedParameters(model));
  } catch (const duck::QueryError& error) {
    throw ExplainFault(engine, error, model.file, model.text);
  }
  if (!ReadsVersions(model)) return columns;
  const HistorySelect select = ReadHistorySelect(connection, model);
  if (model.kind == config::ModelKind::kScd2) OrderOfVersions(engine, select.stream);  // for its faults
  try {
    connection.Describe(select.sql);
  } catch (const duck::QueryError& error) {
    if (error.fault().message.find("GROUP BY") != std::string::npos) throw AggregateInHistory(connection, model);
    throw ExplainFault(engine, error, model.file, model.text);
  }
  return columns;
}

/// Versions of a row are told apart by leat; the key says which row it is.
Diagnostic IntervalInKey(const config::Located<std::string>& column) {
  return {.code = "LEAT0217",
          .message = fmt::format("`key` names column \"{}\", which leat makes", column.value),
          .place = column.place,
          .label = "not a column of the SELECT",
          .help = {"leave it out: `key` is what identifies the row whose versions these are"}};
}

}  // namespace

const duck::Column* ModelOutput::Find(const std::string& column) const {
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const duck::Column& c) { return c.name == ToLower(column); });
  return found == columns.end() ? nullptr : &*found;
}

ModelOutput OutputOf(engine::Engine& engine, const config::Model& model) {
  ModelOutput output;
  if (model.kind == config::ModelKind::kDimDate) {
    output.columns = DimDateColumns();
    output.schema = lake::SchemaOf(output.columns);
    return output;
  }
  output.columns = CheckNames(engine, model, DescribeModel(engine, model));
  output.schema = SchemaWithPlaces(engine, model, output.columns);
  return output;
}

std::vector<std::string> KeyOf(const config::Model& model) {
  if (model.kind == config::ModelKind::kDimDate) return {"date_id"};
  std::vector<std::string> key;
  for (const auto& column : model.key) key.push_back(ToLower(column.value));
  return key;
}

const std::vector<duck::Column>& IntervalColumns() {
  static const std::vector<duck::Column> kColumns = {
      {"valid_from", "TIMESTAMP WITH TIME ZONE"}, {"valid_to", "TIMESTAMP WITH TIME ZONE"}, {"is_current", "BOOLEAN"}};
  return kColumns;
}

bool IsIntervalColumn(const std::string& column) {
  return std::ranges::find(IntervalColumns(), column, &duck::Column::name) != IntervalColumns().end();
}

engine::VersionOrder OrderOfVersions(engine::Engine& engine, const std::string& history) {
  return engine::VersionOrderOf(
      engine.project(), engine::CurrentName(history),
      engine.connection().Describe("SELECT * FROM " + engine::SqlName(engine::ParseName(history))));
}

Place PlaceOfOutputColumn(engine::Engine& engine, const config::Model& model, const std::string& column) {
  if (model.kind == config::ModelKind::kDimDate) return model.head_place;
  const Json query = ParseSelect(engine.connection(), {model.file, model.text});
  const auto position = PositionOfOutput(query, column);
  if (position) return PlaceOfToken(model.file, model.text, LastPartOfName(model.text, *position));
  const std::vector<Token> tokens = Tokens(model.text);
  return PlaceOfToken(model.file, model.text, tokens.empty() ? 0 : tokens.front().begin);
}

std::optional<Diagnostic> RefuseType(engine::Engine& engine, const config::Model& model, const lake::Field& before,
                                     const lake::Schema& wanted) {
  const lake::Field* column = wanted.Find(before.name);
  if (column == nullptr) return std::nullopt;
  try {
    lake::Evolve({.id = 0, .fields = {before}}, {.id = 0, .fields = {*column}},
                 lake::Schema{0, {before}}.LastColumnId());
    return std::nullopt;
  } catch (Error& error) {
    error.SetPlace(PlaceOfOutputColumn(engine, model, before.name));
    Diagnostic diagnostic = error.diagnostic();
    diagnostic.help.push_back(fmt::format("leat run {} --full-refresh", model.name));
    return diagnostic;
  }
}

Diagnostic UnknownHeadColumn(const config::Model& model, const ModelOutput& output,
                             const config::Located<std::string>& column, const std::string& where) {
  std::vector<std::string> names;
  for (const duck::Column& known : output.columns) names.push_back(known.name);
  Diagnostic diagnostic{.code = "LEAT0217", .place = column.place};
  diagnostic.message = fmt::format("{} names column \"{}\", which {} does not have", where, column.value, model.name);
  diagnostic.label = "not a column of " + model.name;
  SuggestNearest(diagnostic, column.value, names);
  if (diagnostic.help.empty())
    diagnostic.help.push_back(fmt::format("its columns: {}", Shorten(Join(names, ", "), 200)));
  return diagnostic;
}

Diagnostic OtherTimeType(const config::Model& model, const duck::Column& time) {
  Diagnostic diagnostic{.code = "LEAT0241", .place = model.time.place};
  diagnostic.message =
      fmt::format("`time` names column {} of type {}; expected a DATE, a TIMESTAMP or a TIMESTAMP WITH TIME ZONE",
                  time.name, time.type);
  diagnostic.label = "no moment";
  diagnostic.help.push_back(fmt::format("cast it in the SELECT: CAST({0} AS DATE) AS {0}", time.name));
  return diagnostic;
}

std::vector<Diagnostic> CheckHeadColumns(const config::Model& model, const ModelOutput& output) {
  std::vector<Diagnostic> diagnostics;
  const auto check = [&](const config::Located<std::string>& column, const std::string& where) {
    const bool is_record_id = model.record_id && model.record_id->value == column.value;
    if (output.Find(column.value) == nullptr && !is_record_id)
      diagnostics.push_back(UnknownHeadColumn(model, output, column, where));
  };
  if (model.kind != config::ModelKind::kDimDate)
    for (const auto& column : model.key) {
      check(column, "`key`");
      if (model.kind == config::ModelKind::kScd2 && IsIntervalColumn(ToLower(column.value)))
        diagnostics.push_back(IntervalInKey(column));
    }
  if (model.kind == config::ModelKind::kPeriod) {
    const duck::Column* time = output.Find(model.time.value);
    if (time == nullptr)
      check(model.time, "`time`");
    else if (!TimeUnitOf(time->type))
      diagnostics.push_back(OtherTimeType(model, *time));
  }
  for (const auto& [column, name] : model.warehouse.rename) check({column, name.place}, "`warehouse: rename`");
  for (const auto& [column, type] : model.warehouse.types) check({column, type.place}, "`warehouse: types`");
  for (const config::ColumnProperties& column : model.columns) check(column.name, column.name.place.file);
  return diagnostics;
}

}  // namespace leat::models
