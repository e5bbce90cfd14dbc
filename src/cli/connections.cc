#include "pipeline/connections.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/connections_report.h"
#include "core/text.h"

namespace leat::cli {
namespace {

std::vector<std::string> NamesOf(const config::Project& project) {
  std::vector<std::string> names;
  for (const auto& [name, connection] : project.connections) names.push_back(name);
  return names;
}

void RefuseUnknown(const config::Project& project, const std::string& name) {
  if (project.connections.contains(name)) return;
  const std::vector<std::string> known = NamesOf(project);
  const auto near = NearestNames(name, known);
  throw Error(kConfig, "LEAT0313",
              fmt::format("connection '{}' does not exist{}", Shorten(name, 80),
                          near.empty() ? "" : fmt::format("; did you mean {}?", near.front())))
      .Hint(known.empty() ? "add it to  connections:  in leat.yaml" : "connections: " + Join(known, ", "));
}

ExitCode ListConnections(Session& session, const config::Project& project) {
  const auto views = pipeline::DescribeConnections(project);
  std::vector<Diagnostic> faults;
  for (const pipeline::ConnectionView& view : views)
    if (view.fault) faults.push_back(*view.fault);
  session.Answer(FormatConnections(views, session.out_terminal()), ConnectionsJson(views), faults);
  return faults.empty() ? kAllDone : kNothingRun;
}

ExitCode TestConnections(Session& session, const config::Project& project) {
  const std::string& name = session.line().subject;
  const auto names = name.empty() ? NamesOf(project) : std::vector<std::string>{name};
  const auto tests = pipeline::TestConnections(project, names, session.cancel());
  std::vector<Diagnostic> faults;
  ExitCode code = kAllDone;
  for (const pipeline::ConnectionTest& test : tests) {
    faults.insert(faults.end(), test.faults.begin(), test.faults.end());
    if (!test.faults.empty() && code == kAllDone) code = kSomeFailed;
    if (!test.reached) code = kNoConnection;
  }
  session.Answer(FormatConnectionTests(tests, session.out_terminal()), ConnectionTestsJson(tests), faults);
  return code;
}

}  // namespace

ExitCode Connections(Session& session) {
  const config::Project project = session.OpenProject();
  const std::string& name = session.line().subject;
  if (!name.empty()) RefuseUnknown(project, name);
  if (session.line().action == "list") return ListConnections(session, project);
  if (session.line().action == "test") return TestConnections(session, project);
  const pipeline::Discovery discovery = pipeline::Discover(project, name, session.cancel());
  session.Answer(FormatDiscovery(name, discovery, session.out_terminal()), DiscoveryJson(name, discovery));
  return kAllDone;
}

}  // namespace leat::cli
