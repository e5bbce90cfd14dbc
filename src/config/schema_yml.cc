#include "config/schema_yml.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "config/check_fields.h"
#include "config/dbt_shape.h"
#include "config/fields.h"
#include "config/freshness.h"
#include "core/text.h"

namespace leat::config {
namespace {

/// Finds the tables that names in a schema.yml mean.
class TableNames {
 public:
  TableNames(const ProjectFolder& files, std::vector<Diagnostic>& diagnostics) : diagnostics_(diagnostics) {
    for (const ProjectFile& file : files.models) models_.push_back(fmt::format("{}.{}", file.name_space, file.stem));
    for (const ProjectFile& file : files.seeds) seeds_.push_back("seeds." + file.stem);
    for (const ProjectFile& file : files.sources) sources_.push_back(file.stem);
  }

  /// `fact_sales_order`, or `mart.fact_sales_order`; nothing after a report.
  std::optional<std::string> Model(const Located<std::string>& name) { return Find(name, models_, "model"); }

  bool IsModel(const std::string& table) const {
    return std::find(models_.begin(), models_.end(), table) != models_.end();
  }

  bool IsSource(const Located<std::string>& name) {
    if (std::find(sources_.begin(), sources_.end(), name.value) != sources_.end()) return true;
    ReportUnknown("source", name, sources_, fmt::format("add sources/{}.yaml, or correct the name", name.value));
    return false;
  }

  /// The table behind ref('x') or source('a', 'b'); nothing after a report.
  std::optional<Located<std::string>> Called(const Located<std::string>& text) {
    const DbtCall call = ParseDbtCall(text.value);
    const bool is_source = call.function == "source" && call.arguments.size() == 2;
    if (!is_source && (call.function != "ref" || call.arguments.size() != 1)) {
      diagnostics_.push_back(
          MakeFault("LEAT0133", text.place,
                    fmt::format("'{}' names no table; expected ref('model') or source('source', 'stream')",
                                Shorten(text.value, 80)),
                    call.function == "ref" ? "a project is all there is: name the model alone, ref('dim_design')"
                                           : "write  ref('dim_design')  or  \"source('totesys', 'design')\""));
      return std::nullopt;
    }
    if (is_source && !IsSource({call.arguments[0], text.place})) return std::nullopt;
    if (is_source) return {{fmt::format("{}.{}", call.arguments[0], call.arguments[1]), text.place}};
    std::vector<std::string> tables = models_;
    tables.insert(tables.end(), seeds_.begin(), seeds_.end());
    const auto table = Find({call.arguments[0], text.place}, tables, "model");
    return table ? std::optional(Located<std::string>{*table, text.place}) : std::nullopt;
  }

 private:
  std::optional<std::string> Find(const Located<std::string>& name, const std::vector<std::string>& tables,
                                  const char* what) {
    std::vector<std::string> found, known;
    for (const std::string& table : tables) {
      const std::string stem = table.substr(table.find('.') + 1);
      known.push_back(name.value.find('.') == std::string::npos ? stem : table);
      if (known.back() == name.value) found.push_back(table);
    }
    if (found.size() == 1) return found.front();
    if (found.empty())
      ReportUnknown(what, name, known, "models are the files models/FOLDER/NAME.sql and .yaml");
    else
      diagnostics_.push_back(
          MakeFault("LEAT0134", name.place,
                    fmt::format("'{}' may be {}; expected the name of one", name.value, Join(found, " or ")),
                    fmt::format("write  {}", found.front())));
    return std::nullopt;
  }

  void ReportUnknown(const char* what, const Located<std::string>& name, const std::vector<std::string>& known,
                     std::string help) {
    const auto near = NearestNames(name.value, known);
    std::string message = fmt::format("{} '{}' does not exist", what, Shorten(name.value, 80));
    if (!near.empty()) message += fmt::format("; did you mean {}?", near.front());
    diagnostics_.push_back(MakeFault("LEAT0134", name.place, std::move(message), std::move(help)));
    diagnostics_.back().candidates = near;
  }

  std::vector<std::string> models_, seeds_, sources_;
  std::vector<Diagnostic>& diagnostics_;
};

/// A column in lower case, as rules are compared by it.
std::string LowerName(const Located<std::string>& column) { return ToLower(column.value); }

/// The columns of not_null, or those that are unique together.
std::set<std::string> ColumnsOf(const CheckRule& rule) {
  std::set<std::string> columns;
  for (const auto& column : rule.columns) columns.insert(LowerName(column));
  return columns;
}

/// Whether a rule demands everything of a column that `rule`, of schema.yml and so of one column, demands of the rows
/// that both are about.
bool Demands(const CheckRule& other, const CheckRule& rule) {
  if (other.rule != rule.rule) return false;
  const auto has_values = [&](const CheckRule::ColumnValues& mine) {
    return std::any_of(other.accepted.begin(), other.accepted.end(), [&](const CheckRule::ColumnValues& theirs) {
      return LowerName(theirs.column) == LowerName(mine.column) && theirs.values == mine.values;
    });
  };
  const auto has_target = [&](const CheckRule::Reference& mine) {
    return std::any_of(other.references.begin(), other.references.end(), [&](const CheckRule::Reference& theirs) {
      // A head names no field: it means the key, and so must the field.
      const bool same_field = theirs.field.value.empty() || LowerName(theirs.field) == LowerName(mine.field);
      return LowerName(theirs.column) == LowerName(mine.column) && theirs.table.value == mine.table.value && same_field;
    });
  };
  const std::set<std::string> theirs = ColumnsOf(other), mine = ColumnsOf(rule);
  const bool has_columns = rule.rule == "unique" ? theirs == mine : std::ranges::includes(theirs, mine);
  return has_columns && std::ranges::all_of(rule.accepted, has_values) &&
         std::ranges::all_of(rule.references, has_target);
}

/// Whether the file says the same twice.
bool HasEqual(const std::vector<CheckRule>& rules, const CheckRule& rule) {
  return std::ranges::any_of(rules, [&](const CheckRule& other) {
    return Demands(other, rule) && other.where == rule.where && other.severity == rule.severity;
  });
}

/// Whether a head says of all rows what `rule` says of all or some; then the head's severity counts.
bool HasForAllRows(const std::vector<CheckRule>& head, const CheckRule& rule) {
  return std::ranges::any_of(head, [&](const CheckRule& other) { return Demands(other, rule) && other.where.empty(); });
}

/// Reads the entries of `tests:`.
class TestReader {
 public:
  TestReader(TableNames& names, std::vector<Diagnostic>& diagnostics) : names_(names), diagnostics_(diagnostics) {}

  /// Those of a table or of a column, which is nothing for a table.
  void Read(const Values& owner, const std::string& column, std::vector<CheckRule>& checks) {
    for (const char* key : {"tests", "data_tests"})
      for (const auto& [item, tests] : owner.Sections(key))
        for (const YamlEntry& test : tests.entries()) ReadOne(test, tests.Section(test.key), column, checks);
  }

 private:
  void ReadOne(const YamlEntry& test, const std::optional<Values>& values, const std::string& column,
               std::vector<CheckRule>& checks) {
    if (test.value == nullptr) return;  // reported
    values_ = values;
    arguments_ = values ? values->Section("arguments") : std::nullopt;
    CheckRule rule{.rule = test.key, .place = test.key_place};
    ReadConfig(rule);
    // A column's own entry says where it stands; that it exists is checked there.
    Located<std::string> about{column, {}};
    if (column.empty()) about = Argument("column_name").value_or(about);
    if (about.value.empty()) return ReportMissing(test, "column_name", "the column it is about");
    if (SetRule(test, about, rule) && !HasEqual(checks, rule)) checks.push_back(std::move(rule));
  }

  void ReadConfig(CheckRule& rule) const {
    const auto config = values_ ? values_->Section("config") : std::nullopt;
    const auto text = [&](const char* name) {
      return config && config->Has(name) ? config->Text(name) : values_ ? values_->Text(name) : "";
    };
    if (text("severity") == "warn") rule.severity = CheckSeverity::kWarn;
    rule.where = text("where");
  }

  /// Returns whether the rule is whole.
  bool SetRule(const YamlEntry& test, const Located<std::string>& column, CheckRule& rule) {
    if (test.key == "accepted_values") {
      CheckRule::ColumnValues accepted{column, Values()};
      if (accepted.values.empty()) ReportMissing(test, "values", "the values allowed");
      rule.accepted = {accepted};
      return !accepted.values.empty();
    }
    if (test.key == "relationships") {
      rule.rule = "references";
      const auto to = Argument("to"), field = Argument("field");
      if (!to) ReportMissing(test, "to", "the table that is referred to");
      if (!field) ReportMissing(test, "field", "the key of that table");
      if (!to || !field) return false;
      const auto table = names_.Called(*to);
      if (table) rule.references = {{column, *table, *field}};
      return table.has_value();
    }
    rule.columns = {column};
    return true;
  }

  std::optional<Located<std::string>> Argument(const char* name) const {
    const bool nested = arguments_ && arguments_->Has(name);
    return nested ? arguments_->OptionalText(name) : values_ ? values_->OptionalText(name) : std::nullopt;
  }

  std::vector<std::string> Values() const {
    const bool nested = arguments_ && arguments_->Has("values");
    return nested ? arguments_->Texts("values") : values_ ? values_->Texts("values") : std::vector<std::string>{};
  }

  void ReportMissing(const YamlEntry& test, const char* name, const char* what) {
    const bool faulty = (values_ && values_->Faulty(name)) || (arguments_ && arguments_->Faulty(name));
    if (faulty) return;
    diagnostics_.push_back(MakeFault("LEAT0106", test.key_place, fmt::format("{}.{} is missing", test.key, name),
                                     fmt::format("add  {}: {}", name, what)));
  }

  TableNames& names_;
  std::vector<Diagnostic>& diagnostics_;
  std::optional<leat::config::Values> values_;     ///< of the test at hand
  std::optional<leat::config::Values> arguments_;  ///< its `arguments:`
};

/// A text that may stand in `config:` or beside it.
template <typename Get>
auto InConfigOrBeside(const Values& values, const char* name, Get get) {
  const auto config = values.Section("config");
  return config && config->Given(name) ? get(*config) : get(values);
}

std::string OwnerOf(const Values& values) {
  return InConfigOrBeside(values, "meta", [](const Values& from) {
    const auto meta = from.Section("meta");
    return meta ? meta->Text("owner") : "";
  });
}

std::vector<std::string> TagsOf(const Values& values) {
  std::vector<std::string> tags = values.Texts("tags");
  if (const auto config = values.Section("config"))
    for (std::string& tag : config->Texts("tags"))
      if (std::find(tags.begin(), tags.end(), tag) == tags.end()) tags.push_back(std::move(tag));
  return tags;
}

/// Reads one file.
class SchemaReader {
 public:
  SchemaReader(const ProjectFolder& files, Project& project, std::map<std::string, Place>& described,
               std::vector<Diagnostic>& diagnostics)
      : project_(project),
        described_(described),
        diagnostics_(diagnostics),
        names_(files, diagnostics),
        tests_(names_, diagnostics) {}

  void Read(const Values& file) {
    for (const auto& [item, model] : file.Sections("models")) ReadModel(model);
    for (const auto& [item, source] : file.Sections("sources")) ReadSource(source);
    for (const auto& [item, exposure] : file.Sections("exposures")) ReadExposure(exposure);
  }

 private:
  /// Whether this is the first description of a table.
  bool IsFirst(const std::string& table, const Place& place) {
    const auto [first, added] = described_.emplace(table, place);
    if (!added)
      diagnostics_.push_back(MakeFault("LEAT0137", place,
                                       fmt::format("{} is described at {} already", table, first->second.ToString()),
                                       "put all of it into one entry"));
    return added;
  }

  void ReadModel(const Values& values) {
    const auto name = values.LocatedText("name");
    if (name.value.empty()) return;
    const auto table = names_.Model(name);
    if (!table || !IsFirst(*table, name.place)) return;
    StreamProperties read = ReadTable(values);
    const auto model = std::find_if(project_.models.begin(), project_.models.end(),
                                    [&](const Model& candidate) { return candidate.name == *table; });
    if (model == project_.models.end()) return;  // its file is broken
    if (model->description.empty()) model->description = read.description;
    if (model->owner.empty()) model->owner = read.owner;
    if (model->tags.empty()) model->tags = read.tags;
    if (!model->freshness) model->freshness = read.freshness;
    model->columns = std::move(read.columns);
    std::erase_if(read.checks, [&](const CheckRule& rule) { return HasForAllRows(model->checks, rule); });
    std::ranges::move(read.checks, std::back_inserter(model->checks));
  }

  void ReadSource(const Values& values) {
    const auto name = values.LocatedText("name");
    if (name.value.empty() || !names_.IsSource(name)) return;
    const auto source = std::find_if(project_.sources.begin(), project_.sources.end(),
                                     [&](const Source& candidate) { return candidate.name == name.value; });
    for (const auto& [item, table] : values.Sections("tables")) ReadStream(name.value, values, table);
    if (source == project_.sources.end()) return;  // its file is broken
    if (!values.Text("description").empty()) source->description = values.Text("description");
    if (const auto freshness = FreshnessIn(values)) source->freshness = freshness;
  }

  void ReadStream(const std::string& source, const Values& source_values, const Values& values) {
    const auto name = values.LocatedText("name");
    if (name.value.empty()) return;
    StreamProperties stream = ReadTable(values);
    stream.name = fmt::format("{}.{}", source, name.value);
    stream.place = name.place;
    if (!IsFirst(stream.name, name.place)) return;
    // As in dbt, a table has what its source says of all of them.
    for (std::string& tag : TagsOf(source_values))
      if (std::find(stream.tags.begin(), stream.tags.end(), tag) == stream.tags.end())
        stream.tags.push_back(std::move(tag));
    if (stream.owner.empty()) stream.owner = OwnerOf(source_values);
    RefuseModels(stream);
    stream.loaded_at_field = LoadedAtField(values);
    if (!stream.loaded_at_field) stream.loaded_at_field = LoadedAtField(source_values);
    project_.streams.push_back(std::move(stream));
  }

  static std::optional<Located<std::string>> LoadedAtField(const Values& values) {
    return InConfigOrBeside(values, "loaded_at_field",
                            [](const Values& from) { return from.OptionalText("loaded_at_field"); });
  }

  std::optional<Freshness> FreshnessIn(const Values& values) {
    return InConfigOrBeside(values, "freshness",
                            [&](const Values& from) { return ReadDbtFreshness(from, diagnostics_); });
  }

  /// What models and streams share.
  StreamProperties ReadTable(const Values& values) {
    StreamProperties table;
    table.description = values.Text("description");
    table.owner = OwnerOf(values);
    table.tags = TagsOf(values);
    table.freshness = FreshnessIn(values);
    for (const auto& [item, column] : values.Sections("columns")) {
      const auto name = column.LocatedText("name");
      if (name.value.empty()) continue;
      table.columns.push_back({name, column.Text("description"), column.OptionalText("data_type")});
      tests_.Read(column, name.value, table.checks);
    }
    tests_.Read(values, "", table.checks);
    return table;
  }

  /// Streams are judged before models are built.
  void RefuseModels(const StreamProperties& stream) {
    for (const CheckRule& rule : stream.checks)
      for (const auto& reference : rule.references)
        if (names_.IsModel(reference.table.value))
          diagnostics_.push_back(MakeFault(
              "LEAT0133", reference.table.place,
              fmt::format("{} is a model, which is built after {} is judged; expected source('source', 'stream')",
                          reference.table.value, stream.name),
              "name the stream that the model is made from, or write a file in checks/"));
  }

  void ReadExposure(const Values& values) {
    Exposure exposure{.name = values.LocatedText("name"),
                      .description = values.Text("description"),
                      .owner = OwnerOf(values),
                      .depends_on = {}};
    if (const auto owner = values.Section("owner"); owner && exposure.owner.empty())
      exposure.owner = owner->Has("name") ? owner->Text("name") : owner->Text("email");
    for (const auto& text : values.List("depends_on"))
      if (const auto table = names_.Called(text)) exposure.depends_on.push_back(*table);
    project_.exposures.push_back(std::move(exposure));
  }

  Project& project_;
  std::map<std::string, Place>& described_;
  std::vector<Diagnostic>& diagnostics_;
  TableNames names_;
  TestReader tests_;
};

}  // namespace

SchemaYml::SchemaYml(const ProjectFolder& files, Project& project, std::vector<Diagnostic>& diagnostics)
    : files_(files), project_(project), diagnostics_(diagnostics) {}

void SchemaYml::Read(const FileText& file) {
  const YamlPointer root = ParseYaml(file.file, file.text, 0, file.text.size(), diagnostics_);
  const Values values = CheckFields(WithoutForeign(root, diagnostics_), kSchemaYmlSection, diagnostics_);
  SchemaReader(files_, project_, described_, diagnostics_).Read(values);
}

}  // namespace leat::config
