#include "cli/new_project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/error.h"
#include "core/file_system.h"
#include "core/ids.h"

namespace leat::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class NewProjectTest : public testing::Test {
 protected:
  NewProjectTest() { std::filesystem::create_directory(root_); }
  ~NewProjectTest() override { std::filesystem::remove_all(root_); }

  static std::string TextOf(const NewProject& project, const std::string& path) {
    for (const ProjectFile& file : ProjectFiles(project))
      if (file.path == path) return file.text;
    return "absent";
  }
  static std::string Refusal(const NewProject& project) {
    try {
      ProjectFiles(project);
    } catch (const Error& error) {
      return error.code() + " " + error.message();
    }
    return "accepted";
  }

  const std::string root_ = testing::TempDir() + "/new_project_" + NewUuid();
};

TEST_F(NewProjectTest, FillsInNameConnectionsAndWarehouse) {
  const std::string yaml = TextOf({.folder = root_ + "/My Shop",
                                   .template_name = "shop",
                                   .source_url = "postgresql://reader@db:5433/totesys",
                                   .warehouse_url = "postgresql://loader@wh/dwh?sslmode=require"},
                                  "leat.yaml");
  EXPECT_THAT(yaml, HasSubstr("name: my_shop\n"));
  EXPECT_THAT(yaml,
              HasSubstr("connections:\n"
                        "  totesys:   {type: postgres, host: db, port: 5433, database: totesys, user: reader}\n"
                        "  warehouse: {type: postgres, host: wh, database: dwh, user: loader, sslmode: require}\n"));
  EXPECT_THAT(yaml, HasSubstr("\nwarehouse: {connection: warehouse, schema: public, load: [\"mart.*\"]}\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("@")));
}

TEST_F(NewProjectTest, SaysThatTheLakeIsTheWarehouseWithoutOne) {
  const std::string yaml =
      TextOf({.folder = root_, .template_name = "shop", .source_url = "postgresql://db/totesys"}, "leat.yaml");
  EXPECT_THAT(yaml, HasSubstr("  totesys:   {type: postgres, host: db, database: totesys}\n"));
  EXPECT_THAT(yaml, HasSubstr("\n# They stay in the lake"));
  EXPECT_THAT(yaml, Not(HasSubstr("\nwarehouse:")));
}

TEST_F(NewProjectTest, BringsEveryFileOfTheTemplate) {
  const NewProject shop{.folder = "x", .template_name = "shop", .source_url = "postgresql://db/totesys"};
  for (const char* path : {".gitignore", "README.md", "leat.yaml", "models/mart/dim_staff.sql", "seeds/iso_4217.csv",
                           "sources/totesys.yaml"})
    EXPECT_NE(TextOf(shop, path), "absent") << path;
  EXPECT_NE(TextOf({.folder = "x", .template_name = "empty"}, ".gitignore"), "absent");
}

TEST_F(NewProjectTest, AnEmptyProjectKnowsTheDatabasesThatAreNamed) {
  const NewProject crm{.folder = "x",
                       .template_name = "empty",
                       .source_url = "postgresql://reader@db/Crm",
                       .warehouse_url = "postgresql://loader@db/bi"};
  EXPECT_THAT(TextOf(crm, "leat.yaml"),
              HasSubstr("\nconnections:\n  crm: {type: postgres, host: db, database: Crm, user: reader}\n"
                        "  warehouse: {type: postgres, host: db, database: bi, user: loader}\n\n"
                        "warehouse: {connection: warehouse}\n"));
  EXPECT_THAT(TextOf(crm, "sources/crm.yaml"), HasSubstr("\ntype: postgres\nconnection: crm\nstreams:\n"));
}

TEST_F(NewProjectTest, ABillingProjectReadsTheRealServersUnlessOneStandsForThem) {
  const NewProject real{.folder = "x", .template_name = "billing"};
  EXPECT_THAT(TextOf(real, "sources/billing.yaml"), HasSubstr("\nbase_url: \"https://{site}.chargebee.com/api/v2\"\n"));
  EXPECT_THAT(TextOf(real, "sources/ecb.yaml"),
              HasSubstr("\nbase_url: \"https://www.ecb.europa.eu/stats/eurofxref\"\n"));
  EXPECT_THAT(TextOf(real, "leat.yaml"), HasSubstr("\n# warehouse: {connection: warehouse"));
  const NewProject demo{.folder = "x",
                        .template_name = "billing",
                        .source_url = "http://127.0.0.1:4711/",
                        .warehouse_url = "postgresql://loader@db/bi"};
  EXPECT_THAT(TextOf(demo, "sources/billing.yaml"), HasSubstr("\nbase_url: \"http://127.0.0.1:4711/{site}/api/v2\"\n"));
  EXPECT_THAT(TextOf(demo, "sources/ecb.yaml"), HasSubstr("\nbase_url: \"http://127.0.0.1:4711/ecb\"\n"));
  EXPECT_THAT(TextOf(demo, "leat.yaml"),
              HasSubstr("\nconnections:\n  warehouse: {type: postgres, host: db, database: bi, user: loader}\n\n"
                        "# Where the finished tables go.\nwarehouse: {connection: warehouse"));
  for (const ProjectFile& file : ProjectFiles(demo)) EXPECT_THAT(file.text, Not(HasSubstr("@billing"))) << file.path;
}

TEST_F(NewProjectTest, RefusesAnAddressOfAnApiThatIsNone) {
  for (const char* url : {"127.0.0.1:4711", "https://", "https:///x", "ftp://x", "http://x?key=1", "http://x\"y"})
    EXPECT_THAT(Refusal({.folder = "x", .template_name = "billing", .source_url = url}),
                HasSubstr("LEAT0192 --source is no address of an API: '"))
        << url;
  const std::string refusal =
      Refusal({.folder = "x", .template_name = "billing", .source_url = "https://someone:canary@api.example"});
  EXPECT_THAT(refusal, HasSubstr("LEAT0193 --source holds a user or a password"));
  EXPECT_THAT(refusal, Not(HasSubstr("canary")));
}

TEST_F(NewProjectTest, AsksForWhatATemplateNeeds) {
  EXPECT_EQ(Refusal({.folder = "demo", .template_name = "shop"}),
            "LEAT0194 template \"shop\" needs --source; expected the URL of the database totesys to read");
  EXPECT_EQ(Refusal({.folder = "demo", .template_name = "empty", .warehouse_url = "postgresql://db/x"}),
            "LEAT0194 --warehouse without --source; expected the URL of a database to read as well");
}

TEST_F(NewProjectTest, WritesIntoAbsentAndEmptyFolders) {
  for (const std::string& folder : {root_ + "/a/b", root_ + "/here/"}) {
    if (folder.ends_with('/')) std::filesystem::create_directory(folder);
    WriteProject(folder, {{"leat.yaml", "name: x\n"}, {"models/mart/a.sql", "SELECT 1\n"}});
    EXPECT_EQ(ReadFile(folder + "/models/mart/a.sql"), "SELECT 1\n");
    EXPECT_THAT(ListFilesBelow(folder), testing::ElementsAre("leat.yaml", "models/mart/a.sql"));
  }
}

TEST_F(NewProjectTest, OverwritesNothing) {
  WriteNewFile(root_ + "/mine.txt", "mine");
  try {
    WriteProject(root_, {{"mine.txt", "yours"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0191");
    EXPECT_EQ(error.message(), root_ + " is not empty; expected an empty or absent folder");
  }
  EXPECT_EQ(ReadFile(root_ + "/mine.txt"), "mine");
  EXPECT_THAT(ListFilesBelow(root_), testing::ElementsAre("mine.txt"));
}

TEST_F(NewProjectTest, LeavesNothingHalfWritten) {
  // The second file cannot be written: its folder would have the name of the first.
  EXPECT_THROW(WriteProject(root_ + "/new", {{"a", "1"}, {"a/b", "2"}}), Error);
  EXPECT_THAT(ListDirectory(root_), IsEmpty());
}

}  // namespace
}  // namespace leat::cli
