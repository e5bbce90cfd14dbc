#include "clients/postgres/numeric.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "clients/postgres/wire.h"

namespace leat::postgres {
namespace {

constexpr uint16_t kNegative = 0x4000;

/// The binary form of a numeric from its parts.
std::vector<uint8_t> Numeric(std::vector<int16_t> digits, int16_t weight, uint16_t sign, int16_t display_scale) {
  std::vector<uint8_t> bytes(8 + 2 * digits.size());
  StoreInt16(bytes.data(), static_cast<int16_t>(digits.size()));
  StoreInt16(bytes.data() + 2, weight);
  StoreInt16(bytes.data() + 4, static_cast<int16_t>(sign));
  StoreInt16(bytes.data() + 6, display_scale);
  for (size_t i = 0; i < digits.size(); ++i) StoreInt16(bytes.data() + 8 + 2 * i, digits[i]);
  return bytes;
}

std::string Text(Int128 value) {
  if (value == 0) return "0";
  const bool negative = value < 0;
  std::string text;
  for (Int128 rest = negative ? -value : value; rest != 0; rest /= 10)
    text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  if (negative) text.insert(text.begin(), '-');
  return text;
}

/// The unscaled value, or the fault's name.
std::string Read(const std::vector<uint8_t>& bytes, int width, int scale) {
  const auto size = static_cast<int32_t>(bytes.size());
  Int128 wide = 0;
  int64_t narrow = 0;
  const NumericFault fault = width <= 18 ? ReadNumeric(bytes.data(), size, width, scale, narrow)
                                         : ReadNumeric(bytes.data(), size, width, scale, wide);
  switch (fault) {
    case NumericFault::kNone:
      return Text(width <= 18 ? Int128{narrow} : wide);
    case NumericFault::kMalformed:
      return "malformed";
    case NumericFault::kNotFinite:
      return "not finite";
    case NumericFault::kTooManyDigits:
      return "too many digits";
    case NumericFault::kTooManyDecimals:
      return "too many decimals";
  }
  return "?";
}

std::string Format(const std::vector<uint8_t>& bytes) {
  return FormatNumeric(bytes.data(), static_cast<int32_t>(bytes.size()));
}

template <typename Int>
std::vector<uint8_t> Write(Int value, int scale) {
  std::vector<uint8_t> bytes(kNumericBytesMax);
  bytes.resize(static_cast<size_t>(WriteNumeric(bytes.data(), value, scale)));
  return bytes;
}

const std::vector<int16_t> kNines38 = {99, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999};

Int128 Nines38() {
  Int128 value = 0;
  for (int i = 0; i < 38; ++i) value = value * 10 + 9;
  return value;
}

TEST(NumericTest, ReadsOrdinaryValues) {
  EXPECT_EQ(Read(Numeric({}, 0, 0, 2), 10, 2), "0");
  EXPECT_EQ(Read(Numeric({12, 5000}, 0, 0, 2), 10, 2), "1250");
  EXPECT_EQ(Read(Numeric({12, 5000}, 0, kNegative, 2), 10, 2), "-1250");
  EXPECT_EQ(Read(Numeric({1}, 1, 0, 0), 10, 2), "1000000");
  EXPECT_EQ(Read(Numeric({3}, 0, 0, 2), 10, 2), "300");
  EXPECT_EQ(Read(Numeric({1}, -1, 0, 4), 10, 4), "1");
  EXPECT_EQ(Read(Numeric({1000}, -2, 0, 5), 10, 5), "1");
}

TEST(NumericTest, ReadsTheExtremesOfEachWidth) {
  EXPECT_EQ(Read(Numeric({99, 9999, 9999, 9999, 9999}, 4, 0, 0), 18, 0), "999999999999999999");
  EXPECT_EQ(Read(Numeric({9999, 9999, 9999, 9999, 9900}, -1, kNegative, 18), 18, 18), "-999999999999999999");
  EXPECT_EQ(Read(Numeric(kNines38, 9, kNegative, 0), 38, 0), "-" + std::string(38, '9'));
  EXPECT_EQ(Read(Numeric({9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9900}, -1, 0, 38), 38, 38),
            std::string(38, '9'));
}

TEST(NumericTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(Read(Numeric({}, 0, 0xC000, 0), 38, 9), "not finite");
  EXPECT_EQ(Read(Numeric({}, 0, 0xD000, 0), 10, 2), "not finite");
  EXPECT_EQ(Read(Numeric({}, 0, 0xF000, 0), 10, 2), "not finite");
  EXPECT_EQ(Read(Numeric({1}, 2, 0, 0), 10, 2), "too many digits");
  EXPECT_EQ(Read(Numeric({1}, 30000, 0, 0), 38, 0), "too many digits");
  EXPECT_EQ(Read(Numeric({1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 9, 0, 0), 18, 0), "too many digits");
  EXPECT_EQ(Read(Numeric({100, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 9, 0, 0), 38, 0), "too many digits");
  EXPECT_EQ(Read(Numeric({1, 2345, 6789, 1010}, 0, 0, 12), 38, 9), "too many decimals");
  EXPECT_EQ(Read(Numeric({1}, -3, 0, 12), 10, 2), "too many decimals");
}

TEST(NumericTest, RefusesBytesThatAreNoNumeric) {
  EXPECT_EQ(Read({0, 1, 0, 0}, 10, 2), "malformed");
  EXPECT_EQ(Read({0, 2, 0, 0, 0, 0, 0, 0, 0, 1}, 10, 2), "malformed");
  EXPECT_EQ(Read(Numeric({10000}, 0, 0, 0), 10, 2), "malformed");
  EXPECT_EQ(Read(Numeric({-1}, 0, 0, 0), 10, 2), "malformed");
}

TEST(NumericTest, FormatsAsPostgresPrints) {
  EXPECT_EQ(Format(Numeric({12, 5000}, 0, kNegative, 2)), "-12.50");
  EXPECT_EQ(Format(Numeric({1, 2345, 6789, 1000}, 0, 0, 10)), "1.2345678910");
  EXPECT_EQ(Format(Numeric({1000}, -2, 0, 5)), "0.00001");
  EXPECT_EQ(Format(Numeric({}, 0, 0, 0)), "0");
  EXPECT_EQ(Format(Numeric({1}, 2, 0, 0)), "100000000");
  EXPECT_EQ(Format(Numeric({}, 0, 0xC000, 0)), "NaN");
  EXPECT_EQ(Format(Numeric({}, 0, 0xF000, 0)), "-Infinity");
}

TEST(NumericTest, WritesWhatTheServerWouldSend) {
  EXPECT_EQ(Write<int64_t>(0, 2), Numeric({}, 0, 0, 2));
  EXPECT_EQ(Write<int64_t>(-1250, 2), Numeric({12, 5000}, 0, kNegative, 2));
  EXPECT_EQ(Write<int64_t>(1000000, 2), Numeric({1}, 1, 0, 2));
  EXPECT_EQ(Write<int64_t>(1, 5), Numeric({1000}, -2, 0, 5));
  EXPECT_EQ(Write<int64_t>(100000000, 0), Numeric({1}, 2, 0, 0));
  EXPECT_EQ(Write<Int128>(Nines38(), 0), Numeric(kNines38, 9, 0, 0));
  EXPECT_EQ(Write<Int128>(-Nines38(), 37),
            Numeric({9, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9999, 9000}, 0, kNegative, 37));
}

TEST(NumericTest, ReadsBackWhatItWrites) {
  for (int scale = 0; scale <= 38; ++scale)
    for (Int128 value = 1; value < Nines38() / 7; value = value * 7 + 3) {
      EXPECT_EQ(Read(Write<Int128>(value, scale), 38, scale), Text(value)) << scale;
      EXPECT_EQ(Read(Write<Int128>(-value, scale), 38, scale), Text(-value)) << scale;
    }
}

}  // namespace
}  // namespace leat::postgres
