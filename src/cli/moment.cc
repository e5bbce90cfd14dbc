#include "cli/moment.h"

#include <fmt/format.h>

#include <array>

namespace leat::cli {
namespace {

constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

using std::chrono::days;

std::string ClockText(Timestamp time) {
  const std::chrono::hh_mm_ss clock{time - std::chrono::floor<days>(time)};
  return fmt::format("{:02}:{:02}", clock.hours().count(), clock.minutes().count());
}

bool IsSameDay(Timestamp a, Timestamp b) { return std::chrono::floor<days>(a) == std::chrono::floor<days>(b); }

}  // namespace

std::string FormatMoment(Timestamp time, Timestamp now, const Terminal& terminal) {
  if (!terminal.is_terminal()) return FormatTimestamp(std::chrono::floor<std::chrono::seconds>(time));
  if (IsSameDay(time, now)) return ClockText(time);
  const std::chrono::year_month_day date{std::chrono::floor<days>(time)};
  const std::string text =
      fmt::format("{} {}", static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1));
  const bool this_year = date.year() == std::chrono::year_month_day{std::chrono::floor<days>(now)}.year();
  return this_year ? text : fmt::format("{} {}", text, static_cast<int>(date.year()));
}

std::string FormatMomentOfDay(Timestamp time, Timestamp now, const Terminal& terminal) {
  const std::string moment = FormatMoment(time, now, terminal);
  return !terminal.is_terminal() || IsSameDay(time, now) ? moment : fmt::format("{} {}", moment, ClockText(time));
}

}  // namespace leat::cli
