// The command line's entry: reads the line, runs one command, and turns every way of ending into an exit code.

#include <duckdb.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "cli/commands.h"
#include "cli/crash_note.h"
#include "cli/signals.h"
#include "pipeline/run.h"

namespace leat::cli {
namespace {

struct CommandEntry {
  const char* name;
  ExitCode (*carry_out)(Session&);
};
constexpr std::array kEntries = {CommandEntry{"init", Init},
                                 CommandEntry{"connections", Connections},
                                 CommandEntry{"validate", Validate},
                                 CommandEntry{"plan", Plan},
                                 CommandEntry{"run", Run},
                                 CommandEntry{"retry", Retry},
                                 CommandEntry{"check", Check},
                                 CommandEntry{"status", Status},
                                 CommandEntry{"lineage", Lineage},
                                 CommandEntry{"runs", Runs},
                                 CommandEntry{"state", State},
                                 CommandEntry{"preview", Preview},
                                 CommandEntry{"query", Query},
                                 CommandEntry{"config", Config},
                                 CommandEntry{"schema", Schema},
                                 CommandEntry{"doctor", Doctor},
                                 CommandEntry{"completion", Completion},
                                 CommandEntry{"man", Man},
                                 CommandEntry{"explain", Explain}};

void EnterFolder(const std::string& folder) {
  if (folder.empty() || chdir(folder.c_str()) == 0) return;
  throw Error(kConfig, "LEAT0190", fmt::format("cannot enter -C {}: {}", folder, std::strerror(errno)))
      .Hint("name a folder that exists");
}

ExitCode CarryOut(Session& session) {
  const CommandLine& line = session.line();
  if (line.version || line.help) {
    session.out().Write(line.version ? fmt::format("leat {} (DuckDB {})\n", LEAT_VERSION, duckdb_library_version())
                                     : HelpText(line.command));
    return kAllDone;
  }
  EnterFolder(line.folder);
  for (const CommandEntry& entry : kEntries)
    if (line.command == entry.name) return entry.carry_out(session);
  throw Error(kInternal, "LEAT9900", fmt::format("command '{}' is known but has no code", line.command));
}

/// Tell diagnostics that ended a command; with --json they are the document.
void TellRefusal(Session& session, const std::vector<Diagnostic>& diagnostics) {
  session.Annotate(diagnostics);
  if (session.line().json)
    session.out().Write(JsonDocument(session.line().command, nullptr, diagnostics));
  else
    session.PrintDiagnostics(diagnostics);
}

/// An internal error names the file to send.
Diagnostic WithCrashNote(Diagnostic diagnostic, const std::string& command) {
  const std::string path = WriteCrashNote(command, fmt::format("{}: {}", diagnostic.code, diagnostic.message));
  if (!path.empty()) diagnostic.notes.push_back(fmt::format("details are in {}", path));
  if (diagnostic.help.empty())
    diagnostic.help.emplace_back("this is a fault of leat: report it with what is noted below");
  return diagnostic;
}

int TellError(Session& session, const Error& error) {
  const ExitCode code = ExitCodeOf(error);
  TellRefusal(session, {code == kInternalError ? WithCrashNote(error.diagnostic(), session.line().command)
                                               : error.diagnostic()});
  return code;
}

int TellStopped(Session& session) {
  if (session.line().loudness != Loudness::kQuiet) session.err().Write("stopped; nothing was changed\n");
  return 128 + ReceivedSignal();
}

int RunSession(Session& session) {
  try {
    return CarryOut(session);
  } catch (const Error& error) {
    return TellError(session, error);
  } catch (const pipeline::InvalidProject& invalid) {
    TellRefusal(session, invalid.diagnostics);
    return kNothingRun;
  } catch (const Cancelled&) {
    return TellStopped(session);
  } catch (const ReaderGone&) {
    return kAllDone;
  } catch (const std::exception& unexpected) {
    return TellError(session, Error(kInternal, "LEAT9900", fmt::format("internal error: {}", unexpected.what())));
  }
}

/// What a line that could not be read asks for all the same: how to say so.
CommandLine LineForUsageErrors(const std::vector<std::string>& words) {
  CommandLine line;
  std::string before;
  for (const std::string& word : words) {
    if (word == "--json") line.json = true;
    if (word == "--no-color") line.colour = false;
    if (word == "--log-format=json" || (word == "json" && before == "--log-format")) line.log_format = LogFormat::kJson;
    before = word;
  }
  return line;
}

int Main(const std::vector<std::string>& words) {
  // Lives as long as the process: a signal may come at any time.
  static CancelFlag cancel;
  ReserveStandardStreams();
  InstallSignalHandlers(cancel);
  if (words.size() == 2 && words[0] == kCompleteWord) return AnswerShell(words[1]);
  std::optional<CommandLine> line;
  std::optional<Error> usage;
  try {
    line = ParseCommandLine(words);
  } catch (const Error& error) {
    usage = error;
  }
  Session session(line ? *line : LineForUsageErrors(words), cancel);
  try {
    return usage ? TellError(session, *usage) : RunSession(session);
  } catch (const std::exception&) {
    return kSomeFailed;  // telling the error failed itself: nobody is left to be told
  }
}

}  // namespace
}  // namespace leat::cli

int main(int argc, char** argv) {
  // The bytes of the words may be no UTF-8; they are quoted in messages, never interpreted.
  return leat::cli::Main(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
