#include "lake/storage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "core/error.h"

namespace leat::lake {
namespace {

class StorageTest : public testing::Test {
 protected:
  StorageTest() {
    std::string pattern = testing::TempDir() + "leat-storage-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    storage_ = OpenLocalStorage(folder_ + "/the lake");
  }
  ~StorageTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
  std::unique_ptr<Storage> storage_;
};

TEST_F(StorageTest, ReadsWhatItWrote) {
  storage_->Write("raw/totesys/staff/metadata/x.json", "{}");
  EXPECT_EQ(storage_->Read("raw/totesys/staff/metadata/x.json"), "{}");
  EXPECT_THAT(storage_->List("raw"), testing::ElementsAre("raw/totesys/staff/metadata/x.json"));
  EXPECT_THAT(storage_->List("processed"), testing::IsEmpty());
}

TEST_F(StorageTest, NeverWritesANameTwice) {
  storage_->Write("a/b", "1");
  EXPECT_THROW(storage_->Write("a/b", "2"), Error);
  EXPECT_EQ(storage_->Read("a/b"), "1");
}

TEST_F(StorageTest, WritesAllFilesOrNone) {
  WriteAll(*storage_, {{"a/x", "1"}, {"b/y", "2"}});
  EXPECT_EQ(storage_->Read("b/y"), "2");
  EXPECT_THROW(WriteAll(*storage_, {{"a/z", "1"}, {std::string(300, 'n'), "3"}}), Error);
  EXPECT_THAT(storage_->List("a"), testing::ElementsAre("a/x"));
}

TEST_F(StorageTest, NamesTheFileThatIsMissing) {
  try {
    storage_->Read("raw/a/b/metadata/c.avro");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0522");
    EXPECT_EQ(error.message(), folder_ + "/the lake/raw/a/b/metadata/c.avro is missing from the lake");
  }
}

TEST_F(StorageTest, RecordsPlainUris) {
  EXPECT_EQ(storage_->Uri("raw/a"), "file://" + folder_ + "/the lake/raw/a");
  EXPECT_EQ(storage_->NameOf(storage_->Uri("raw/a/b/data/c.parquet")), "raw/a/b/data/c.parquet");
}

TEST_F(StorageTest, FindsFilesOfALakeThatWasElsewhere) {
  for (const char* uri :
       {"file:///old/place/lake/raw/totesys/staff/data/x.parquet", "file:/old/raw/totesys/staff/data/x.parquet",
        "/old/raw/totesys/staff/data/x.parquet", "raw/totesys/staff/data/x.parquet"})
    EXPECT_EQ(storage_->NameOf(uri), "raw/totesys/staff/data/x.parquet") << uri;
  EXPECT_EQ(storage_->NameOf("file:///x.parquet"), "x.parquet");
}

}  // namespace
}  // namespace leat::lake
