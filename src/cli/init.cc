#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/json_schema.h"
#include "cli/new_project.h"

namespace leat::cli {
namespace {

/// A word as a shell takes it.
std::string ShellWord(const std::string& word) {
  const bool plain = word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+@:%") ==
                     std::string::npos;
  if (plain && !word.empty()) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

/// The two commands that come next, as one types them from here.
std::vector<std::string> NextCommands(const CommandLine& line) {
  const std::string first = line.template_name == "shop" ? "leat run" : "leat validate";
  const std::string second = line.template_name == "shop" ? "leat status" : "leat run";
  const bool here = line.directory == "." || line.directory == "./";
  return {here ? first : fmt::format("cd {} && {}", ShellWord(line.directory), first), second};
}

}  // namespace

ExitCode Init(Session& session) {
  const CommandLine& line = session.line();
  const std::vector<ProjectFile> files = ProjectFiles({.folder = line.directory,
                                                       .template_name = line.template_name,
                                                       .source_url = line.source_url,
                                                       .warehouse_url = line.warehouse_url});
  WriteProject(line.directory, files);
  WriteSchemas(line.directory);  // an editor knows the keys from the first line on
  const std::vector<std::string> next = NextCommands(line);
  Json data;
  data["folder"] = line.directory;
  data["template"] = line.template_name;
  data["files"] = Json::array();
  for (const ProjectFile& file : files) data["files"].push_back(file.path);
  data["next"] = next;
  const std::string folder = line.directory.ends_with('/') ? line.directory : line.directory + "/";
  session.Answer(fmt::format("Created {} with {} (template \"{}\")\n  Next:  {}\n  Then:  {}\n", folder,
                             FormatNumberOf(session.out_terminal(), static_cast<int64_t>(files.size()), "file"),
                             line.template_name, next[0], next[1]),
                 data);
  return kAllDone;
}

}  // namespace leat::cli
