#include "sources/http/http_streams.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/text.h"
#include "sources/http/http_request.h"

namespace leat::sources {
namespace {

/// The column of a field: what `rename` says of its path or clean name, else the clean name.
std::string ColumnOfField(const config::StreamRule& rule, const std::string& field) {
  for (const std::string& name : {field, CleanName(field)})
    if (const auto renamed = rule.rename.find(name); renamed != rule.rename.end()) return renamed->second.value;
  return CleanName(field);
}

/// The address as the file writes it; it holds no secret.
std::string OriginOf(const config::Source& source, const config::StreamRule& rule, const std::string& entry) {
  return JoinAddress(source.http.base_url.value, rule.http.path.value.empty() ? entry : rule.http.path.value);
}

HttpStream DescribeStream(const config::Source& source, const std::string& entry, config::StreamRule rule) {
  HttpStream stream;
  stream.nested.info.name = source.StreamName(entry);
  stream.nested.info.origin = OriginOf(source, rule, entry);
  std::vector<std::string>& given = stream.nested.given_columns;
  if (!source.http.partition_name.empty()) given.push_back(source.http.partition_name);
  if (rule.http.for_each)
    for (const auto& [name, column] : rule.http.for_each->values) {
      stream.given_names.push_back(name);
      stream.parent_columns.push_back(column.value);
      given.push_back(CleanName(name));
    }
  if (!rule.key.empty()) {
    stream.nested.info.key = given;
    for (const auto& field : rule.key)
      if (const std::string column = ColumnOfField(rule, field.value);
          std::find(given.begin(), given.end(), column) == given.end())
        stream.nested.info.key.push_back(column);
  }
  const std::vector<std::string> asked = NamesInRequest(source.http, rule.http);
  stream.asks_since = std::find(asked.begin(), asked.end(), "since") != asked.end();
  stream.asks_until = std::find(asked.begin(), asked.end(), "until") != asked.end();
  if (rule.http.path.value.empty()) rule.http.path = {entry, rule.pattern.place};
  stream.nested.rule = std::move(rule);
  return stream;
}

void RefuseName(const HttpStream& stream, const std::string& entry) {
  const std::string name = engine::ParseName(stream.name()).second;
  if (!name.starts_with("_leat")) return;
  throw Error(kConfig, "LEAT0413", stream.nested.rule.pattern.place,
              fmt::format("stream \"{}\" has a reserved name; expected one that does not begin with _leat", entry))
      .Hint(fmt::format("add  rename: {{{}: {}}}  at the top of the file", YamlName(entry), name.substr(1)));
}

/// Without `{until}` the position is the greatest value seen, which only JSON is looked through for.
void RefuseUntoldPosition(const HttpStream& stream) {
  const config::HttpRules& http = stream.http();
  if (!http.position || stream.asks_until || http.format != config::RecordFormat::kCsv) return;
  throw Error(
      kConfig, "LEAT0426", http.position->place,
      fmt::format("{} is CSV and its requests have no {{until}}; expected an upper bound to go on from", stream.name()))
      .Hint("let a parameter hold {until}, or remove `position` to read it in full each time");
}

/// What is asked for each new row of another stream knows no time of its own.
void RefuseTwoWays(const HttpStream& stream) {
  if (!stream.http().position || !stream.http().for_each) return;
  throw Error(kConfig, "LEAT0426", stream.nested.rule.pattern.place,
              fmt::format("{} has a position and is asked for each row of {}; expected one of the two", stream.name(),
                          stream.parent))
      .Hint("remove what it inherits by  position: null");
}

HttpStream* FindStream(std::vector<HttpStream>& streams, const std::string& name) {
  const auto found = std::find_if(streams.begin(), streams.end(), [&](const auto& s) { return s.name() == name; });
  return found == streams.end() ? nullptr : &*found;
}

void FindParents(const config::Source& source, std::vector<HttpStream>& streams) {
  for (HttpStream& stream : streams) {
    if (!stream.http().for_each) continue;
    const config::Located<std::string>& wanted = stream.http().for_each->stream;
    stream.parent = source.StreamName(wanted.value);
    RefuseTwoWays(stream);
    if (FindStream(streams, stream.parent) != nullptr) continue;
    std::vector<std::string> names;
    for (const config::StreamRule& rule : source.streams) names.push_back(rule.pattern.value);
    Diagnostic fault{.code = "LEAT0425",
                     .message = fmt::format("for_each of {} names stream {}, which {} does not read", stream.name(),
                                            wanted.value, source.file),
                     .place = wanted.place};
    SuggestNearest(fault, wanted.value, names);
    fault.help.push_back("name an entry of `streams` that is not skipped, as it is spelled there");
    throw Error(kConfig, std::move(fault));
  }
}

void FindLevels(std::vector<HttpStream>& streams) {
  for (HttpStream& stream : streams) {
    const HttpStream* ancestor = &stream;
    for (; !ancestor->parent.empty(); ancestor = FindStream(streams, ancestor->parent)) {
      if (++stream.level <= static_cast<int>(streams.size())) continue;
      throw Error(
          kConfig, "LEAT0425", stream.http().for_each->stream.place,
          fmt::format("for_each of {} leads back to itself; expected a stream that is read on its own", stream.name()))
          .Hint("let one of these streams be read without `for_each`");
    }
  }
}

}  // namespace

std::vector<HttpStream> MatchHttpStreams(const config::Source& source) {
  std::vector<HttpStream> streams;
  std::map<std::string, std::string> taken;
  for (const config::StreamRule& entry : source.streams) {
    if (!entry.exact()) continue;
    const std::string& name = entry.pattern.value;
    std::optional<config::StreamRule> rule = source.RuleFor(name);
    if (!rule || rule->skip) continue;
    const HttpStream& stream = streams.emplace_back(DescribeStream(source, name, *std::move(rule)));
    RefuseName(stream, name);
    RefuseUntoldPosition(stream);
    const auto [other, is_new] = taken.emplace(stream.name(), name);
    if (!is_new)
      throw Error(kConfig, "LEAT0406", entry.pattern.place,
                  fmt::format("\"{}\" and \"{}\" would both be the stream {}", other->second, name, stream.name()))
          .Hint(fmt::format("add  rename: {{{}: {}}}  at the top of the file", YamlName(name),
                            engine::ParseName(stream.name()).second + "_2"));
  }
  FindParents(source, streams);
  FindLevels(streams);
  std::sort(streams.begin(), streams.end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return streams;
}

}  // namespace leat::sources
