#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/project_fixture.h"

namespace leat::config {
namespace {

/// A source over a project that has its connection.
class SourceFileTest : public ProjectTest {
 protected:
  static std::string Files(const std::string& source) {
    return "=== leat.yaml\nname: shop\nconnections: {c: {type: postgres}}\n=== sources/crm.yaml\n"
           "type: postgres\nconnection: c\n" +
           source;
  }
  Source Read(const std::string& source) { return Loaded(Files(source)).sources.at(0); }
};

std::vector<std::string> Names(const std::vector<Located<std::string>>& names) {
  std::vector<std::string> values;
  for (const auto& name : names) values.push_back(name.value);
  return values;
}

TEST_F(SourceFileTest, ReadsEveryTableWithoutStreams) {
  EXPECT_TRUE(Read("").RuleFor("anything"));
  EXPECT_TRUE(Read("streams:\n").RuleFor("anything"));
}

TEST_F(SourceFileTest, ReadsOnlyWhatAPatternNames) {
  const Source source = Read("streams: {a: null, log_*: {}}\n");
  EXPECT_TRUE(source.RuleFor("a"));
  EXPECT_TRUE(source.RuleFor("log_2024"));
  EXPECT_FALSE(source.RuleFor("b"));
}

TEST_F(SourceFileTest, LaysExactNamesOverGlobsOverDefaults) {
  const Source source = Read(R"(skip: true
tags: [base]
owner: ops
columns: {exclude: [secret]}
streams:
  payment: {columns: {include: [id]}, tags: [money]}
  "*": {skip: false, key: id}
  "pay*": {key: [a, b]}
)");
  const StreamRule rule = *source.RuleFor("payment");
  EXPECT_FALSE(rule.skip);
  EXPECT_THAT(Names(rule.key), testing::ElementsAre("a", "b"));
  EXPECT_THAT(Names(rule.columns.include), testing::ElementsAre("id"));
  EXPECT_THAT(Names(rule.columns.exclude), testing::ElementsAre("secret"));
  EXPECT_THAT(rule.tags, testing::ElementsAre("money"));
  EXPECT_EQ(rule.owner, "ops");
  EXPECT_EQ(rule.pattern.value, "payment");
}

TEST_F(SourceFileTest, SaysHowChangesAndDeletesAreFound) {
  using When = DeleteRule::When;
  const Source source = Read(R"(deletes: 6h
columns: {new: stop, missing: stop, changed: stop}
streams:
  "*": {}
  a: {read: full, deletes: never}
  b: {deletes: every_run, columns: {new: ignore, missing: null}}
  c: {deletes: null, columns: null}
)");
  const StreamRule other = *source.RuleFor("other"), a = *source.RuleFor("a"), b = *source.RuleFor("b"),
                   c = *source.RuleFor("c");
  EXPECT_EQ(other.read, ReadMode::kChanges);
  EXPECT_EQ(other.deletes.when, When::kEvery);
  EXPECT_EQ(other.deletes.interval, std::chrono::hours(6));
  EXPECT_EQ(other.columns.on_new, ColumnRules::New::kStop);
  EXPECT_EQ(other.columns.on_missing, ColumnRules::Missing::kStop);
  EXPECT_EQ(other.columns.on_changed, ColumnRules::Changed::kStop);
  EXPECT_EQ(a.read, ReadMode::kFull);
  EXPECT_EQ(a.deletes.when, When::kNever);
  EXPECT_EQ(b.deletes.when, When::kEveryRun);
  EXPECT_EQ(b.columns.on_new, ColumnRules::New::kIgnore);
  EXPECT_EQ(b.columns.on_missing, ColumnRules::Missing::kNull) << "null is a word here, and the default";
  EXPECT_EQ(b.columns.on_changed, ColumnRules::Changed::kStop);
  EXPECT_EQ(c.deletes.when, When::kAuto);
  EXPECT_EQ(c.columns.on_new, ColumnRules::New::kAdd);
}

TEST_F(SourceFileTest, RemovesWhatWasInheritedByNull) {
  const Source source = Read(R"(columns: {exclude: [secret]}
tags: base
streams:
  "*": {rename: {"Id": id_upper}}
  payment: {columns: null, tags: null, rename: {"ID": id_shout}}
  plain: {rename: null}
)");
  EXPECT_TRUE(source.RuleFor("payment")->columns.exclude.empty());
  EXPECT_TRUE(source.RuleFor("payment")->tags.empty());
  EXPECT_EQ(source.RuleFor("payment")->rename.size(), 2u);
  EXPECT_TRUE(source.RuleFor("plain")->rename.empty());
}

TEST_F(SourceFileTest, RenamesStreamsAtTheTopAndColumnsInAStream) {
  const Source source =
      Read("rename: {\"Orders\": orders_upper}\nstreams: {\"*\": {}, Orders: {rename: {\"Id\": id_upper}}}\n");
  const StreamRule rule = *source.RuleFor("Orders");
  EXPECT_EQ(rule.rename_to->value, "orders_upper");
  EXPECT_EQ(rule.rename.at("Id").value, "id_upper");
  EXPECT_FALSE(source.RuleFor("orders")->rename_to);
}

TEST_F(SourceFileTest, MergesTypesOfColumns) {
  const Source source = Read(R"(columns: {types: {amount: DOUBLE, note: VARCHAR}}
streams:
  "*": {}
  a: {columns: {types: {amount: 'DECIMAL(38,2)'}}}
  b: {columns: {types: null}}
  c: {columns: {types: {}}}
)");
  EXPECT_EQ(source.RuleFor("a")->columns.types.at("amount").value, "DECIMAL(38,2)");
  EXPECT_EQ(source.RuleFor("a")->columns.types.at("note").value, "VARCHAR");
  EXPECT_TRUE(source.RuleFor("b")->columns.types.empty());
  EXPECT_EQ(source.RuleFor("c")->columns.types.size(), 2u);
}

TEST_F(SourceFileTest, ReportsRenamesThatClash) {
  EXPECT_EQ(Faults(Files("rename: {A: x, B: x}\nstreams: {a: {rename: {D: y, E: y}}}\n")), R"(
sources/crm.yaml:3:19: LEAT0111 streams 'A' and 'B' are both renamed to x
  help: give them different names
sources/crm.yaml:4:33: LEAT0111 columns 'D' and 'E' are both renamed to y
  help: give them different names
)");
}

}  // namespace
}  // namespace leat::config
