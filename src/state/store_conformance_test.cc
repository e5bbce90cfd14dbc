// What every implementation of Store must do. A further one adds its maker to kImplementations.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>

#include "core/error.h"
#include "core/ids.h"
#include "state/state.h"

namespace leat::state {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

/// An empty state that several stores can open at once.
class World {
 public:
  virtual ~World() = default;
  virtual std::unique_ptr<Store> Open(const Clock& clock, const Process& process) = 0;
};

class SqliteWorld : public World {
 public:
  SqliteWorld() {
    char name[] = "/tmp/leat-state-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~SqliteWorld() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<Store> Open(const Clock& clock, const Process& process) override {
    return OpenSqlite(folder_ + "/.leat/state.db", "shop", clock, {.process = process});
  }

 private:
  std::string folder_;
};

struct Implementation {
  const char* name;
  std::function<std::unique_ptr<World>()> make;
};

const Implementation kImplementations[] = {
    {"Sqlite", [] { return std::make_unique<SqliteWorld>(); }},
};

const TableName kOrders{"totesys", "sales_order__history"};
constexpr const char* kSource = "source:totesys";

class StoreConformance : public testing::TestWithParam<Implementation> {
 protected:
  std::unique_ptr<Store> Open() { return world_->Open(clock_, ThisProcess()); }
  std::unique_ptr<Store> OpenElsewhere() {
    return world_->Open(clock_, {.host = "far", .machine = "another boot", .pid = 4711, .started = 1});
  }
  Store& store() {
    if (!store_) store_ = Open();
    return *store_;
  }

  Store::Begun Begin() { return store().BeginRun("", {kSource}); }

  /// One table of one source goes from `from` to `to`; `from` empty: it is made. Its position, step and a model go
  /// along.
  static Commit Extract(const Store::Begun& begun, int64_t number, const std::string& from, const std::string& to) {
    Commit commit{
        .scope = kSource, .number = number, .attempt = NewUuid(), .run = begun.run.number, .leases = begun.leases};
    commit.swaps = {{kOrders, from.empty() ? std::nullopt : std::optional(from), to}};
    commit.positions = {{"totesys.sales_order", to, number - 1}};
    commit.steps = {StepOf(begun.run.number, "totesys.sales_order", "extract")};
    commit.models = {{"mart.dim_staff", to}};
    commit.recipes = {{"totesys.sales_order", to}, {"mart.dim_staff", to}};
    return commit;
  }
  static Step StepOf(int64_t run, const std::string& table, const std::string& step,
                     const std::string& status = "done") {
    return {.run = run,
            .table = table,
            .step = step,
            .status = status,
            .rows_read = 3,
            .rows_written = 2,
            .rows_repeated = 1};
  }

  /// Everything a commit may change, as one text.
  std::string Truth() {
    const auto pointers = store().Pointers();
    const auto position = store().FindPosition("totesys.sales_order");
    const auto model = store().FindModel("mart.dim_staff");
    std::string recipes;
    for (const Recipe& recipe : store().Recipes()) recipes += " " + recipe.text;
    return fmt::format("pointer {}, position {}/{}, model {}, recipes{}, steps {}, commit {}",
                       pointers.contains(kOrders) ? pointers.at(kOrders) : "-", position ? position->value : "-",
                       position ? position->commit_number : 0, model ? model->fingerprint : "-", recipes,
                       store().LatestSteps(Store::StepChoice::kAny).size(), store().LastCommitNumber(kSource));
  }

  /// The text of the conflict that `commit` meets; the truth must stay as it was.
  std::string ConflictOf(const Commit& commit) {
    const std::string before = Truth();
    std::string text = "no conflict";
    try {
      store().Publish(commit);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kConflict);
      text = error.code() + " " + error.message();
    }
    EXPECT_EQ(Truth(), before);
    return text;
  }

  std::unique_ptr<World> world_ = GetParam().make();
  FakeClock clock_{ParseTimestamp("2024-11-21T14:00:00Z")};
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Implementations, StoreConformance, testing::ValuesIn(kImplementations),
                         [](const auto& implementation) { return implementation.param.name; });

TEST_P(StoreConformance, ACommitMakesAllOfItTrue) {
  const auto begun = Begin();
  EXPECT_EQ(Truth(), "pointer -, position -/0, model -, recipes, steps 0, commit 0");
  EXPECT_EQ(store().Publish(Extract(begun, 1, "", "a.json")), 1);
  EXPECT_EQ(Truth(), "pointer a.json, position a.json/1, model a.json, recipes a.json a.json, steps 1, commit 1");
  EXPECT_EQ(store().Publish(Extract(begun, 2, "a.json", "b.json")), 2);
  EXPECT_EQ(Truth(), "pointer b.json, position b.json/2, model b.json, recipes b.json b.json, steps 1, commit 2");
  EXPECT_THAT(Open()->Pointers(), ElementsAre(Pair(kOrders, "b.json")));
}

TEST_P(StoreConformance, AnAbsentThingIsNone) {
  EXPECT_EQ(store().FindPosition("totesys.nothing"), std::nullopt);
  EXPECT_FALSE(store().FindModel("mart.nothing"));
  EXPECT_FALSE(store().LastRun());
  EXPECT_EQ(store().LastCommitNumber("source:nothing"), 0);
}

TEST_P(StoreConformance, TheModelsNumberIsTakenInTheCommit) {
  const auto begun = Begin();
  Commit commit = Extract(begun, 1, "", "a.json");
  commit.scope = "models";
  commit.number = std::nullopt;
  EXPECT_EQ(store().Publish(commit), 1);
  commit.attempt = NewUuid();
  commit.swaps = {{{"mart", "dim_staff"}, std::nullopt, "m.json"}};
  commit.positions.clear();
  EXPECT_EQ(store().Publish(commit), 2);
  EXPECT_EQ(store().LastCommitNumber("models"), 2);
}

TEST_P(StoreConformance, AReadWithoutRowsMovesPositionsAndTakesNoNumber) {
  const auto begun = Begin();
  Commit idle = Extract(begun, 1, "", "");
  idle.swaps.clear();
  idle.positions[0].value = "first look";
  EXPECT_EQ(store().Publish(idle), 0);
  EXPECT_EQ(store().FindPosition("totesys.sales_order")->commit_number, 0);
  store().Publish(Extract(begun, 1, "", "a.json"));
  idle.positions[0] = {"totesys.sales_order", "later", 1};
  EXPECT_EQ(store().Publish(idle), 0);
  EXPECT_EQ(store().FindPosition("totesys.sales_order")->value, "later");
  EXPECT_EQ(store().FindPosition("totesys.sales_order")->commit_number, 1);
  EXPECT_EQ(store().LastCommitNumber(kSource), 1);
}

TEST_P(StoreConformance, AMovedPointerPublishesNothing) {
  const auto begun = Begin();
  store().Publish(Extract(begun, 1, "", "a.json"));
  EXPECT_EQ(ConflictOf(Extract(begun, 2, "old.json", "b.json")),
            "LEAT0512 the table totesys.sales_order__history is at a.json; expected old.json");
  EXPECT_EQ(ConflictOf(Extract(begun, 2, "", "b.json")),
            "LEAT0512 the table totesys.sales_order__history is at a.json; expected no such table");
  Commit other = Extract(begun, 2, "a.json", "b.json");
  other.swaps.push_back({{"totesys", "staff__history"}, "s.json", "t.json"});
  EXPECT_EQ(ConflictOf(other), "LEAT0512 the table totesys.staff__history is not there; expected s.json");
}

TEST_P(StoreConformance, AMovedPositionPublishesNothing) {
  const auto begun = Begin();
  store().Publish(Extract(begun, 1, "", "a.json"));
  for (const int64_t expected : {0, 5}) {
    Commit commit = Extract(begun, 2, "a.json", "b.json");
    commit.positions[0].commit_number = expected;
    EXPECT_EQ(ConflictOf(commit),
              fmt::format("LEAT0512 the position of totesys.sales_order is of commit 1; expected {}", expected));
  }
}

TEST_P(StoreConformance, ANumberThatIsNotTheNextPublishesNothing) {
  const auto begun = Begin();
  store().Publish(Extract(begun, 1, "", "a.json"));
  EXPECT_EQ(ConflictOf(Extract(begun, 1, "a.json", "b.json")),
            "LEAT0512 the last commit of source:totesys is 1; expected 0");
  EXPECT_EQ(ConflictOf(Extract(begun, 3, "a.json", "b.json")),
            "LEAT0512 the last commit of source:totesys is 1; expected 2");
}

TEST_P(StoreConformance, AnAttemptIsPublishedOnce) {
  const auto begun = Begin();
  const Commit first = Extract(begun, 1, "", "a.json");
  store().Publish(first);
  Commit again = Extract(begun, 2, "a.json", "b.json");
  again.attempt = first.attempt;
  EXPECT_EQ(ConflictOf(again),
            fmt::format("LEAT0512 the attempt {} of source:totesys was published before", first.attempt));
}

TEST_P(StoreConformance, ALeaseThatWasGivenBackPublishesNothing) {
  const auto begun = Begin();
  store().FinishRun(begun.run.number, "succeeded", {}, begun.leases);
  EXPECT_EQ(ConflictOf(Extract(begun, 1, "", "a.json")),
            "LEAT0511 the lease on source:totesys was taken over by a run that has ended");
}

TEST_P(StoreConformance, AHeldLeaseIsNamedAndNothingIsTaken) {
  const auto first = Begin();
  clock_.Advance(std::chrono::seconds(5));
  const auto other = Open();
  const auto second = other->BeginRun("", {"model:mart.dim_staff", kSource});
  ASSERT_THAT(second.held, SizeIs(1));
  EXPECT_EQ(second.held[0].name, kSource);
  EXPECT_EQ(second.held[0].run, first.run.number);
  EXPECT_EQ(second.held[0].holder, fmt::format("{}, process {}", ThisProcess().host, getpid()));
  EXPECT_EQ(second.held[0].since, clock_.Now() - std::chrono::seconds(5));
  EXPECT_THAT(second.leases, IsEmpty());
  EXPECT_EQ(other->LastRun()->number, first.run.number);
  EXPECT_THAT(other->BeginRun("", {"model:mart.dim_staff"}).held, IsEmpty());
}

TEST_P(StoreConformance, EachTakerRaisesTheEpoch) {
  const auto first = Begin();
  store().FinishRun(first.run.number, "succeeded", {}, first.leases);
  const auto second = Begin();
  ASSERT_THAT(second.leases, SizeIs(1));
  EXPECT_EQ(second.leases[0].epoch, first.leases[0].epoch + 1);
  EXPECT_GT(second.run.number, first.run.number);
}

TEST_P(StoreConformance, ALivingProcessKeepsItsLeaseHoweverSilent) {
  Begin();
  clock_.Advance(std::chrono::hours(5));
  EXPECT_THAT(Open()->BeginRun("", {kSource}).held, SizeIs(1));
}

TEST_P(StoreConformance, ASilentRunOfAnotherMachineIsReplacedAndFenced) {
  const auto far = OpenElsewhere();
  const auto sleeper = far->BeginRun("", {kSource});
  clock_.Advance(std::chrono::seconds(50));
  far->RenewLeases(sleeper.leases);
  clock_.Advance(std::chrono::seconds(50));
  EXPECT_THAT(Begin().held, SizeIs(1));
  clock_.Advance(std::chrono::seconds(11));
  const auto taker = Begin();
  ASSERT_THAT(taker.held, IsEmpty());
  const std::string replaced =
      fmt::format("LEAT0511 the lease on source:totesys was taken over by run {} ({}, process {})", taker.run.number,
                  ThisProcess().host, getpid());
  EXPECT_EQ(ConflictOf(Extract(sleeper, 1, "", "a.json")), replaced);
  EXPECT_THROW(far->RenewLeases(sleeper.leases), Error);
  far->FinishRun(sleeper.run.number, "failed", {}, sleeper.leases);
  EXPECT_EQ(store().Publish(Extract(taker, 1, "", "b.json")), 1);
}

/// Runs `work` with a store in a child process that ends without cleaning up, as after kill -9. No store may be open
/// here.
void InDyingChild(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(status, 0);
}

TEST_P(StoreConformance, AKilledRunIsCrashedAndReplacedAtOnce) {
  InDyingChild([this] { Begin(); });
  EXPECT_EQ(store().LastRun()->status, "crashed");
  const auto taker = Begin();
  ASSERT_THAT(taker.held, IsEmpty());
  EXPECT_EQ(taker.leases[0].epoch, 2);
  store().FinishRun(taker.run.number, "succeeded", {}, taker.leases);
  EXPECT_EQ(store().LastRun()->status, "succeeded");
}

/// Add one to the number in the pointer, `times` times, whenever the lease can be had.
void CountUp(Store& store, int times) {
  while (times > 0) {
    const auto begun = store.BeginRun("", {kSource});
    if (!begun.held.empty()) {
      usleep(200);
      continue;
    }
    const auto pointers = store.Pointers();
    const int64_t last = store.LastCommitNumber(kSource);
    Commit commit{
        .scope = kSource, .number = last + 1, .attempt = NewUuid(), .run = begun.run.number, .leases = begun.leases};
    commit.swaps = {{kOrders, std::nullopt, std::to_string(last + 1)}};
    if (last > 0) commit.swaps[0].expected = pointers.at(kOrders);
    store.Publish(commit);
    store.FinishRun(begun.run.number, "succeeded", {}, begun.leases);
    --times;
  }
}

TEST_P(StoreConformance, ProcessesThatFightForALeaseLoseNothing) {
  constexpr int kProcesses = 3;
  constexpr int kTimes = 15;
  for (int i = 0; i < kProcesses; ++i) {
    if (fork() != 0) continue;
    try {
      CountUp(*world_->Open(SystemClock(), ThisProcess()), kTimes);  // they also make the file at the same time
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}\n", error.what());
      _exit(1);
    }
    _exit(0);
  }
  for (int i = 0; i < kProcesses; ++i) {
    int status = 0;
    wait(&status);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(store().LastCommitNumber(kSource), kProcesses * kTimes);
  EXPECT_EQ(store().Pointers().at(kOrders), std::to_string(kProcesses * kTimes));
}

TEST_P(StoreConformance, ShowsTheLastRun) {
  const auto begun = store().BeginRun("totesys+", {kSource});
  const auto running = store().LastRun();
  ASSERT_TRUE(running);
  EXPECT_EQ(running->status, "running");
  EXPECT_EQ(running->selection, "totesys+");
  EXPECT_FALSE(running->ended);
  clock_.Advance(std::chrono::seconds(58));
  store().FinishRun(begun.run.number, "partial", {StepOf(begun.run.number, "mart.dim_staff", "build", "failed")},
                    begun.leases);
  EXPECT_EQ(store().LastRun()->status, "partial");
  EXPECT_EQ(store().LastRun()->ended, clock_.Now());
  EXPECT_THAT(store().LatestSteps(Store::StepChoice::kAny), SizeIs(1));
}

TEST_P(StoreConformance, ShowsTheNewestStepOfEachKind) {
  for (const std::string status : {"done", "failed"}) {
    const auto begun = Begin();
    const int64_t run = begun.run.number;
    store().FinishRun(run, "failed",
                      {StepOf(run, "totesys.staff", "extract", status), StepOf(run, "mart.dim_staff", "build", status),
                       StepOf(run, "mart.dim_staff", "check", "warned")},
                      begun.leases);
  }
  std::vector<std::string> seen;
  for (const Step& step : store().LatestSteps(Store::StepChoice::kAny))
    seen.push_back(fmt::format("{} {} {} of run {}, {} = {} + {}", step.table, step.step, step.status, step.run,
                               step.rows_read, step.rows_written, step.rows_repeated));
  EXPECT_THAT(seen, ElementsAre("mart.dim_staff build failed of run 2, 3 = 2 + 1",
                                "mart.dim_staff check warned of run 2, 3 = 2 + 1",
                                "totesys.staff extract failed of run 2, 3 = 2 + 1"));
}

TEST_P(StoreConformance, ShowsTheNewestGoodStepBehindAFailedOne) {
  const Timestamp data_to = clock_.Now();
  for (const std::string status : {"done", "failed", "skipped"}) {
    const auto begun = Begin();
    Step step = StepOf(begun.run.number, "mart.dim_staff", "build", status);
    step.data_to = data_to;
    store().FinishRun(begun.run.number, "failed", {step, StepOf(begun.run.number, "mart.fact", "build", "failed")},
                      begun.leases);
  }
  const std::vector<Step> steps = store().LatestSteps(Store::StepChoice::kGood);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].run, 1);
  EXPECT_EQ(steps[0].status, "done");
  EXPECT_EQ(steps[0].data_to, data_to);
}

TEST_P(StoreConformance, ListsRunsAndTheirSteps) {
  for (const std::string selection : {"mart.*", "source:totesys", "+mart.fact"}) {
    const auto begun = store().BeginRun(selection, {kSource});
    const int64_t run = begun.run.number;
    clock_.Advance(std::chrono::seconds(58));
    store().FinishRun(run, "failed",
                      {StepOf(run, "totesys.staff", "extract"), StepOf(run, "mart.fact", "build", "failed")},
                      begun.leases);
  }
  std::vector<std::string> selections;
  for (const auto& run : store().Runs(2)) selections.push_back(fmt::format("{} {}", run.number, run.selection));
  EXPECT_THAT(selections, ElementsAre("3 +mart.fact", "2 source:totesys"));
  ASSERT_TRUE(store().FindRun(1));
  EXPECT_EQ(store().FindRun(1)->selection, "mart.*");
  EXPECT_EQ(*store().FindRun(1)->ended - store().FindRun(1)->started, std::chrono::seconds(58));
  EXPECT_FALSE(store().FindRun(4));
  const std::vector<Step> steps = store().StepsOf(2);
  ASSERT_THAT(steps, SizeIs(2));
  EXPECT_EQ(steps[0].table, "totesys.staff");
  EXPECT_EQ(steps[1].status, "failed");
  EXPECT_THAT(store().StepsOf(4), IsEmpty());
}

TEST_P(StoreConformance, AKilledRunIsCrashedWhereverItIsShown) {
  InDyingChild([this] { Begin(); });
  EXPECT_EQ(store().FindRun(1)->status, "crashed");
  EXPECT_TRUE(store().FindRun(1)->ended);
  EXPECT_EQ(store().Runs(5)[0].status, "crashed");
}

TEST_P(StoreConformance, AForgottenPositionIsStoredAnewByTheNextCommit) {
  const auto begun = Begin();
  store().Publish(Extract(begun, 1, "", "a.json"));
  store().FinishRun(begun.run.number, "succeeded", {}, begun.leases);
  EXPECT_THAT(store().Positions(), SizeIs(1));
  EXPECT_FALSE(store().ForgetPosition("totesys.sales_order", kSource));
  EXPECT_THAT(store().Positions(), IsEmpty());
  EXPECT_EQ(store().Pointers().at(kOrders), "a.json");
  Commit commit = Extract(Begin(), 2, "a.json", "b.json");
  commit.positions[0].commit_number = 0;
  EXPECT_EQ(store().Publish(commit), 2);
  EXPECT_EQ(store().FindPosition("totesys.sales_order")->commit_number, 2);
}

TEST_P(StoreConformance, AForgottenModelHasNoFingerprint) {
  const auto begun = Begin();
  store().Publish(Extract(begun, 1, "", "a.json"));
  store().FinishRun(begun.run.number, "succeeded", {}, begun.leases);
  EXPECT_FALSE(store().ForgetModel("mart.dim_staff", "model:mart.dim_staff"));
  ASSERT_TRUE(store().FindModel("mart.dim_staff"));
  EXPECT_EQ(store().FindModel("mart.dim_staff")->fingerprint, "");
  ASSERT_THAT(store().Models(), SizeIs(1));
  EXPECT_EQ(store().Models()[0].model, "mart.dim_staff");
  EXPECT_FALSE(store().ForgetModel("mart.nothing", "model:mart.nothing"));
}

TEST_P(StoreConformance, RecipesOfTheNamedTablesAreForgotten) {
  store().Publish(Extract(Begin(), 1, "", "a.json"));
  store().ForgetRecipes({"mart.dim_staff", "mart.nothing"});
  ASSERT_THAT(store().Recipes(), SizeIs(1));
  EXPECT_EQ(store().Recipes()[0].table, "totesys.sales_order");
}

TEST_P(StoreConformance, NothingIsForgottenWhileARunHoldsTheLease) {
  const auto begun = Begin();
  store().Publish(Extract(begun, 1, "", "a.json"));
  const auto holder = Open()->ForgetPosition("totesys.sales_order", kSource);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->run, begun.run.number);
  EXPECT_EQ(holder->name, kSource);
  EXPECT_TRUE(Open()->ForgetModel("mart.dim_staff", kSource));
  EXPECT_EQ(Truth(), "pointer a.json, position a.json/1, model a.json, recipes a.json a.json, steps 1, commit 1");
}

TEST_P(StoreConformance, TrimsOldRunsButWhatIsStillTold) {
  const auto old = Begin();
  const int64_t first = old.run.number;
  Commit commit = Extract(old, 1, "", "a.json");
  commit.models.clear();
  store().Publish(commit);
  commit = Extract(old, 2, "a.json", "b.json");
  commit.models.clear();
  commit.steps = {StepOf(first, "mart.fact", "build"), StepOf(first, "mart.gone", "build", "done")};
  store().Publish(commit);
  store().FinishRun(first, "succeeded",
                    {StepOf(first, "mart.fact", "build", "failed"), StepOf(first, "mart.lost", "build", "failed")},
                    old.leases);
  const auto idle = Begin();
  store().FinishRun(idle.run.number, "succeeded", {StepOf(idle.run.number, "mart.fact", "build", "failed")},
                    idle.leases);
  const auto lost = Begin();
  store().FinishRun(lost.run.number, "succeeded", {}, lost.leases);
  clock_.Advance(std::chrono::hours(24 * 400));
  const auto today = Begin();
  store().FinishRun(today.run.number, "succeeded",
                    {StepOf(today.run.number, "mart.fact", "build", "skipped"),
                     StepOf(today.run.number, "totesys.sales_order", "extract")},
                    today.leases);
  const auto latest = [this](Store::StepChoice choice) {
    std::vector<std::string> names;
    for (const Step& step : store().LatestSteps(choice)) names.push_back(fmt::format("{} {}", step.run, step.table));
    return names;
  };
  const auto newest = latest(Store::StepChoice::kAny);
  const auto good = latest(Store::StepChoice::kGood);

  EXPECT_EQ(store().Trim(clock_.Now() - std::chrono::hours(1)), 3);
  std::vector<int64_t> left;
  for (const auto& run : store().Runs(9)) left.push_back(run.number);
  EXPECT_THAT(left, ElementsAre(4, 1)) << "the first still tells when mart.fact was good and mart.gone was built";
  EXPECT_THAT(store().StepsOf(1), SizeIs(3));
  EXPECT_EQ(latest(Store::StepChoice::kAny), newest);
  EXPECT_EQ(latest(Store::StepChoice::kGood), good);
  EXPECT_EQ(store().LastCommitNumber(kSource), 2);
  EXPECT_EQ(Begin().run.number, 5);

  clock_.Advance(std::chrono::hours(23));
  EXPECT_EQ(store().Trim(clock_.Now()), std::nullopt) << "once a day is enough";
  clock_.Advance(std::chrono::hours(1));
  EXPECT_EQ(store().Trim(clock_.Now() - std::chrono::hours(25)), 3);
}

}  // namespace
}  // namespace leat::state
