#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/commands.h"
#include "cli/rows_answer.h"
#include "core/text.h"

namespace leat::cli {
namespace {

constexpr size_t kSqlBytesMax = 1'000'000;

/// Read standard input to its end; a signal ends the wait.
std::string ReadStandardInput(const CancelFlag& cancel) {
  std::string text;
  char piece[4096];
  for (;;) {
    cancel.Check();
    const ssize_t count = read(STDIN_FILENO, piece, sizeof piece);
    if (count == 0) return text;
    if (count < 0 && errno != EINTR)
      throw Error(kInternal, "LEAT0502", std::string("cannot read standard input: ") + std::strerror(errno))
          .Hint("give the SQL as an argument");
    if (count > 0) text.append(piece, static_cast<size_t>(count));
    if (text.size() > kSqlBytesMax)
      throw Error(kConfig, "LEAT0190", "the SQL on standard input is longer than 1 MB; expected one SELECT")
          .Hint("shorten it");
  }
}

}  // namespace

ExitCode Query(Session& session) {
  const std::string& subject = session.line().subject;
  const std::string sql = subject == "-" ? ReadStandardInput(session.cancel()) : subject;
  if (Trim(sql).empty())
    throw Error(kConfig, "LEAT0190", "leat query was given no SQL").Hint("leat query \"SELECT 1\"");
  const config::Project project = session.OpenProject();
  AnswerRows(session, project, {.file = "query", .sql = sql, .rows_max = {}, .more_hint = "-o FILE.csv writes all"});
  return kAllDone;
}

}  // namespace leat::cli
