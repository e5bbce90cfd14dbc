#include "core/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <filesystem>

#include "core/error.h"

namespace leat {
namespace {

class FileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/leat-file-system-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(FileSystemTest, WritesANewFileOnlyOnce) {
  const std::string path = folder_ + "/a/b/metadata.json";
  MakeDirectories(ParentPath(path));
  WriteNewFile(path, "one");
  EXPECT_EQ(ReadFile(path), "one");
  try {
    WriteNewFile(path, "two");
    FAIL() << "the second write of one name must be refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "cannot create " + path + ": File exists");
  }
  EXPECT_EQ(ReadFile(path), "one");
}

TEST_F(FileSystemTest, ReplacesAFileWithoutLeavingTemporaryNames) {
  ReplaceFile(folder_ + "/state", "one");
  ReplaceFile(folder_ + "/state", "two");
  EXPECT_EQ(ReadFile(folder_ + "/state"), "two");
  EXPECT_THAT(ListDirectory(folder_), testing::ElementsAre("state"));
}

TEST_F(FileSystemTest, ListsFilesBelowSortedAndRelative) {
  MakeDirectories(folder_ + "/models/mart");
  WriteNewFile(folder_ + "/models/mart/b.sql", "");
  WriteNewFile(folder_ + "/models/a.sql", "");
  EXPECT_THAT(ListFilesBelow(folder_ + "/models"), testing::ElementsAre("a.sql", "mart/b.sql"));
  EXPECT_THAT(ListFilesBelow(folder_ + "/absent"), testing::IsEmpty());
}

TEST_F(FileSystemTest, TellsThatAnFsyncWasRefused) {
  try {
    SyncFile("/dev/null");  // which nobody can flush
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0502");
    EXPECT_EQ(error.message(), "cannot fsync /dev/null: Invalid argument");
  }
}

TEST_F(FileSystemTest, AFileThatWasWrittenInPartIsNone) {
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  std::string told = "nothing";
  try {
    WriteNewFile(folder_ + "/big", std::string(1500, 'x'));  // of which 1000 are taken, and no more
  } catch (const Error& error) {
    told = error.message();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(told, "cannot write " + folder_ + "/big: File too large");
  EXPECT_THAT(ListDirectory(folder_), testing::IsEmpty());
}

TEST_F(FileSystemTest, NamesAnAbsentFile) {
  try {
    ReadFile(folder_ + "/absent");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kConfig);
    EXPECT_EQ(error.message(), folder_ + "/absent does not exist");
  }
}

TEST(PathTest, JoinsAndParts) {
  EXPECT_EQ(JoinPath("lake", "raw/x"), "lake/raw/x");
  EXPECT_EQ(JoinPath("lake/", "raw"), "lake/raw");
  EXPECT_EQ(JoinPath("lake", "/absolute"), "/absolute");
  EXPECT_EQ(ParentPath("a/b/c"), "a/b");
  EXPECT_EQ(AbsolutePath("/a/./b/../c/"), "/a/c");
}

}  // namespace
}  // namespace leat
