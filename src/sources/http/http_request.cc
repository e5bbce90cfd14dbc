#include "sources/http/http_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/text.h"
#include "sources/http/http_streams.h"

namespace leat::sources {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::map<std::string, std::string>;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A YAML value as JSON. A moment that an API counts in seconds or milliseconds is a number where it stands alone.
class BodyWriter {
 public:
  BodyWriter(const Values& values, bool moments_are_numbers)
      : values_(values), moments_are_numbers_(moments_are_numbers) {}

  Json Write(const config::YamlNode& node) const {
    switch (node.kind) {
      case config::YamlNode::Kind::kNull:
        return nullptr;
      case config::YamlNode::Kind::kScalar:
        return Scalar(node);
      case config::YamlNode::Kind::kList: {
        Json list = Json::array();
        for (const config::YamlPointer& item : node.items) list.push_back(Write(*item));
        return list;
      }
      case config::YamlNode::Kind::kMap: {
        Json map = Json::object();
        for (const config::YamlEntry& entry : node.entries) map[entry.key] = Write(*entry.value);
        return map;
      }
    }
    return nullptr;
  }

 private:
  Json Scalar(const config::YamlNode& node) const {
    if (node.plain && (node.text == "true" || node.text == "false")) return node.text == "true";
    const bool is_moment = node.text == "{since}" || node.text == "{until}";
    const std::string text = config::FillIn(node.text, values_);
    if (node.plain || (is_moment && moments_are_numbers_))
      if (const Json number = Json::parse(text, nullptr, false); number.is_number()) return number;
    return text;
  }

  const Values& values_;
  bool moments_are_numbers_;
};

Values Encoded(Values values) {
  for (auto& [name, value] : values) value = http::PercentEncode(value);
  return values;
}

void CollectNames(const config::YamlNode& node, std::string& all) {
  all += node.text + "\n";
  for (const config::YamlPointer& item : node.items) CollectNames(*item, all);
  for (const config::YamlEntry& entry : node.entries) CollectNames(*entry.value, all);
}

/// The hosts that the project names: these alone may be machines of a private network.
std::set<std::string> NamedHosts(const HttpPeer& peer, const Values& plain) {
  std::set<std::string> hosts;
  for (const std::string& text : {peer.source.base_url.value, peer.source.auth.token_url.value})
    if (!text.empty()) hosts.insert(http::Url::Parse(config::FillIn(text, plain)).origin().host);
  return hosts;
}

}  // namespace

Timestamp FloorTo(Timestamp time, config::TimeUnit unit) {
  switch (unit) {
    case config::TimeUnit::kMilliseconds:
      return floor<milliseconds>(time);
    case config::TimeUnit::kDate:
      return floor<days>(time);
    case config::TimeUnit::kSeconds:
    case config::TimeUnit::kIso:
      return floor<seconds>(time);
  }
  return time;
}

std::string FormatMoment(Timestamp time, config::TimeUnit unit) {
  switch (unit) {
    case config::TimeUnit::kSeconds:
      return fmt::to_string(floor<seconds>(time).time_since_epoch().count());
    case config::TimeUnit::kMilliseconds:
      return fmt::to_string(floor<milliseconds>(time).time_since_epoch().count());
    case config::TimeUnit::kIso:
      return FormatTimestamp(floor<seconds>(time));
    case config::TimeUnit::kDate:
      return FormatTimestamp(time).substr(0, 10);
  }
  return "";
}

std::string JoinAddress(const std::string& base, const std::string& path) {
  std::string address = base;
  while (address.ends_with('/')) address.pop_back();
  if (!path.empty() && !path.starts_with('/')) address += '/';
  return address + path;
}

std::vector<std::string> NamesInRequest(const config::HttpSource& source, const config::HttpRules& rules) {
  std::string all = source.base_url.value + "\n" + rules.path.value + "\n";
  for (const auto* fields : {&rules.params, &rules.headers})
    for (const auto& [name, text] : *fields)
      if (text) all += text->value + "\n";
  if (rules.body != nullptr) CollectNames(*rules.body, all);
  return config::PlaceholdersIn(all);
}

http::Request MakeRequest(const HttpPeer& peer, const HttpStream& stream, const std::optional<HttpSpan>& span,
                          const std::map<std::string, std::string>& given) {
  const config::HttpRules& rules = stream.http();
  const Values plain = peer.partition.PlainValues(peer.source.partition_name);
  Values moments;
  const config::TimeUnit unit = rules.position ? rules.position->unit : config::TimeUnit::kIso;
  if (span) moments = {{"since", FormatMoment(span->since, unit)}, {"until", FormatMoment(span->until, unit)}};
  // What the file says may hold slashes on purpose; what data says may not lead to another path.
  Values in_path = Encoded(given), anywhere = given;
  in_path.merge(Encoded(moments));
  in_path.insert(plain.begin(), plain.end());
  anywhere.insert(moments.begin(), moments.end());
  anywhere.insert(plain.begin(), plain.end());

  http::Request request{.method = rules.method, .timeout = peer.source.timeout};
  request.url = http::Url::Parse(
      JoinAddress(config::FillIn(peer.source.base_url.value, plain), config::FillIn(rules.path.value, in_path)));
  for (const auto& [name, text] : rules.params)
    if (text) request.url = request.url.WithParameter(name, config::FillIn(text->value, anywhere));
  for (const auto& [name, text] : rules.headers)
    if (text) request.headers.push_back({name, config::FillIn(text->value, anywhere)});
  const bool has_accept = http::FindHeader(request.headers, "accept").has_value();
  if (!has_accept && rules.format == config::RecordFormat::kJson)
    request.headers.push_back({"Accept", "application/json"});
  if (rules.body != nullptr) {
    const bool counts = unit == config::TimeUnit::kSeconds || unit == config::TimeUnit::kMilliseconds;
    request.body = http::Body{"application/json", BodyWriter(anywhere, counts).Write(*rules.body).dump()};
  }
  request.allowed_hosts = NamedHosts(peer, plain);
  return request;
}

std::string RequestMark(const HttpPeer& peer, const HttpStream& stream) {
  const config::HttpRules& rules = stream.http();
  const http::Request request = MakeRequest(peer, stream, std::nullopt, {});
  Json mark = {{"method", request.method},
               {"url", request.url.text()},
               {"body", request.body ? request.body->bytes : ""},
               {"records", rules.records.value},
               {"format", static_cast<int>(rules.format)},
               {"key", stream.nested.info.key},
               {"parent", stream.parent},
               {"parent_columns", stream.parent_columns}};
  mark["headers"] = Json::array();
  for (const http::Header& header : request.headers) mark["headers"].push_back({header.name, header.value});
  const config::HttpPaging& paging = rules.paginate;
  mark["paginate"] = {
      static_cast<int>(paging.type), paging.read.value, paging.param, paging.field, paging.size_param, paging.size};
  if (const auto& position = rules.position)
    mark["position"] = {position->from.value, static_cast<int>(position->unit),
                        position->start ? FormatTimestamp(*position->start) : ""};
  return HashOfText(mark.dump()).substr(0, 16);
}

}  // namespace leat::sources
