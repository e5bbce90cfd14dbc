#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "models/model_fixture.h"
#include "models/periods.h"
#include "models/utc_bounds.h"
#include "models/version_moments.h"

namespace leat::models {
namespace {

constexpr const char* kMonthly =
    "SELECT CAST(date_trunc('month', sold) AS DATE) AS month, sum(price) AS price\n"
    "FROM shop.sale WHERE sold >= $period_start AND sold < $period_end GROUP BY ALL";

class PeriodTest : public ModelsTest {
 protected:
  PeriodTest() {
    Stream("shop.sale", "id INTEGER, sold TIMESTAMP, price INTEGER", {"id"});
    File("sources/shop.yaml", "type: postgres\nconnection: db\nstreams:\n  \"*\": {}\n");
    Zone("UTC");
    Commit("shop.sale",
           "(1, TIMESTAMP '2023-12-31 23:59:59.999999', 1, 'u'), (2, TIMESTAMP '2024-01-01', 2, 'u'), "
           "(3, TIMESTAMP '2024-02-29 12:00', 4, 'u'), (4, TIMESTAMP '2024-03-01', 8, 'u')");
    now_ = ParseTimestamp("2024-04-02T00:00:00Z");
  }

  void Zone(const std::string& zone) {
    File("leat.yaml", "name: shop\ntimezone: " + zone +
                          "\nconnections:\n  db: {type: postgres, host: localhost, database: totesys, user: reader}\n");
    project_.timezone.value = zone;
  }
  void Monthly(const std::string& head = "from: 2023-12-15\n", const std::string& select = kMonthly) {
    Model("mart/monthly.sql", "/* ---\nkind: period\ntime: month\n" + head + "--- */\n" + select);
  }
  std::set<std::string> Files(const std::string& table = "mart.monthly") {
    std::set<std::string> paths;
    for (const lake::DataFile& file : committed_.at(Split2(table)).files()) paths.insert(file.path);
    return paths;
  }
  /// How many files of a table are not among `before`, and how many of those are gone: `+1 -1`.
  std::string Exchanged(const std::set<std::string>& before, const std::string& table = "mart.monthly") {
    std::vector<std::string> added, gone;
    const std::set<std::string> now = Files(table);
    std::ranges::set_difference(now, before, std::back_inserter(added));
    std::ranges::set_difference(before, now, std::back_inserter(gone));
    return fmt::format("+{} -{}", added.size(), gone.size());
  }
  /// The periods of a model, each as `name start end`, in hours of its length.
  std::string Ended(config::PeriodLength length, const std::string& zone, const std::string& from,
                    const std::string& now) {
    config::Model model{.name = "mart.x"};
    model.period = length;
    project_.timezone.value = zone;
    std::string text;
    for (const Period& period : EndedPeriods(connection_, project_, model, ParseDay(from), ParseTimestamp(now)))
      text += fmt::format("{} from {} {} h\n", period.Name(length), FormatTimestamp(period.start),
                          std::chrono::duration_cast<std::chrono::hours>(period.end - period.start).count());
    return text;
  }
};

TEST_F(PeriodTest, EachPeriodThatEndedHasAFileOfItsOwn) {
  Monthly();
  EXPECT_EQ(Run(), "mart.monthly built 4\n");
  EXPECT_EQ(Rows("mart.monthly"), "2023-12-01|1\n2024-01-01|2\n2024-02-01|4\n2024-03-01|8\n");
  EXPECT_EQ(Files().size(), 4u);
  EXPECT_EQ(Run(), "mart.monthly unchanged\n");
}

TEST_F(PeriodTest, AMonthIsBuiltOnceItHasEnded) {
  now_ = ParseTimestamp("2024-03-31T21:59:59.999999Z");
  Monthly();
  EXPECT_EQ(Run(), "mart.monthly built 3\n");
  const auto before = Files();
  now_ += std::chrono::microseconds(1);
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Exchanged(before), "+1 -0");
  EXPECT_EQ(Rows("mart.monthly"), "2023-12-01|1\n2024-01-01|2\n2024-02-01|4\n2024-03-01|8\n");
  now_ -= std::chrono::hours(100);
  EXPECT_EQ(Run(), "mart.monthly same\n");  // a clock that went back undoes nothing
}

TEST_F(PeriodTest, ALateRowChangesItsPeriodAlone) {
  Monthly();
  Run();
  auto before = Files();
  Commit("shop.sale", "(5, TIMESTAMP '2024-02-02', 16, 'u')");
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Exchanged(before), "+1 -1");
  EXPECT_EQ(Rows("mart.monthly"), "2023-12-01|1\n2024-01-01|2\n2024-02-01|20\n2024-03-01|8\n");
  before = Files();
  Commit("shop.sale", "(2, TIMESTAMP '2024-01-01', 2, 'd')");
  EXPECT_EQ(Run(), "mart.monthly built 0\n");
  EXPECT_EQ(Exchanged(before), "+0 -1");
  EXPECT_EQ(SummaryOf("mart.monthly", "leat.rows"), "3");
  Commit("shop.sale", "(6, TIMESTAMP '2024-04-01', 32, 'u')");  // in none that has ended
  EXPECT_EQ(Run(), "mart.monthly same\n");
  EXPECT_EQ(Run(), "mart.monthly unchanged\n");
  // What was counted change by change is what a look at everything gives.
  EXPECT_EQ(Run({.full_refresh = true}), "mart.monthly same\n");
  RemoveDataFiles("mart.monthly");
  Commit("shop.sale", "(6, TIMESTAMP '2024-04-01', 33, 'u')");
  EXPECT_EQ(Run(), "mart.monthly built 3\n");
}

TEST_F(PeriodTest, AModelMayReadOtherPeriodsOfAPeriodModel) {
  Monthly();
  Model("mart/change.sql",
        "/* ---\nkind: period\ntime: month\nkey: month\n--- */\n"
        "SELECT n.month, n.price - coalesce(o.price, 0) AS more FROM mart.monthly n\n"
        "LEFT JOIN mart.monthly o ON o.month = n.month - INTERVAL 1 MONTH\n"
        "WHERE n.month = CAST($period_start AS DATE)");
  EXPECT_EQ(Run(), "mart.monthly built 4\nmart.change built 4\n");
  EXPECT_EQ(Rows("mart.change"), "2023-12-01|1\n2024-01-01|1\n2024-02-01|2\n2024-03-01|4\n");
  const auto before = Files("mart.change");
  Commit("shop.sale", "(2, TIMESTAMP '2024-01-01', 3, 'u')");
  EXPECT_EQ(Run(), "mart.monthly built 1\nmart.change built 2\n");
  EXPECT_EQ(Exchanged(before, "mart.change"), "+2 -2");
  EXPECT_EQ(Rows("mart.change"), "2023-12-01|1\n2024-01-01|2\n2024-02-01|1\n2024-03-01|4\n");
  EXPECT_EQ(Run(), "mart.monthly unchanged\nmart.change unchanged\n");
}

TEST_F(PeriodTest, WhateverItReadsReopensItsPeriods) {
  File("seeds/rate.csv", "month,rate\n2024-01-01,2\n2024-02-01,3\n");
  Monthly("from: 2023-12-01\n",
          "SELECT CAST(r.month AS DATE) AS month, sum(s.price * r.rate) AS price FROM shop.sale s "
          "JOIN seeds.rate r ON r.month = date_trunc('month', s.sold) "
          "WHERE s.sold >= $period_start AND s.sold < $period_end GROUP BY ALL");
  EXPECT_EQ(Run(), "mart.monthly built 2\n");
  const auto before = Files();
  File("seeds/rate.csv", "month,rate\n2024-01-01,2\n2024-02-01,5\n");
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Exchanged(before), "+1 -1");
  EXPECT_EQ(Rows("mart.monthly"), "2024-01-01|4\n2024-02-01|20\n");
}

TEST_F(PeriodTest, ChangedSqlHeadOrZoneRebuildsAllPeriods) {
  Monthly();
  Run();
  Monthly("from: 2024-02-01\n");
  EXPECT_EQ(Run(), "mart.monthly built 2\n");
  EXPECT_EQ(Rows("mart.monthly"), "2024-02-01|4\n2024-03-01|8\n");
  Monthly("from: 2024-02-01\n", std::string(kMonthly) + " HAVING price > 4");
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Rows("mart.monthly"), "2024-03-01|8\n");
  // In New York the row of 1 March at midnight UTC is one of February.
  Monthly(
      "from: 2024-01-01\n",
      "SELECT CAST(date_trunc('month', sold AT TIME ZONE 'UTC' AT TIME ZONE 'America/New_York') AS DATE) AS month,\n"
      "sum(price) AS price "
      "FROM shop.sale WHERE sold >= $period_start AND sold < $period_end GROUP BY ALL");
  Zone("America/New_York");
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Rows("mart.monthly"), "2024-02-01|12\n");
}

TEST_F(PeriodTest, ARowOutsideItsPeriodIsAnError) {
  Monthly("from: 2024-02-01\n", "SELECT CAST(sold AS DATE) AS month FROM shop.sale WHERE sold >= $period_start");
  EXPECT_EQ(Run(),
            "mart.monthly failed\n  LEAT0243 models/mart/monthly.sql:6:8 mart.monthly: a row of period 2024-02 lies "
            "outside of it, month 2024-03-01; expected 2024-02-01 or later and before 2024-03-01\n");
  Monthly("from: 2024-02-01\n",
          "SELECT nullif(sold, TIMESTAMP '2024-02-29 12:00') AS month FROM shop.sale WHERE sold >= $period_start AND "
          "sold < $period_end");
  EXPECT_EQ(Run(),
            "mart.monthly failed\n  LEAT0243 models/mart/monthly.sql:6:8 mart.monthly: a row of period 2024-02 lies "
            "outside of it, month NULL; expected 2024-02-01T00:00:00Z or later and before 2024-03-01T00:00:00Z\n");
  // The first midnight of a period is in it, the one at its end is in the next.
  Monthly("from: 2024-02-01\n", "SELECT $period_start AS month");
  EXPECT_EQ(Run(), "mart.monthly built 2\n");
  Monthly("from: 2024-02-01\n", "SELECT $period_end AS month");
  EXPECT_THAT(Run(), testing::HasSubstr("outside of it, month 2024-03-01 00:00:00+00; expected"));
  EXPECT_EQ(Rows("mart.monthly"), "2024-02-01 00:00:00+00\n2024-03-01 00:00:00+00\n");
}

TEST_F(PeriodTest, ATimeThatIsNoMomentIsAnError) {
  Monthly("from: 2024-02-01\n", "SELECT strftime($period_start, '%Y-%m') AS month");
  EXPECT_EQ(Run(),
            "mart.monthly failed\n  LEAT0241 models/mart/monthly.sql:3:7 `time` names column month of type VARCHAR; "
            "expected a DATE, a TIMESTAMP or a TIMESTAMP WITH TIME ZONE\n");
  Monthly("from: 2024-02-01\n", "SELECT $period_start AS mont");
  EXPECT_EQ(Run(),
            "mart.monthly failed\n  LEAT0217 models/mart/monthly.sql:3:7 `time` names column \"month\", which "
            "mart.monthly does not have\n");
}

TEST_F(PeriodTest, TheBoundsBelongToPeriodModelsAlone) {
  Monthly("from: 2024-02-01\n", "SELECT CAST(sold AS DATE) AS month FROM shop.sale");
  Model("mart/all.sql", "SELECT id FROM shop.sale\nWHERE sold < $period_end");
  EXPECT_EQ(Run(),
            "  LEAT0230 models/mart/all.sql:2:14 parameter $period_end is of models of `kind: period`; this one is of "
            "`kind: table`\n"
            "  LEAT0242 models/mart/monthly.sql:2:1 mart.monthly is of `kind: period` and names neither $period_start "
            "nor $period_end, so every period would have the same rows\n");
}

TEST_F(PeriodTest, AFailedCheckLeavesAllPeriodsAndIsJudgedAgain) {
  Monthly("from: 2023-12-01\nchecks: [{range: {price: {max: 10}}}]\n");
  Run();
  const auto before = Files();
  const auto on_disk = storage_->List("processed/mart/monthly/data");
  Commit("shop.sale", "(5, TIMESTAMP '2024-02-02', 16, 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.monthly failed\n  LEAT0705"));
  EXPECT_EQ(Exchanged(before), "+0 -0");
  EXPECT_EQ(storage_->List("processed/mart/monthly/data"), on_disk);
  EXPECT_THAT(Run(), testing::StartsWith("mart.monthly failed\n  LEAT0705"));
  Commit("shop.sale", "(5, TIMESTAMP '2024-02-02', 5, 'u')");
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Rows("mart.monthly"), "2023-12-01|1\n2024-01-01|2\n2024-02-01|9\n2024-03-01|8\n");
  // A rule that is new is judged on all periods.
  Monthly("from: 2023-12-01\nchecks: [{range: {price: {min: 2}}}]\n");
  EXPECT_THAT(Run(), testing::StartsWith("mart.monthly failed\n  LEAT0705"));
}

TEST_F(PeriodTest, AKeyIsOneOfAllPeriods) {
  Monthly("from: 2023-12-01\nkey: price\n");
  EXPECT_EQ(Run(), "mart.monthly built 4\n");
  Commit("shop.sale", "(4, TIMESTAMP '2024-03-01', 2, 'u')");
  EXPECT_EQ(Run(),
            "mart.monthly failed\n  LEAT0708 models/mart/monthly.sql:5:6 mart.monthly: 1 values of key price stand in "
            "more than one row; expected each once\n    note: for example price 2\n");
}

TEST_F(PeriodTest, RowsThatAreSetAsideComeBackWhenTheyAreMended) {
  Monthly("from: 2023-12-01\nchecks: [{range: {price: {max: 5}}, severity: reject}]\n");
  EXPECT_THAT(Run(), testing::StartsWith("mart.monthly built 3 rejected 1\n"));
  EXPECT_EQ(Rows("mart.monthly"), "2023-12-01|1\n2024-01-01|2\n2024-02-01|4\n");
  EXPECT_EQ(Rows("mart.monthly__rejects", "month, price, _leat_reason"), "2024-03-01|8|range(price)\n");
  const auto before = Files();
  Commit("shop.sale", "(4, TIMESTAMP '2024-03-01', 5, 'u'), (2, TIMESTAMP '2024-01-01', 6, 'u')");
  EXPECT_THAT(Run(), testing::StartsWith("mart.monthly built 1 rejected 1\n"));
  EXPECT_EQ(Exchanged(before), "+1 -1");
  EXPECT_EQ(Rows("mart.monthly"), "2023-12-01|1\n2024-02-01|4\n2024-03-01|5\n");
  EXPECT_EQ(Rows("mart.monthly__rejects", "month, price"), "2024-01-01|6\n");
  Commit("shop.sale", "(2, TIMESTAMP '2024-01-01', 3, 'u')");
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Rows("mart.monthly__rejects", "month, price"), "");
}

TEST_F(PeriodTest, ABrokenStatementIsShownWhereItBreaks) {
  Monthly("from: 2023-12-01\n",
          "SELECT sold AS month, error('no ' || id) AS x\nFROM shop.sale WHERE sold >= $period_start AND sold < "
          "$period_end");
  EXPECT_THAT(Run(), testing::StartsWith("mart.monthly failed\n  LEAT0"));
  EXPECT_THAT(last_.candidates[0].diagnostics[0].message, testing::HasSubstr("no 1"));
  EXPECT_THAT(last_.candidates[0].diagnostics[0].notes, testing::Contains("in the period 2023-12"));
}

TEST_F(PeriodTest, WithoutFromItBeginsWithWhatIsReadFirst) {
  now_ = ParseTimestamp("1970-03-05T00:00:00Z");  // the fixture's commits are of 1 January 1970
  Monthly("");
  EXPECT_EQ(Run(), "mart.monthly built 0\n");
  EXPECT_EQ(committed_.at({"mart", "monthly"}).Property("leat.period_first"), "1970-01-01");
  EXPECT_EQ(committed_.at({"mart", "monthly"}).Property("leat.period_until"), "1970-03-01T00:00:00Z");
  Model("mart/one.sql", "SELECT 1 AS one");
  Monthly("", "SELECT CAST($period_start AS DATE) AS month FROM mart.one");
  EXPECT_THAT(Run(), testing::HasSubstr("LEAT0244 models/mart/monthly.sql:2:1 mart.monthly reads no stream and no "
                                        "period model, so nothing says which its first period is"));
}

TEST_F(PeriodTest, AColumnThatCameMakesAllPeriodsAnew) {
  Model("mart/base.sql", "SELECT sold AS month, price FROM shop.sale");
  Monthly("from: 2023-12-01\n", "SELECT * FROM mart.base WHERE month >= $period_start AND month < $period_end");
  EXPECT_EQ(Run(), "mart.base built 4\nmart.monthly built 4\n");
  Model("mart/base.sql", "SELECT sold AS month, price, 2 * price AS twice FROM shop.sale");
  EXPECT_EQ(Run(), "mart.base built 4\nmart.monthly built 4\n");
  EXPECT_EQ(Rows("mart.monthly", "twice"), "2\n4\n8\n16\n");
}

TEST_F(PeriodTest, DaysBeginAtMidnightOfTheirZone) {
  const auto day = config::PeriodLength::kDay;
  EXPECT_EQ(Ended(day, "Europe/London", "2024-03-30", "2024-04-01T12:00:00Z"),
            "2024-03-30 from 2024-03-30T00:00:00Z 24 h\n2024-03-31 from 2024-03-31T00:00:00Z 23 h\n");
  EXPECT_EQ(Ended(day, "Europe/London", "2024-10-27", "2024-10-29T00:00:00Z"),
            "2024-10-27 from 2024-10-26T23:00:00Z 25 h\n2024-10-28 from 2024-10-28T00:00:00Z 24 h\n");
  // The clock jumps over midnight there, and back over it here.
  EXPECT_EQ(Ended(day, "America/Sao_Paulo", "2018-11-03", "2018-11-05T12:00:00Z"),
            "2018-11-03 from 2018-11-03T03:00:00Z 24 h\n2018-11-04 from 2018-11-04T03:00:00Z 23 h\n");
  EXPECT_EQ(Ended(day, "America/Sao_Paulo", "2018-02-17", "2018-02-19T12:00:00Z"),
            "2018-02-17 from 2018-02-17T02:00:00Z 25 h\n2018-02-18 from 2018-02-18T03:00:00Z 24 h\n");
  EXPECT_EQ(Ended(day, "America/Havana", "2024-11-02", "2024-11-04T12:00:00Z"),
            "2024-11-02 from 2024-11-02T04:00:00Z 24 h\n2024-11-03 from 2024-11-03T04:00:00Z 25 h\n");
  // A day that Samoa never had.
  EXPECT_EQ(Ended(day, "Pacific/Apia", "2011-12-29", "2012-01-01T12:00:00Z"),
            "2011-12-29 from 2011-12-29T10:00:00Z 24 h\n2011-12-31 from 2011-12-30T10:00:00Z 24 h\n"
            "2012-01-01 from 2011-12-31T10:00:00Z 24 h\n");
  EXPECT_EQ(Ended(config::PeriodLength::kMonth, "Europe/London", "2024-02-29", "2024-04-30T22:59:59.999999Z"),
            "2024-02 from 2024-02-01T00:00:00Z 696 h\n2024-03 from 2024-03-01T00:00:00Z 743 h\n");
  EXPECT_THROW(Ended(day, "UTC", "0001-01-01", "2024-01-01T00:00:00Z"), Error);
}

TEST_F(PeriodTest, FindsThePeriodOfAValue) {
  config::Model model{.name = "mart.x"};
  project_.timezone.value = "America/New_York";
  const auto periods =
      EndedPeriods(connection_, project_, model, ParseDay("2024-01-01"), ParseTimestamp("2024-04-05T00:00:00Z"));
  const auto of_day = [&](const std::string& day) {
    return FindPeriod(periods, TimeUnit::kDay, ParseDay(day).time_since_epoch().count());
  };
  const auto of_moment = [&](const std::string& moment) {
    return FindPeriod(periods, TimeUnit::kMoment, ParseTimestamp(moment).time_since_epoch().count());
  };
  EXPECT_EQ(of_day("2023-12-31"), std::nullopt);
  EXPECT_EQ(of_day("2024-01-01"), 0u);
  EXPECT_EQ(of_day("2024-01-31"), 0u);
  EXPECT_EQ(of_day("2024-03-31"), 2u);
  EXPECT_EQ(of_day("2024-04-01"), std::nullopt);
  EXPECT_EQ(of_moment("2024-01-01T04:59:59Z"), std::nullopt);
  EXPECT_EQ(of_moment("2024-02-01T04:59:59Z"), 0u);
  EXPECT_EQ(of_moment("2024-02-01T05:00:00Z"), 1u);
  EXPECT_EQ(of_moment("2024-04-01T04:00:00Z"), std::nullopt);
}

TEST_F(PeriodTest, ComparesWithBoundsInUtcWhereThatIsAll) {
  EXPECT_EQ(WithUtcBounds("SELECT 1 WHERE a >= $period_start AND a < $PERIOD_END"),
            "SELECT 1 WHERE a >= $moment_start AND a < $moment_end");
  EXPECT_EQ(WithUtcBounds("... WHERE ($period_start <= a) AND NOT $period_end > a GROUP BY ALL"),
            "... WHERE ($moment_start <= a) AND NOT $moment_end > a GROUP BY ALL");
  for (const char* same : {
           "SELECT $period_start AS a, '>= $period_start' /* > $period_start */",
           "a >= $period_start + INTERVAL 1 DAY",
           "a >= $period_start::DATE",
           "a >= $period_start AT TIME ZONE 'Europe/London'",
           "x - $period_start >= i AND 1 + $period_start >= i",
           "f(a => $period_start) + f(a := $period_end) + list_filter(l, x -> $period_end)",
           "a BETWEEN $period_start AND $period_end",
           "FROM s.a__at($period_end)",
           "a >= $run_time",
       })
    EXPECT_EQ(WithUtcBounds(same), same);
}

TEST_F(PeriodTest, SeesWhichStreamsAreReadAsTheyWereAtAPeriodsEnd) {
  const auto seen = [&](const std::string& sql, const std::string& name = "shop.sale__at()") {
    config::Model model{.file = "models/mart/x.sql"};
    model.text = sql;
    const Macros macros(connection_, {{"macros/m.sql", "CREATE MACRO newest() AS (SELECT max(sold) FROM shop.sale)"}});
    SelectReads reads;
    if (sql.find("newest") != std::string::npos) reads.macros = {"newest"};
    return PeriodReadsOf(connection_, macros, model, reads).IsSeenAtPeriods(name);
  };
  EXPECT_TRUE(seen("SELECT * FROM shop.sale__at($period_end)"));
  EXPECT_TRUE(seen("WITH a AS (FROM shop.sale__at($PERIOD_START)) SELECT * FROM a, Shop.Sale__At($period_end)"));
  EXPECT_FALSE(seen("SELECT * FROM shop.sale__at($run_time), shop.sale__at($period_end)"));
  EXPECT_FALSE(seen("SELECT * FROM shop.sale__at($period_end + INTERVAL 1 DAY)"));
  EXPECT_FALSE(seen("SELECT * FROM shop.sale__at($period_end - INTERVAL (-1) DAY)"));
  EXPECT_TRUE(seen("SELECT * FROM shop.sale__at($period_end - INTERVAL 1 MICROSECOND)"));
  // Each name is judged by itself, and what is named without a moment is not dated.
  const std::string two = "SELECT * FROM shop.sale__at($period_end), shop.sale__items, shop.sale__tags__at($run_time)";
  EXPECT_TRUE(seen(two));
  EXPECT_FALSE(seen(two, "shop.sale__items"));
  EXPECT_FALSE(seen(two, "shop.sale__tags__at()"));
  EXPECT_FALSE(seen("SELECT newest() FROM shop.sale__at($period_end)", "shop.sale"));
  EXPECT_FALSE(seen("SELECT * FROM shop.other__at($period_end)"));
}

TEST_F(PeriodTest, ColumnsMayBeCalledAsTheyLike) {
  Monthly(
      "from: 2023-12-01\n",
      "SELECT sold AS month, price AS due, id AS h, id AS r, id AS p, id AS start_at, id AS end_at, price + id AS x\n"
      "FROM shop.sale WHERE sold >= $period_start AND sold < $period_end");
  EXPECT_EQ(Run(), "mart.monthly built 4\n");
  EXPECT_EQ(Rows("mart.monthly", "due, h"), "1|1\n2|2\n4|3\n8|4\n");
  Commit("shop.sale", "(2, TIMESTAMP '2024-01-01', 3, 'u')");
  EXPECT_EQ(Run(), "mart.monthly built 1\n");
  EXPECT_EQ(Rows("mart.monthly", "due, h"), "1|1\n3|2\n4|3\n8|4\n");
}

TEST_F(PeriodTest, TheFirstPeriodIsKnownByItsFirstDay) {
  version_time_ = {"sold", {}};
  Monthly("");
  EXPECT_EQ(Run(), "mart.monthly built 4\n");
  EXPECT_EQ(committed_.at({"mart", "monthly"}).Property("leat.period_first"), "2023-12-01");
}

TEST_F(PeriodTest, AnAbsurdStampIsNoBeginning) {
  Monthly("period: day\n");
  EXPECT_THAT(Run(), testing::HasSubstr("LEAT0245 models/mart/monthly.sql:2:1 mart.monthly would begin on 1970-01-01, "
                                        "since shop.sale has a row of 1970-01-01T00:00:00.000001Z; expected at most "
                                        "30 years of days"));
  version_time_ = {"sold", {}};
  Commit("shop.sale", "(5, TIMESTAMP '0001-01-01', 3, 'u')");
  Monthly("");
  EXPECT_THAT(Run(), testing::HasSubstr("expected at most 200 years of months"));
}

TEST_F(PeriodTest, DatesWhatCameSinceASnapshot) {
  File("leat.yaml", "name: shop\nconnections:\n  db: {type: postgres, host: localhost, database: d, user: reader}\n");
  project_ = config::LoadProject(folder_).project;
  project_.sources.front().streams.front().version_time = {.value = "Sold"};
  project_.sources.front().streams.front().given.insert("version_time");
  const auto change = [&](int64_t since) {
    OpenEngine();
    const VersionChange found = ChangeSince(*engine_, "shop.sale", *streams_.at("shop.sale").table, since);
    return !found.is_known ? "unknown" : found.earliest ? FormatTimestamp(*found.earliest) : "nothing";
  };
  const int64_t first = streams_.at("shop.sale").table->snapshot()->id;
  EXPECT_EQ(change(first), "nothing");
  Commit("shop.sale", "(5, TIMESTAMP '2024-05-01', 1, 'u'), (6, TIMESTAMP '2024-04-01', 1, 'd')");
  EXPECT_EQ(change(first), "2024-04-01T00:00:00Z");
  EXPECT_EQ(change(first + 1), "unknown");
  const int64_t second = streams_.at("shop.sale").table->snapshot()->id;
  Commit("shop.sale", "(5, TIMESTAMP '2024-05-01', 1, 'd')");  // it is found, and dated by nobody
  EXPECT_EQ(change(second), "2024-05-01T00:00:00Z");           // it was seen before the row says it was made
  Commit("shop.sale", "(7, NULL, 1, 'u')");                    // it counts from when it was seen
  EXPECT_EQ(change(first), "1970-01-01T00:00:00.000004Z");
  OpenEngine();
  EXPECT_EQ(EarliestVersion(*engine_, "shop.sale"), ParseTimestamp("1970-01-01T00:00:00.000004Z"));
  EXPECT_EQ(EarliestVersion(*engine_, "shop.other"), std::nullopt);
}

}  // namespace
}  // namespace leat::models
