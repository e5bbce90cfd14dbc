#include "cli/github_annotations.h"

#include <gtest/gtest.h>

namespace leat::cli {
namespace {

TEST(GithubAnnotationsTest, PutsADiagnosticAtItsLine) {
  const Diagnostic fault{.code = "LEAT0203",
                         .message = "column \"department_nam\" does not exist",
                         .place = {"models/mart/dim_staff.sql", 7, 10, 24},
                         .help = {"did you mean department_name?"}};
  EXPECT_EQ(FormatAnnotations({fault}, "etl"),
            "::error file=etl/models/mart/dim_staff.sql,line=7,col=10,endColumn=24,title=LEAT0203::column "
            "\"department_nam\" does not exist%0Ahelp: did you mean department_name?\n");
  Diagnostic warning{.severity = Severity::kWarning, .code = "LEAT0710", .message = "late"};
  EXPECT_EQ(FormatAnnotations({warning}, ""), "::warning title=LEAT0710::late\n");
}

TEST(GithubAnnotationsTest, EscapesWhatGithubReadsOtherwise) {
  const Diagnostic fault{
      .code = "LEAT0105", .message = "100 %\r\nof a:b, c\x1b[31m", .place = {"models/a,b:c%.sql", 1, 0, 0}};
  EXPECT_EQ(FormatAnnotations({fault}, ""),
            "::error file=models/a%2Cb%3Ac%25.sql,line=1,title=LEAT0105::100 %25%0D%0Aof a:b, c?[31m\n");
}

TEST(GithubAnnotationsTest, NamesFilesFromTheRepositorysRoot) {
  EXPECT_EQ(FolderInWorkspace("/build/repo/etl/shop", "/build/repo"), "etl/shop");
  EXPECT_EQ(FolderInWorkspace("/build/repo/etl", "/build/repo/"), "etl");
  EXPECT_EQ(FolderInWorkspace("/build/repo", "/build/repo"), "");
  EXPECT_EQ(FolderInWorkspace("/build/repository", "/build/repo"), "");
  EXPECT_EQ(FolderInWorkspace("/elsewhere", ""), "");
}

}  // namespace
}  // namespace leat::cli
