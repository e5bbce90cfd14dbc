#include "cli/crash_note.h"

#include <duckdb.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/clock.h"
#include "core/file_system.h"

namespace leat::cli {
namespace {

std::string NoteFolder() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return JoinPath(state, "leat");
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return JoinPath(home, ".local/state/leat");
  return "";
}

}  // namespace

std::string WriteCrashNote(const std::string& command, const std::string& message) noexcept {
  try {
    const std::string folder = NoteFolder();
    if (folder.empty()) return "";
    const std::string now = FormatTimestamp(std::chrono::floor<std::chrono::seconds>(SystemClock().Now()));
    std::string stamp = now;
    std::replace(stamp.begin(), stamp.end(), ':', '-');
    const std::string path = JoinPath(folder, fmt::format("crash-{}-{}.txt", stamp, getpid()));
    MakeDirectories(folder);
    WriteNewFile(path, fmt::format("leat {} (DuckDB {})\n{}\ncommand: {}\n{}\n", LEAT_VERSION, duckdb_library_version(),
                                   now, command, message));
    return path;
  } catch (...) {
    // The error itself is told anyway; a note about it is a courtesy.
    return "";
  }
}

}  // namespace leat::cli
