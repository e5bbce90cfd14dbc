#include "sources/postgres/schema_change.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::sources {
namespace {

using config::ColumnRules;

/// What the project calls a column of the source.
std::string NameOf(const PostgresStream& stream, const std::string& origin) {
  const auto renamed = stream.rule.rename.find(origin);
  return renamed != stream.rule.rename.end() ? renamed->second.value : CleanName(origin);
}

/// Columns that the project leaves out are not missing.
bool IsAtSource(const PostgresStream& stream, const std::string& name) {
  return std::any_of(stream.table.columns.begin(), stream.table.columns.end(),
                     [&](const CatalogColumn& column) { return NameOf(stream, column.name) == name; });
}

Error NewColumn(const PostgresStream& stream, const StreamColumn& column) {
  return Error(kConfig, "LEAT0414", stream.rule.pattern.place,
               fmt::format("{}: column {} is new at the source, and the project stops at new ones", stream.info.name,
                           column.name))
      .Hint(fmt::format("take it over by  columns: {{new: add}}, or leave it out by  columns: {{exclude: [{}]}}",
                        YamlName(column.origin.name)));
}

std::vector<StreamColumn> ColumnsToRead(const PostgresStream& stream, const std::optional<lake::Table>& published) {
  if (!published || stream.rule.columns.on_new == ColumnRules::New::kAdd) return stream.columns;
  std::vector<StreamColumn> known;
  for (const StreamColumn& column : stream.columns) {
    if (published->schema().Find(column.name) != nullptr) {
      known.push_back(column);
    } else if (stream.rule.columns.on_new == ColumnRules::New::kStop) {
      throw NewColumn(stream, column);
    }
  }
  return known;
}

std::vector<std::string> Missing(const PostgresStream& stream, const lake::Table& published) {
  std::vector<std::string> missing;
  for (const lake::Field& field : published.schema().fields)
    if (!engine::IsOwnColumn(field.name) && !IsAtSource(stream, field.name)) missing.push_back(field.name);
  if (missing.empty() || stream.rule.columns.on_missing == ColumnRules::Missing::kNull) return missing;
  Diagnostic fault = MissingColumns(stream, missing);
  fault.severity = Severity::kError;
  fault.message = fmt::format("{}: column {} is gone from the source, and the project stops at missing ones",
                              stream.info.name, Join(missing, ", "));
  fault.help = {"let it be NULL from now on by  columns: {missing: null}"};
  throw Error(kConfig, std::move(fault));
}

/// Refuse a column whose values of before and from now on fit no common type.
void RefuseChanged(const PostgresStream& stream, const StreamColumn& column, const lake::Field& before) {
  const lake::Schema now = lake::SchemaOf({{column.name, column.type.duck_type}});
  const std::string type_now = lake::DuckType(now.fields[0].type), type_before = lake::DuckType(before.type);
  if (type_now == type_before) return;
  bool widens = true;
  try {
    lake::Evolve({.id = 0, .fields = {before}}, now, before.id);
  } catch (const Error&) {
    widens = false;
  }
  if (widens && stream.rule.columns.on_changed == ColumnRules::Changed::kWiden) return;
  Error fault(
      kConfig, "LEAT0410", stream.rule.pattern.place,
      fmt::format("{}: column {} is {} now and was {}; expected {}", stream.info.name, column.name, type_now,
                  type_before,
                  widens ? "no change, as the project says" : "the same type or one that holds all its values"));
  if (widens) throw std::move(fault).Hint("let it grow by  columns: {changed: widen}");
  throw std::move(fault)
      .Hint(fmt::format("take it over as a column of its own by  rename: {{{0}: {1}_2}}  and let models read {1}_2",
                        YamlName(column.origin.name), column.name))
      .Hint(fmt::format("or leave it out by  columns: {{exclude: [{}]}}", YamlName(column.origin.name)));
}

/// The columns read, then those that the lake has from before, then ours.
lake::Schema Wanted(const PostgresStream& stream, const std::vector<StreamColumn>& read,
                    const std::optional<lake::Table>& published) {
  std::vector<duck::Column> columns;
  for (const StreamColumn& column : read) columns.push_back({column.name, column.type.duck_type});
  if (published)
    for (const lake::Field& field : published->schema().fields) {
      const bool is_read =
          std::any_of(columns.begin(), columns.end(), [&](const auto& column) { return column.name == field.name; });
      if (!is_read && !engine::IsOwnColumn(field.name)) columns.push_back({field.name, lake::DuckType(field.type)});
    }
  columns.insert(columns.end(), VersionColumns().begin(), VersionColumns().end());
  const bool is_parted = published && published->schema().Find(lake::kSupersededColumn) != nullptr;
  if (!stream.info.key.empty() || is_parted) columns.push_back({lake::kSupersededColumn, "BOOLEAN"});
  lake::Schema schema = lake::SchemaOf(columns);
  for (size_t i = 0; i < read.size(); ++i) schema.fields[i].source_type = read[i].type.source_type;
  // One that is gone from the source stays what it was, in a warehouse as well.
  for (size_t i = read.size(); published && i < schema.fields.size(); ++i)
    if (const lake::Field* before = published->schema().Find(schema.fields[i].name))
      schema.fields[i].source_type = before->source_type;
  return schema;
}

}  // namespace

StreamSchema BringTogether(const PostgresStream& stream, const std::optional<lake::Table>& published) {
  StreamSchema together{.columns = ColumnsToRead(stream, published), .schema = {}, .missing = {}};
  if (published) together.missing = Missing(stream, *published);
  try {
    together.schema = Wanted(stream, together.columns, published);
    if (!published) return together;
    for (const StreamColumn& column : together.columns)
      if (const lake::Field* before = published->schema().Find(column.name)) RefuseChanged(stream, column, *before);
    together.schema = lake::Evolve(published->schema(), together.schema, published->last_column_id()).schema;
    return together;
  } catch (const Error& error) {
    if (error.code() == "LEAT0410") throw;
    throw Error(kConfig, "LEAT0410", stream.rule.pattern.place,
                fmt::format("{}: {}", stream.info.name, error.message()))
        .Hint("leave the column out by  columns: {exclude: [its name]}");
  }
}

Diagnostic MissingColumns(const PostgresStream& stream, const std::vector<std::string>& missing) {
  return {.severity = Severity::kWarning,
          .code = "LEAT0415",
          .message = fmt::format("{}: column {} is gone from the source and NULL from now on", stream.info.name,
                                 Join(missing, ", ")),
          .place = stream.rule.pattern.place,
          .help = {"if it was renamed, keep one column by  rename: {\"its new name\": " + missing.front() + "}",
                   "if the stream is to stop at such a change, set  columns: {missing: stop}"},
          .notes = {"earlier versions keep its values in " + stream.info.name + std::string(engine::kHistorySuffix)}};
}

}  // namespace leat::sources
