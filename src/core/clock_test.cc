#include "core/clock.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace leat {
namespace {

using namespace std::chrono_literals;

TEST(TimestampTest, RoundTripsWithAndWithoutAFraction) {
  for (const char* text : {"2024-11-21T14:05:02Z", "1969-12-31T23:59:59.000001Z", "2024-02-29T00:00:00.123000Z"})
    EXPECT_EQ(FormatTimestamp(ParseTimestamp(text)), text);
}

TEST(TimestampTest, RefusesOtherForms) {
  for (const char* text :
       {"", "2024-11-21", "2024-11-21T14:05:02", "2024-02-30T00:00:00Z", "2024-11-21T14:05:02+01:00"})
    EXPECT_THROW(ParseTimestamp(text), Error) << text;
}

TEST(FormatDurationTest, FitsItsUnitToItsSize) {
  EXPECT_EQ(FormatDuration(120ms), "0.1 s");
  EXPECT_EQ(FormatDuration(58s), "58 s");
  EXPECT_EQ(FormatDuration(200s), "3 min 20 s");
}

}  // namespace
}  // namespace leat
