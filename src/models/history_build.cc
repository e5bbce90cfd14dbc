#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "models/column_bounds.h"
#include "models/history_select.h"
#include "models/model_build.h"
#include "models/query_fault.h"

namespace leat::models {
namespace {

/// Relation::rebuilt of the stream that was looked at.
constexpr const char* kRebuiltProperty = "leat.read_rebuilt";

int64_t NewestSeq(engine::Engine& engine, const std::string& stream) {
  const state::TableName name = engine::ParseName(stream);
  const engine::Relation* relation = engine.Find(name);
  if (relation == nullptr) return Greatest(engine.connection(), engine::SqlName(name), "_leat_seq", nullptr, {});
  return Greatest(engine.connection(), engine.AllRowsSql(*relation), "_leat_seq", relation->schema.Find("_leat_seq"),
                  relation->files);
}

/// Relation::rebuilt of the stream that a history model reads.
std::string RebuiltOf(const engine::Engine& engine, const std::string& stream) {
  const engine::Relation* relation = engine.Find(engine::ParseName(stream));
  return relation == nullptr ? "" : relation->rebuilt;
}

bool HasSameColumns(const lake::Schema& a, const lake::Schema& b) { return a.Names() == b.Names(); }

}  // namespace

std::optional<int64_t> LastSeqOf(const std::optional<lake::Table>& table) {
  if (!table) return std::nullopt;
  const std::string text = table->SummaryText("leat.last_seq");
  return text.empty() ? std::nullopt : std::optional<int64_t>(std::stoll(text));
}

/// Versions that were not looked at yet.
struct ModelBuild::HistoryInput {
  std::string rows;  ///< behind FROM: the model's columns, cast, and `_leat_seq`
  bool empty_base = true;
};

void ModelBuild::WriteHistory() {
  const HistoryInput input = ReadHistoryInput();
  HistoryInput good = input;
  good.rows = SetAside(input.rows);
  Checks().RequireKey(good.rows, {"_leat_seq"});
  const std::string distinct =
      fmt::format("SELECT count(*) = (SELECT count(*) FROM (SELECT DISTINCT {} FROM {})) FROM {}",
                  QuoteList(KeyOf(model_)), good.rows, good.rows);
  const bool keys_are_unique = connection_.Query(distinct, parameters_)->Next()->At<bool>(0, 0);
  added_ = Write(VersionsSql(good, keys_are_unique));
  digest_ = DigestOf(connection_, schema_, RowsSql(added_));
  if (!replace_all_) {
    const auto before = DigestIn(base_->snapshot()->summary);
    digest_ = digest_ + before.value_or(TableDigest{});
  }
}

/// Whether the rules, or what they refer to now, would sort rows otherwise than they were sorted: a row that was set
/// aside is good, or one that was published is not. Counted on the rows themselves, since a table that is referred to
/// changes often and numbers change with a rebuild.
bool ModelBuild::AreRejectsOutdated() {
  const std::vector<const RowRule*> rules = RulesOfSeverity(/*reject=*/true);
  if (last_.rules != now_.rules) return HasRejects() || !rules.empty();
  if (rules.empty() || last_.references == now_.references) return false;
  BindReferences(rules);
  const auto has_row = [&](const lake::Table& table, const std::string& condition) {
    const std::string rows = lake::ReadFilesSql(context_.engine.storage(), table.schema(), table.files());
    const auto result =
        connection_.Query(fmt::format("SELECT count(*) FROM {} r WHERE {}", rows, condition), parameters_);
    return result->Next()->At<int64_t>(0, 0) > 0;
  };
  return (HasRejects() && has_row(*rejects_base_, "NOT " + AnyBroken(rules))) || has_row(*base_, AnyBroken(rules));
}

bool ModelBuild::MustRebuild(int64_t newest_seq) {
  const std::optional<int64_t> last = LastSeqOf(base_);
  if (!last || !DigestIn(base_->snapshot()->summary) || context_.options.full_refresh) return true;
  const std::string before =
      last_.definition.empty() ? base_->Property("leat.definition").value_or("") : last_.definition;
  if (properties_.contains(kRebuiltProperty)) return true;
  // Numbers that went back mean that the stream was read anew from nothing.
  return before != now_.definition || newest_seq < std::max(*last, LastSeqOf(rejects_base_).value_or(0)) ||
         !HasSameColumns(base_->schema(), schema_) || AreRejectsOutdated();
}

ModelBuild::HistoryInput ModelBuild::ReadHistoryInput() {
  const HistorySelect select = ReadHistorySelect(connection_, model_);
  last_seq_ = NewestSeq(context_.engine, select.stream);
  const std::string rebuilt = RebuiltOf(context_.engine, select.stream);
  if (rebuilt != (base_ ? base_->Property(kRebuiltProperty).value_or("") : "")) properties_[kRebuiltProperty] = rebuilt;
  replace_all_ = MustRebuild(*last_seq_);
  std::vector<std::string> conditions;
  // A commit that only set rows aside left no snapshot of the model, but one of its rejects.
  if (!replace_all_)
    conditions.push_back(
        fmt::format("{} > {}", kSeqColumn, std::max(*LastSeqOf(base_), LastSeqOf(rejects_base_).value_or(0))));
  if (!model_.history_keeps_deletes) conditions.push_back(fmt::format("{} = 'u'", kOpColumn));
  HistoryInput input;
  input.rows = fmt::format("(SELECT {}, {} AS _leat_seq FROM ({}\n){})", Join(CastColumns(), ", "), kSeqColumn,
                           select.sql, conditions.empty() ? "" : " WHERE " + Join(conditions, " AND "));
  if (!replace_all_) {
    // A few rows, asked for several times; and of a table DuckDB knows how few they are.
    connection_.Query("CREATE OR REPLACE TEMP TABLE leat_versions AS SELECT * FROM " + input.rows, parameters_);
    input.rows = "leat_versions";
  }
  input.empty_base = replace_all_ || base_->record_count() == 0;
  return input;
}

/// A version is a row that differs from the one before it of its key, be that of this batch or the newest that is
/// published.
std::string ModelBuild::VersionsSql(const HistoryInput& input, bool keys_are_unique) const {
  std::vector<std::string> names, differences;
  for (const duck::Column& column : output_.columns) {
    const std::string name = QuoteIdentifier(column.name);
    names.push_back(name);
    differences.push_back(fmt::format("{0} IS DISTINCT FROM lag({0}) OVER w", name));
  }
  const std::string columns = Join(names, ", ");
  const std::string key = QuoteList(KeyOf(model_));
  std::string versions = input.rows;
  if (!keys_are_unique || !input.empty_base) {
    std::string candidates = fmt::format("SELECT {}, _leat_seq, true AS _leat_is_new FROM {}", columns, input.rows);
    if (!input.empty_base)
      candidates += fmt::format(
          " UNION ALL SELECT {0}, _leat_seq, false FROM (SELECT * FROM {1} SEMI JOIN {2} USING ({3}) "
          "QUALIFY row_number() OVER (PARTITION BY {3} ORDER BY _leat_seq DESC) = 1)",
          columns, RowsSql(base_->files()), input.rows, key);
    versions = fmt::format(
        "(SELECT * FROM (SELECT *, row_number() OVER w = 1 OR {} AS _leat_is_version FROM ({}) WINDOW w AS (PARTITION "
        "BY {} "
        "ORDER BY _leat_is_new, _leat_seq)) "
        "WHERE _leat_is_new AND _leat_is_version)",
        Join(differences, " OR "), candidates, key);
  }
  if (!model_.record_id) return fmt::format("SELECT {}, _leat_seq FROM {}", columns, versions);
  return fmt::format("SELECT {} + row_number() OVER (ORDER BY _leat_seq, {}) AS {}, {}, _leat_seq FROM {}",
                     LastRecordId(), key, QuoteIdentifier(model_.record_id->value), columns, versions);
}

int64_t ModelBuild::LastRecordId() const {
  if (replace_all_ || base_->record_count() == 0) return 0;
  const std::string& name = model_.record_id->value;
  return Greatest(connection_, RowsSql(base_->files()), QuoteIdentifier(name), schema_.Find(ToLower(name)),
                  base_->files());
}

}  // namespace leat::models
