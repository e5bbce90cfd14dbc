#include <fmt/format.h>

#include "core/text.h"
#include "engine/engine.h"
#include "models/model_build.h"

namespace leat::models {
namespace {

/// The model's columns, then why, in which run and when a row was refused.
lake::Schema RejectsSchema(const ModelOutput& output) {
  std::vector<duck::Column> columns = output.columns;
  columns.push_back({"_leat_reason", "VARCHAR"});
  columns.push_back({"_leat_run", "BIGINT"});
  columns.push_back({"_leat_time", "TIMESTAMP WITH TIME ZONE"});
  return lake::SchemaOf(columns);
}

/// Rejects follow the model's columns whatever happens to their types: a column of another type is a new one.
lake::Schema EvolveFreely(const lake::Table& base, const lake::Schema& wanted) {
  lake::Schema kept = base.schema();
  std::erase_if(kept.fields, [&](const lake::Field& field) {
    const lake::Field* column = wanted.Find(field.name);
    return column != nullptr && !(column->type == field.type);
  });
  lake::Schema schema = lake::Evolve(kept, wanted, base.last_column_id()).schema;
  if (schema.fields != base.schema().fields)
    schema.id = base.schema().id + 1;
  else
    schema.id = base.schema().id;
  return schema;
}

}  // namespace

std::string ModelBuild::SetAside(const std::string& rows) {
  const std::vector<const RowRule*> rules = RulesOfSeverity(/*reject=*/true);
  int64_t failing = 0;
  if (!rules.empty()) {
    BindReferences(rules);
    std::vector<CheckOutcome> outcomes = Checks().JudgeRows(rules, rows);
    for (const CheckOutcome& outcome : outcomes) failing += outcome.failing_rows;
    Record(std::move(outcomes));
  }
  if (failing == 0) {
    ClearRejects();
    return rows;
  }
  WriteRejects(rules, rows);
  return fmt::format("(SELECT * FROM {} r WHERE NOT {})", rows, AnyBroken(rules));
}

void ModelBuild::WriteRejects(const std::vector<const RowRule*>& rules, const std::string& rows) {
  const lake::Schema wanted = RejectsSchema(output_);
  const lake::Schema schema = rejects_base_ ? EvolveFreely(*rejects_base_, wanted) : wanted;
  std::vector<std::string> names;
  for (const duck::Column& column : output_.columns) names.push_back("r." + QuoteIdentifier(column.name));
  const std::string select =
      fmt::format("SELECT {}, {} AS _leat_reason, {} AS _leat_run, TIMESTAMPTZ {} AS _leat_time FROM {} r WHERE {}",
                  Join(names, ", "), ReasonsSql(rules), context_.options.run,
                  QuoteLiteral(FormatTimestamp(context_.options.run_time)), rows, AnyBroken(rules));
  std::vector<lake::DataFile> files = written_.Add(context_.writer.WriteRows(
      connection_, location_ + std::string(engine::kRejectsSuffix), schema, select, parameters_));
  candidate_.rows_rejected += lake::CountRows(files);
  if (IsMerge())
    for (lake::DataFile& kept : WriteOtherRejects(schema)) files.push_back(std::move(kept));
  AddRejects(schema, std::move(files));
}

/// What earlier merges set aside, but for the keys of this one: their newest rows count there too.
std::vector<lake::DataFile> ModelBuild::WriteOtherRejects(const lake::Schema& schema) {
  if (!HasRejects()) return {};
  return written_.Add(context_.writer.WriteRows(
      connection_, location_ + std::string(engine::kRejectsSuffix), schema,
      fmt::format("SELECT * FROM {} ANTI JOIN {} USING ({})",
                  lake::ReadFilesSql(context_.engine.storage(), schema, rejects_base_->files()), merged_keys_,
                  QuoteList(KeyOf(model_)))));
}

void ModelBuild::ClearRejects() {
  if (!rejects_base_) return;
  if (IsMerge()) {
    std::vector<lake::DataFile> others = WriteOtherRejects(rejects_base_->schema());
    if (lake::CountRows(others) < rejects_base_->record_count())
      return AddRejects(rejects_base_->schema(), std::move(others));
    return written_.Remove(others);
  }
  if (!replace_all_) return;
  // One that went further than the stream goes now, since that was read anew, would hide versions from the next append.
  const bool is_ahead = last_seq_ && LastSeqOf(rejects_base_).value_or(0) > *last_seq_;
  if (rejects_base_->record_count() > 0 || is_ahead) AddRejects(rejects_base_->schema(), {});
}

void ModelBuild::AddRejects(const lake::Schema& schema, std::vector<lake::DataFile> files) {
  PendingTable pending{.name = {name_.first, name_.second + std::string(engine::kRejectsSuffix)},
                       .base = rejects_base_,
                       .location = location_ + std::string(engine::kRejectsSuffix)};
  pending.change.schema = schema;
  pending.change.added = std::move(files);
  pending.change.replace_all = replace_all_ || IsMerge();
  pending.change.properties = {{"leat.kind", "rejects"}};
  pending.change.summary = {{"leat.run", std::to_string(context_.options.run)}};
  if (last_seq_) pending.change.summary["leat.last_seq"] = std::to_string(*last_seq_);
  if (!build_mark_.empty()) pending.change.summary["leat.read_to"] = build_mark_;
  KeepInOrder(pending);
  candidate_.rejects = std::move(pending);
}

}  // namespace leat::models
