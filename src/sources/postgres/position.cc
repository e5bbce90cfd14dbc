#include "sources/postgres/position.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace leat::sources {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

/// So much older than the last read is the one whose horizon counts: a crash gives out again only ids of the last
/// 3 × wal_writer_delay, at most 30 s.
constexpr auto kCrashMargin = 60s;
constexpr auto kRingSpan = 10min;
/// Reads closer together than this share an entry.
constexpr auto kRingStep = 10s;
/// A row's xmin has 32 bits; half of them can be told from the other half. The other quarter is for ids that are given
/// out while the rows are read.
constexpr int64_t kWindowMax = int64_t{1} << 30;

constexpr auto kQuickDeletes = 1s;
constexpr int kDeletesShare = 50;
constexpr auto kDeletesAtLeast = 24h;

Json ToJson(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp TimeOf(const Json& json) { return Timestamp(std::chrono::microseconds(json.get<int64_t>())); }

/// The lowest horizon from the safe entry up to the newest.
int64_t SafeHorizon(const std::vector<RingEntry>& ring) {
  const RingEntry& last = ring.back();
  size_t from = 0;
  for (size_t i = 0; i < ring.size(); ++i)
    if (last.time - ring[i].time >= kCrashMargin) from = i;
  int64_t lowest = last.horizon;
  for (size_t i = from; i < ring.size(); ++i) lowest = std::min(lowest, ring[i].horizon);
  return lowest;
}

}  // namespace

bool StreamIdentity::HasSameIds(const StreamIdentity& other) const {
  return system == other.system && timeline == other.timeline && database == other.database &&
         relation == other.relation;
}

std::string FormatPosition(const StreamPosition& position) {
  Json json;
  json["as_of"] = FormatTimestamp(position.as_of);
  json["read"] = position.read == config::ReadMode::kChanges ? "changes" : "full";
  const StreamIdentity& identity = position.identity;
  json["identity"] = {{"system", identity.system},     {"timeline", identity.timeline}, {"database", identity.database},
                      {"relation", identity.relation}, {"shape", identity.shape},       {"leaves", identity.leaves}};
  json["ring"] = Json::array();
  for (const RingEntry& entry : position.ring)
    json["ring"].push_back({{"time_us", ToJson(entry.time)}, {"h", entry.horizon}, {"x", entry.next}});
  json["flushed"] = position.is_flushed;
  if (position.lost_next) json["lost_x"] = *position.lost_next;
  json["deletes_as_of_us"] = ToJson(position.deletes_as_of);
  json["deletes_took_us"] = position.deletes_took.count();
  json["horizon_since_us"] = ToJson(position.horizon_since);
  return json.dump();
}

std::optional<StreamPosition> ParsePosition(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    const Json& identity = json.at("identity");
    StreamPosition position{.as_of = ParseTimestamp(json.at("as_of")),
                            .read = json.at("read") == "changes" ? config::ReadMode::kChanges : config::ReadMode::kFull,
                            .identity = {.system = identity.at("system"),
                                         .timeline = identity.at("timeline"),
                                         .database = identity.at("database"),
                                         .relation = identity.at("relation"),
                                         .shape = identity.at("shape"),
                                         .leaves = identity.at("leaves")},
                            .ring = {},
                            .is_flushed = json.at("flushed"),
                            .lost_next = {},
                            .deletes_as_of = TimeOf(json.at("deletes_as_of_us")),
                            .deletes_took = std::chrono::microseconds(json.at("deletes_took_us").get<int64_t>()),
                            .horizon_since = TimeOf(json.at("horizon_since_us"))};
    for (const Json& entry : json.at("ring"))
      position.ring.push_back({TimeOf(entry.at("time_us")), entry.at("h"), entry.at("x")});
    if (json.contains("lost_x")) position.lost_next = json.at("lost_x");
    return position;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool IsBehind(const StreamPosition& last, const Moment& moment, const StreamIdentity& identity) {
  const StreamIdentity& before = last.identity;
  const bool may_be_other = before.system.empty() || identity.system.empty();
  return moment.is_standby && !last.ring.empty() && moment.next < last.ring.back().next &&
         (may_be_other || before.system == identity.system) && before.database == identity.database &&
         before.relation == identity.relation;
}

ReadPlan PlanRead(const std::optional<StreamPosition>& position, const Moment& moment, const StreamIdentity& identity,
                  bool full) {
  if (!position || position->ring.empty()) return {.is_fresh = true, .because = "it is not kept how far it was read"};
  if (!position->identity.HasSameIds(identity))
    return {.is_fresh = true, .because = "it is another table, or of another server, than before"};
  const RingEntry& last = position->ring.back();
  const int64_t from = SafeHorizon(position->ring);
  ReadPlan plan{.how = ReadPlan::How::kChanges, .from = from, .lost_next = position->lost_next};
  plan.shape_changed = position->identity.shape != identity.shape;
  if (moment.next < last.horizon || moment.next - from >= kWindowMax)
    return {.is_fresh = true,
            .shape_changed = plan.shape_changed,
            .because = "transaction ids of before say nothing any more"};
  if (moment.next < last.next) {
    // The server has crashed. What it shows may be older than what was read, so nothing counts as deleted yet.
    plan.may_delete = false;
    plan.lost_next = std::max(last.next, position->lost_next.value_or(0));
  } else if (plan.lost_next) {
    plan.may_delete = moment.next >= *plan.lost_next;
  }
  const bool caught_up = plan.may_delete && plan.lost_next;
  if (full || identity != position->identity || !position->is_flushed || caught_up) {
    plan.how = ReadPlan::How::kFull;
    plan.is_fresh = plan.may_delete;
    if (caught_up || !position->is_flushed) plan.because = "the server may have lost its last transactions in a crash";
    if (position->identity.leaves != identity.leaves) plan.because = "its partitions changed";
    if (plan.shape_changed) plan.because = "its shape changed";
    if (plan.is_fresh) plan.lost_next.reset();
  }
  return plan;
}

bool IsDeleteDue(const config::DeleteRule& rule, const StreamPosition& position, Timestamp now) {
  const auto passed = now - position.deletes_as_of;
  switch (rule.when) {
    case config::DeleteRule::When::kNever:
      return false;
    case config::DeleteRule::When::kEveryRun:
      return true;
    case config::DeleteRule::When::kEvery:
      return passed >= rule.interval;
    case config::DeleteRule::When::kAuto:
      break;
  }
  if (position.deletes_took < kQuickDeletes) return true;
  return passed >= std::min<std::chrono::microseconds>(kDeletesShare * position.deletes_took, kDeletesAtLeast);
}

std::vector<RingEntry> Advance(std::vector<RingEntry> ring, const Moment& moment) {
  // A clock that ran ahead and was put back must not leave a read in the future.
  int64_t horizon = moment.horizon;
  while (!ring.empty() && ring.back().time > moment.time) {
    horizon = std::min(horizon, ring.back().horizon);
    ring.pop_back();
  }
  // The newest entry stays as it is; the one before may stand for both, with the lower horizon.
  if (ring.size() >= 2) {
    RingEntry& last = ring.back();
    RingEntry& before = ring[ring.size() - 2];
    if (last.time - before.time < kRingStep) {
      before.horizon = std::min(before.horizon, last.horizon);
      ring.pop_back();
    }
  }
  ring.push_back({moment.time, horizon, moment.next});
  const Timestamp newest = moment.time;
  size_t safe = 0;
  for (size_t i = 0; i < ring.size(); ++i)
    if (newest - ring[i].time >= kCrashMargin) safe = i;
  size_t drop = 0;
  while (drop < safe && newest - ring[drop].time > kRingSpan) ++drop;
  ring.erase(ring.begin(), ring.begin() + static_cast<std::ptrdiff_t>(drop));
  return ring;
}

}  // namespace leat::sources
