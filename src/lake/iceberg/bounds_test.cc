#include "lake/iceberg/bounds.h"

#include <gtest/gtest.h>

#include <cstring>

namespace leat::lake::iceberg {
namespace {

using Kind = Type::Kind;

/// Hex of a bound, or `none`.
std::string Hex(const Type& type, std::string_view text, Side side = Side::kLower) {
  const std::optional<std::string> bound = EncodeBound(type, text, side);
  if (!bound) return "none";
  std::string hex;
  for (const char c : *bound) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    hex += pair;
  }
  return hex;
}

std::string Text(std::string_view text, Side side) { return EncodeBound({Kind::kString}, text, side).value_or("none"); }

int64_t Micros(const Type& type, std::string_view text) {
  return DecodeInteger(EncodeBound(type, text, Side::kLower).value()).value();
}

TEST(BoundsTest, EncodesEachTypeAsTheSpecificationSays) {
  const struct {
    Type type;
    const char* text;
    const char* hex;
  } kCases[] = {
      {{Kind::kBoolean}, "0", "00"},
      {{Kind::kBoolean}, "1", "01"},
      {{Kind::kInt}, "-1", "ffffffff"},
      {{Kind::kInt}, "256", "00010000"},
      {{Kind::kLong}, "9223372036854775807", "ffffffffffffff7f"},
      {{Kind::kFloat}, "1.5", "0000c03f"},
      {{Kind::kDouble}, "-2", "00000000000000c0"},
      {{Kind::kDouble}, "inf", "000000000000f07f"},
      {{Kind::kDecimal, 9, 2}, "-3.50", "fea2"},
      {{Kind::kDecimal, 9, 2}, "1.27", "7f"},
      {{Kind::kDecimal, 9, 2}, "1.28", "0080"},
      {{Kind::kDecimal, 9, 2}, "-1.28", "80"},
      {{Kind::kDecimal, 9, 0}, "0", "00"},
      {{Kind::kDecimal, 38, 0}, "99999999999999999999999999999999999999", "4b3b4ca85a86c47a098a223fffffffff"},
      {{Kind::kDate}, "1970-01-02", "01000000"},
      {{Kind::kDate}, "1969-12-31", "ffffffff"},
      {{Kind::kTime}, "00:00:00.000001", "0100000000000000"},
      {{Kind::kUuid}, "f79c3e09-677c-4bbd-a479-3f349cb785e7", "f79c3e09677c4bbda4793f349cb785e7"},
      {{Kind::kBinary}, "AA00", "aa00"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Hex(c.type, c.text), c.hex) << c.text;
}

TEST(BoundsTest, ReadsMomentsAsDuckDbWritesThem) {
  const Type timestamp{Kind::kTimestamp}, zoned{Kind::kTimestampTz}, date{Kind::kDate}, time{Kind::kTime};
  EXPECT_EQ(Micros(timestamp, "1970-01-01 00:00:01"), 1000000);
  EXPECT_EQ(Micros(timestamp, "2024-01-01 00:00:00.123456"), 1704067200123456);
  EXPECT_EQ(Micros(timestamp, "2024-01-01 00:00:00.1"), 1704067200100000);
  EXPECT_EQ(Micros(timestamp, "0044-03-15 (BC) 00:00:00"), -63517824000000000);
  EXPECT_EQ(Micros(timestamp, "290000-01-01 00:00:00"), 9089348860800000000);
  EXPECT_EQ(Micros(zoned, "1970-01-01 00:00:01+00"), 1000000);
  EXPECT_EQ(Micros(date, "0001-01-01"), -719162);
  EXPECT_EQ(Micros(date, "0001-12-31 (BC)"), -719163);
  EXPECT_EQ(Micros(time, "24:00:00"), 86400000000);
}

TEST(BoundsTest, GivesNoBoundForWhatHasNoPlace) {
  for (const char* text : {"infinity", "-infinity", "", "2024-01-01", "2024-01-01 00:00:00+00"})
    EXPECT_EQ(Hex({Kind::kTimestamp}, text), "none") << text;
  EXPECT_EQ(Hex({Kind::kDate}, "infinity"), "none");
  EXPECT_EQ(Hex({Kind::kDouble}, "nan"), "none");
  EXPECT_EQ(Hex({Kind::kInt}, "4294967296"), "none");
  EXPECT_EQ(Hex({Kind::kDecimal, 9, 2}, "1.5"), "none");
  EXPECT_EQ(Hex({Kind::kBinary}, "AA0"), "none");
}

TEST(BoundsTest, SpreadsZeroOverBothItsSigns) {
  EXPECT_EQ(Hex({Kind::kDouble}, "0.0", Side::kLower), "0000000000000080");
  EXPECT_EQ(Hex({Kind::kDouble}, "-0.0", Side::kUpper), "0000000000000000");
  EXPECT_EQ(Hex({Kind::kFloat}, "0.0", Side::kLower), "00000080");
}

TEST(BoundsTest, CutsTextTo16CharactersAndRaisesTheUpper) {
  EXPECT_EQ(Text("0123456789abcdef", Side::kUpper), "0123456789abcdef");
  EXPECT_EQ(Text("0123456789abcdefg", Side::kLower), "0123456789abcdef");
  EXPECT_EQ(Text("0123456789abcdefg", Side::kUpper), "0123456789abcdeg");
  EXPECT_EQ(Text("éééééééééééééééééé", Side::kLower), "éééééééééééééééé");
  EXPECT_EQ(Text("éééééééééééééééééé", Side::kUpper), "éééééééééééééééê");
  EXPECT_EQ(Text("", Side::kUpper), "");
}

TEST(BoundsTest, RaisesOverTheEdgesOfUnicode) {
  const std::string last = "\U0010FFFF";
  EXPECT_EQ(Text("012345678901234" + last + "x", Side::kUpper), "012345678901235");
  std::string all;
  for (int i = 0; i < 17; ++i) all += last;
  EXPECT_EQ(Text(all, Side::kUpper), "none");
  EXPECT_EQ(Text("012345678901234\uD7FFx", Side::kUpper), "012345678901234\uE000");
  EXPECT_EQ(Text("012345678901234\x7fx", Side::kUpper), "012345678901234\u0080");
  EXPECT_EQ(Text("\xff\xfe", Side::kLower), "none");
}

TEST(BoundsTest, CutsBinaryTo16Bytes) {
  EXPECT_EQ(Hex({Kind::kBinary}, "000102030405060708090A0B0C0D0E0F10", Side::kLower),
            "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(Hex({Kind::kBinary}, "000102030405060708090A0B0C0D0EFF10", Side::kUpper), "000102030405060708090a0b0c0d0f");
  EXPECT_EQ(Hex({Kind::kBinary}, std::string(40, 'F'), Side::kUpper), "none");
}

TEST(BoundsTest, ReadsItsOwnIntegers) {
  EXPECT_EQ(DecodeInteger(EncodeBound({Kind::kLong}, "-42", Side::kLower).value()), -42);
  EXPECT_EQ(DecodeInteger(std::string("\x01\0\0\0", 4)), 1);
  EXPECT_EQ(DecodeInteger("abc"), std::nullopt);
}

}  // namespace
}  // namespace leat::lake::iceberg
