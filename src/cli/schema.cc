#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/json_schema.h"
#include "config/project_folder.h"
#include "core/file_system.h"

namespace leat::cli {
namespace {

ExitCode WriteAll(Session& session) {
  const std::vector<std::string> paths = WriteSchemas(config::FindProjectFolder(AbsolutePath(".")));
  std::string text;
  for (const std::string& path : paths) text += fmt::format("wrote {}\n", path);
  session.Answer(text + "An editor finds them by the first line of a file:  # yaml-language-server: $schema=…\n",
                 {{"files", paths}});
  return kAllDone;
}

}  // namespace

ExitCode Schema(Session& session) {
  if (session.line().write) return WriteAll(session);
  const auto kinds = config::FileKinds();
  const auto kind = std::find_if(kinds.begin(), kinds.end(),
                                 [&](const config::FileKind& known) { return known.name == session.line().subject; });
  const Json schema = JsonSchemaOf(*kind);
  session.Answer(schema.dump(2) + "\n", {{"kind", kind->name}, {"files", kind->files}, {"schema", schema}});
  return kAllDone;
}

}  // namespace leat::cli
