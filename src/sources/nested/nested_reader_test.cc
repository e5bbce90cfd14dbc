#include "sources/nested/nested_reader.h"

#include "sources/nested/nested_fixture.h"

namespace leat::sources {
namespace {

TEST_F(NestedTest, ObjectsBecomeColumnsAndListsBecomeTables) {
  const StreamOutcome outcome = Read(
      R"([{"id": "s1", "plan": {"name": "Gold", "price": {"amount": 5}}, "tags": ["a", "b"], "addons": [
            {"id": "x", "quantity": 2, "tiers": [{"up_to": 10}, {"up_to": 20}]}, {"id": "y"}]},
          {"id": "s2", "addons": []}])");
  EXPECT_EQ(Message(outcome), "no diagnostic");
  EXPECT_EQ(Columns("billing.subs"), "id VARCHAR, plan_name VARCHAR, plan_price_amount BIGINT, tags VARCHAR[]");
  EXPECT_EQ(Rows("billing.subs"), "s1|Gold|5|[a, b]\ns2|NULL|NULL|NULL\n");
  EXPECT_EQ(Columns("billing.subs__addons"), "subs_id VARCHAR, position BIGINT, id VARCHAR, quantity BIGINT");
  EXPECT_EQ(Rows("billing.subs__addons"), "s1|1|x|2\ns1|2|y|NULL\n");
  EXPECT_EQ(Rows("billing.subs__addons__tiers"), "s1|1|1|10\ns1|1|2|20\n");
  EXPECT_EQ(Columns("billing.subs__addons__tiers"),
            "subs_id VARCHAR, addons_position BIGINT, position BIGINT, up_to BIGINT");
}

TEST_F(NestedTest, AVersionIsWrittenForWhatChanged) {
  rule().version = Name("v");
  Read(R"([{"id": 1, "v": 1, "n": "a", "l": [{"x": 1}, {"x": 2}]}, {"id": 2, "v": 1, "l": [{"x": 1}]}])");
  const StreamOutcome outcome =
      Read(R"([{"id": 1, "v": 1, "n": "a", "l": [{"x": 1}, {"x": 2}]}, {"id": 2, "v": 2, "l": [{"x": 7}, {"x": 8}]}])");
  EXPECT_EQ(Message(outcome), "no diagnostic");
  EXPECT_EQ(outcome.rows_written, 1);
  EXPECT_EQ(outcome.rows_repeated, 1);
  EXPECT_EQ(Rows("billing.subs", "id, v"), "1|1\n2|2\n");
  EXPECT_EQ(Rows("billing.subs__l", "subs_id, position, x"), "1|1|1\n1|2|2\n2|1|7\n2|2|8\n");
  EXPECT_EQ(Rows("billing.subs__history", "id, v, _leat_seq >> 24, _leat_run"), "1|1|1|101\n2|1|1|101\n2|2|2|102\n");
}

TEST_F(NestedTest, WhatDoesNotFitIsSetAside) {
  Read(R"([{"id": 1, "n": 5}])");
  const StreamOutcome outcome =
      ReadAll({R"([{"id": 1, "n": 6}])", R"([{"id": 2, "n": 1.5}, {"n": 1}, 7, {"id": 3, "n": 9}])"});
  EXPECT_EQ(Message(outcome),
            "LEAT0445 billing.subs: 3 of 5 records cannot be rows and were set aside; the first: n is 1.5: expected "
            "BIGINT, in landing/billing/subs/_/000000000002-1/000003.gz");
  EXPECT_EQ(Rows("billing.subs"), "1|6\n3|9\n");
  EXPECT_EQ(Rows("billing.subs__rejects", "ordinal, reason, field, \"value\", record, landed_in"),
            "1|expected BIGINT|n|1.5|{\"id\": 2, \"n\": 1.5}|landing/billing/subs/_/000000000002-1/000003.gz\n"
            "2|the key has no value|id|NULL|{\"n\": 1}|landing/billing/subs/_/000000000002-1/000003.gz\n"
            "3|expected an object||7|7|landing/billing/subs/_/000000000002-1/000003.gz\n");
}

}  // namespace
}  // namespace leat::sources
