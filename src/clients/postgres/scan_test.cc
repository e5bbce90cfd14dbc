#include "clients/postgres/scan.h"

#include <gtest/gtest.h>

#include "clients/postgres/wire.h"

namespace leat::postgres {
namespace {

ScanTable Staff() {
  ScanTable table{.schema = "public", .table = "staff"};
  table.columns = {{.name = "staff_id", .type = MapType({.oid = oid::kInt4, .formatted = "integer"})},
                   {.name = "Pay", .type = MapType({.oid = 1186, .formatted = "interval"})}};
  return table;
}

TEST(SplitBlocksTest, ReadsSmallTablesAndOldServersInOneRange) {
  EXPECT_EQ(SplitBlocks(0, 150000).size(), 1U);
  EXPECT_EQ(SplitBlocks(1023, 150000).size(), 1U);
  EXPECT_EQ(SplitBlocks(1'000'000, 130020).size(), 1U);
  EXPECT_TRUE(SplitBlocks(1'000'000, 130020)[0].open_ended);
}

TEST(SplitBlocksTest, MakesAtLeast64RangesOfALargeTable) {
  EXPECT_EQ(SplitBlocks(8192, 140000).size(), 64U);
  EXPECT_GE(SplitBlocks(70'000, 140000).size(), 64U);
}

TEST(SplitBlocksTest, KeepsRangesTo64MiB) {
  for (const BlockRange& range : SplitBlocks(10'000'000, 140000)) EXPECT_LE(range.end - range.first, 8192);
}

TEST(SplitBlocksTest, LeavesNoGapAndNoEnd) {
  for (const int64_t blocks : {1024, 1025, 9999, 70'001, 1'000'003}) {
    const std::vector<BlockRange> ranges = SplitBlocks(blocks, 150000);
    int64_t next = 0;
    for (const BlockRange& range : ranges) {
      EXPECT_EQ(range.first, next);
      EXPECT_EQ(range.open_ended, &range == &ranges.back());
      next = range.end;
    }
    EXPECT_EQ(next, blocks);
  }
}

TEST(CopyStatementTest, SelectsTheColumnsWanted) {
  EXPECT_EQ(CopyStatement(Staff(), {0}, nullptr),
            "COPY (SELECT \"staff_id\" FROM ONLY \"public\".\"staff\") TO STDOUT (FORMAT binary)");
  EXPECT_EQ(CopyStatement(Staff(), {1, 0}, nullptr),
            "COPY (SELECT \"Pay\"::text, \"staff_id\" FROM ONLY \"public\".\"staff\") TO STDOUT (FORMAT binary)");
}

TEST(CopyStatementTest, CombinesRangeAndCondition) {
  ScanTable table = Staff();
  table.only = false;
  table.where = "staff_id < 5 OR staff_id > 9";
  const BlockRange inner{.first = 128, .end = 256};
  EXPECT_EQ(CopyStatement(table, {0}, &inner),
            "COPY (SELECT \"staff_id\" FROM \"public\".\"staff\" WHERE ctid >= '(128,0)' AND ctid < '(256,0)' AND "
            "(staff_id < 5 OR staff_id > 9)) TO STDOUT (FORMAT binary)");
  const BlockRange last{.first = 256, .end = 300, .open_ended = true};
  EXPECT_EQ(
      CopyStatement(Staff(), {0}, &last),
      "COPY (SELECT \"staff_id\" FROM ONLY \"public\".\"staff\" WHERE ctid >= '(256,0)') TO STDOUT (FORMAT binary)");
}

TEST(CopyStatementTest, ReadsALeafByItsOwnName) {
  ScanTable table = Staff();
  table.only = false;
  const ScanLeaf leaf{.schema = "old", .table = "staff_2020"};
  EXPECT_EQ(CopyStatement(table, {0}, nullptr, &leaf),
            "COPY (SELECT \"staff_id\" FROM ONLY \"old\".\"staff_2020\") TO STDOUT (FORMAT binary)");
}

}  // namespace
}  // namespace leat::postgres
