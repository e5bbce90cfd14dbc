#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/project.h"
#include "config/project_fixture.h"

namespace leat::config {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kFile = R"yaml(
=== leat.yaml
name: shop
connections:
  crm: {type: postgres, host: localhost, user: reader, password: "${PW}"}
  spare: {type: postgres}
warehouse: {connection: crm, schema: mart, load: ["mart.*", "dim.*"]}
limits: {threads: 2, memory: 2GB}
targets:
  prod:
    lake: /srv/lake
    state: /srv/state/state.db
    connections:
      crm: {host: db.internal, password: null}
      spare: null
    warehouse: {load: ["mart.*"]}
    limits: {memory: null}
  small: {limits: {threads: 1}}
  bare: {warehouse: null}
)yaml";

class TargetsTest : public ProjectTest {
 protected:
  /// `name = value  place` of every setting.
  std::string Settings(const std::string& name) {
    target = name;
    const Project project = Loaded(kFile);
    std::string lines = "\n";
    for (const Setting& setting : project.settings) {
      lines += setting.name() + " = " + setting.value->text;
      for (const YamlPointer& item : setting.value->items) lines += item->text + " ";
      static constexpr const char* kOrigins[] = {"file", "target", "variable", "default"};
      lines += std::string("  ") + kOrigins[static_cast<int>(setting.value->origin)] + "\n";
    }
    return lines;
  }
};

TEST_F(TargetsTest, LaysMapsOverReplacesListsAndRemovesByNull) {
  EXPECT_EQ(Settings("prod"), R"(
name = shop  file
timezone = UTC  default
lake = /srv/lake  target
state = /srv/state/state.db  target
connections.crm.type = postgres  file
connections.crm.host = db.internal  target
connections.crm.user = reader  file
warehouse.connection = crm  file
warehouse.schema = mart  file
warehouse.load = mart.*   target
limits.threads = 2  file
retention.runs = 400d  default
)");
}

TEST_F(TargetsTest, IsTheFileAloneWithoutATarget) {
  EXPECT_THAT(Settings(""), HasSubstr("\nlake = ./lake  default\n"));
  EXPECT_THAT(Settings("default"), HasSubstr("\nconnections.crm.host = localhost  file\n"));
}

TEST_F(TargetsTest, TakesFlagsBeforeTheEnvironmentAndThatBeforeTheTarget) {
  variables = {{"LEAT_TARGET", "small"}, {"LEAT_CONNECTIONS_CRM_HOST", "env.internal"}};
  EXPECT_THAT(Settings(""), HasSubstr("\nlimits.threads = 1  target\n"));
  EXPECT_EQ(Load().project.target.place.file, "LEAT_TARGET");
  EXPECT_THAT(Settings("prod"), HasSubstr("\nconnections.crm.host = env.internal  variable\n"));
  EXPECT_THAT(Settings("default"), HasSubstr("\nlimits.threads = 2  file\n"));
}

TEST_F(TargetsTest, PointsAConnectionToTheTargetsLine) {
  target = "prod";
  EXPECT_EQ(Loaded(kFile).connections.at("crm").place.ToString(), "leat.yaml:12:7");
}

TEST_F(TargetsTest, RefusesATargetThatDoesNotExist) {
  target = "prdo";
  EXPECT_EQ(Faults(kFile), R"(
: LEAT0140 target 'prdo' does not exist; did you mean prod?
  help: targets of leat.yaml: default, prod, small, bare
)");
  target = "";
  variables["LEAT_TARGET"] = "elsewhere";
  EXPECT_EQ(Faults("=== leat.yaml\nname: shop\n"), R"(
LEAT_TARGET: LEAT0140 target 'elsewhere' does not exist
  help: targets of leat.yaml: default
)");
}

TEST_F(TargetsTest, ChecksTargetsThatAreNotChosenOnce) {
  constexpr const char* kFaulty = R"yaml(
=== leat.yaml
name: shop
connections: {crm: {type: postgres}}
targets:
  prod:
    lak: /srv/lake
    limits: {threads: many}
    connections: {new: {host: db}}
  Dev: {name: other}
  flat: 3
  default: {}
)yaml";
  constexpr const char* kFound = R"(
leat.yaml:5:5: LEAT0102 unknown key 'lak'; did you mean lake?
  help: keys here: timezone, lake, state, connections, warehouse, freshness, limits, retention
leat.yaml:6:23: LEAT0104 limits.threads is 'many'; expected a whole number from 1 to 256
  help: for example  threads: 4
leat.yaml:7:24: LEAT0106 connections.new.type is missing
  help: add  type: postgres
leat.yaml:8:3: LEAT0110 targets: 'Dev' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters
  help: write dev
leat.yaml:8:9: LEAT0102 unknown key 'name'
  help: keys here: timezone, lake, state, connections, warehouse, freshness, limits, retention
leat.yaml:9:9: LEAT0104 targets.flat is '3'; expected a map
  help: for example  targets: {prod: {lake: /srv/shop/lake, state: /srv/shop/state/state.db}}
leat.yaml:10:3: LEAT0141 a target is called default, which is the file without any target
  help: rename it, or set its values at the top of the file
)";
  EXPECT_EQ(Faults(kFaulty), kFound);
  target = "prod";
  EXPECT_EQ(Faults(kFaulty), kFound);
}

TEST_F(TargetsTest, AcceptsAFileThatOnlyATargetMakesWhole) {
  target = "prod";
  EXPECT_EQ(Faults("=== leat.yaml\nname: shop\nconnections: {crm: {host: a}}\n"
                   "targets: {prod: {connections: {crm: {type: postgres}}}}\n"),
            "\n");
}

TEST_F(TargetsTest, LeavesOutTheFieldsOfATypeThatATargetChanges) {
  constexpr const char* kOtherType = R"yaml(
=== leat.yaml
name: shop
connections: {out: {type: postgres, host: localhost, port: 5433, user: loader}}
targets:
  dev: {connections: {out: {type: duckdb, path: ./dev.duckdb}}}
  same: {connections: {out: {type: postgres, user: other}}}
)yaml";
  EXPECT_EQ(Faults(kOtherType), "\n");
  target = "dev";
  EXPECT_EQ(Faults(kOtherType), "\n");
  EXPECT_EQ(Loaded(kOtherType).connections.at("out").host, "");
  target = "same";
  EXPECT_EQ(Loaded(kOtherType).connections.at("out").port, "5433");
}

TEST_F(TargetsTest, RefusesALakeWithTwoStatesAndAStateWithTwoLakes) {
  const auto faults = [this](const std::string& prod) {
    return Faults("=== leat.yaml\nname: shop\nlake: /s/lake\nstate: /s/a/state.db\ntargets: {prod: {" + prod + "}}\n");
  };
  EXPECT_EQ(faults("lake: /s/other"), R"(
leat.yaml:4:24: LEAT0142 target prod has the lake /s/other and the state database /s/a/state.db, which belongs to the lake /s/lake of target default; expected a state database for each lake
  help: give target prod a state database of its own:  state: ./.leat/prod/state.db
)");
  EXPECT_THAT(faults("state: /s/b/state.db"),
              HasSubstr("target prod has the state database /s/b/state.db and the lake /s/lake, which belongs to the "
                        "state database /s/a/state.db of target default; expected one state database for a lake"));
  EXPECT_THAT(faults("lake: /s/other, state: /s/a/prod.db"),
              HasSubstr("the state databases of targets prod and default are in one folder, /s/a, where"));
  EXPECT_EQ(faults("lake: /s/other, state: /s/b/state.db"), "\n");
  EXPECT_EQ(faults("limits: {threads: 1}"), "\n");
}

TEST_F(TargetsTest, ComparesHomesAsTheFileSaysThem) {
  variables["LEAT_LAKE"] = "/tmp/lake";
  EXPECT_EQ(Faults("=== leat.yaml\nname: shop\ntargets: {prod: {lake: /s/lake, state: /s/state/state.db}}\n"), "\n");
}

}  // namespace
}  // namespace leat::config
