#include <fmt/format.h>

#include <algorithm>

#include "config/check_fields.h"
#include "config/check_rules.h"
#include "config/fields.h"
#include "config/freshness.h"
#include "config/model_head.h"
#include "config/project_files.h"
#include "config/scalars.h"

namespace leat::config {
namespace {

constexpr int kSpanYearsMax = 200;

ModelWarehouse ReadModelWarehouse(const Values& values) {
  ModelWarehouse warehouse;
  const YamlNode* node = values.Find("warehouse");
  warehouse.load = node == nullptr || node->kind == YamlNode::Kind::kMap;
  if (const auto section = values.Section("warehouse")) {
    warehouse.table = section->Text("table");
    warehouse.rename = section->Map("rename");
    warehouse.types = section->Map("types");
  }
  return warehouse;
}

/// What the heads of all kinds share.
Model MakeModel(const FileText& file, const std::string& name_space, const std::string& table, const Values& values,
                std::vector<Diagnostic>& diagnostics) {
  Model model;
  model.name = fmt::format("{}.{}", name_space, table);
  model.name_space = name_space;
  model.table = table;
  model.file = file.file;
  model.text = file.text;
  model.head_place = values.place();
  model.checks = ReadCheckRules(values, diagnostics);
  model.warehouse = ReadModelWarehouse(values);
  model.tags = values.Texts("tags");
  model.description = values.Text("description");
  model.owner = values.Text("owner");
  model.freshness = ReadFreshness(values, diagnostics);
  return model;
}

struct KindWords {
  const char* word;  ///< of `kind`
  ModelKind kind;
  std::string_view name;  ///< in a sentence
};

constexpr KindWords kKinds[] = {
    {"table", ModelKind::kTable, "a table"},       {"incremental", ModelKind::kIncremental, "an incremental model"},
    {"history", ModelKind::kHistory, "a history"}, {"period", ModelKind::kPeriod, "a period model"},
    {"scd2", ModelKind::kScd2, "an scd2 model"},   {"dim_date", ModelKind::kDimDate, "a calendar"},
};

ModelKind ParseModelKind(std::string_view word) {
  for (const KindWords& known : kKinds)
    if (known.word == word) return known.kind;
  return ModelKind::kTable;
}

const KindWords& WordsOf(ModelKind kind) { return *std::ranges::find(kKinds, kind, &KindWords::kind); }

std::string_view NameOf(ModelKind kind) { return WordsOf(kind).name; }

void CheckRecordId(const Model& model, const Values& values, std::vector<Diagnostic>& diagnostics) {
  if (!values.Given("record_id")) return;
  if (model.kind != ModelKind::kHistory) {
    ReportContradiction(values.KeyPlace("record_id"),
                        fmt::format("record_id is of a history, and this is {}", NameOf(model.kind)),
                        "set  kind: history  or remove record_id", diagnostics);
    return;
  }
  for (const Located<std::string>& column : model.key) {
    if (!model.record_id || column.value != model.record_id->value) continue;
    ReportContradiction(model.record_id->place,
                        fmt::format("record_id is {}, which is a column of the key; it adds a column", column.value),
                        "give it a name of its own", diagnostics);
  }
}

void CheckPeriod(const Model& model, const Values& values, std::vector<Diagnostic>& diagnostics) {
  if (model.kind == ModelKind::kPeriod) {
    if (!values.Given("time"))
      ReportContradiction(values.KeyPlace("kind"), "a period model needs `time`",
                          "add  time: <the output column that says which period a row belongs to>", diagnostics);
    return;
  }
  for (const char* name : {"period", "time", "from"})
    if (values.Given(name))
      ReportContradiction(values.KeyPlace(name),
                          fmt::format("{} is of a period model, and this is {}", name, NameOf(model.kind)),
                          fmt::format("set  kind: period  or remove {}", name), diagnostics);
}

/// Keys that are right by themselves and wrong together.
void CheckTogether(const Model& model, const Values& values, std::vector<Diagnostic>& diagnostics) {
  if (values.Faulty("kind")) return;
  const bool keyed = !model.key.empty() || values.Faulty("key");
  const bool is_table = model.kind == ModelKind::kTable;
  const bool may_lack_key = is_table || model.kind == ModelKind::kPeriod;
  if (!may_lack_key && !keyed)
    ReportContradiction(values.KeyPlace("kind"), fmt::format("{} needs a key", NameOf(model.kind)),
                        "add  key: <the columns that identify a row>", diagnostics);
  CheckRecordId(model, values, diagnostics);
  if (model.keep_deleted && !is_table)
    ReportContradiction(values.KeyPlace("keep_deleted"),
                        fmt::format("keep_deleted is of a table, and this is {}", NameOf(model.kind)),
                        "remove keep_deleted", diagnostics);
  if (model.keep_deleted && is_table && !keyed)
    ReportContradiction(values.KeyPlace("keep_deleted"), "keep_deleted needs a key",
                        "add  key: <the columns that identify a row>", diagnostics);
  const bool deletes = values.Find("deletes") != nullptr && values.KeyPlace("deletes") != values.place();
  if (deletes && model.kind != ModelKind::kHistory)
    ReportContradiction(values.KeyPlace("deletes"),
                        fmt::format("deletes is of a history, and this is {}", NameOf(model.kind)),
                        "set  kind: history  or remove deletes", diagnostics);
  CheckPeriod(model, values, diagnostics);
}

/// ISO dates compare as texts; the year is their first four digits.
void CheckSpan(const Model& model, std::vector<Diagnostic>& diagnostics) {
  if (!model.date_from || !model.date_to) return;
  const std::string& from = model.date_from->value;
  const std::string& to = model.date_to->value;
  if (from > to)
    return ReportContradiction(model.date_to->place, fmt::format("to {} is before from {}", to, from), "swap them",
                               diagnostics);
  const int64_t years = *ParseInteger(to.substr(0, 4)) - *ParseInteger(from.substr(0, 4));
  if (years > kSpanYearsMax || (years == kSpanYearsMax && to.substr(4) >= from.substr(4))) {
    ReportContradiction(model.date_to->place,
                        fmt::format("from {} to {} is more than {} years", from, to, kSpanYearsMax),
                        "choose a shorter span", diagnostics);
  }
}

}  // namespace

const char* KindName(ModelKind kind) { return WordsOf(kind).word; }

const char* PeriodName(PeriodLength length) { return length == PeriodLength::kDay ? "day" : "month"; }

Model ReadSqlModelFile(const FileText& file, const std::string& name_space, const std::string& table,
                       std::vector<Diagnostic>& diagnostics) {
  const Values values = CheckFields(ReadHead(file.file, file.text, diagnostics), kSqlModelSection, diagnostics);
  Model model = MakeModel(file, name_space, table, values, diagnostics);
  model.kind = ParseModelKind(values.Text("kind"));
  model.key = values.List("key");
  model.record_id = values.OptionalText("record_id");
  model.keep_deleted = values.Boolean("keep_deleted");
  model.history_keeps_deletes = values.Text("deletes") == "keep";
  model.period = values.Text("period") == "day" ? PeriodLength::kDay : PeriodLength::kMonth;
  model.time = values.LocatedText("time");
  model.periods_from = values.OptionalText("from");
  CheckTogether(model, values, diagnostics);
  return model;
}

Model ReadGeneratedModelFile(const FileText& file, const std::string& name_space, const std::string& table,
                             std::vector<Diagnostic>& diagnostics) {
  const YamlPointer root = ParseYaml(file.file, file.text, 0, file.text.size(), diagnostics);
  const Values values = CheckFields(root, kGeneratedModelSection, diagnostics);
  Model model = MakeModel(file, name_space, table, values, diagnostics);
  model.kind = ModelKind::kDimDate;
  model.key = {values.LocatedText("key")};
  model.date_from = values.OptionalText("from");
  model.date_to = values.OptionalText("to");
  model.day_of_week = values.Text("day_of_week");
  CheckSpan(model, diagnostics);
  return model;
}

std::map<std::string, Located<std::string>> ReadSeedTypes(const FileText& file, std::vector<Diagnostic>& diagnostics) {
  const YamlPointer root = ParseYaml(file.file, file.text, 0, file.text.size(), diagnostics);
  const auto columns = CheckFields(root, kSeedSection, diagnostics).Section("columns");
  return columns ? columns->Map("types") : std::map<std::string, Located<std::string>>{};
}

CheckQuery ReadCheckFile(const FileText& file, const std::string& name, std::vector<Diagnostic>& diagnostics) {
  const Values values = CheckFields(ReadHead(file.file, file.text, diagnostics), kCheckQuerySection, diagnostics);
  CheckQuery check;
  check.name = name;
  check.file = file.file;
  check.text = file.text;
  check.severity = values.Text("severity") == "warn" ? CheckSeverity::kWarn : CheckSeverity::kError;
  check.description = values.Text("description");
  check.tags = values.Texts("tags");
  return check;
}

}  // namespace leat::config
