#pragma once

#include <string>

namespace leat::cli {

/// The manual as roff with the macros of man(7), from the declarations of commands, flags, exit codes and fields.
std::string FormatManPage();

}  // namespace leat::cli
