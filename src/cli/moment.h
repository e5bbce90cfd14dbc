#pragma once

#include <string>

#include "cli/terminal.h"
#include "core/clock.h"

namespace leat::cli {

/// A moment in UTC for people: `14:05` of today, `20 Nov` of this year, `20 Nov 2023` of others; off a terminal RFC
/// 3339.
std::string FormatMoment(Timestamp time, Timestamp now, const Terminal& terminal);

/// The same with the time of day, also where the day is another: `20 Nov 14:05`.
std::string FormatMomentOfDay(Timestamp time, Timestamp now, const Terminal& terminal);

}  // namespace leat::cli
