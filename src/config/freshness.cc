#include "config/freshness.h"

#include <algorithm>

#include "config/scalars.h"
#include "core/text.h"

namespace leat::config {
namespace {

using std::chrono::milliseconds;

std::optional<milliseconds> DurationOf(const Values& freshness, std::string_view name) {
  return freshness.Has(name) ? ParseDuration(freshness.Text(name)) : std::nullopt;
}

milliseconds LengthOf(const std::string& period) {
  if (period == "day") return std::chrono::days(1);
  return period == "hour" ? milliseconds(std::chrono::hours(1)) : milliseconds(std::chrono::minutes(1));
}

std::optional<milliseconds> PeriodsOf(const Values& freshness, std::string_view name) {
  const auto periods = freshness.Section(name);
  const auto count = periods ? periods->Integer("count") : std::nullopt;
  if (!count || !periods->Has("period")) return std::nullopt;  // reported
  return *count * LengthOf(periods->Text("period"));
}

using ReadAge = std::optional<milliseconds> (*)(const Values& freshness, std::string_view name);

std::optional<Freshness> ReadAges(const Values& values, ReadAge read, std::vector<Diagnostic>& diagnostics) {
  if (!values.Given("freshness")) return std::nullopt;
  Freshness freshness;
  const auto section = values.Section("freshness");
  if (!section) return freshness;
  freshness.warn_after = read(*section, "warn_after");
  freshness.error_after = read(*section, "error_after");
  if (freshness.warn_after && freshness.error_after && *freshness.error_after < *freshness.warn_after)
    ReportContradiction(section->KeyPlace("error_after"),
                        "error_after is shorter than warn_after; data is late before it is too late", "swap them",
                        diagnostics);
  return freshness;
}

/// What the source's own file says of `totesys.payment`; nothing if it names it nowhere, or there is no such source.
std::optional<StreamRule> RuleOf(const Project& project, const std::string& stream) {
  const size_t dot = stream.find('.');
  const Source* source = project.FindSource(stream.substr(0, dot));
  if (source == nullptr || dot == std::string::npos) return std::nullopt;
  return source->RuleOfStream(stream.substr(dot + 1));
}

}  // namespace

std::optional<Freshness> ReadFreshness(const Values& values, std::vector<Diagnostic>& diagnostics) {
  return ReadAges(values, DurationOf, diagnostics);
}

std::optional<Freshness> ReadDbtFreshness(const Values& values, std::vector<Diagnostic>& diagnostics) {
  return ReadAges(values, PeriodsOf, diagnostics);
}

std::optional<StreamRule> Source::RuleOfStream(const std::string& stream) const {
  for (const auto& [table, renamed] : rename)
    if (renamed.value == stream) return RuleFor(table);
  // A table whose name leat cleaned is found by its own entry; a glob is taken to match the clean name.
  for (const StreamRule& entry : streams)
    if (entry.exact() && !rename.contains(entry.pattern.value) && CleanName(entry.pattern.value) == stream)
      return RuleFor(entry.pattern.value);
  return rename.contains(stream) ? std::nullopt : RuleFor(stream);
}

std::string Source::StreamName(const std::string& table) const {
  const auto renamed = rename.find(table);
  return name + "." + (renamed == rename.end() ? CleanName(table) : renamed->second.value);
}

const StreamProperties* Project::FindStream(const std::string& stream) const {
  const auto found = std::find_if(streams.begin(), streams.end(),
                                  [&](const StreamProperties& candidate) { return candidate.name == stream; });
  return found == streams.end() ? nullptr : &*found;
}

bool Project::IsLeftOut(const std::string& stream) const {
  const auto rule = RuleOf(*this, stream);
  return !rule || rule->skip;
}

std::vector<std::string> Project::TagsOf(const std::string& stream) const {
  const auto rule = RuleOf(*this, stream);
  const StreamProperties* properties = FindStream(stream);
  if ((rule && !rule->tags.empty()) || properties == nullptr) return rule ? rule->tags : std::vector<std::string>{};
  return properties->tags;
}

Freshness Project::FreshnessOf(const std::string& table) const {
  if (const Model* model = FindModel(table)) return model->freshness.value_or(freshness);
  const auto rule = RuleOf(*this, table);
  if (!rule || rule->skip) return {};
  if (rule->freshness) return *rule->freshness;
  const StreamProperties* properties = FindStream(table);
  if (properties != nullptr && properties->freshness) return *properties->freshness;
  return FindSource(table.substr(0, table.find('.')))->freshness.value_or(freshness);
}

}  // namespace leat::config
