#include "models/periods.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"
#include "engine/engine.h"
#include "models/macro.h"
#include "models/syntax_tree.h"

namespace leat::models {
namespace {

using std::chrono::microseconds;
using std::chrono::sys_days;

constexpr idx_t kPeriodsMax = 36'525;
constexpr std::string_view kAtSuffix = "__at";

/// SQL for the moment at which `day` begins in a zone: the earliest whose local time is not before its midnight. A
/// midnight that the clock jumps over, or shows twice, is why it has to be looked for; no jump is wider than 3 hours.
std::string BeginningOf(const std::string& day, const std::string& zone) {
  return fmt::format(
      "list_min(list_filter(list_transform(range(13), k -> timezone({0}, {1}) - to_minutes(15 * k)), "
      "t -> timezone({0}, t) >= {1}))",
      zone, day);
}

Timestamp MomentOf(int64_t microseconds_since_1970) { return Timestamp(microseconds(microseconds_since_1970)); }

/// Walks the syntax tree of a model and of the macros that it calls.
class PeriodReadsWalker {
 public:
  explicit PeriodReadsWalker(PeriodReads& found) : found_(found) {}

  void Visit(const Json& node) {
    if (node.is_object()) Note(node);
    if (node.is_structured())
      for (const Json& child : node) Visit(child);
  }

 private:
  void Note(const Json& node) {
    const std::string type = TextOf(node, "type");
    if (type == "BASE_TABLE")
      found_.tables.insert(ToLower(TextOf(node, "schema_name")) + "." + ToLower(TextOf(node, "table_name")));
    else if (type == "TABLE_FUNCTION" && node.contains("function"))
      NoteCall(node["function"]);
  }

  void NoteCall(const Json& call) {
    const std::string name = ToLower(TextOf(call, "function_name"));
    if (!name.ends_with(kAtSuffix)) return;
    const std::string stream = ToLower(TextOf(call, "schema")) + "." + name.substr(0, name.size() - kAtSuffix.size());
    const Json& arguments = call["children"];
    const bool is_bound = arguments.size() == 1 && IsBound(arguments[0]);
    (is_bound ? found_.moments : found_.others).insert(stream);
  }

  /// In a macro no parameter of leat's can stand.
  static bool IsBound(const Json& argument) {
    const std::string name = ToLower(TextOf(argument, "identifier"));
    if (TextOf(argument, "class") == "PARAMETER") return name == "period_start" || name == "period_end";
    const bool is_difference = TextOf(argument, "function_name") == "-" && argument["children"].size() == 2;
    return is_difference && IsBound(argument["children"][0]) && IsLength(argument["children"][1]);
  }

  /// `INTERVAL 1 MICROSECOND`: of a number that is not negative.
  static bool IsLength(const Json& node) {
    const std::string function = TextOf(node, "function_name");
    if (TextOf(node, "class") == "CONSTANT") {
      const Json& value = node["value"]["value"];
      return value.is_number() && value.get<double>() >= 0;
    }
    if (TextOf(node, "class") == "CAST") return IsLength(node["child"]);
    const bool is_known = function == "trunc" || function.starts_with("to_");
    return is_known && node["children"].size() == 1 && IsLength(node["children"][0]);
  }

  PeriodReads& found_;
};

}  // namespace

std::string Period::Name(config::PeriodLength length) const {
  const std::string day = FormatDay(first_day);
  return length == config::PeriodLength::kDay ? day : day.substr(0, day.size() - 3);
}

std::vector<Period> EndedPeriods(duck::Connection& connection, const config::Project& project,
                                 const config::Model& model, sys_days first_day, Timestamp now) {
  const std::string zone = QuoteLiteral(project.timezone.value);
  const std::string length = config::PeriodName(model.period);
  const auto result = connection.Query(
      fmt::format("SELECT day::DATE, {} FROM (SELECT unnest(generate_series(date_trunc('{}', TIMESTAMP '{}'), "
                  "timezone({}, CAST($now AS TIMESTAMPTZ)), INTERVAL 1 {})[:{}]) AS day) ORDER BY day",
                  BeginningOf("day", zone), length, FormatDay(first_day), zone, length, kPeriodsMax + 2),
      {{"now", now, duck::Parameter::Type::kTimestampTz}});
  std::vector<Period> periods;
  std::optional<Period> open;
  idx_t days_seen = 0;
  while (const auto chunk = result->Next()) {
    for (idx_t row = 0; row < chunk->size(); ++row, ++days_seen) {
      const sys_days day{std::chrono::days(chunk->At<int32_t>(0, row))};
      const Timestamp start = MomentOf(chunk->At<int64_t>(1, row));
      if (open) {
        open->end_day = day;
        open->end = start;
        if (open->start < open->end) periods.push_back(*open);
      }
      open = Period{.first_day = day, .end_day = day, .start = start, .end = start};
    }
  }
  if (days_seen > kPeriodsMax + 1)
    throw Error(kConfig, "LEAT0245", model.head_place,
                fmt::format("{} would have more than {} periods, from {} on; expected at most a hundred years of days",
                            model.name, GroupDigits(kPeriodsMax), FormatDay(first_day)))
        .Hint("say in the head where it begins:  from: <yyyy-mm-dd>");
  return periods;
}

Period LastEndedPeriod(duck::Connection& connection, const config::Project& project, const config::Model& model,
                       Timestamp now) {
  // Far enough back for a month and for a day that was skipped.
  const sys_days before = std::chrono::floor<std::chrono::days>(now) - std::chrono::days(64);
  return EndedPeriods(connection, project, model, before, now).back();
}

sys_days DayAt(duck::Connection& connection, const config::Project& project, Timestamp moment) {
  const auto result = connection.Query(
      fmt::format("SELECT timezone({}, CAST($moment AS TIMESTAMPTZ))::DATE", QuoteLiteral(project.timezone.value)),
      {{"moment", moment, duck::Parameter::Type::kTimestampTz}});
  return sys_days(std::chrono::days(result->Next()->At<int32_t>(0, 0)));
}

std::string FormatDay(sys_days day) { return FormatTimestamp(day).substr(0, 10); }

sys_days ParseDay(const std::string& text) {
  return std::chrono::floor<std::chrono::days>(ParseTimestamp(text + "T00:00:00Z"));
}

std::vector<duck::Parameter> ParametersOf(const Period& period) {
  return {{"period_start", period.start, duck::Parameter::Type::kTimestampTz},
          {"period_end", period.end, duck::Parameter::Type::kTimestampTz}};
}

std::optional<TimeUnit> TimeUnitOf(const std::string& type) {
  if (type == "DATE") return TimeUnit::kDay;
  if (type.starts_with("TIMESTAMP")) return TimeUnit::kMoment;
  return std::nullopt;
}

std::optional<size_t> FindPeriod(const std::vector<Period>& periods, TimeUnit unit, int64_t value) {
  const auto end_of = [&](const Period& period) {
    return unit == TimeUnit::kDay ? period.end_day.time_since_epoch().count() : period.end.time_since_epoch().count();
  };
  const auto start_of = [&](const Period& period) {
    return unit == TimeUnit::kDay ? period.first_day.time_since_epoch().count()
                                  : period.start.time_since_epoch().count();
  };
  const auto found = std::ranges::upper_bound(periods, value, {}, end_of);
  if (found == periods.end() || start_of(*found) > value) return std::nullopt;
  return static_cast<size_t>(found - periods.begin());
}

bool PeriodReads::IsSeenAtPeriods(const std::string& name) const {
  const std::string rows = engine::CurrentName(name);
  return name.ends_with(engine::kAtSuffix) && moments.contains(rows) && !others.contains(rows);
}

PeriodReads PeriodReadsOf(duck::Connection& connection, const Macros& macros, const config::Model& model,
                          const SelectReads& reads) {
  PeriodReads found;
  PeriodReadsWalker walker(found);
  walker.Visit(ParseSelect(connection, {model.file, model.text}));
  for (const std::string& name : reads.macros) {
    const size_t dot = name.find('.');
    const Macro* macro =
        dot == std::string::npos ? macros.Find("", name) : macros.Find(name.substr(0, dot), name.substr(dot + 1));
    for (const MacroBody& body : macro->bodies) walker.Visit(body.query);
  }
  return found;
}

void RequirePeriodParameters(const config::Model& model, const SelectReads& reads) {
  if (model.kind != config::ModelKind::kPeriod) return;
  for (const std::string& name : reads.parameters)
    if (name != "run_time") return;
  throw Error(kConfig, "LEAT0242", model.head_place,
              fmt::format("{} is of `kind: period` and names neither $period_start nor $period_end, so every period "
                          "would have the same rows",
                          model.name))
      .Hint(fmt::format("select the rows of one period:  WHERE {0} >= $period_start AND {0} < $period_end",
                        model.time.value.empty() ? "created_at" : model.time.value));
}

}  // namespace leat::models
