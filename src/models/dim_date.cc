#include "models/dim_date.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <limits>

namespace leat::models {
namespace {

constexpr int64_t kDaysMax = 200 * 366;

int32_t ParseDay(const config::Located<std::string>& text) {
  int year = 0, month = 0, day = 0, length = 0;
  const bool read = std::sscanf(text.value.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &length) == 3;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!read || static_cast<size_t>(length) != text.value.size() || !date.ok())
    throw Error(kConfig, "LEAT0220", text.place, fmt::format("\"{}\" is no date; expected yyyy-mm-dd", text.value))
        .Hint("write a day of the calendar, such as 2020-01-01");
  return static_cast<int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::string FormatDay(int32_t day) {
  if (day == std::numeric_limits<int32_t>::max()) return "infinity";
  if (day == -std::numeric_limits<int32_t>::max()) return "-infinity";
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

[[noreturn]] void ThrowTooLong(const config::Model& model, const std::vector<DateUse>& uses, const DaySpan& span,
                               Timestamp now) {
  const int64_t today = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
  const auto distance = [&](int32_t day) { return std::abs(day - today); };
  const DateUse* worst = nullptr;
  int32_t worst_day = 0;
  for (const DateUse& use : uses) {
    for (const int32_t day : {use.days.first, use.days.last}) {
      if (worst != nullptr && distance(day) <= distance(worst_day)) continue;
      worst = &use;
      worst_day = day;
    }
  }
  const std::string message = fmt::format("{} would span more than 200 years, {} to {}", model.name,
                                          FormatDay(span.first), FormatDay(span.last));
  if (worst == nullptr)
    throw Error(kConfig, "LEAT0220", model.head_place, message).Hint("choose `from` and `to` at most 200 years apart");
  throw Error(kData, "LEAT0220", model.head_place,
              fmt::format("{}: {}.{} holds {}", message, worst->model, worst->column, FormatDay(worst_day)))
      .Hint(fmt::format("leat query \"SELECT * FROM {} WHERE {} = '{}'\"", worst->model, worst->column,
                        FormatDay(worst_day)))
      .Hint("give the calendar `from` and `to`, and the column a check `range` with `severity: reject`");
}

void Include(std::optional<DaySpan>& span, const DaySpan& days) {
  if (!span) {
    span = days;
    return;
  }
  span->first = std::min(span->first, days.first);
  span->last = std::max(span->last, days.last);
}

}  // namespace

std::vector<duck::Column> DimDateColumns() {
  return {{"date_id", "DATE"},        {"year", "INTEGER"},     {"month", "INTEGER"},      {"day", "INTEGER"},
          {"day_of_week", "INTEGER"}, {"day_name", "VARCHAR"}, {"month_name", "VARCHAR"}, {"quarter", "INTEGER"}};
}

std::optional<DaySpan> SpanOf(const config::Model& model, const std::vector<DateUse>& uses,
                              const std::optional<DaySpan>& present, Timestamp now) {
  std::optional<DaySpan> span;
  for (const DateUse& use : uses) Include(span, use.days);
  std::optional<int32_t> from, to;
  if (model.date_from) from = ParseDay(*model.date_from);
  if (model.date_to) to = ParseDay(*model.date_to);
  if (from && to && *from > *to)
    throw Error(kConfig, "LEAT0220", model.date_to->place,
                fmt::format("`to` {} is before `from` {}", FormatDay(*to), FormatDay(*from)))
        .Hint("the calendar runs from `from` to `to`, both included");
  if (!span && (from || to)) span = DaySpan{from.value_or(to.value_or(0)), to.value_or(from.value_or(0))};
  if (from) span->first = *from;
  if (to) span->last = *to;
  if (span && span->first > span->last) span->last = span->first;
  if (present) Include(span, *present);
  if (span && static_cast<int64_t>(span->last) - span->first > kDaysMax) ThrowTooLong(model, uses, *span, now);
  return span;
}

std::string DimDateSql(const config::Model& model, const std::optional<DaySpan>& span) {
  std::string day_of_week = "isodow(d)";
  if (model.day_of_week == "sunday0") day_of_week = "dayofweek(d)";
  if (model.day_of_week == "monday0") day_of_week = "isodow(d) - 1";
  const std::string days =
      span ? fmt::format("range({}, {})", span->first, static_cast<int64_t>(span->last) + 1) : "range(0)";
  return fmt::format(
      "SELECT d AS date_id, year(d)::INTEGER AS year, month(d)::INTEGER AS month, day(d)::INTEGER AS day, "
      "({})::INTEGER AS day_of_week, "
      "dayname(d) AS day_name, monthname(d) AS month_name, quarter(d)::INTEGER AS quarter "
      "FROM (SELECT DATE '1970-01-01' + range::INTEGER AS d FROM {}) ORDER BY d",
      day_of_week, days);
}

}  // namespace leat::models
