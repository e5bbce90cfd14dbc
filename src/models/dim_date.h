#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/project.h"
#include "core/clock.h"
#include "duck/database.h"

namespace leat::models {

/// Columns of a generated calendar: date_id DATE, then year, month, day, day_of_week, day_name, month_name, quarter.
std::vector<duck::Column> DimDateColumns();

/// First and last day, both included, in days since 1970-01-01.
struct DaySpan {
  int32_t first = 0;
  int32_t last = 0;
};

/// The days that a column which refers to the calendar holds.
struct DateUse {
  std::string model;
  std::string column;
  DaySpan days;
};

/// Join the head's bounds, the span that the calendar has, and what refers to it where a bound is open. Nothing if no
/// day is known. Throws: Error(kData, LEAT0220) for more than 200 years, naming model, column and value of the day that
/// lies farthest from `now`; Error(kConfig, LEAT0220) for a bound that is no date, or a last day before the first.
std::optional<DaySpan> SpanOf(const config::Model& model, const std::vector<DateUse>& uses,
                              const std::optional<DaySpan>& present, Timestamp now);

/// SELECT of one row per day; names are English whatever the machine's language is.
std::string DimDateSql(const config::Model& model, const std::optional<DaySpan>& span);

}  // namespace leat::models
