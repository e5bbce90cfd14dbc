#include "cli/project_names.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "cli/embedded.h"
#include "cli/explain_pages.h"
#include "config/project.h"
#include "core/file_system.h"
#include "core/text.h"
#include "pipeline/plan.h"
#include "state/state.h"

namespace leat::cli {
namespace {

constexpr int64_t kRunsOffered = 20;

/// The state database, if it is there and nobody keeps it locked.
std::unique_ptr<state::Store> OpenStateAtOnce(const config::Project& project) {
  if (!PathExists(project.state.value)) return nullptr;
  return state::OpenSqlite(project.state.value, project.name, SystemClock(),
                           {.busy_timeout = std::chrono::milliseconds(0), .upgrades = false});
}

std::vector<Candidate> TableNames(const config::Project& project) {
  std::map<std::string, std::string> tables;
  for (const config::Model& model : project.models) tables[model.name] = config::KindName(model.kind);
  if (const auto store = OpenStateAtOnce(project))
    for (const auto& [name, location] : store->Pointers())
      if (name.second.ends_with(engine::kHistorySuffix) && project.FindSource(name.first) != nullptr)
        tables[name.first + "." + engine::ProducerOf(name.second)] = "stream";
  std::vector<Candidate> candidates;
  for (const auto& [name, kind] : tables) candidates.push_back({name, kind});
  return candidates;
}

/// Tables and every other term that selects some.
std::vector<Candidate> SelectionTerms(const config::Project& project) {
  std::vector<Candidate> terms = TableNames(project);
  std::map<std::string, std::string> others;
  for (const config::Source& source : project.sources) {
    others["source:" + source.name] = "its streams";
    for (const std::string& tag : source.defaults.tags) others["tag:" + tag];
    for (const config::StreamRule& rule : source.streams)
      for (const std::string& tag : rule.tags) others["tag:" + tag];
  }
  for (const config::Model& model : project.models) {
    others[model.name_space + ".*"] = "its models";
    others["path:" + ParentPath(model.file)] = "its models";
    others[std::string("kind:") + config::KindName(model.kind)];
    for (const std::string& tag : model.tags) others["tag:" + tag];
  }
  for (const auto& [term, text] : others) terms.push_back({term, text});
  return terms;
}

std::vector<Candidate> RunNumbers(const config::Project& project) {
  std::vector<Candidate> candidates;
  if (const auto store = OpenStateAtOnce(project))
    for (const state::Run& run : store->Runs(kRunsOffered))
      candidates.push_back({std::to_string(run.number), fmt::format("{} {}", run.status, run.selection)});
  return candidates;
}

std::vector<Candidate> ConnectionNames(const config::Project& project) {
  std::vector<Candidate> candidates;
  for (const auto& [name, connection] : project.connections) candidates.push_back({name, connection.type});
  return candidates;
}

std::vector<Candidate> TargetNames(const config::Project& project) {
  std::vector<Candidate> candidates;
  for (const std::string& name : project.targets)
    candidates.push_back({name, name == config::kNoTarget ? "leat.yaml without a target" : "laid over leat.yaml"});
  return candidates;
}

std::vector<Candidate> ErrorCodes() {
  std::vector<Candidate> candidates;
  for (const EmbeddedFile& page : ExplainPages()) {
    const std::string code(page.path.substr(0, page.path.find('.')));
    candidates.push_back({code, FindExplainPage(code).title});
  }
  return candidates;
}

}  // namespace

std::vector<Candidate> ProjectNames(const std::string& noun, const std::string& folder) {
  try {
    if (noun == "CODE") return ErrorCodes();
    if (noun != "TABLE" && noun != "SELECT" && noun != "RUN" && noun != "NAME" && noun != "TARGET") return {};
    const config::Project project = config::LoadProject(AbsolutePath(folder.empty() ? "." : folder)).project;
    if (noun == "TABLE") return TableNames(project);
    if (noun == "SELECT") return SelectionTerms(project);
    if (noun == "TARGET") return TargetNames(project);
    return noun == "RUN" ? RunNumbers(project) : ConnectionNames(project);
  } catch (const Error&) {
    return {};  // whoever presses Tab wants names or nothing
  }
}

}  // namespace leat::cli
