#include "models/build_mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"
#include "models/column_bounds.h"

namespace leat::models {
namespace {

int64_t Microseconds(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp AtMicroseconds(int64_t time) { return Timestamp(std::chrono::microseconds(time)); }

/// All rows that a source's table ever had; nullptr for the tables of others.
const engine::Relation* VersionsOf(const engine::Engine& engine, const std::string& stream) {
  const state::TableName name = engine::ParseName(stream);
  if (engine.project().FindSource(name.first) == nullptr) return nullptr;
  const engine::Relation* history = engine.Find({name.first, name.second + std::string(engine::kHistorySuffix)});
  return history != nullptr ? history : engine.Find(name);
}

/// The moment before the first version behind `mark` was read. A clock that was set back dates it before the mark.
Timestamp BeforeNews(engine::Engine& engine, const engine::Relation& versions, const BuildMark::Stream& mark) {
  return AtMicroseconds(engine.connection().QueryInt64(
      fmt::format("SELECT least({}, epoch_us(min(_leat_time)) - 1) FROM {} WHERE _leat_seq > {}",
                  Microseconds(mark.time), engine.AllRowsSql(versions), mark.seq)));
}

}  // namespace

std::string BuildMark::ToString() const {
  nlohmann::json json = {{"run_time_us", Microseconds(run_time)}, {"streams", nlohmann::json::object()}};
  for (const auto& [name, stream] : streams)
    json["streams"][name] = {{"seq", stream.seq}, {"time_us", Microseconds(stream.time)}, {"rebuilt", stream.rebuilt}};
  return json.dump();
}

std::optional<BuildMark> BuildMark::Parse(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    BuildMark mark{.run_time = AtMicroseconds(json.at("run_time_us")), .streams = {}};
    for (const auto& [name, stream] : json.at("streams").items())
      mark.streams[name] = {stream.at("seq"), AtMicroseconds(stream.at("time_us")), stream.value("rebuilt", "")};
    return mark;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

BuildMark BuildMarkOf(engine::Engine& engine, const std::vector<std::string>& names, Timestamp run_time) {
  BuildMark mark{.run_time = run_time, .streams = {}};
  for (const std::string& name : names) {
    const std::string stream = engine::ProducerOf(name);
    const engine::Relation* versions = VersionsOf(engine, stream);
    if (versions == nullptr || mark.streams.contains(stream)) continue;
    const auto greatest = [&](const std::string& column, const std::string& expression) {
      return Greatest(engine.connection(), engine.AllRowsSql(*versions), expression, versions->schema.Find(column),
                      versions->files);
    };
    mark.streams[stream] = {greatest("_leat_seq", "_leat_seq"),
                            AtMicroseconds(greatest("_leat_time", "epoch_us(_leat_time)")), versions->rebuilt};
  }
  return mark;
}

std::optional<Timestamp> SinceOf(engine::Engine& engine, const BuildMark& last, const BuildMark& now) {
  if (now.streams.empty()) return last.run_time;
  std::optional<Timestamp> since;
  for (const auto& [name, mark] : now.streams) {
    const auto before = last.streams.find(name);
    if (before == last.streams.end() || mark.seq < before->second.seq || mark.rebuilt != before->second.rebuilt)
      return std::nullopt;
    const Timestamp of_stream = BeforeNews(engine, *VersionsOf(engine, name), before->second);
    since = since ? std::min(*since, of_stream) : of_stream;
  }
  return since;
}

}  // namespace leat::models
