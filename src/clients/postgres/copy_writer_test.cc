#include "clients/postgres/copy_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "clients/postgres/wire.h"

namespace leat::postgres {
namespace {

using namespace std::literals;

constexpr uint32_t kInterval = 1186;

CopyPlan Plan(const std::string& duck_type, uint32_t oid, char typtype = 'b') {
  return {{{"a", duck_type}}, {{.name = "b", .oid = oid, .typtype = typtype, .type = "t"}}};
}

std::string Selected(const std::string& duck_type, uint32_t oid, char typtype = 'b') {
  const CopyPlan plan = Plan(duck_type, oid, typtype);
  return (plan.is_text() ? "text: " : "") + plan.select_list();
}

TEST(CopyPlanTest, LeavesEqualTypesAlone) {
  EXPECT_EQ(Selected("INTEGER", oid::kInt4), "\"a\"");
  EXPECT_EQ(Selected("DECIMAL(10,2)", oid::kNumeric), "\"a\"");
  EXPECT_EQ(Selected("VARCHAR", oid::kJsonb), "\"a\"");
  EXPECT_EQ(Selected("VARCHAR", 16'500, 'e'), "\"a\"");
  EXPECT_EQ(Selected("TIMESTAMP", oid::kTimestamptz), "\"a\"");
}

TEST(CopyPlanTest, CastsWhereNothingIsLost) {
  EXPECT_EQ(Selected("HUGEINT", oid::kInt8), "CAST(\"a\" AS BIGINT)");
  EXPECT_EQ(Selected("BIGINT", oid::kNumeric), "CAST(\"a\" AS DECIMAL(19,0))");
  EXPECT_EQ(Selected("DATE", oid::kTimestamp), "CAST(\"a\" AS TIMESTAMP)");
  EXPECT_EQ(Selected("DOUBLE", oid::kVarchar), "CAST(\"a\" AS VARCHAR)");
}

TEST(CopyPlanTest, LetsTheServerParseWhatMightLose) {
  EXPECT_EQ(Selected("DOUBLE", oid::kInt4), "text: CAST(\"a\" AS VARCHAR)");
  EXPECT_EQ(Selected("DOUBLE", oid::kNumeric), "text: CAST(\"a\" AS VARCHAR)");
  EXPECT_EQ(Selected("DECIMAL(10,2)[]", oid::kNumeric), "text: CAST(\"a\" AS VARCHAR)");
  EXPECT_EQ(Selected("VARCHAR", kInterval), "text: CAST(\"a\" AS VARCHAR)");
}

TEST(CopyPlanTest, TurnsTheWholeCopyToTextForOnePair) {
  const CopyPlan plan(
      {{"id", "INTEGER"}, {"raw", "BLOB"}, {"took", "VARCHAR"}},
      {{.name = "id", .oid = oid::kInt4}, {.name = "raw", .oid = oid::kBytea}, {.name = "took", .oid = kInterval}});
  EXPECT_TRUE(plan.is_text());
  EXPECT_EQ(plan.select_list(), "CAST(\"id\" AS VARCHAR), '\\x' || lower(hex(\"raw\")), CAST(\"took\" AS VARCHAR)");
}

/// The bytes that `encode` makes of the one cell in `value`.
template <typename T>
std::string Encoded(EncodeCell encode, T value, int scale = 0) {
  WireBuffer buffer(4);
  encode({.data = reinterpret_cast<const uint8_t*>(&value), .scale = scale, .column = "at"}, 0, buffer);
  return {buffer.data(), buffer.size()};
}

duckdb_string_t Inlined(std::string_view text) {
  duckdb_string_t cell{};
  cell.value.inlined.length = static_cast<uint32_t>(text.size());
  text.copy(cell.value.inlined.inlined, text.size());
  return cell;
}

TEST(EncodeTest, WritesFieldsWithTheirLength) {
  EXPECT_EQ(Encoded(&EncodeBool, uint8_t{1}), "\0\0\0\1\1"s);
  EXPECT_EQ(Encoded(&EncodeInt2, int16_t{-2}), "\0\0\0\2\xff\xfe"s);
  EXPECT_EQ(Encoded(&EncodeInt4, int32_t{5099}), "\0\0\0\4\0\0\x13\xeb"s);
  EXPECT_EQ(Encoded(&EncodeInt8, int64_t{-1}), "\0\0\0\x8\xff\xff\xff\xff\xff\xff\xff\xff"s);
  EXPECT_EQ(Encoded(&EncodeInt4, -1.5F), "\0\0\0\4\xbf\xc0\0\0"s);
  EXPECT_EQ(Encoded(&EncodeBytes, Inlined("Leds")), "\0\0\0\4Leds"s);
  EXPECT_EQ(Encoded(&EncodeJsonb, Inlined("{}")), "\0\0\0\3\1{}"s);
  EXPECT_EQ(Encoded(&EncodeUuid, duckdb_hugeint{.lower = 2, .upper = 1}),
            "\0\0\0\x10\x80\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2"s);
}

TEST(EncodeTest, CountsDaysAndMomentsFrom2000) {
  EXPECT_EQ(Encoded(&EncodeDate, int32_t{10957}), "\0\0\0\4\0\0\0\0"s);
  EXPECT_EQ(Encoded(&EncodeDate, std::numeric_limits<int32_t>::max()), "\0\0\0\4\x7f\xff\xff\xff"s);
  EXPECT_EQ(Encoded(&EncodeDate, -std::numeric_limits<int32_t>::max()), "\0\0\0\4\x80\0\0\0"s);
  EXPECT_EQ(Encoded(&EncodeTimestamp, int64_t{946'684'800'000'001}), "\0\0\0\x8\0\0\0\0\0\0\0\1"s);
  EXPECT_EQ(Encoded(&EncodeTimestamp, -std::numeric_limits<int64_t>::max()), "\0\0\0\x8\x80\0\0\0\0\0\0\0"s);
}

TEST(EncodeTest, RefusesMomentsThatPostgresHasNoNumberFor) {
  EXPECT_THROW(Encoded(&EncodeTimestamp, std::numeric_limits<int64_t>::min() + 5), Error);
  EXPECT_THROW(Encoded(&EncodeDate, std::numeric_limits<int32_t>::min() + 5), Error);
}

TEST(EncodeTest, WritesDecimalsOfEveryWidth) {
  const std::string expected = "\0\0\0\x0c\0\2\0\0\x40\0\0\2\0\x0c\x13\x88"s;  // -12.50
  EXPECT_EQ(Encoded(DecimalEncoder(4), int16_t{-1250}, 2), expected);
  EXPECT_EQ(Encoded(DecimalEncoder(9), int32_t{-1250}, 2), expected);
  EXPECT_EQ(Encoded(DecimalEncoder(18), int64_t{-1250}, 2), expected);
  EXPECT_EQ(Encoded(DecimalEncoder(38), duckdb_hugeint{.lower = static_cast<uint64_t>(-1250), .upper = -1}, 2),
            expected);
}

TEST(EncodeTest, EscapesTextFields) {
  WireBuffer buffer(4);
  AppendTextField("a\tb\nc\\d\re", buffer);
  EXPECT_EQ(std::string(buffer.data(), buffer.size()), "a\\tb\\nc\\\\d\\re");
}

TEST(EncodeTest, SeesNullsInTheMask) {
  const uint64_t validity[] = {~uint64_t{0}, ~uint64_t{2}};
  const CellSource source{.validity = validity};
  EXPECT_FALSE(source.IsNull(1));
  EXPECT_TRUE(source.IsNull(65));
  EXPECT_FALSE(CellSource{}.IsNull(65));
}

}  // namespace
}  // namespace leat::postgres
