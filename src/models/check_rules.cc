#include "models/check_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::models {
namespace {

bool IsNumber(const std::string& type) {
  static const std::vector<std::string> kNumbers = {"TINYINT", "SMALLINT", "INTEGER",   "BIGINT",
                                                    "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
                                                    "UBIGINT", "UHUGEINT", "FLOAT",     "DOUBLE"};
  return type.starts_with("DECIMAL") || std::find(kNumbers.begin(), kNumbers.end(), type) != kNumbers.end();
}

/// Types whose values DuckDB compares without a cast that could lose something.
std::string Family(const std::string& type) { return IsNumber(type) ? "number" : type; }

class RuleMaker {
 public:
  RuleMaker(duck::Connection& connection, const config::Model& model, const ModelOutput& output,
            const FindTarget& find_target, const std::string& self, std::vector<Diagnostic>& diagnostics)
      : connection_(connection),
        model_(model),
        output_(output),
        find_target_(find_target),
        self_(self),
        diagnostics_(diagnostics),
        record_id_{model.record_id ? model.record_id->value : "", "INTEGER"} {}

  RuleSet Make() {
    for (const config::ColumnProperties& column : model_.columns)
      if (column.data_type) CheckType(column);
    for (const config::CheckRule& rule : model_.checks) {
      rule_ = &rule;
      if (!WhereBinds()) continue;
      if (rule.rule == "not_null") AddNotNull();
      for (const auto& accepted : rule.accepted) AddAccepted(accepted);
      for (const auto& reference : rule.references) AddReference(reference);
      for (const auto& range : rule.ranges) AddRange(range);
      if (rule.rule == "unique") AddUnique();
      if (rule.rule == "rows") AddCount();
    }
    return std::move(rules_);
  }

 private:
  void Refuse(const Place& place, std::string message, std::string help) {
    diagnostics_.push_back(
        {.code = "LEAT0218", .message = std::move(message), .place = place, .help = {std::move(help)}});
  }

  const duck::Column* FindColumn(const config::Located<std::string>& column) {
    const duck::Column* found = output_.Find(column.value);
    const bool is_record_id = model_.record_id && model_.record_id->value == column.value;
    if (found == nullptr && is_record_id) return &record_id_;
    // Without a place it is the rule of a column of schema.yml, and whether there is one CheckHeadColumns says.
    if (found == nullptr && column.place.known())
      diagnostics_.push_back(UnknownHeadColumn(model_, output_, column, fmt::format("check {}", rule_->rule)));
    return found;
  }

  void CheckType(const config::ColumnProperties& column) {
    const duck::Column* found = output_.Find(column.name.value);
    if (found == nullptr) return;
    const std::string& declared = column.data_type->value;
    const std::string type = TypeNamed(declared);
    const bool any_scale = type.starts_with("DECIMAL") && declared.find('(') == std::string::npos;
    if (type == found->type || (any_scale && found->type.starts_with("DECIMAL"))) return;
    Diagnostic fault{.code = "LEAT0136", .place = column.data_type->place};
    fault.message = type.empty() ? fmt::format("data_type '{}' is no type of DuckDB", declared)
                                 : fmt::format("column {} of {} has type {}; expected {}", found->name, model_.name,
                                               found->type, type);
    fault.help.push_back(fmt::format("write  data_type: {}  or cast the column in the SELECT", found->type));
    diagnostics_.push_back(std::move(fault));
  }

  /// A type as DuckDB calls it; empty: there is none.
  std::string TypeNamed(const std::string& type) {
    try {
      return connection_.Describe(fmt::format("SELECT CAST(NULL AS {}) AS x", type))[0].type;
    } catch (const duck::QueryError&) {
      return {};
    }
  }

  Place PlaceOf(const config::Located<std::string>& column) const {
    return column.place.known() ? column.place : rule_->place;
  }

  bool WhereBinds() {
    if (rule_->where.empty()) return true;
    std::string columns;
    for (const duck::Column& column : output_.columns)
      columns += fmt::format("{}CAST(NULL AS {}) AS {}", columns.empty() ? "" : ", ", column.type,
                             QuoteIdentifier(column.name));
    try {
      connection_.Describe(fmt::format("SELECT 1 FROM (SELECT {}) r WHERE ({}\n)", columns, rule_->where));
      return true;
    } catch (const duck::QueryError& error) {
      const std::string& message = error.fault().message;
      Refuse(rule_->place,
             fmt::format("`where` of {} cannot be used: {}", rule_->rule, message.substr(0, message.find('\n'))),
             "write a condition on the columns of this model");
      return false;
    }
  }

  void AddRow(const config::Located<std::string>& column, std::string name, std::string code, std::string broken,
              std::string complaint, std::string references = {}) {
    if (!rule_->where.empty()) broken = fmt::format("({}) AND ({}\n)", broken, rule_->where);
    rules_.rows.push_back({std::move(name), std::move(code), rule_->severity, PlaceOf(column), column.value,
                           fmt::format("coalesce({}, false)", broken), std::move(complaint), std::move(references)});
  }

  void AddNotNull() {
    for (const auto& column : rule_->columns)
      if (FindColumn(column) != nullptr)
        AddRow(column, fmt::format("not_null({})", column.value), "LEAT0701",
               fmt::format("r.{} IS NULL", QuoteIdentifier(column.value)), "are NULL");
  }

  void AddAccepted(const config::CheckRule::ColumnValues& accepted) {
    const duck::Column* column = FindColumn(accepted.column);
    if (column == nullptr) return;
    std::string list;
    for (const std::string& value : accepted.values) {
      const auto literal = Literal(*column, value);
      if (!literal) return;
      list += (list.empty() ? "" : ", ") + *literal;
    }
    AddRow(accepted.column, fmt::format("accepted_values({})", accepted.column.value), "LEAT0703",
           list.empty() ? fmt::format("r.{} IS NOT NULL", QuoteIdentifier(column->name))
                        : fmt::format("r.{} NOT IN ({})", QuoteIdentifier(column->name), list),
           fmt::format("hold none of {}", Shorten(Join(accepted.values, ", "), 60)));
  }

  void AddRange(const config::CheckRule::Range& range) {
    const duck::Column* column = FindColumn(range.column);
    if (column == nullptr) return;
    std::vector<std::string> conditions;
    for (const auto& [bound, comparison] : {std::pair(range.min, "<"), std::pair(range.max, ">")}) {
      if (!bound) continue;
      const auto literal = Literal(*column, *bound);
      if (!literal) return;
      conditions.push_back(fmt::format("r.{} {} {}", QuoteIdentifier(column->name), comparison, *literal));
    }
    if (conditions.empty()) return;
    std::string complaint = "lie outside " + range.min.value_or("") + " to " + range.max.value_or("");
    if (!range.max) complaint = "are less than " + *range.min;
    if (!range.min) complaint = "are greater than " + *range.max;
    AddRow(range.column, fmt::format("range({})", range.column.value), "LEAT0705", Join(conditions, " OR "), complaint);
  }

  void AddReference(const config::CheckRule::Reference& reference) {
    const duck::Column* column = FindColumn(reference.column);
    if (column == nullptr) return;
    const std::string& table = reference.table.value;
    const std::optional<ReferenceTarget> target = find_target_(table);
    if (!target) return;  // not there: another message says so
    if (target->key.size() != 1)
      return Refuse(reference.table.place,
                    fmt::format("{} has {}; a reference needs a key of one column", table,
                                target->key.empty() ? "no key" : "a key of several columns"),
                    fmt::format("give {} a `key` of one column", table));
    if (!reference.field.value.empty() && ToLower(reference.field.value) != target->key[0])
      return RefuseField(reference, target->key[0]);
    if (!target->key_type.empty() && Family(target->key_type) != Family(column->type))
      return Refuse(PlaceOf(reference.column),
                    fmt::format("column {} has type {}, the key {} of {} has {}; expected equal types", column->name,
                                column->type, target->key[0], table, target->key_type),
                    fmt::format("cast it in the SELECT: {}::{} AS {}", column->name, target->key_type, column->name));
    const std::string rows = table == model_.name ? self_ : engine::SqlName(engine::ParseName(table));
    AddRow(reference.column, fmt::format("references({} → {})", column->name, table), "LEAT0704",
           fmt::format("r.{0} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {1} k WHERE k.{2} = r.{0})",
                       QuoteIdentifier(column->name), rows, QuoteIdentifier(target->key[0])),
           fmt::format("name no row of {}", table), table);
  }

  void RefuseField(const config::CheckRule::Reference& reference, const std::string& key) {
    const std::string& table = reference.table.value;
    diagnostics_.push_back(
        {.code = "LEAT0135",
         .message = fmt::format("relationships names column {} of {}, whose key is {}; expected the key",
                                reference.field.value, table, key),
         .place = reference.field.place,
         .help = {fmt::format("write  field: {}  or give {} the key {}", key, table, reference.field.value),
                  "or write a file in checks/: a query that must return no rows"}});
  }

  void AddUnique() {
    std::vector<std::string> columns;
    for (const auto& column : rule_->columns) {
      if (FindColumn(column) == nullptr) return;
      columns.push_back(ToLower(column.value));
    }
    if (IsReject("unique")) return;
    rules_.unique.push_back(
        {fmt::format("unique({})", Join(columns, ", ")), rule_->severity, rule_->place, columns, rule_->where});
  }

  void AddCount() {
    if (IsReject("rows")) return;
    rules_.counts.push_back({"rows", rule_->severity, rule_->place, rule_->rows_min, rule_->rows_max, rule_->where});
  }

  bool IsReject(const char* rule) {
    if (rule_->severity != config::CheckSeverity::kReject) return false;
    Refuse(rule_->place, fmt::format("{} cannot have `severity: reject`: no single row is at fault", rule),
           "use `severity: error` or `severity: warn`");
    return true;
  }

  /// A value of the head as SQL of the column's type; numbers as they are, so that 0.5 stays 0.5 beside an integer
  /// column.
  std::optional<std::string> Literal(const duck::Column& column, const std::string& value) {
    const std::string type = IsNumber(column.type) ? NumberType(column.type, value) : TypeFor(column.type);
    // A cast that breaks would end the transaction that `validate` works in.
    if (!connection_.QueryTexts(fmt::format("SELECT TRY_CAST({} AS {})", QuoteLiteral(value), type))[0].empty() ||
        value.empty())
      return fmt::format("CAST({} AS {})", QuoteLiteral(value), type);
    Refuse(rule_->place,
           fmt::format("check {}: \"{}\" is no value of column {}, which has type {}", rule_->rule, value, column.name,
                       column.type),
           "write a value of that type");
    return std::nullopt;
  }

  static std::string NumberType(const std::string& type, const std::string& value) {
    if (value.find_first_of("eE") != std::string::npos) return "DOUBLE";
    const size_t point = value.find('.');
    if (point == std::string::npos)
      return type.starts_with("DECIMAL") ? "DECIMAL(38,0)" : type == "FLOAT" ? "DOUBLE" : type;
    return fmt::format("DECIMAL(38,{})", std::min<size_t>(value.size() - point - 1, 18));
  }

  static std::string TypeFor(const std::string& type) { return type == "ENUM" ? "VARCHAR" : type; }

  duck::Connection& connection_;
  const config::Model& model_;
  const ModelOutput& output_;
  const FindTarget& find_target_;
  const std::string self_;
  std::vector<Diagnostic>& diagnostics_;
  const duck::Column record_id_;
  const config::CheckRule* rule_ = nullptr;
  RuleSet rules_;
};

}  // namespace

RuleSet RulesOf(duck::Connection& connection, const config::Model& model, const ModelOutput& output,
                const FindTarget& find_target, const std::string& self, std::vector<Diagnostic>& diagnostics) {
  return RuleMaker(connection, model, output, find_target, self, diagnostics).Make();
}

std::optional<ReferenceTarget> TargetOf(engine::Engine& engine, const config::Project& project,
                                        const std::string& table) {
  ReferenceTarget target;
  if (const config::Model* model = project.FindModel(table)) {
    target.key = KeyOf(*model);
    if (model->kind == config::ModelKind::kDimDate) {
      target.key_type = "DATE";
      return target;
    }
  } else if (const engine::Relation* stream =
                 engine.Find(engine::ParseName(table + std::string(engine::kHistorySuffix)))) {
    target.key = stream->key;
  }
  if (!engine.Knows(table)) return std::nullopt;
  for (const duck::Column& column : engine.ColumnsOf(table))
    if (!target.key.empty() && column.name == target.key[0]) target.key_type = column.type;
  return target;
}

std::string TextOfRules(const config::Model& model) {
  std::string text;
  for (const config::CheckRule& rule : model.checks) {
    text += fmt::format("\n{} {} {}:", rule.rule, static_cast<int>(rule.severity), rule.where);
    for (const auto& column : rule.columns) text += " " + column.value;
    for (const auto& accepted : rule.accepted)
      text += fmt::format(" {} in {};", accepted.column.value, Join(accepted.values, "\t"));
    for (const auto& reference : rule.references)
      text += fmt::format(" {} -> {}{};", reference.column.value, reference.table.value, reference.field.value);
    for (const auto& range : rule.ranges)
      text += fmt::format(" {} {}..{};", range.column.value, range.min.value_or(""), range.max.value_or(""));
    if (rule.rows_min) text += fmt::format(" >= {}", *rule.rows_min);
    if (rule.rows_max) text += fmt::format(" <= {}", *rule.rows_max);
  }
  for (const config::ColumnProperties& column : model.columns)
    if (column.data_type) text += fmt::format("\n{} is {}", column.name.value, column.data_type->value);
  return text;
}

}  // namespace leat::models
