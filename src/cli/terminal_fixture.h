#pragma once

#include "cli/terminal.h"

namespace leat::cli {

// What the tests of reports write to.
inline constexpr Terminal kPipe{.unicode = true};
inline constexpr Terminal kAsciiPipe{};
inline constexpr Terminal kTerminal{.width = 120, .unicode = true};
inline constexpr Terminal kNarrowAscii{.width = 60};

}  // namespace leat::cli
