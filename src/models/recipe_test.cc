#include "models/recipe.h"

#include "models/model_fixture.h"

namespace leat::models {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class RecipeTest : public ModelsTest {
 protected:
  RecipeTest() {
    Stream("totesys.staff", "staff_id INTEGER, name VARCHAR", {"staff_id"});
    Commit("totesys.staff", "(1, 'Ann', 'u')");
  }
  Recipe Of(const std::string& model) { return RecipeOf(*engine_, *macros_, graph_, *graph_.Find(model)); }
};

TEST_F(RecipeTest, TellsAllThatMakesAModelAndReadsItsOwnText) {
  File("macros/loud.sql", "CREATE MACRO loud(x) AS upper(x);");
  Model("mart/dim_staff.sql",
        "/* ---\nkey: staff_id\nkeep_deleted: true\nchecks:\n  - not_null: [staff_id, name]\n    severity: warn\n"
        "  - range: {staff_id: {min: 1}}\n  - unique: [staff_id, name]\n  - rows: {max: 9}\n"
        "warehouse: {table: staff, rename: {name: first_name}}\n--- */\n\nSELECT staff_id, loud(name) AS name\n"
        "FROM totesys.staff\n");
  Run();
  const Recipe recipe = Of("mart.dim_staff");
  EXPECT_EQ(recipe.sql, "SELECT staff_id, loud(name) AS name\nFROM totesys.staff\n");
  EXPECT_THAT(recipe.settings, ElementsAre(Pair("keep_deleted", "true"), Pair("key", "(staff_id)")));
  EXPECT_THAT(recipe.checks, ElementsAre(Pair("not_null(name)", "warn"), Pair("not_null(staff_id)", "warn"),
                                         Pair("range(staff_id)", "1 to any"), Pair("rows()", "at most 9"),
                                         Pair("unique(staff_id, name)", "")));
  EXPECT_THAT(recipe.warehouse, ElementsAre(Pair("rename name", "first_name"), Pair("table", "staff")));
  EXPECT_THAT(recipe.macros, ElementsAre(Pair("loud", testing::SizeIs(32))));
  EXPECT_THAT(recipe.inputs, ElementsAre(Pair("totesys.staff", testing::SizeIs(32))));
  EXPECT_EQ(ParseRecipe(FormatRecipe(recipe)), recipe);
  EXPECT_EQ(SqlOf(*project_.FindModel("mart.dim_staff")).line, 13);
}

TEST_F(RecipeTest, InputsChangeWithTheRowsAndMacrosWithTheirMeaningOnly) {
  File("macros/loud.sql", "CREATE MACRO loud(x) AS upper(x);");
  Model("mart/dim_staff.sql", "SELECT loud(name) AS name FROM totesys.staff");
  Run();
  const Recipe before = Of("mart.dim_staff");
  File("macros/loud.sql", "-- no other meaning\nCREATE MACRO loud(x) AS   upper(x);");
  Commit("totesys.staff", "(2, 'Bob', 'u')");
  Run();
  EXPECT_EQ(Of("mart.dim_staff").macros, before.macros);
  EXPECT_NE(Of("mart.dim_staff").inputs, before.inputs);
  File("macros/loud.sql", "CREATE MACRO loud(x) AS lower(x);");
  Run();
  EXPECT_NE(Of("mart.dim_staff").macros, before.macros);
}

TEST_F(RecipeTest, AnOpenCalendarIsMadeFromWhatRefersToIt) {
  Model("mart/dim_date.yaml", "kind: dim_date\n");
  Model("mart/fact.sql",
        "/* ---\nchecks:\n  - references: {day: mart.dim_date}\n--- */\nSELECT DATE '2024-01-01' AS day FROM "
        "totesys.staff");
  Run();
  EXPECT_THAT(Of("mart.dim_date").inputs, ElementsAre(Pair("mart.fact", testing::SizeIs(32))));
  EXPECT_EQ(Of("mart.dim_date").sql, "");
  EXPECT_THAT(Of("mart.fact").checks, ElementsAre(Pair("references(day)", "mart.dim_date")));
}

TEST_F(RecipeTest, SqlBesideTheHeadBeginsAfterIt) {
  Model("mart/a.sql", "/* ---\nkey: name\n--- */ SELECT name FROM totesys.staff");
  Model("mart/b.sql", "\n\n  SELECT name FROM totesys.staff");
  Run();
  EXPECT_EQ(SqlOf(*project_.FindModel("mart.a")).sql, " SELECT name FROM totesys.staff");
  EXPECT_EQ(SqlOf(*project_.FindModel("mart.a")).line, 3);
  EXPECT_EQ(SqlOf(*project_.FindModel("mart.b")).sql, "  SELECT name FROM totesys.staff");
  EXPECT_EQ(SqlOf(*project_.FindModel("mart.b")).line, 3);
}

TEST(RecipeTextTest, WhatIsNoRecipeIsNone) {
  for (const char* text : {"", "{}", "[1]", "{\"sql\": 3}"}) EXPECT_EQ(ParseRecipe(text), std::nullopt) << text;
  EXPECT_EQ(ParseRecipe(FormatRecipe({})), Recipe());
}

}  // namespace
}  // namespace leat::models
