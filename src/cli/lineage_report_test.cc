#include "cli/lineage_report.h"

#include <gtest/gtest.h>

#include "cli/terminal_fixture.h"

namespace leat::cli {
namespace {

using pipeline::LineageGraph;
using pipeline::LineageHow;
using pipeline::LineageNode;

/// mart.total.worth, made of two columns and decided by a third.
LineageGraph Worth() {
  const Place worth{.file = "models/mart/total.sql", .line = 12};
  return {
      .subject = {"mart.total", "worth"},
      .nodes = {{.name = {"checks/positive.sql", ""}, .kind = "check", .place = {.file = "checks/positive.sql"}},
                {.name = {"crm.line", "price"}, .kind = "stream", .place = {.file = "sources/crm.yaml"}},
                {.name = {"crm.line", "units"}, .kind = "stream", .place = {.file = "sources/crm.yaml"}},
                {.name = {"mart.detail", "currency"},
                 .kind = "table",
                 .expression = "upper(c.code)",
                 .place = {.file = "models/mart/detail.sql", .line = 7},
                 .unknown = true,
                 .note = "it may have other origins"},
                {.name = {"mart.total", "worth"}, .kind = "table", .expression = "units * \"price\"", .place = worth}},
      .edges = {{{"crm.line", "price"}, {"mart.detail", "currency"}, LineageHow::kValue},
                {{"crm.line", "price"}, {"mart.total", "worth"}, LineageHow::kValue},
                {{"crm.line", "units"}, {"mart.total", "worth"}, LineageHow::kValue},
                {{"mart.detail", "currency"}, {"mart.total", "worth"}, LineageHow::kDecides},
                {{"mart.total", "worth"}, {"checks/positive.sql", ""}, LineageHow::kChecks}}};
}

TEST(LineageReportTest, DrawsWhatAColumnComesFromAndWhatUsesIt) {
  EXPECT_EQ(FormatLineage(Worth(), kTerminal),
            "mart.total.worth · table · models/mart/total.sql:12\n"
            "  = units * \"price\"\n"
            "  COMES FROM               HOW      WHERE\n"
            "  ├─ crm.line.price        value    sources/crm.yaml\n"
            "  ├─ crm.line.units        value    sources/crm.yaml\n"
            "  └┄ mart.detail.currency  decides  models/mart/detail.sql:7  = upper(c.code); it may have other origins\n"
            "     └─ crm.line.price     value    sources/crm.yaml\n"
            "  USED BY                 HOW     WHERE\n"
            "  └─ checks/positive.sql  checks\n");
}

TEST(LineageReportTest, ANarrowTerminalWithoutUnicodeShowsTheSame) {
  EXPECT_EQ(FormatLineage(Worth(), kNarrowAscii),
            "mart.total.worth - table - models/mart/total.sql:12\n"
            "  = units * \"price\"\n"
            "  COMES FROM               HOW      WHERE\n"
            "  |- crm.line.price        value    sources/crm.yaml\n"
            "  |- crm.line.units        value    sources/crm.yaml\n"
            "  `. mart.detail.currency  decides  models/mart/detail.sql:7\n"
            "      = upper(c.code); it may have other origins\n"
            "     `- crm.line.price     value    sources/crm.yaml\n"
            "  USED BY                 HOW     WHERE\n"
            "  `- checks/positive.sql  checks\n");
}

TEST(LineageReportTest, ColumnsThatAreUsedAlikeStandInOneLine) {
  LineageGraph lineage{.subject = {"crm.line", "id"}, .nodes = {{.name = {"crm.line", "id"}, .kind = "stream"}}};
  for (const char* column : {"a", "b", "c", "d"}) {
    lineage.nodes.push_back({.name = {"mart.total", column}, .kind = "table"});
    lineage.nodes.push_back({.name = {"warehouse.public.total", column}, .kind = "warehouse"});
    lineage.edges.push_back({{"crm.line", "id"}, {"mart.total", column}, LineageHow::kDecides});
    lineage.edges.push_back({{"mart.total", column}, {"warehouse.public.total", column}, LineageHow::kLoads});
  }
  EXPECT_EQ(FormatLineage(lineage, kAsciiPipe),
            "crm.line.id - stream\n"
            "  COMES FROM  HOW  WHERE\n"
            "  -                       read from its source\n"
            "  USED BY                                   HOW      WHERE\n"
            "  `. mart.total (4 columns)                 decides\n"
            "     `- warehouse.public.total (4 columns)  loads\n");
}

TEST(LineageReportTest, GraphvizAndJsonHaveEveryEdge) {
  const std::string dot = LineageDot(Worth());
  EXPECT_NE(dot.find("  \"mart.total.worth\" [tooltip=\"units * \\\"price\\\"\", penwidth=2];\n"), std::string::npos);
  EXPECT_NE(dot.find("  \"mart.detail.currency\" [tooltip=\"upper(c.code)\", style=dashed];\n"), std::string::npos);
  EXPECT_NE(dot.find("  \"mart.detail.currency\" -> \"mart.total.worth\" [tooltip=decides, style=dashed];\n"),
            std::string::npos);
  const Json json = LineageJson(Worth());
  EXPECT_EQ(json["edges"].size(), 5U);
  EXPECT_EQ(json["nodes"][3]["unknown"], true);
  EXPECT_EQ(json["nodes"][4]["line"], 12);
  EXPECT_EQ(json["nodes"][0]["column"], nullptr);
}

}  // namespace
}  // namespace leat::cli
