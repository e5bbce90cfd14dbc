#include "sources/postgres/position.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::sources {
namespace {

using namespace std::chrono_literals;
using How = ReadPlan::How;

const StreamIdentity kOrders = {
    .system = "7", .timeline = "00000001", .database = "16384", .relation = "16400", .shape = "s", .leaves = ""};

Timestamp At(std::chrono::seconds seconds) { return Timestamp(1700000000s + seconds); }

/// A snapshot `seconds` after the start of the test, by the bounds it had.
Moment MomentAt(std::chrono::seconds seconds, int64_t horizon, int64_t next) {
  return {.time = At(seconds), .horizon = horizon, .next = next};
}

/// A position after reads at these moments, one after the other.
StreamPosition After(const std::vector<Moment>& moments) {
  StreamPosition position{.identity = kOrders};
  for (const Moment& moment : moments) position.ring = Advance(position.ring, moment);
  return position;
}

ReadPlan Plan(const std::optional<StreamPosition>& position, const Moment& moment,
              const StreamIdentity& identity = kOrders, bool full = false) {
  return PlanRead(position, moment, identity, full);
}

TEST(PlanReadTest, ComparesEverythingTheFirstTime) {
  const ReadPlan plan = Plan(std::nullopt, MomentAt(0s, 100, 100));
  EXPECT_EQ(plan.how, How::kFull);
  EXPECT_TRUE(plan.is_fresh);
  EXPECT_TRUE(plan.may_delete);
}

TEST(PlanReadTest, GoesOnFromTheFirstHorizonWhileNoOtherIsOldEnough) {
  const auto position = After({MomentAt(0s, 100, 100), MomentAt(30s, 200, 205)});
  const ReadPlan plan = Plan(position, MomentAt(330s, 300, 300));
  EXPECT_EQ(plan.how, How::kChanges);
  EXPECT_EQ(plan.from, 100);
  EXPECT_FALSE(plan.is_fresh);
}

TEST(PlanReadTest, GoesBackSixtySecondsBeforeTheLastReadAndNotBeforeNow) {
  const auto position = After({MomentAt(0s, 100, 100), MomentAt(300s, 200, 200), MomentAt(350s, 300, 300)});
  EXPECT_EQ(Plan(position, MomentAt(10000s, 400, 400)).from, 100);
  EXPECT_EQ(Plan(After({MomentAt(0s, 100, 100), MomentAt(300s, 200, 200), MomentAt(360s, 300, 300)}),
                 MomentAt(10000s, 400, 400))
                .from,
            200);
}

TEST(PlanReadTest, TakesTheLowestHorizonSinceThen) {
  const auto position =
      After({MomentAt(0s, 100, 100), MomentAt(300s, 200, 200), MomentAt(330s, 150, 260), MomentAt(370s, 300, 300)});
  EXPECT_EQ(Plan(position, MomentAt(400s, 310, 310)).from, 150);
}

TEST(PlanReadTest, ComparesEverythingWhereIdsMeanSomethingElse) {
  const auto position = After({MomentAt(0s, 100, 110)});
  for (const auto part :
       {&StreamIdentity::system, &StreamIdentity::timeline, &StreamIdentity::database, &StreamIdentity::relation}) {
    StreamIdentity other = kOrders;
    other.*part = "other";
    for (const int64_t next : {200, 105}) {  // its ids may be ahead of those that were read, or behind
      const ReadPlan plan = Plan(position, MomentAt(300s, next, next), other);
      EXPECT_EQ(plan.how, How::kFull);
      EXPECT_TRUE(plan.is_fresh);
      EXPECT_TRUE(plan.may_delete);
    }
  }
}

TEST(PlanReadTest, ComparesEverythingWhereRowsMayShowOtherThings) {
  const auto position = After({MomentAt(0s, 100, 100)});
  StreamIdentity reshaped = kOrders, attached = kOrders;
  reshaped.shape = "t";
  attached.leaves = "l";
  EXPECT_EQ(Plan(position, MomentAt(300s, 200, 200), reshaped).how, How::kFull);
  EXPECT_TRUE(Plan(position, MomentAt(300s, 200, 200), reshaped).shape_changed);
  EXPECT_EQ(Plan(position, MomentAt(300s, 200, 200), attached).how, How::kFull);
}

TEST(PlanReadTest, ReadsNothingFromAStandbyThatIsBehind) {
  const auto position = After({MomentAt(0s, 100, 110)});
  Moment standby = MomentAt(300s, 105, 105);
  EXPECT_FALSE(IsBehind(position, standby, kOrders)) << "a primary has crashed";
  standby.is_standby = true;
  EXPECT_TRUE(IsBehind(position, standby, kOrders));
  StreamIdentity unknown = kOrders, other = kOrders;
  unknown.system = unknown.timeline = "";
  other.system = "8";
  EXPECT_TRUE(IsBehind(position, standby, unknown)) << "the role may not ask which server it is";
  EXPECT_FALSE(IsBehind(position, standby, other));
  standby.next = 110;
  EXPECT_FALSE(IsBehind(position, standby, kOrders));
  EXPECT_EQ(Plan(position, standby).how, How::kChanges);
}

TEST(PlanReadTest, GoesOnAfterACrashWithoutDeletesUntilIdsHaveCaughtUp) {
  StreamPosition position = After({MomentAt(0s, 100, 100), MomentAt(300s, 200, 250)});
  const ReadPlan crashed = Plan(position, MomentAt(310s, 230, 230));
  EXPECT_EQ(crashed.how, How::kChanges);
  EXPECT_EQ(crashed.from, 100);
  EXPECT_FALSE(crashed.may_delete);
  ASSERT_EQ(crashed.lost_next, 250);

  position.ring = Advance(position.ring, MomentAt(310s, 230, 230));
  position.lost_next = crashed.lost_next;
  const ReadPlan behind = Plan(position, MomentAt(320s, 240, 240));
  EXPECT_EQ(behind.how, How::kChanges);
  EXPECT_FALSE(behind.may_delete);
  EXPECT_EQ(behind.lost_next, 250);

  const ReadPlan caught_up = Plan(position, MomentAt(330s, 250, 250));
  EXPECT_EQ(caught_up.how, How::kFull);
  EXPECT_TRUE(caught_up.may_delete);
  EXPECT_TRUE(caught_up.is_fresh);
  EXPECT_EQ(caught_up.lost_next, std::nullopt);
}

TEST(PlanReadTest, KeepsItsHorizonsWhenEverythingIsComparedRightAfterACrash) {
  const auto position = After({MomentAt(0s, 100, 100), MomentAt(300s, 200, 250)});
  const ReadPlan plan = Plan(position, MomentAt(310s, 230, 230), kOrders, /*full=*/true);
  EXPECT_EQ(plan.how, How::kFull);
  EXPECT_FALSE(plan.may_delete);
  EXPECT_FALSE(plan.is_fresh);
}

TEST(PlanReadTest, StartsAnewWhereIdsWentBackBehindTheLastHorizon) {
  const auto position = After({MomentAt(0s, 100, 100), MomentAt(300s, 200, 250)});
  const ReadPlan plan = Plan(position, MomentAt(310s, 150, 150));
  EXPECT_EQ(plan.how, How::kFull);
  EXPECT_TRUE(plan.is_fresh);
}

TEST(PlanReadTest, StartsAnewWhereTheWindowWouldAlias) {
  const auto position = After({MomentAt(0s, 100, 100)});
  EXPECT_EQ(Plan(position, MomentAt(300s, 100, 100 + (int64_t{1} << 30) - 1)).how, How::kChanges);
  EXPECT_EQ(Plan(position, MomentAt(300s, 100, 100 + (int64_t{1} << 30))).how, How::kFull);
}

TEST(PlanReadTest, ComparesEverythingAfterAFreshRingThatWasNotFlushed) {
  StreamPosition position = After({MomentAt(0s, 100, 100)});
  position.is_flushed = false;
  EXPECT_EQ(Plan(position, MomentAt(300s, 200, 200)).how, How::kFull);
}

TEST(RingTest, KeepsTenMinutesAndOneReadThatIsSixtySecondsOlder) {
  std::vector<RingEntry> ring;
  for (int i = 0; i <= 20; ++i) ring = Advance(ring, MomentAt(60s * i, 100 + i, 100 + i));
  ASSERT_EQ(ring.size(), 11u);
  EXPECT_EQ(ring.front().time, At(600s));
  EXPECT_EQ(ring.back().time, At(1200s));

  ring = Advance(ring, MomentAt(9000s, 200, 200));
  ASSERT_EQ(ring.size(), 2u) << "the one before stays however old it is";
  EXPECT_EQ(ring.front().time, At(1200s));
}

TEST(RingTest, ReadsCloseTogetherShareAnEntryWithTheLowestHorizon) {
  std::vector<RingEntry> ring;
  for (int i = 0; i < 600; ++i) ring = Advance(ring, MomentAt(1s * i, 1000 - i, 1000 + i));
  EXPECT_LT(ring.size(), 65u);
  EXPECT_EQ(ring.front().time, At(0s));
  EXPECT_LE(ring.front().horizon, 991);
  EXPECT_EQ(ring.back(), (RingEntry{At(599s), 401, 1599}));
}

TEST(RingTest, AClockThatWasPutBackLeavesNoReadInTheFuture) {
  std::vector<RingEntry> ring;
  for (const auto& moment : {MomentAt(0s, 100, 100), MomentAt(300s, 150, 150), MomentAt(90000s, 120, 200)})
    ring = Advance(ring, moment);
  ring = Advance(ring, MomentAt(600s, 300, 300));
  ASSERT_FALSE(ring.empty());
  EXPECT_EQ(ring.back(), (RingEntry{At(600s), 120, 300}));
  for (const RingEntry& entry : ring) EXPECT_LE(entry.time, At(600s));
}

TEST(PositionTest, SurvivesBeingStored) {
  StreamPosition position = After({MomentAt(0s, 4294967400, 4294967400), MomentAt(300s, 4294968000, 4294968050)});
  position.as_of = At(300s);
  position.is_flushed = false;
  position.lost_next = 4294969000;
  position.deletes_as_of = At(250s);
  position.deletes_took = 1234us;
  position.horizon_since = At(100s);
  const auto read = ParsePosition(FormatPosition(position));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->as_of, position.as_of);
  EXPECT_EQ(read->identity, position.identity);
  EXPECT_EQ(read->ring, position.ring);
  EXPECT_EQ(read->is_flushed, false);
  EXPECT_EQ(read->lost_next, position.lost_next);
  EXPECT_EQ(read->deletes_as_of, position.deletes_as_of);
  EXPECT_EQ(read->deletes_took, position.deletes_took);
  EXPECT_EQ(read->horizon_since, position.horizon_since);
}

TEST(PositionTest, WhatIsNoneIsNotTakenForOne) {
  EXPECT_FALSE(ParsePosition(""));
  EXPECT_FALSE(ParsePosition("{}"));
  EXPECT_FALSE(ParsePosition(R"({"read":"full","as_of":"2024-11-21T14:05:02Z"})"));
}

TEST(DeletesTest, AreLookedForEveryRunWhileThatIsQuick) {
  StreamPosition position{.deletes_as_of = At(0s), .deletes_took = 999ms};
  EXPECT_TRUE(IsDeleteDue({}, position, At(1s)));
  position.deletes_took = 2s;
  EXPECT_FALSE(IsDeleteDue({}, position, At(99s)));
  EXPECT_TRUE(IsDeleteDue({}, position, At(100s)));
  position.deletes_took = 2h;
  EXPECT_FALSE(IsDeleteDue({}, position, At(24h - 1s)));
  EXPECT_TRUE(IsDeleteDue({}, position, At(24h)));
}

TEST(DeletesTest, FollowTheProject) {
  using When = config::DeleteRule::When;
  const StreamPosition position{.deletes_as_of = At(0s), .deletes_took = 1h};
  EXPECT_TRUE(IsDeleteDue({When::kEveryRun}, position, At(1s)));
  EXPECT_FALSE(IsDeleteDue({When::kNever}, position, At(1000h)));
  EXPECT_FALSE(IsDeleteDue({When::kEvery, 6h}, position, At(6h - 1s)));
  EXPECT_TRUE(IsDeleteDue({When::kEvery, 6h}, position, At(6h)));
}

}  // namespace
}  // namespace leat::sources
