#pragma once

#include <string>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/session.h"

namespace leat::cli {

/// Each carries out its command and gives the answer. Throws: Error, Cancelled, pipeline::InvalidProject, ReaderGone.
ExitCode Init(Session& session);
ExitCode Connections(Session& session);
ExitCode Validate(Session& session);
ExitCode Plan(Session& session);
ExitCode Run(Session& session);
ExitCode Retry(Session& session);
ExitCode Check(Session& session);
ExitCode Status(Session& session);
ExitCode Lineage(Session& session);
ExitCode Runs(Session& session);
ExitCode State(Session& session);
ExitCode Preview(Session& session);
ExitCode Query(Session& session);
ExitCode Config(Session& session);
ExitCode Schema(Session& session);
ExitCode Doctor(Session& session);
ExitCode Completion(Session& session);
ExitCode Man(Session& session);
ExitCode Explain(Session& session);

/// The first word of the lines by which completion scripts ask; no command that people type.
inline constexpr std::string_view kCompleteWord = "__complete";
/// Tell a shell what may stand at the end of `line`: a candidate a line, a tab and a few words about it, then `:files`
/// or `:folders` where such names fit too. Returns the exit code; silent about every fault.
int AnswerShell(const std::string& line) noexcept;

/// Whoever read the answer wants no more of it, as in `leat query … | head`.
struct ReaderGone {};

}  // namespace leat::cli
