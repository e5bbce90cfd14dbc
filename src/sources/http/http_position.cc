#include "sources/http/http_position.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace leat::sources {
namespace {

using PositionJson = nlohmann::ordered_json;

}  // namespace

std::string FormatHttpPosition(const HttpStreamPosition& position, bool in_full) {
  PositionJson json = {{"read", in_full ? "full" : "changes"}, {"partitions", PositionJson::object()}};
  for (const auto& [partition, at] : position) {
    PositionJson& entry = json["partitions"][partition];
    entry = {{"until", at.until.time_since_epoch().count()},
             {"until_utc", FormatTimestamp(at.until)},  // for people
             {"request", at.request}};
    if (at.parent_seq) entry["parent_seq"] = *at.parent_seq;
  }
  return json.dump();
}

HttpStreamPosition ParseHttpPosition(const std::string& text) {
  try {
    HttpStreamPosition position;
    const PositionJson json = PositionJson::parse(text);
    for (const auto& [partition, entry] : json.at("partitions").items()) {
      PartitionPosition& at = position[partition];
      at = {.until = Timestamp(std::chrono::microseconds(entry.at("until").get<int64_t>())),
            .request = entry.at("request"),
            .parent_seq = {}};
      if (entry.contains("parent_seq")) at.parent_seq = entry.at("parent_seq").get<int64_t>();
    }
    return position;
  } catch (const PositionJson::exception&) {
    return {};
  }
}

Windows::Windows(const config::HttpPosition& rules, bool in_parts, std::optional<Timestamp> from, Timestamp now)
    : rules_(rules),
      in_parts_(in_parts),
      is_first_(!from),
      reached_(from.value_or(rules.start.value_or(Timestamp()))),
      end_(FloorTo(now, rules.unit)),
      length_(std::max<std::chrono::microseconds>(rules.window, std::chrono::seconds(1))) {
  reached_ = std::min(reached_, end_);  // a clock that was set back must not ask for a span of the future
}

Timestamp Windows::WindowEnd() const {
  if (!in_parts_ || end_ - reached_ <= length_) return end_;
  const Timestamp end = FloorTo(reached_ + length_, rules_.unit);
  // A window shorter than the unit still has to move on.
  return end > reached_ ? end : std::min(end_, reached_ + std::chrono::days(1));
}

HttpSpan Windows::Next() const {
  const Timestamp since = is_first_ ? reached_ : std::max(Timestamp(), reached_ - rules_.overlap);
  return {FloorTo(since, rules_.unit), WindowEnd()};
}

void Windows::Advance(bool had_records) {
  reached_ = WindowEnd();
  is_asked_ = true;
  is_first_ = false;
  length_ = had_records ? std::chrono::microseconds(rules_.window) : length_ * 2;
}

}  // namespace leat::sources
