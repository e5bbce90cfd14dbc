#include "clients/postgres/types.h"

#include <gtest/gtest.h>

#include <string>

#include "clients/postgres/wire.h"

namespace leat::postgres {
namespace {

std::string DuckType(uint32_t oid, int32_t typmod = -1, char typtype = 'b') {
  return MapType({.oid = oid, .typmod = typmod, .typtype = typtype, .formatted = "x"}).duck_type;
}

std::string Select(uint32_t oid, int32_t typmod = -1, char typtype = 'b') {
  return MapType({.oid = oid, .typmod = typmod, .typtype = typtype, .formatted = "x"}).SelectExpression("a\"b");
}

constexpr int32_t Typmod(int precision, int scale) { return ((precision << 16) | (scale & 0x7FF)) + 4; }

TEST(TypesTest, MapsBaseTypes) {
  EXPECT_EQ(DuckType(oid::kBool), "BOOLEAN");
  EXPECT_EQ(DuckType(oid::kInt2), "SMALLINT");
  EXPECT_EQ(DuckType(oid::kFloat8), "DOUBLE");
  EXPECT_EQ(DuckType(oid::kBytea), "BLOB");
  EXPECT_EQ(DuckType(oid::kUuid), "UUID");
  EXPECT_EQ(DuckType(oid::kTimestamptz), "TIMESTAMP WITH TIME ZONE");
  EXPECT_EQ(DuckType(oid::kJsonb), "VARCHAR");
}

TEST(TypesTest, MapsNumericByPrecisionAndScale) {
  EXPECT_EQ(DuckType(oid::kNumeric), "DECIMAL(38,9)");
  EXPECT_EQ(DuckType(oid::kNumeric, Typmod(10, 2)), "DECIMAL(10,2)");
  EXPECT_EQ(DuckType(oid::kNumeric, Typmod(38, 38)), "DECIMAL(38,38)");
  EXPECT_EQ(DuckType(oid::kNumeric, Typmod(5, -2)), "DECIMAL(7,0)");
  EXPECT_EQ(DuckType(oid::kNumeric, Typmod(2, 5)), "DECIMAL(5,5)");
  EXPECT_EQ(DuckType(oid::kNumeric, Typmod(100, 10)), "DECIMAL(38,10)");
}

TEST(TypesTest, TakesTheTextOfWhatNoDecimalHolds) {
  EXPECT_EQ(DuckType(oid::kNumeric, Typmod(60, 50)), "VARCHAR");
  EXPECT_EQ(Select(oid::kNumeric, Typmod(60, 50)), "\"a\"\"b\"::text");
}

TEST(TypesTest, SelectsKnownTypesAndEnumsAsTheyAre) {
  EXPECT_EQ(Select(oid::kInt4), "\"a\"\"b\"");
  EXPECT_EQ(Select(oid::kBpchar), "\"a\"\"b\"");
  EXPECT_EQ(Select(16'500, -1, 'e'), "\"a\"\"b\"");
  EXPECT_EQ(DuckType(16'500, -1, 'e'), "VARCHAR");
}

TEST(TypesTest, TakesTheTextOfEveryOtherType) {
  constexpr uint32_t kIntervalOid = 1186;
  EXPECT_EQ(Select(kIntervalOid), "\"a\"\"b\"::text");
  EXPECT_EQ(DuckType(kIntervalOid), "VARCHAR");
  EXPECT_EQ(Select(16'501, -1, 'c'), "\"a\"\"b\"::text");
}

TEST(TypesTest, KeepsTheSourceType) {
  EXPECT_EQ(MapType({.oid = oid::kInt4, .formatted = "integer"}).source_type, "integer");
}

}  // namespace
}  // namespace leat::postgres
