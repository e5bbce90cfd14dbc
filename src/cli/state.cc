#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "cli/commands.h"
#include "cli/state_report.h"
#include "core/text.h"

namespace leat::cli {
namespace {

using pipeline::TableState;

bool CanAsk(const Session& session) { return isatty(STDIN_FILENO) == 1 && session.err_terminal().is_terminal(); }

/// A line from the terminal; empty at its end.
std::string Ask(Session& session, const std::string& question) {
  session.err().Write(question);
  std::string answer;
  std::getline(std::cin, answer);
  session.cancel().Check();  // Ctrl-C wakes the read
  return std::string(Trim(answer));
}

/// Changing how a table goes on asks for its name. Throws: Error(kConfig, LEAT0198) unless that is given.
void Confirm(Session& session, const TableState& state) {
  std::string answer = session.line().confirm;
  if (answer.empty() && CanAsk(session))
    answer = Ask(session, fmt::format("{}\nType the table's name to go on: ", ConsequenceOfReset(state)));
  if (answer == state.table) return;
  throw Error(kConfig, "LEAT0198",
              answer.empty() ? fmt::format("resetting {} is not confirmed; nothing was changed", state.table)
                             : fmt::format("'{}' confirms nothing about {}; nothing was changed", answer, state.table))
      .Note(ConsequenceOfReset(state))
      .Hint(fmt::format("leat state reset {0} --confirm {0}", state.table));
}

ExitCode ShowState(Session& session, const config::Project& project) {
  const auto states = pipeline::ReadTableStates(project, session.line().subject);
  session.Answer(FormatTableStates(states, SystemClock().Now(), session.out_terminal()), TableStatesJson(states));
  return kAllDone;
}

ExitCode ResetState(Session& session, const config::Project& project) {
  const TableState before = pipeline::ReadTableStates(project, session.line().subject).front();
  Confirm(session, before);
  const std::unique_ptr<Progress> progress = MakeProgress(ContextOf(session));
  pipeline::LeaseWait wait(session.line().wait, session.cancel(),
                           [&](const state::LeaseHolder& holder) { progress->Waiting(holder); });
  const TableState reset = pipeline::ResetTable(project, before.table, wait);
  const char* what = reset.kind == TableState::Kind::kStream ? "how far it was read" : "what it was built from";
  session.Answer(fmt::format("{}: forgot {}\n  {}\n", reset.table, what, ConsequenceOfReset(reset)),
                 {{"table", reset.table}, {"forgotten", TableStatesJson({reset})}});
  return kAllDone;
}

}  // namespace

ExitCode State(Session& session) {
  const config::Project project = session.OpenProject();
  return session.line().action == "reset" ? ResetState(session, project) : ShowState(session, project);
}

}  // namespace leat::cli
