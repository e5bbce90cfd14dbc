#include "sources/http/http_position.h"

#include "sources/http/http_fixture.h"

namespace leat::sources {
namespace {

using namespace std::chrono_literals;

Timestamp Day(const std::string& day) { return ParseTimestamp(day + "T00:00:00Z"); }

/// The spans up to 2024-05-01, one a line; `with` are the numbers of those that hold records.
std::string Spans(config::HttpPosition rules, std::optional<Timestamp> from, const std::set<int>& with,
                  bool in_parts = true) {
  std::string all;
  Windows windows(rules, in_parts, from, ParseTimestamp("2024-05-01T00:00:00.500000Z"));
  for (int i = 1; !windows.done() && i < 20; ++i) {
    const HttpSpan span = windows.Next();
    all += FormatTimestamp(span.since) + " " + FormatTimestamp(span.until) + "\n";
    windows.Advance(with.contains(i));
  }
  return all;
}

TEST(WindowsTest, BeginWithTheStartAndEndWithTheRun) {
  const config::HttpPosition rules{.start = Day("2024-01-01"), .window = 24h * 60};
  EXPECT_EQ(Spans(rules, {}, {1, 2, 3}),
            "2024-01-01T00:00:00Z 2024-03-01T00:00:00Z\n"
            "2024-02-29T23:55:00Z 2024-04-30T00:00:00Z\n"
            "2024-04-29T23:55:00Z 2024-05-01T00:00:00Z\n");
}

TEST(WindowsTest, GrowWhileTheyHoldNothing) {
  const config::HttpPosition rules{.overlap = 0ms, .start = Day("2023-01-01"), .window = 24h * 30};
  EXPECT_EQ(Spans(rules, {}, {3}),
            "2023-01-01T00:00:00Z 2023-01-31T00:00:00Z\n"
            "2023-01-31T00:00:00Z 2023-04-01T00:00:00Z\n"
            "2023-04-01T00:00:00Z 2023-07-30T00:00:00Z\n"
            "2023-07-30T00:00:00Z 2023-08-29T00:00:00Z\n"
            "2023-08-29T00:00:00Z 2023-10-28T00:00:00Z\n"
            "2023-10-28T00:00:00Z 2024-02-25T00:00:00Z\n"
            "2024-02-25T00:00:00Z 2024-05-01T00:00:00Z\n");
  EXPECT_EQ(Spans({.window = 24h * 30}, {}, {}).substr(0, 42), "1970-01-01T00:00:00Z 1970-01-31T00:00:00Z\n");
}

TEST(WindowsTest, GoOnWithAnOverlap) {
  EXPECT_EQ(Spans({.overlap = 10min}, ParseTimestamp("2024-04-30T23:00:00Z"), {1}),
            "2024-04-30T22:50:00Z 2024-05-01T00:00:00Z\n");
}

TEST(WindowsTest, AskOnceWhereNothingIsNew) {
  EXPECT_EQ(Spans({.overlap = 0ms}, Day("2024-05-01"), {}), "2024-05-01T00:00:00Z 2024-05-01T00:00:00Z\n");
  // The clock was set back since.
  EXPECT_EQ(Spans({.overlap = 0ms}, Day("2024-06-01"), {}), "2024-05-01T00:00:00Z 2024-05-01T00:00:00Z\n");
}

TEST(WindowsTest, AreOneWithoutBothBounds) {
  EXPECT_EQ(Spans({.start = Day("2020-01-01")}, {}, {1}, false), "2020-01-01T00:00:00Z 2024-05-01T00:00:00Z\n");
}

TEST(WindowsTest, OfDaysMoveOnWhateverTheirLength) {
  config::HttpPosition rules{.unit = config::TimeUnit::kDate, .overlap = 0ms, .start = Day("2024-04-29"), .window = 1h};
  EXPECT_EQ(Spans(rules, {}, {1, 2}),
            "2024-04-29T00:00:00Z 2024-04-30T00:00:00Z\n"
            "2024-04-30T00:00:00Z 2024-05-01T00:00:00Z\n");
}

TEST(HttpPositionTest, IsReadAsItWasWritten) {
  const HttpStreamPosition position = {
      {"eu", {.until = Day("2024-05-01"), .request = "abc", .parent_seq = {}}},
      {"us", {.until = Day("2024-04-01"), .request = "def", .parent_seq = int64_t{7} << 24}}};
  EXPECT_EQ(ParseHttpPosition(FormatHttpPosition(position, false)), position);
  EXPECT_TRUE(ParseHttpPosition(R"({"ring": []})").empty());
  EXPECT_TRUE(ParseHttpPosition("").empty());
}

}  // namespace
}  // namespace leat::sources
