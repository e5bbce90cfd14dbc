#include "lake/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::lake {
namespace {

using testing::ElementsAre;

std::string TypeAfter(const std::string& duck_type) { return DuckType(SchemaOf({{"c", duck_type}}).fields[0].type); }

template <typename Call>
std::string ErrorOf(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code() + ": " + error.message() + " | " + error.diagnostic().help.at(0);
  }
  return "no error";
}

TEST(SchemaTest, MapsTypesOfDuckDb) {
  for (const char* same : {"BOOLEAN", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(10,2)", "DATE", "TIME",
                           "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "UUID", "BLOB", "INTEGER[]",
                           "VARCHAR[][]", R"sql(STRUCT("a" INTEGER, "we ""ird, (x)" MAP(VARCHAR, DECIMAL(4,1)[])))sql"})
    EXPECT_EQ(TypeAfter(same), same);
  EXPECT_EQ(TypeAfter("UTINYINT"), "INTEGER");
  EXPECT_EQ(TypeAfter("UINTEGER"), "BIGINT");
  EXPECT_EQ(TypeAfter("UBIGINT"), "DECIMAL(20,0)");
  EXPECT_EQ(TypeAfter("HUGEINT"), "DECIMAL(38,0)");
  EXPECT_EQ(TypeAfter("TIMESTAMP_MS"), "TIMESTAMP");
  EXPECT_EQ(TypeAfter("ENUM('a)', 'it''s')[]"), "VARCHAR[]");
  EXPECT_EQ(TypeAfter("FLOAT[3]"), "FLOAT[]");
  EXPECT_EQ(TypeAfter("STRUCT(a INTEGER, b TIMESTAMP_S)"), R"(STRUCT("a" INTEGER, "b" TIMESTAMP))");
}

TEST(SchemaTest, GivesColumnsTheirIdsFirst) {
  const Schema schema = SchemaOf({{"a", R"(STRUCT("x" INTEGER, "y" VARCHAR[]))"}, {"b", "INTEGER"}});
  EXPECT_EQ(schema.fields[0].id, 1);
  EXPECT_EQ(schema.fields[1].id, 2);
  EXPECT_EQ(schema.fields[0].type.fields[0].id, 3);
  EXPECT_EQ(schema.fields[0].type.fields[1].id, 4);
  EXPECT_EQ(schema.fields[0].type.fields[1].type.fields[0].id, 5);
  EXPECT_EQ(schema.LastColumnId(), 5);
}

TEST(SchemaTest, RefusesWhatIcebergLacks) {
  EXPECT_EQ(ErrorOf([] {
              SchemaOf({{"wait", "INTERVAL"}});
            }),
            "LEAT0210: column \"wait\" has type INTERVAL, which a table of the lake cannot keep | write CAST(\"wait\" "
            "AS VARCHAR) AS "
            "\"wait\"");
  EXPECT_EQ(ErrorOf([] {
              SchemaOf({{"t", "TIMESTAMP_NS"}});
            }),
            "LEAT0210: column \"t\" has type TIMESTAMP_NS, which a table of the lake cannot keep | write CAST(\"t\" AS "
            "TIMESTAMP) AS "
            "\"t\"");
  EXPECT_EQ(ErrorOf([] {
              SchemaOf({{"l", "BIT[]"}});
            }),
            "LEAT0210: column \"l\" has type BIT[] with BIT inside, which a table of the lake cannot keep | write "
            "CAST(\"l\" AS VARCHAR) "
            "AS \"l\"");
  for (const char* type : {"TIME WITH TIME ZONE", "UNION", "UNION(num INTEGER, str VARCHAR)", "UNKNOWN", "STRUCT(", ""})
    EXPECT_THROW(SchemaOf({{"c", type}}), Error) << type;
}

TEST(SchemaTest, RefusesOneNameTwice) {
  EXPECT_EQ(
      ErrorOf([] {
        SchemaOf({{"id", "INTEGER"}, {"ID", "DATE"}});
      }),
      "LEAT0210: column \"ID\" is there twice; upper and lower case are one | give one of them another name with AS");
}

TEST(EvolveTest, KeepsIdsByNameAndNeverReusesOne) {
  const Schema current = SchemaOf({{"a", "INTEGER"}, {"b", "VARCHAR"}, {"c", "DATE"}});
  const Evolution evolution = Evolve(current, SchemaOf({{"c", "DATE"}, {"d", "INTEGER"}, {"a", "BIGINT"}}), 7);
  EXPECT_TRUE(evolution.changed);
  EXPECT_THAT(evolution.schema.Names(), ElementsAre("c", "d", "a"));
  EXPECT_EQ(evolution.schema.fields[0].id, 3);
  EXPECT_EQ(evolution.schema.fields[1].id, 8);
  EXPECT_EQ(evolution.schema.fields[2].id, 1);
  EXPECT_THAT(evolution.added, ElementsAre("d"));
  EXPECT_THAT(evolution.dropped, ElementsAre("b"));
  EXPECT_THAT(evolution.widened, ElementsAre("a"));
}

TEST(EvolveTest, SeesThatNothingChanged) {
  const std::vector<duck::Column> columns = {{"a", "INTEGER"}, {"l", R"(STRUCT("x" INTEGER)[])"}};
  const Schema schema = SchemaOf(columns);
  const Evolution evolution = Evolve(schema, SchemaOf(columns), schema.LastColumnId());
  EXPECT_FALSE(evolution.changed);
  EXPECT_EQ(evolution.schema, schema);
}

TEST(EvolveTest, GoesIntoNestedTypes) {
  const Schema current = SchemaOf({{"l", R"(STRUCT("x" INTEGER, "y" DATE)[])"}, {"m", "MAP(VARCHAR, FLOAT)"}});
  const Evolution evolution =
      Evolve(current, SchemaOf({{"l", R"(STRUCT("x" INTEGER, "z" VARCHAR)[])"}, {"m", "MAP(VARCHAR, DOUBLE)"}}),
             current.LastColumnId());
  EXPECT_THAT(evolution.added, ElementsAre("l.element.z"));
  EXPECT_THAT(evolution.dropped, ElementsAre("l.element.y"));
  EXPECT_THAT(evolution.widened, ElementsAre("m.value"));
  EXPECT_EQ(evolution.schema.LastColumnId(), current.LastColumnId() + 1);
}

TEST(EvolveTest, RefusesAnyOtherChangeOfAType) {
  const auto refusal = [](const char* from, const char* to) {
    return ErrorOf([&] { Evolve(SchemaOf({{"price", from}}), SchemaOf({{"price", to}}), 1); });
  };
  EXPECT_EQ(refusal("DECIMAL(10,2)", "DECIMAL(10,4)"),
            "LEAT0211: column \"price\" has type DECIMAL(10,2) in the lake, its new rows have DECIMAL(10,4) | cast it "
            "to DECIMAL(10,2) "
            "where its rows are made, or rebuild the table with --full-refresh");
  EXPECT_THAT(refusal("BIGINT", "INTEGER"), testing::StartsWith("LEAT0211"));
  EXPECT_THAT(refusal("INTEGER", "INTEGER[]"), testing::StartsWith("LEAT0211"));
  EXPECT_EQ(refusal("DECIMAL(10,2)", "DECIMAL(12,2)"), "no error");
}

}  // namespace
}  // namespace leat::lake
