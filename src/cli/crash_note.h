#pragma once

#include <string>

namespace leat::cli {

/// Write what is known of an internal error to $XDG_STATE_HOME/leat (else ~/.local/state/leat): version, command,
/// message; no arguments, since they may hold what is private. Returns the file's path, or nothing where it cannot be
/// written.
std::string WriteCrashNote(const std::string& command, const std::string& message) noexcept;

}  // namespace leat::cli
