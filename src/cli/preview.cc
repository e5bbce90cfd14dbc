#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/rows_answer.h"
#include "core/file_system.h"
#include "pipeline/query.h"

namespace leat::cli {
namespace {

/// Files are named as seen from the working directory, which may be a folder of the project.
std::string FromProject(const std::string& table_or_file, const config::Project& project) {
  if (!table_or_file.ends_with(".sql") || !PathExists(table_or_file)) return table_or_file;
  const std::string path = AbsolutePath(table_or_file);
  const std::string root = project.folder + "/";
  return path.starts_with(root) ? path.substr(root.size()) : path;
}

}  // namespace

ExitCode Preview(Session& session) {
  const CommandLine& line = session.line();
  const config::Project project = session.OpenProject();
  const std::string subject = FromProject(line.subject, project);
  // One row more than is shown tells whether there are more.
  AnswerRows(session, project,
             {.file = subject.ends_with(".sql") ? subject : "",
              .sql = pipeline::PreviewSql(project, subject, line.rows + 1),
              .rows_max = line.rows,
              .more_hint = fmt::format("-n {}", int64_t{line.rows} * 5)});
  return kAllDone;
}

}  // namespace leat::cli
