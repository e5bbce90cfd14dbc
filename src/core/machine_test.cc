#include "core/machine.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace leat {
namespace {

class GroupMemoryLimitTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(root_ + file).parent_path());
    std::ofstream(root_ + file) << text << "\n";
  }

  const std::string root_ = testing::TempDir() + "leat_cgroup";
};

TEST_F(GroupMemoryLimitTest, IsTheLeastOfTheGroupAndThoseAboveIt) {
  Write("/memory.max", "8000");
  Write("/a/memory.max", "2000");
  Write("/a/b/memory.max", "4000");
  EXPECT_EQ(GroupMemoryLimit(root_, "/a/b"), 2000);
  EXPECT_EQ(GroupMemoryLimit(root_, "/"), 8000);
}

TEST_F(GroupMemoryLimitTest, IsNoneWhereNoneIsSet) {
  Write("/a/memory.max", "max");
  EXPECT_EQ(GroupMemoryLimit(root_, "/a"), 0);
  EXPECT_EQ(GroupMemoryLimit(root_, "/absent"), 0);
}

TEST_F(GroupMemoryLimitTest, IsFoundFromInsideAContainerThatIsNamedFromOutside) {
  Write("/memory.limit_in_bytes", "512000000");
  EXPECT_EQ(GroupMemoryLimit(root_, "/docker/0123abc"), 512'000'000);
}

TEST(MachineMemoryTest, IsSomething) { EXPECT_GT(MachineMemory().bytes, 64'000'000); }

}  // namespace
}  // namespace leat
