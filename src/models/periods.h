#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/project.h"
#include "duck/database.h"
#include "models/tables_read.h"

namespace leat::models {

/// One month or day of a period model, as the project's time zone has it.
struct Period {
  std::chrono::sys_days first_day;  ///< on the calendar
  std::chrono::sys_days end_day;    ///< the day after its last one
  Timestamp start;                  ///< when its first day begins: `$period_start`
  Timestamp end;                    ///< when the day after its last one begins, and no part of it: `$period_end`

  /// `2024-03`, or `2024-03-05` of a day.
  std::string Name(config::PeriodLength length) const;
};

/// The periods that had ended by `now`, from the one that holds `first_day` on, in their order. A day that the time
/// zone never had is left out. Throws: Error(kConfig, LEAT0245) for more than 36,525, a hundred years of days.
std::vector<Period> EndedPeriods(duck::Connection& connection, const config::Project& project,
                                 const config::Model& model, std::chrono::sys_days first_day, Timestamp now);

/// The newest of them.
Period LastEndedPeriod(duck::Connection& connection, const config::Project& project, const config::Model& model,
                       Timestamp now);

/// The day that the time zone has at `moment`.
std::chrono::sys_days DayAt(duck::Connection& connection, const config::Project& project, Timestamp moment);

/// A day as `yyyy-mm-dd`, and back.
std::string FormatDay(std::chrono::sys_days day);
std::chrono::sys_days ParseDay(const std::string& text);

/// `$period_start` and `$period_end`.
std::vector<duck::Parameter> ParametersOf(const Period& period);

/// What the column that `time:` names counts in.
enum class TimeUnit {
  kDay,    ///< a DATE: days of the calendar
  kMoment  ///< a TIMESTAMP, which is in UTC, or a TIMESTAMP WITH TIME ZONE
};
/// Nothing for another type, as SQL writes it.
std::optional<TimeUnit> TimeUnitOf(const std::string& type);

/// Which of `periods` holds `value`, days or microseconds since 1970; nothing if none does.
std::optional<size_t> FindPeriod(const std::vector<Period>& periods, TimeUnit unit, int64_t value);

/// How a period model reads a table, which decides what a change of it means.
struct PeriodReads {
  std::set<std::string> tables;   ///< names that stand in FROM, in the statement itself or in a macro
  std::set<std::string> moments;  ///< `totesys.sale` of each `totesys.sale__at($period_start)` or `…($period_end)`, or
                                  ///< of a fixed time before those
  std::set<std::string> others;  ///< streams read by `__at` of any other moment

  /// Whether the model sees what `name`, a stream's or a child's `x__at()`, was no later than at the end of the period,
  /// and nothing else of it by this name: what is dated later than the end cannot matter.
  bool IsSeenAtPeriods(const std::string& name) const;
};
PeriodReads PeriodReadsOf(duck::Connection& connection, const Macros& macros, const config::Model& model,
                          const SelectReads& reads);

/// Refuse a period model whose SQL names no bound of its period: each period would hold the same rows.
/// Throws: Error(kConfig, LEAT0242).
void RequirePeriodParameters(const config::Model& model, const SelectReads& reads);

}  // namespace leat::models
