#pragma once

#include <string>

#include "cli/terminal.h"

namespace leat::cli {

/// Run `command` in a shell with `text` as its standard input, and wait for its end. Returns false if there is no such
/// program; what it makes of the text is its own affair.
bool PipeInto(const std::string& command, const std::string& text);

/// Show a text that is longer than the terminal in $PAGER. Returns false if there is no need or no pager: then it is
/// still to be written.
bool ShowInPager(const Terminal& terminal, const std::string& text);

}  // namespace leat::cli
