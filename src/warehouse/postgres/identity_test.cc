#include <gtest/gtest.h>

#include "warehouse/warehouse.h"

namespace leat::warehouse {
namespace {

class IdentityTest : public testing::Test {
 protected:
  Identity source_ = {.system_identifier = "7123",
                      .server_started_at = "1700000000.123456",
                      .address = "10.0.0.5:5432",
                      .database_oid = "16384",
                      .database = "shop",
                      .schema = "public"};
  Identity target_ = source_;
};

TEST_F(IdentityTest, APlaceIsTheSameThroughAnotherAddress) {
  target_.address = "";
  EXPECT_TRUE(IsSame(source_, target_));
}

TEST_F(IdentityTest, AStandbyIsTheSamePlaceThoughItStartedLater) {
  target_.server_started_at = "1700000099.000001";
  EXPECT_TRUE(IsSame(source_, target_));
}

TEST_F(IdentityTest, AnotherSchemaDatabaseOrServerIsAnotherPlace) {
  target_.schema = "warehouse";
  EXPECT_FALSE(IsSame(source_, target_));
  target_ = source_;
  target_.database_oid = "16385";
  EXPECT_FALSE(IsSame(source_, target_));
  target_ = source_;
  target_.system_identifier = "7124";
  EXPECT_FALSE(IsSame(source_, target_));
}

TEST_F(IdentityTest, WhereARoleMayNotAskTheStartOfTheServerTells) {
  target_.system_identifier = "";
  EXPECT_TRUE(IsSame(source_, target_));
  target_.server_started_at = "1700000000.123457";
  EXPECT_FALSE(IsSame(source_, target_));
}

}  // namespace
}  // namespace leat::warehouse
