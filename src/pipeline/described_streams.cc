#include "pipeline/described_streams.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/text.h"
#include "pipeline/plan.h"

namespace leat::pipeline {
namespace {

std::vector<config::Located<std::string>> Mentioned(const config::Project& project) {
  std::vector<config::Located<std::string>> mentioned;
  for (const config::StreamProperties& stream : project.streams) {
    mentioned.push_back({stream.name, stream.place});
    for (const config::CheckRule& rule : stream.checks)
      for (const auto& reference : rule.references) mentioned.push_back(reference.table);
  }
  for (const config::Exposure& exposure : project.exposures)
    mentioned.insert(mentioned.end(), exposure.depends_on.begin(), exposure.depends_on.end());
  std::erase_if(mentioned, [&](const auto& table) {
    return project.FindSource(NamespaceOf(table.value)) == nullptr || project.IsLeftOut(table.value);
  });
  return mentioned;
}

Diagnostic Unknown(const config::Located<std::string>& stream, const std::set<std::string>& streams) {
  std::vector<std::string> known;
  for (const std::string& name : streams)
    if (NamespaceOf(name) == NamespaceOf(stream.value)) known.push_back(name);
  Diagnostic unknown{.code = "LEAT0134", .place = stream.place};
  unknown.message = fmt::format("stream {} does not exist", stream.value);
  SuggestNearest(unknown, stream.value, known);
  if (unknown.help.empty()) unknown.help.push_back(fmt::format("streams: {}", Shorten(Join(known, ", "), 200)));
  return unknown;
}

}  // namespace

std::vector<Diagnostic> UnknownStreams(const config::Project& project, const std::set<std::string>& streams,
                                       const std::function<bool(const std::string& source)>& is_known) {
  std::vector<Diagnostic> unknown;
  for (const auto& stream : Mentioned(project))
    if (!streams.contains(stream.value) && is_known(NamespaceOf(stream.value)))
      unknown.push_back(Unknown(stream, streams));
  return unknown;
}

std::set<std::string> DescribedStreams(const config::Project& project) {
  std::set<std::string> names;
  for (const auto& stream : Mentioned(project)) names.insert(stream.value);
  return names;
}

}  // namespace leat::pipeline
