#include <fmt/format.h>

#include <algorithm>

#include "config/check_fields.h"
#include "config/fields.h"
#include "config/freshness.h"
#include "config/http_rules.h"
#include "config/project_files.h"
#include "config/scalars.h"
#include "core/text.h"

namespace leat::config {
namespace {

/// Two names that become one are reported at the second.
void CheckRenames(const std::map<std::string, Located<std::string>>& renames, const std::string& what,
                  std::vector<Diagnostic>& diagnostics) {
  std::map<std::string, std::string> origin_of;
  for (const auto& [from, to] : renames) {
    const auto [first, added] = origin_of.emplace(to.value, from);
    if (added) continue;
    diagnostics.push_back(
        MakeFault("LEAT0111", to.place,
                  fmt::format("{} '{}' and '{}' are both renamed to {}", what, first->second, from, to.value),
                  "give them different names"));
  }
}

void NoteGiven(const Values& values, StreamRule& rule) {
  for (const YamlEntry& entry : values.entries())
    if (kStreamSection.Find(entry.key) != nullptr && entry.key != "columns") rule.given.insert(entry.key);
  if (!values.Given("columns")) return;
  const auto columns = values.Section("columns");
  for (const char* key : {"include", "exclude", "types", "new", "missing", "changed"})
    if (!columns || columns->Given(key)) rule.given.insert(fmt::format("columns.{}", key));
  // Only null removes what was inherited; an empty map adds nothing.
  if (columns && columns->Has("types") && columns->Map("types").empty()) rule.given.erase("columns.types");
}

ColumnRules ReadColumns(const Values& values) {
  ColumnRules columns{
      .include = values.List("include"), .exclude = values.List("exclude"), .types = values.Map("types")};
  if (values.Text("new") == "ignore") columns.on_new = ColumnRules::New::kIgnore;
  if (values.Text("new") == "stop") columns.on_new = ColumnRules::New::kStop;
  if (values.Text("missing") == "stop") columns.on_missing = ColumnRules::Missing::kStop;
  if (values.Text("changed") == "stop") columns.on_changed = ColumnRules::Changed::kStop;
  return columns;
}

DeleteRule ReadDeletes(const std::string& text) {
  if (text == "every_run") return {DeleteRule::When::kEveryRun};
  if (text == "never") return {DeleteRule::When::kNever};
  if (const auto interval = ParseDuration(text)) return {DeleteRule::When::kEvery, *interval};
  return {};
}

StreamRule ReadRule(Located<std::string> pattern, const Values& values, std::vector<Diagnostic>& diagnostics) {
  StreamRule rule;
  rule.pattern = std::move(pattern);
  rule.skip = values.Boolean("skip");
  rule.key = values.List("key");
  if (values.Text("read") == "full") rule.read = ReadMode::kFull;
  rule.deletes = ReadDeletes(values.Text("deletes"));
  if (const auto columns = values.Section("columns")) rule.columns = ReadColumns(*columns);
  rule.version = values.OptionalText("version");
  rule.version_time = values.OptionalText("version_time");
  rule.lands = values.Text("landing") != "none";
  rule.rejects_max = values.Integer("rejects_max").value_or(rule.rejects_max);
  rule.http = ReadHttpRules(values, diagnostics);
  rule.tags = values.Texts("tags");
  rule.description = values.Text("description");
  rule.owner = values.Text("owner");
  rule.freshness = ReadFreshness(values, diagnostics);
  NoteGiven(values, rule);
  return rule;
}

StreamRule ReadStream(const YamlEntry& entry, const Values& values, std::vector<Diagnostic>& diagnostics) {
  StreamRule rule = ReadRule({entry.key, entry.key_place}, values, diagnostics);
  rule.rename = values.Map("rename");
  // Only null removes what was inherited; an empty map adds nothing.
  if (values.Has("rename") && rule.rename.empty()) rule.given.erase("rename");
  CheckRenames(rule.rename, "columns", diagnostics);
  return rule;
}

std::map<std::string, Located<std::string>> ReadStreamNames(const Values& values,
                                                            std::vector<Diagnostic>& diagnostics) {
  auto renames = values.Map("rename");
  CheckRenames(renames, "streams", diagnostics);
  return renames;
}

/// Lay what `over` gives over `rule`.
void Apply(const StreamRule& over, StreamRule& rule) {
  const auto gives = [&](const char* key) { return over.given.contains(key); };
  if (gives("skip")) rule.skip = over.skip;
  if (gives("key")) rule.key = over.key;
  if (gives("read")) rule.read = over.read;
  if (gives("deletes")) rule.deletes = over.deletes;
  if (gives("columns.include")) rule.columns.include = over.columns.include;
  if (gives("columns.exclude")) rule.columns.exclude = over.columns.exclude;
  if (gives("columns.types") && over.columns.types.empty()) rule.columns.types.clear();  // null
  for (const auto& [column, type] : over.columns.types) rule.columns.types[column] = type;
  if (gives("columns.new")) rule.columns.on_new = over.columns.on_new;
  if (gives("columns.missing")) rule.columns.on_missing = over.columns.on_missing;
  if (gives("columns.changed")) rule.columns.on_changed = over.columns.on_changed;
  if (gives("version")) rule.version = over.version;
  if (gives("version_time")) rule.version_time = over.version_time;
  if (gives("landing")) rule.lands = over.lands;
  if (gives("rejects_max")) rule.rejects_max = over.rejects_max;
  ApplyHttpRules(over, rule.http);
  if (gives("tags")) rule.tags = over.tags;
  if (gives("description")) rule.description = over.description;
  if (gives("owner")) rule.owner = over.owner;
  if (gives("freshness")) rule.freshness = over.freshness;
  if (gives("rename") && over.rename.empty()) rule.rename.clear();  // null
  for (const auto& [from, to] : over.rename) rule.rename[from] = to;
  rule.given.insert(over.given.begin(), over.given.end());
  rule.pattern = over.pattern;
}

void ReadHttp(const Values& values, const Environment& environment, Source& source,
              std::vector<Diagnostic>& diagnostics) {
  const size_t faults_before = diagnostics.size();
  source.http = ReadHttpSource(values, source.name, environment, diagnostics);
  source.connection.place = source.http.base_url.place;
  const bool names_streams = std::any_of(source.streams.begin(), source.streams.end(),
                                         [](const StreamRule& stream) { return stream.exact(); });
  if (!names_streams && !values.Faulty("streams"))
    diagnostics.push_back(MakeFault("LEAT0106", values.place(), "streams is missing; an API does not tell what it has",
                                    "add  streams: {invoices: {path: /invoices, key: id}}"));
  // What is left out of a faulty file would be missed in texts that name it.
  if (diagnostics.size() == faults_before) CheckHttpStreams(source, diagnostics);
}

}  // namespace

Source ReadSourceFile(const FileText& file, const std::string& name, const Environment& environment,
                      std::vector<Diagnostic>& diagnostics) {
  const YamlPointer root = ParseYaml(file.file, file.text, 0, file.text.size(), diagnostics);
  const Values values = CheckFields(root, kSourceSection, diagnostics);
  Source source{.name = name,
                .file = file.file,
                .type = values.Text("type"),
                .connection = values.LocatedText("connection"),
                .schema = values.Text("schema"),
                .schema_place = values.LocatedText("schema").place,
                .streams = {},
                .defaults = {},
                .rename = {},
                .http = {},
                .description = {},
                .freshness = {}};
  source.defaults = ReadRule({"*", values.place()}, values, diagnostics);
  source.defaults.given.erase("rename");
  source.rename = ReadStreamNames(values, diagnostics);
  for (const auto& [entry, stream] : values.Sections("streams"))
    source.streams.push_back(ReadStream(entry, stream, diagnostics));
  if (!values.Has("streams")) source.streams.push_back({.pattern = {"*", values.place()}});
  if (source.type == "http") ReadHttp(values, environment, source, diagnostics);
  return source;
}

std::optional<StreamRule> Source::RuleFor(const std::string& stream) const {
  StreamRule rule = defaults;
  bool matched = false;
  for (const bool exact : {false, true}) {
    for (const StreamRule& entry : streams) {
      if (entry.exact() != exact || !MatchesGlob(entry.pattern.value, stream)) continue;
      Apply(entry, rule);
      matched = true;
    }
  }
  if (!matched) return std::nullopt;
  if (const auto renamed = rename.find(stream); renamed != rename.end()) rule.rename_to = renamed->second;
  return rule;
}

}  // namespace leat::config
