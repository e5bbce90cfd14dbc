#include "pipeline/select.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace leat::pipeline {
namespace {

using testing::ElementsAre;

/// staff, department -> dim_staff -> report;  sales_order -> fact
const std::vector<Selectable> kShop = {
    {.name = "totesys.staff", .source = "totesys", .kind = "stream"},
    {.name = "totesys.department", .source = "totesys", .kind = "stream"},
    {.name = "totesys.sales_order", .source = "totesys", .kind = "stream", .tags = {"daily"}},
    {.name = "mart.dim_staff",
     .kind = "table",
     .file = "models/mart/dim_staff.sql",
     .inputs = {"totesys.staff", "totesys.department"}},
    {.name = "mart.fact",
     .kind = "history",
     .file = "models/mart/fact.sql",
     .tags = {"daily"},
     .inputs = {"totesys.sales_order"}},
    {.name = "out.report", .kind = "table", .file = "models/out/report.sql", .inputs = {"mart.dim_staff"}},
};

std::set<std::string> Of(const std::string& selection, const std::string& exclude = "") {
  return Select(kShop, selection, exclude, {"totesys"});
}

TEST(SelectTest, TakesEverythingByDefault) { EXPECT_EQ(Of("").size(), 6u); }

TEST(SelectTest, TakesNamesAndGlobs) {
  EXPECT_THAT(Of("mart.dim_staff"), ElementsAre("mart.dim_staff"));
  EXPECT_THAT(Of("mart.*"), ElementsAre("mart.dim_staff", "mart.fact"));
}

TEST(SelectTest, WalksUpAndDownAsFarAsAsked) {
  EXPECT_THAT(Of("+mart.dim_staff"), ElementsAre("mart.dim_staff", "totesys.department", "totesys.staff"));
  EXPECT_THAT(Of("totesys.staff+"), ElementsAre("mart.dim_staff", "out.report", "totesys.staff"));
  EXPECT_THAT(Of("totesys.staff+1"), ElementsAre("mart.dim_staff", "totesys.staff"));
  EXPECT_THAT(Of("1+out.report"), ElementsAre("mart.dim_staff", "out.report"));
  EXPECT_THAT(Of("+mart.dim_staff+"),
              ElementsAre("mart.dim_staff", "out.report", "totesys.department", "totesys.staff"));
}

TEST(SelectTest, TakesMethods) {
  EXPECT_EQ(Of("source:totesys").size(), 3u);
  EXPECT_EQ(Of("source:totesys+").size(), 6u);
  EXPECT_THAT(Of("tag:daily"), ElementsAre("mart.fact", "totesys.sales_order"));
  EXPECT_THAT(Of("kind:history"), ElementsAre("mart.fact"));
  EXPECT_THAT(Of("path:models/out"), ElementsAre("out.report"));
}

TEST(SelectTest, BlankIsOrCommaIsAndExcludeTakesOut) {
  EXPECT_THAT(Of("mart.fact out.report"), ElementsAre("mart.fact", "out.report"));
  EXPECT_THAT(Of("tag:daily,mart.*"), ElementsAre("mart.fact"));
  EXPECT_THAT(Of("mart.*", "kind:history"), ElementsAre("mart.dim_staff"));
}

TEST(SelectTest, NamesTheNearestForATermThatMatchesNothing) {
  try {
    Of("mart.dim_staf");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "selection 'mart.dim_staf' matches no table");
    EXPECT_THAT(error.diagnostic().help, ElementsAre("did you mean mart.dim_staff?"));
  }
  try {
    Of("sorce:totesys");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "'sorce:' is no way to select; expected source:, tag:, kind: or path:");
    EXPECT_THAT(error.diagnostic().help, ElementsAre("did you mean source?"));
  }
}

TEST(SelectTest, NamesTheSourcesAskedFor) {
  EXPECT_THAT(SourcesNamed("mart.fact source:totesys+"), ElementsAre("totesys"));
}

}  // namespace
}  // namespace leat::pipeline
