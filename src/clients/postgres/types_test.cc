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

TEST(TypesTest, MapsArraysByTheirElements) {
  const CatalogType integers{.oid = 1007, .formatted = "integer[]", .element = {{.oid = oid::kInt4}}};
  EXPECT_EQ(MapType(integers).duck_type, "INTEGER[]");
  EXPECT_EQ(MapType(integers).SelectExpression("a"), "\"a\"");
  EXPECT_EQ(MapType(integers).source_type, "integer[]");
  const CatalogType intervals{.oid = 1187, .formatted = "interval[]", .element = {{.oid = 1186}}};
  EXPECT_EQ(MapType(intervals).duck_type, "VARCHAR[]");
  EXPECT_EQ(MapType(intervals).SelectExpression("a"), "\"a\"::text[]");
}

/// What the column `a` is selected as for a type that the project wants; empty: refused.
std::string SelectAs(const CatalogType& type, const std::string& duck_type) {
  const auto mapping = MapTypeAs(type, duck_type);
  return mapping ? mapping->SelectExpression("a") + " " + mapping->duck_type : "";
}

TEST(TypesTest, TakesNumbersAsGreaterOnesAndAnythingAsText) {
  const CatalogType integer{.oid = oid::kInt4, .formatted = "integer"};
  EXPECT_EQ(SelectAs(integer, "INTEGER"), "\"a\" INTEGER");
  EXPECT_EQ(SelectAs(integer, "BIGINT"), "\"a\"::int8 BIGINT");
  EXPECT_EQ(SelectAs(integer, "DECIMAL(12,2)"), "\"a\"::numeric DECIMAL(12,2)");
  EXPECT_EQ(SelectAs({.oid = oid::kNumeric}, "DOUBLE"), "\"a\"::float8 DOUBLE");
  EXPECT_EQ(SelectAs({.oid = oid::kTimestamp}, "VARCHAR"), "\"a\"::text VARCHAR");
  EXPECT_EQ(SelectAs({.oid = 1231, .element = {{.oid = oid::kNumeric}}}, "DOUBLE[]"), "\"a\"::float8[] DOUBLE[]");
  EXPECT_EQ(SelectAs({.oid = 1231, .element = {{.oid = oid::kNumeric}}}, "VARCHAR"), "\"a\"::text VARCHAR");
}

TEST(TypesTest, RefusesATypeThatWouldLose) {
  EXPECT_EQ(SelectAs({.oid = oid::kInt8}, "INTEGER"), "");
  EXPECT_EQ(SelectAs({.oid = oid::kNumeric}, "BIGINT"), "");
  EXPECT_EQ(SelectAs({.oid = oid::kTimestamp}, "DATE"), "");
  EXPECT_EQ(SelectAs({.oid = oid::kText}, "INTEGER"), "");
  EXPECT_EQ(SelectAs({.oid = oid::kNumeric}, "DECIMAL(39,0)"), "");
  EXPECT_EQ(SelectAs({.oid = oid::kNumeric}, "DECIMAL(5,6)"), "");
  EXPECT_EQ(SelectAs({.oid = oid::kNumeric}, "DOUBLE[]"), "");
}

TEST(TypesTest, KeepsTheSourceType) {
  EXPECT_EQ(MapType({.oid = oid::kInt4, .formatted = "integer"}).source_type, "integer");
}

}  // namespace
}  // namespace leat::postgres
