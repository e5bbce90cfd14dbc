#include "warehouse/postgres/column_type.h"

#include <gtest/gtest.h>

namespace leat::warehouse {
namespace {

ColumnType Resolve(const std::string& duck_type, const std::string& type = "", bool is_record_id = false) {
  return ResolveType({.name = "c", .source = "c", .duck_type = duck_type, .type = type}, is_record_id);
}

TEST(ColumnTypeTest, EveryTypeOfAModelHasADefault) {
  const std::pair<const char*, const char*> expected[] = {
      {"VARCHAR", "character varying"},
      {"DECIMAL(10,2)", "numeric(10,2)"},
      {"INTEGER", "integer"},
      {"BIGINT", "bigint"},
      {"DOUBLE", "double precision"},
      {"FLOAT", "real"},
      {"BOOLEAN", "boolean"},
      {"DATE", "date"},
      {"TIME", "time without time zone"},
      {"TIMESTAMP", "timestamp without time zone"},
      {"TIMESTAMP WITH TIME ZONE", "timestamp with time zone"},
      {"UUID", "uuid"},
      {"BLOB", "bytea"},
      {"INTEGER[]", "integer[]"},
      {"DECIMAL(10,2)[]", "numeric(10,2)[]"},
      {"INTEGER[][]", "jsonb"},
      {"STRUCT(a INTEGER)", "jsonb"},
      {"STRUCT(a INTEGER)[]", "jsonb"},
      {"MAP(VARCHAR, INTEGER)", "jsonb"},
  };
  for (const auto& [duck, postgres] : expected) EXPECT_EQ(Resolve(duck).postgres, postgres) << duck;
}

TEST(ColumnTypeTest, ADefaultNeedsNoConversion) {
  for (const char* duck : {"VARCHAR", "DECIMAL(10,2)", "INTEGER", "BLOB", "TIMESTAMP WITH TIME ZONE"}) {
    EXPECT_EQ(Resolve(duck).duck, duck);
  }
}

TEST(ColumnTypeTest, ATypeOfTheProjectWins) {
  EXPECT_EQ(Resolve("DECIMAL(12,4)", "numeric(10, 2)"), (ColumnType{"numeric(10,2)", "DECIMAL(10,2)"}));
  EXPECT_EQ(Resolve("DECIMAL(10,2)", "numeric"), (ColumnType{"numeric", "DECIMAL(10,2)"}));
  EXPECT_EQ(Resolve("BIGINT", "INT"), (ColumnType{"integer", "INTEGER"}));
  EXPECT_EQ(Resolve("VARCHAR", "varchar(3)"), (ColumnType{"character varying(3)", "VARCHAR"}));
}

TEST(ColumnTypeTest, AnUnusualTypeTravelsAsText) {
  EXPECT_EQ(Resolve("VARCHAR", "inet"), (ColumnType{"inet", "VARCHAR"}));
  EXPECT_EQ(Resolve("DECIMAL(10,2)", "money"), (ColumnType{"money", "VARCHAR"}));
  EXPECT_EQ(Resolve("DOUBLE", "numeric"), (ColumnType{"numeric", "VARCHAR"}));
  EXPECT_EQ(Resolve("VARCHAR", "shop.\"Mood\""), (ColumnType{"shop.\"Mood\"", "VARCHAR"}));
}

std::string Restored(const std::string& source_type, const std::string& duck_type) {
  return ResolveType({.name = "c", .source = "c", .duck_type = duck_type, .type = "", .source_type = source_type},
                     false)
      .postgres;
}

TEST(ColumnTypeTest, ATypeOfPostgresComesBackAsItself) {
  const std::pair<const char*, const char*> types[] = {
      {"smallint", "INTEGER"},
      {"real", "FLOAT"},
      {"numeric", "DECIMAL(38,9)"},
      {"numeric(3,-2)", "DECIMAL(5,0)"},
      {"numeric(60,50)", "VARCHAR"},
      {"character(3)", "VARCHAR"},
      {"bpchar", "VARCHAR"},
      {"\"char\"", "VARCHAR"},
      {"timestamp(3) with time zone", "TIMESTAMP WITH TIME ZONE"},
      {"interval day to second(3)", "VARCHAR"},
      {"bit varying(5)", "VARCHAR"},
      {"jsonb", "VARCHAR"},
      {"inet", "VARCHAR"},
      {"int4range[]", "VARCHAR"},
      {"smallint[]", "INTEGER[]"},
      {"character varying(5)[]", "VARCHAR[]"},
  };
  for (const auto& [source, duck] : types) EXPECT_EQ(Restored(source, duck), source);
}

TEST(ColumnTypeTest, ATypeThatTheWarehouseMayLackBecomesText) {
  EXPECT_EQ(Restored("public.mood", "VARCHAR"), "text");
  EXPECT_EQ(Restored("shop.\"Mood [x]\"", "VARCHAR"), "text");
  EXPECT_EQ(Restored("public.numeric", "VARCHAR"), "text");
  EXPECT_EQ(Restored("regclass", "VARCHAR"), "text");
  EXPECT_EQ(Restored("public.mood[]", "VARCHAR"), "text[]");
  EXPECT_EQ(Restored("public.mood[]", "VARCHAR[]"), "text[]");
}

TEST(ColumnTypeTest, ATypeThatTheProjectGaveInTheLakeWins) {
  EXPECT_EQ(Restored("numeric(10,2)", "DOUBLE"), "double precision");
  EXPECT_EQ(Restored("numeric", "VARCHAR"), "character varying");
  EXPECT_EQ(Restored("timestamp without time zone", "VARCHAR"), "character varying");
  EXPECT_EQ(Restored("public.mood", "INTEGER"), "integer");
  EXPECT_EQ(Restored("smallint[]", "VARCHAR[]"), "character varying[]");
  EXPECT_EQ(ResolveType({.name = "c", .source = "c", .duck_type = "INTEGER", .type = "text", .source_type = "smallint"},
                        false)
                .postgres,
            "text");
}

TEST(ColumnTypeTest, TypesWithoutTheirOwnTextInEqualityAreComparedByIt) {
  for (const char* type : {"json", "interval", "real", "jsonb", "box", "integer[]", "bpchar"})
    EXPECT_TRUE(ComparesAsText(type)) << type;
  for (const char* type : {"integer", "numeric(10,2)", "text", "character(3)", "timestamp(3) with time zone", "uuid"})
    EXPECT_FALSE(ComparesAsText(type)) << type;
}

std::string Convert(const std::string& value, const ColumnType& type) {
  duck::Database database;
  duck::Connection lake(database);
  return lake.QueryText("SELECT " + ConvertExpression("c", type) + " FROM (SELECT " + value + " AS c)");
}

TEST(ColumnTypeTest, NestedValuesBecomeJson) {
  EXPECT_EQ(Convert("{'a': 1, 'b': ['x']}", Resolve("STRUCT(a INTEGER, b VARCHAR[])")), R"({"a":1,"b":["x"]})");
  EXPECT_EQ(Convert(R"('{"a": 1}')", Resolve("VARCHAR", "jsonb")), R"({"a": 1})");
}

TEST(ColumnTypeTest, ListsBecomeArrayLiterals) {
  EXPECT_EQ(Convert("[1, NULL, 3]", Resolve("INTEGER[]")), R"({"1",NULL,"3"})");
  EXPECT_EQ(Convert(R"(['a"b', 'c\d', 'NULL', ''])", Resolve("VARCHAR[]")), R"({"a\"b","c\\d","NULL",""})");
  EXPECT_EQ(Convert("['(1,1),(0,0)', '(2,2),(1,1)']", Resolve("VARCHAR[]", "box[]")),
            R"x({"(1,1),(0,0)";"(2,2),(1,1)"})x");
  EXPECT_EQ(Convert("[]::DATE[]", Resolve("DATE[]")), "{}");
  EXPECT_EQ(Convert(R"(['\x0A'::BLOB])", Resolve("BLOB[]")), R"({"\\x0a"})");
}

TEST(ColumnTypeTest, ARecordIdIsAnInteger) {
  EXPECT_EQ(Resolve("BIGINT", "", true).postgres, "integer");
  EXPECT_EQ(Resolve("BIGINT", "bigint", true).postgres, "bigint");
}

TEST(ColumnTypeTest, WhatIsNoTypeIsRefused) {
  for (const char* type : {"integer, x int", "int; DROP TABLE t", "numeric(10", "\"a", "int)", "x'y", " "}) {
    EXPECT_THROW(Resolve("VARCHAR", type), Error) << type;
  }
  try {
    Resolve("INTERVAL");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0601");
    EXPECT_EQ(error.message(), "column \"c\" has type INTERVAL, which has no default in a PostgreSQL warehouse");
  }
}

TEST(ColumnTypeTest, TypesAreWrittenAsTheServerDoes) {
  EXPECT_EQ(CanonicalType("VARCHAR (3)"), "character varying(3)");
  EXPECT_EQ(CanonicalType("timestamptz(3)"), "timestamp(3) with time zone");
  EXPECT_EQ(CanonicalType("timestamp(3) with time zone"), "timestamp(3) with time zone");
  EXPECT_EQ(CanonicalType("int[3][]"), "integer[]");
  EXPECT_EQ(CanonicalType("decimal(5)"), "numeric(5,0)");
  EXPECT_EQ(CanonicalType("char"), "character(1)");
  EXPECT_EQ(CanonicalType("bpchar"), "bpchar");
  EXPECT_EQ(CanonicalType("double   precision"), "double precision");
}

TEST(ColumnTypeTest, WideningKeepsEveryValue) {
  const std::pair<const char*, const char*> wider[] = {
      {"integer", "bigint"},        {"integer", "numeric(12,2)"}, {"numeric(10,2)", "numeric(12,4)"},
      {"numeric(10,2)", "numeric"}, {"real", "double precision"}, {"character varying(3)", "character varying(10)"},
      {"character(3)", "text"},     {"integer[]", "bigint[]"},    {"time(3) without time zone", "time"},
  };
  for (const auto& [from, to] : wider) EXPECT_TRUE(IsWidening(from, to)) << from << " " << to;
  const std::pair<const char*, const char*> others[] = {
      {"bigint", "integer"},   {"integer", "numeric(10,2)"}, {"numeric(10,2)", "numeric(10,4)"},
      {"integer", "text"},     {"text", "varchar(3)"},       {"varchar(10)", "varchar(3)"},
      {"integer", "bigint[]"}, {"date", "timestamp"},        {"numeric", "numeric(10,2)"},
  };
  for (const auto& [from, to] : others) EXPECT_FALSE(IsWidening(from, to)) << from << " " << to;
}

}  // namespace
}  // namespace leat::warehouse
