#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace leat::config {
namespace {

/// The message of what reading `yaml` throws, as `place: message`.
std::string Fault(const std::string& yaml) {
  std::vector<Diagnostic> diagnostics;
  try {
    ParseYaml("a.yaml", yaml, 0, yaml.size(), diagnostics);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0107");
    EXPECT_EQ(error.diagnostic().help.size(), 1u);
    return error.what();
  }
  return "";
}

YamlPointer Read(const std::string& yaml) {
  std::vector<Diagnostic> diagnostics;
  auto root = ParseYaml("a.yaml", yaml, 0, yaml.size(), diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  return root;
}

Place PlaceOf(const std::string& yaml, const std::string& key) { return Read(yaml)->Find(key)->value->place; }

TEST(ParseYamlTest, KeepsScalarsAsText) {
  const auto root = Read("on: on\ncode: 036\nquoted: 'true'\nnothing: ~\n");
  EXPECT_EQ(root->Find("on")->value->text, "on");
  EXPECT_EQ(root->Find("code")->value->text, "036");
  EXPECT_FALSE(root->Find("quoted")->value->plain);
  EXPECT_EQ(root->Find("nothing")->value->kind, YamlNode::Kind::kNull);
}

TEST(ParseYamlTest, GivesPlacesInCharacters) {
  EXPECT_EQ(PlaceOf("é: {a: 'ü', b: [x, y]}  # note\n", "é"), (Place{"a.yaml", 1, 4, 23}));
  EXPECT_EQ(PlaceOf("\xEF\xBB\xBF"
                    "a: text\n",
                    "a"),
            (Place{"a.yaml", 1, 4, 8}));
  EXPECT_EQ(PlaceOf("a: \"x \\\" y\"  # note\r\nb: 1\r\n", "a"), (Place{"a.yaml", 1, 4, 12}));
  EXPECT_EQ(PlaceOf("a:\t'it''s'\n", "a"), (Place{"a.yaml", 1, 4, 11}));
  EXPECT_EQ(PlaceOf("x: 1\na:\n  b: 2 # note\n  c: 3\n", "a"), (Place{"a.yaml", 3, 3, 7}));
  EXPECT_EQ(PlaceOf("a:\nb: 1\n", "a"), (Place{"a.yaml", 1, 1, 2}));
}

TEST(ParseYamlTest, GivesPlacesOfTheWholeFileForAPartOfIt) {
  const std::string text = "/* ---\nkey: id\n--- */\n";
  std::vector<Diagnostic> diagnostics;
  const auto root = ParseYaml("a.sql", text, 6, 15, diagnostics);
  EXPECT_EQ(root->Find("key")->key_place, (Place{"a.sql", 2, 1, 4}));
  EXPECT_EQ(root->Find("key")->value->place, (Place{"a.sql", 2, 6, 8}));
}

TEST(ParseYamlTest, ResolvesAliases) {
  const auto root = Read("a: &x {k: [1, 2]}\nb: *x\n");
  EXPECT_EQ(root->Find("b")->value->Find("k")->value->items.size(), 2u);
}

TEST(ParseYamlTest, ReportsDuplicateKeysAndKeepsTheFirst) {
  std::vector<Diagnostic> diagnostics;
  const std::string yaml = "a: 1\nb: {c: 1, c: 2}\na: 3\n";
  const auto root = ParseYaml("a.yaml", yaml, 0, yaml.size(), diagnostics);
  ASSERT_EQ(diagnostics.size(), 2u);
  EXPECT_EQ(diagnostics[0].code, "LEAT0103");
  EXPECT_EQ(diagnostics[0].message, "duplicate key 'c'; it stands on line 2 already");
  EXPECT_EQ(diagnostics[0].place, (Place{"a.yaml", 2, 11, 12}));
  EXPECT_EQ(diagnostics[1].message, "duplicate key 'a'; it stands on line 1 already");
  EXPECT_EQ(root->Find("a")->value->text, "1");
}

TEST(ParseYamlTest, TakesAnEmptyFileAsAnEmptyMap) {
  EXPECT_EQ(Read("")->kind, YamlNode::Kind::kMap);
  EXPECT_EQ(Read("# only a comment\n")->kind, YamlNode::Kind::kMap);
}

TEST(ParseYamlTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(Fault("a: {b: 1\nc: 2\n"), "a.yaml:1:4: '{' is not closed, or an entry in it is not `key: value`");
  EXPECT_EQ(Fault("a: [1, 2\n"), "a.yaml:1:4: '[' is not closed, or a value in it is not followed by a comma");
  EXPECT_EQ(Fault("a: 'b\n"), "a.yaml:1:4: a text in quotes is not closed");
  EXPECT_EQ(Fault("a: b: c\n"), "a.yaml:1:5: a ':' stands where no value can begin");
  EXPECT_EQ(Fault("a: 1\n b: 2\n"), "a.yaml:2:3: a ':' stands where no value can begin");
  EXPECT_EQ(Fault("a: @b\n"), "a.yaml:1:4: no value can begin with this character");
  EXPECT_EQ(Fault("a: 1\nb\n"), "a.yaml:2:1: this line does not fit the map above it; expected `key: value`");
  EXPECT_EQ(Fault("- a\nb: 1\n"), "a.yaml:2:1: this line does not fit what stands above it");
  EXPECT_EQ(Fault("a: *b\n"), "a.yaml:1:4: no anchor of this name stands above");
}

TEST(ParseYamlTest, RefusesWhatProjectFilesDoNotUse) {
  EXPECT_EQ(Fault("a: 1\n---\nb: 2\n"), "a.yaml:2:1: a second document begins here; expected one per file");
  EXPECT_EQ(Fault("a: !!int 1\n"), "a.yaml:1:4: a YAML tag ('!') stands here; expected a plain value");
  EXPECT_EQ(Fault("a: &x {b: 1}\nc: {<<: *x}\n"), "a.yaml:2:5: merge keys ('<<') are not supported");
  EXPECT_EQ(Fault("? [a]\n: 1\n"), "a.yaml:1:3: a list or a map stands as a key; expected a name");
  EXPECT_EQ(Fault("a: &x [*x]\n"), "a.yaml:1:8: an alias stands inside the value it names");
  EXPECT_EQ(Fault("a: b\x04\n"), "a.yaml:1:5: control character U+0004; expected text");
  EXPECT_EQ(Fault("a: 1\nb: \xFF\n"), "a.yaml:2:1: this line is not valid UTF-8; expected UTF-8");
}

TEST(ParseYamlTest, StopsAliasesThatMultiply) {
  std::string yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    yaml += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) yaml += (k == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    yaml += "]\n";
  }
  EXPECT_THAT(Fault(yaml), testing::HasSubstr("aliases repeat more than 200000 values"));
}

TEST(ParseYamlTest, RefusesDeepNesting) { EXPECT_NE(Fault("a: " + std::string(100'000, '[')), ""); }

TEST(ParseYamlTest, ReadsALongLineInOnePass) {
  std::string yaml = "a: [";
  for (int i = 0; i < 5'000; ++i) yaml += "{k: 'v'}, ";
  const auto root = Read(yaml + "x]\n");
  EXPECT_EQ(root->Find("a")->value->items.back()->place, (Place{"a.yaml", 1, 50'005, 50'006}));
}

}  // namespace
}  // namespace leat::config
