#include <fmt/format.h>

#include "core/text.h"
#include "models/dim_date.h"
#include "models/model_build.h"
#include "models/sql_tokens.h"

namespace leat::models {
namespace {

std::optional<DaySpan> DaysOf(duck::Connection& connection, const std::string& column, const std::string& rows) {
  const auto result =
      connection.Query(fmt::format("SELECT min({0}), max({0}) FROM {1}", QuoteIdentifier(column), rows));
  const auto chunk = result->Next();
  if (chunk->IsNull(0, 0)) return std::nullopt;
  return DaySpan{chunk->At<int32_t>(0, 0), chunk->At<int32_t>(1, 0)};
}

bool IsDate(const engine::Relation& relation, const std::string& column) {
  const lake::Field* field = relation.schema.Find(column);
  return field != nullptr && field->type.kind == lake::Type::Kind::kDate;
}

/// Days of all columns that refer to `calendar`, as the engine reads them now: candidates of this run, or what is
/// published.
std::vector<DateUse> UsesOf(const BuildContext& context, duck::Connection& connection, const std::string& calendar) {
  std::vector<DateUse> uses;
  for (const Node& node : context.graph.nodes) {
    const engine::Relation* relation = context.engine.Find({node.model->name_space, node.model->table});
    if (relation == nullptr) continue;
    for (const config::CheckRule& rule : node.model->checks) {
      for (const auto& reference : rule.references) {
        if (reference.table.value != calendar || !IsDate(*relation, reference.column.value)) continue;
        if (const auto days = DaysOf(connection, reference.column.value, context.engine.AllRowsSql(*relation)))
          uses.push_back({node.model->name, reference.column.value, *days});
      }
    }
  }
  return uses;
}

}  // namespace

std::string SelectIn(const std::string& text) {
  std::string select = text;
  for (const Token& token : Tokens(text))
    if (token.IsSymbol(text, ';')) select[token.begin] = ' ';
  return select;
}

void ModelBuild::WriteTable() {
  runs_own_text_ = true;
  added_ = Write(SelectIn(model_.text));
  runs_own_text_ = false;
  SetRejectedRowsAside();
  if (!model_.key.empty()) Checks().RequireKey(RowsSql(added_));
  if (model_.keep_deleted && base_) {
    for (lake::DataFile& file : WriteVanishedRows()) added_.push_back(std::move(file));
  }
  digest_ = DigestOf(connection_, schema_, RowsSql(added_));
}

void ModelBuild::SetRejectedRowsAside() {
  const std::vector<const RowRule*> rules = RulesOfSeverity(/*reject=*/true);
  if (rules.empty()) return ClearRejects();
  PutIntoEngine(added_);
  BindReferences(rules);
  std::vector<CheckOutcome> outcomes = Checks().JudgeRows(rules, RowsSql(added_));
  int64_t failing = 0;
  for (const CheckOutcome& outcome : outcomes) failing += outcome.failing_rows;
  Record(std::move(outcomes));
  if (failing == 0) return ClearRejects();
  WriteRejects(rules, RowsSql(added_));
  const std::vector<lake::DataFile> all = std::move(added_);
  added_ = Write(fmt::format("SELECT * FROM {} r WHERE NOT {}", RowsSql(all), AnyBroken(rules)));
  written_.Remove(all);
}

/// Rows as last seen whose key is no longer among the new ones.
std::vector<lake::DataFile> ModelBuild::WriteVanishedRows() {
  for (const auto& column : model_.key)
    if (base_->schema().Find(ToLower(column.value)) == nullptr)
      return {};  // another key: there is nothing to compare by
  return Write(fmt::format("SELECT * FROM {} old ANTI JOIN {} new USING ({})", RowsSql(base_->files()), RowsSql(added_),
                           QuoteList(KeyOf(model_))));
}

void ModelBuild::WriteDimDate() {
  const bool is_open = Graph::IsOpenDimDate(model_);
  std::optional<DaySpan> present;
  const bool only_grows = base_ && is_open && !context_.options.full_refresh;
  if (only_grows) present = DaysOf(connection_, "date_id", RowsSql(base_->files()));
  const std::vector<DateUse> uses = is_open ? UsesOf(context_, connection_, model_.name) : std::vector<DateUse>();
  added_ = Write(DimDateSql(model_, SpanOf(model_, uses, present, context_.options.run_time)));
  digest_ = DigestOf(connection_, schema_, RowsSql(added_));
}

}  // namespace leat::models
