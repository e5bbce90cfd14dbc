#include "engine/version_order.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace leat::engine {
namespace {

bool IsMoment(const std::string& type) { return type == "DATE" || type.starts_with("TIMESTAMP"); }

std::optional<config::StreamRule> RuleOf(const config::Project& project, const std::string& stream) {
  const size_t dot = stream.find('.');
  const config::Source* source = project.FindSource(stream.substr(0, dot));
  return source == nullptr ? std::nullopt : source->RuleOfStream(stream.substr(dot + 1));
}

/// What a column of the source is called in the lake.
std::string NameInLake(const config::StreamRule& rule, const std::string& column) {
  const auto renamed = rule.rename.find(column);
  return CleanName(renamed == rule.rename.end() ? column : renamed->second.value);
}

const duck::Column& FindColumnOf(const config::StreamRule& rule, const config::Located<std::string>& setting,
                                 const std::string& what, const std::string& stream,
                                 const std::vector<duck::Column>& columns) {
  const std::string name = NameInLake(rule, setting.value);
  const auto found = std::ranges::find(columns, name, &duck::Column::name);
  if (found != columns.end()) return *found;
  std::vector<std::string> names;
  for (const duck::Column& column : columns)
    if (!column.name.starts_with("_leat_")) names.push_back(column.name);
  Diagnostic fault{.code = "LEAT0231", .place = setting.place};
  fault.message = fmt::format("`{}` names column '{}', which {} does not have", what, setting.value, stream);
  SuggestNearest(fault, name, names);
  if (fault.help.empty()) fault.help.push_back(fmt::format("its columns: {}", Shorten(Join(names, ", "), 200)));
  throw Error(kConfig, std::move(fault));
}

}  // namespace

std::string VersionOrder::MomentSql() const {
  if (time.empty()) return "_leat_time";
  return fmt::format("coalesce(CAST({} AS TIMESTAMPTZ), _leat_time)", QuoteIdentifier(time));
}

VersionOrder VersionOrderOf(const config::Project& project, const std::string& stream,
                            const std::vector<duck::Column>& columns) {
  const auto rule = RuleOf(project, stream);
  VersionOrder order;
  if (!rule) return order;
  if (rule->version) order.version = FindColumnOf(*rule, *rule->version, "version", stream, columns).name;
  if (!rule->version_time) return order;
  const duck::Column& time = FindColumnOf(*rule, *rule->version_time, "version_time", stream, columns);
  if (!IsMoment(time.type))
    throw Error(kConfig, "LEAT0231", rule->version_time->place,
                fmt::format("`version_time` names column '{}' of type {}; expected DATE, TIMESTAMP or TIMESTAMPTZ",
                            rule->version_time->value, time.type))
        .Hint("name a column that says when the version was made, or leave `version_time` out");
  order.time = time.name;
  return order;
}

std::string TextOfVersionOrder(const config::Project& project, const std::string& stream) {
  const auto rule = RuleOf(project, stream);
  const auto text = [](const std::optional<config::Located<std::string>>& setting) {
    return setting ? setting->value : std::string();
  };
  return rule ? fmt::format("{} {}", text(rule->version), text(rule->version_time)) : std::string();
}

std::string VersionsAtSql(const std::string& versions, const std::vector<std::string>& key, const VersionOrder& order,
                          const std::string& moment) {
  // A version without a number is older than one with. Two of one key never share a `_leat_seq`, so `op` decides
  // nothing.
  const std::string number = order.version.empty() ? ""
                                                   : fmt::format("has_version: {0} IS NOT NULL, version: {0}, ",
                                                                 QuoteIdentifier(order.version));
  return fmt::format(
      "SELECT {0}, _leat_newest.seq AS _leat_seq FROM (SELECT {0}, max({{{1}seq: _leat_seq, op: _leat_op}}) AS "
      "_leat_newest FROM "
      "{2} WHERE {3} <= {4} GROUP BY ALL) WHERE _leat_newest.op = 'u'",
      QuoteList(key), number, versions, order.MomentSql(), moment);
}

}  // namespace leat::engine
