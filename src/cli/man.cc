#include "cli/commands.h"
#include "cli/man_page.h"
#include "cli/pager.h"

namespace leat::cli {

ExitCode Man(Session& session) {
  const std::string page = FormatManPage();
  // A person wants to read it, everybody else wants the file; man(1) looks for a pager itself.
  if (!session.line().json && session.out_terminal().escapes && PipeInto("man -l -", page)) return kAllDone;
  session.Answer(page, {{"roff", page}});
  return kAllDone;
}

}  // namespace leat::cli
