#include "warehouse/postgres/definition.h"

#include <gmock/gmock.h>

#include "warehouse/postgres/spec_for_test.h"

namespace leat::warehouse {
namespace {

using testing::ElementsAre;

std::vector<std::string> Order(const std::vector<TableSpec>& specs) {
  std::vector<const TableSpec*> pointers;
  for (const TableSpec& spec : specs) pointers.push_back(&spec);
  std::vector<std::string> names;
  for (const size_t index : DependencyOrder(pointers)) names.push_back(specs[index].table);
  return names;
}

TableSpec Table(const std::string& name, const std::vector<std::string>& references) {
  TableSpec spec{.schema = "public", .table = name};
  for (const std::string& reference : references) {
    spec.foreign_keys.push_back({.column = "c", .referenced_table = reference, .referenced_column = "id"});
  }
  return spec;
}

TEST(DependencyOrderTest, ReferencedTablesComeFirst) {
  EXPECT_THAT(Order({Table("fact", {"b", "a"}), Table("a", {}), Table("b", {"a"})}), ElementsAre("a", "b", "fact"));
}

TEST(DependencyOrderTest, WhatIsIndependentKeepsItsOrder) {
  EXPECT_THAT(Order({Table("z", {}), Table("a", {}), Table("m", {"absent"})}), ElementsAre("z", "a", "m"));
}

TEST(DependencyOrderTest, ATableMayReferenceItself) {
  EXPECT_THAT(Order({Table("staff", {"staff", "place"}), Table("place", {})}), ElementsAre("place", "staff"));
}

TEST(DependencyOrderTest, ATableOfAnotherSchemaIsAnother) {
  TableSpec fact = Table("fact", {"a"});
  fact.foreign_keys[0].referenced_schema = "other";
  EXPECT_THAT(Order({fact, Table("a", {})}), ElementsAre("fact", "a"));
}

TEST(DefinitionTest, KeysAreNotNull) {
  const TableSpec spec = StaffSpec();
  const Definition table(spec);
  EXPECT_TRUE(table.IsNotNull(0));
  EXPECT_TRUE(table.IsNotNull(1));
  EXPECT_FALSE(table.IsNotNull(2));
}

TEST(DefinitionTest, TheFingerprintFollowsTheShape) {
  const TableSpec spec = SalesSpec();
  const std::string fingerprint = Definition(spec).Fingerprint();
  EXPECT_EQ(fingerprint.size(), 32u);
  EXPECT_EQ(Definition(SalesSpec()).Fingerprint(), fingerprint);
  TableSpec typed = SalesSpec();
  typed.columns[2].type = "time(3)";
  TableSpec renamed = SalesSpec();
  renamed.columns[2].source = "sold_time";
  TableSpec unreferenced = SalesSpec();
  unreferenced.foreign_keys.clear();
  for (const TableSpec& other : {typed, renamed, unreferenced}) EXPECT_NE(Definition(other).Fingerprint(), fingerprint);
}

}  // namespace
}  // namespace leat::warehouse
