#include "config/fields.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "config/check_fields.h"
#include "config/project_fixture.h"

namespace leat::config {
namespace {

using FieldsTest = ProjectTest;

TEST_F(FieldsTest, UnknownKeysNameTheNearest) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
conections: {}
qwerty: 1
=== sources/crm.yaml
type: postgres
connection: c
streams: {a: {colums: {}}}
)"),
            R"(
leat.yaml:2:1: LEAT0102 unknown key 'conections'; did you mean connections?
  help: keys here: name, lake, state, connections, warehouse, freshness, limits, retention, targets
leat.yaml:3:1: LEAT0102 unknown key 'qwerty'
  help: keys here: name, lake, state, connections, warehouse, freshness, limits, retention, targets
sources/crm.yaml:3:15: LEAT0102 unknown key 'colums'; did you mean columns?
  help: keys here: skip, read, deletes, key, columns, rename, version_time, tags, description, owner, freshness
sources/crm.yaml:2:13: LEAT0112 connection 'c' does not exist
  help: add  c: {type: postgres, …}  to connections in leat.yaml
)");
}

TEST_F(FieldsTest, DuplicateKeysNameTheFirst) {
  EXPECT_EQ(Faults("=== leat.yaml\nname: shop\nlake: a\nlake: b\n"), R"(
leat.yaml:3:1: LEAT0103 duplicate key 'lake'; it stands on line 2 already
  help: remove one of the two
)");
}

TEST_F(FieldsTest, WrongTypesSayWhatWasFoundAndExpected) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: [shop]
connections: [totesys]
lake:
limits: {threads: '4', memory: 64}
warehouse: none
)"),
            R"(
leat.yaml:1:7: LEAT0104 name is a list; expected a name
  help: for example  name: shop
leat.yaml:2:14: LEAT0104 connections is a list; expected a map
  help: for example  connections: {totesys: {type: postgres, host: db.internal, database: totesys, user: reader}}
leat.yaml:3:1: LEAT0104 lake is empty; expected a path in the file system
  help: for example  lake: ./lake
leat.yaml:4:19: LEAT0104 limits.threads is '4'; expected a whole number from 1 to 256
  help: for example  threads: 4
leat.yaml:4:32: LEAT0104 limits.memory is '64'; expected a size such as 64MB or 64MiB from 128MiB to 64TiB
  help: for example  memory: 2GB
leat.yaml:5:12: LEAT0104 warehouse is 'none'; expected a map
  help: for example  warehouse: {connection: warehouse, schema: public, load: ["mart.*"]}
)");
}

TEST_F(FieldsTest, BooleansAreOnlyTrueAndFalse) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
=== models/mart/a.sql
/* ---
key: id
keep_deleted: yes
--- */
SELECT 1
)"),
            R"(
models/mart/a.sql:3:15: LEAT0104 keep_deleted is 'yes'; expected true or false
  help: for example  keep_deleted: true
)");
}

TEST_F(FieldsTest, ValuesOutOfTheirLimitsSayTheLimits) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
lake: s3://bucket/lake
connections: {c: {type: postgress, port: 70000, sslmode: verify_full, host: "postgresql://me:canary@h"}, d: {type: postgres, user: ""}}
limits: {threads: 300, memory: 1MB}
=== sources/crm.yaml
type: postgres
connection: c
read: everything
)"),
            R"(
leat.yaml:2:7: LEAT0105 lake is 's3://bucket/lake'; expected a path in the file system
  help: for example  lake: ./lake
leat.yaml:3:25: LEAT0105 connections.c.type is 'postgress'; expected one of postgres, duckdb
  help: did you mean postgres?
  help: for example  type: postgres
leat.yaml:3:42: LEAT0105 connections.c.port is '70000'; expected a whole number from 1 to 65535
  help: for example  port: 5432
leat.yaml:3:58: LEAT0105 connections.c.sslmode is 'verify_full'; expected one of disable, allow, prefer, require, verify-ca, verify-full
  help: did you mean verify-full?
  help: for example  sslmode: verify-full
leat.yaml:3:77: LEAT0105 connections.c.host is a URL; expected a name or an address
  help: give its parts as host, port, database and user
leat.yaml:3:132: LEAT0105 connections.d.user is ''; expected text
  help: for example  user: reader
leat.yaml:4:19: LEAT0105 limits.threads is '300'; expected a whole number from 1 to 256
  help: for example  threads: 4
leat.yaml:4:32: LEAT0105 limits.memory is '1MB'; expected a size such as 64MB or 64MiB from 128MiB to 64TiB
  help: for example  memory: 2GB
sources/crm.yaml:3:7: LEAT0105 read is 'everything'; expected one of changes, full
  help: for example  read: full
)");
}

TEST_F(FieldsTest, MissingKeysSayWhatToAdd) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
connections:
  c: {host: x}
=== sources/crm.yaml
=== models/mart/d.yaml
from: 2020-01-01
)"),
            R"(
leat.yaml:1:1: LEAT0106 name is missing
  help: add  name: shop
leat.yaml:2:6: LEAT0106 connections.c.type is missing
  help: add  type: postgres
sources/crm.yaml:1:1: LEAT0106 type is missing
  help: add  type: postgres
models/mart/d.yaml:1:1: LEAT0106 kind is missing
  help: add  kind: dim_date
)");
}

TEST_F(FieldsTest, SecretsInAFileAreRefusedAndNotRepeated) {
  const std::string faults = Faults(R"(
=== leat.yaml
name: shop
connections:
  a: {type: postgres, password: canary}
  b: {type: postgres, password: "x${PW}"}
  c: {type: postgres, password: "${file:relative}"}
  d: {type: postgres, password: [canary]}
  e: {type: postgres, pasword: canary}
  f: {type: postgres, password canary}
  g: "postgresql://me:canary@host/db"
)");
  EXPECT_EQ(faults, R"(
leat.yaml:3:33: LEAT0108 connections.a.password stands in the file; expected ${NAME} or ${file:/path}
  help: for example  password: "${TOTESYS_PASSWORD}"
leat.yaml:4:33: LEAT0108 connections.b.password stands in the file; expected ${NAME} or ${file:/path}
  help: for example  password: "${TOTESYS_PASSWORD}"
leat.yaml:5:33: LEAT0108 connections.c.password stands in the file; expected ${NAME} or ${file:/path}
  help: for example  password: "${TOTESYS_PASSWORD}"
leat.yaml:6:33: LEAT0104 connections.d.password is a list; expected ${NAME} or ${file:/path}
  help: for example  password: "${TOTESYS_PASSWORD}"
leat.yaml:7:23: LEAT0102 unknown key 'pasword'; did you mean password?
  help: keys here: type, host, port, database, user, password, service, sslmode
leat.yaml:8:23: LEAT0102 unknown key 'password'; did you mean password?
  help: keys here: type, host, port, database, user, password, service, sslmode
leat.yaml:9:6: LEAT0104 connections.g is 'postgresql://me:******@host/db'; expected a map
  help: for example  connections: {totesys: {type: postgres, host: db.internal, database: totesys, user: reader}}
)");
  EXPECT_THAT(faults, testing::Not(testing::HasSubstr("canary")));
}

TEST_F(FieldsTest, NamesFollowTheRule) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: My Shop
connections: {Totesys: {type: postgres}}
=== sources/crm.yaml
type: postgres
connection: Totesys
rename: {Orders: "a__b"}
)"),
            R"(
leat.yaml:1:7: LEAT0110 name: 'My Shop' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters
  help: write my_shop
leat.yaml:2:15: LEAT0110 connections: 'Totesys' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters
  help: write totesys
sources/crm.yaml:2:13: LEAT0110 connection: 'Totesys' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters
  help: write totesys
sources/crm.yaml:3:18: LEAT0110 rename.Orders: 'a__b' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters
  help: write a_b
)");
}

TEST_F(FieldsTest, AFileThatIsNoMapIsOneFault) {
  EXPECT_EQ(Faults("=== leat.yaml\njust text\n"), R"(
leat.yaml:1:1: LEAT0104 the file is 'just text'; expected a map of keys
  help: begin with  name: shop
)");
}

/// Every field of a section and those below it, each once.
void Visit(const Section& section, std::set<const Field*>& fields) {
  for (const Field* field : section.AllFields())
    if (fields.insert(field).second && field->section != nullptr) Visit(*field->section, fields);
}

TEST(FieldTableTest, EveryFieldExplainsItself) {
  std::set<const Field*> fields;
  for (const Section* section : {&kProjectSection, &kSourceSection, &kSqlModelSection, &kGeneratedModelSection,
                                 &kCheckQuerySection, &kSeedSection, &kSchemaYmlSection})
    Visit(*section, fields);
  EXPECT_GT(fields.size(), 50u);
  for (const Field* field : fields) {
    EXPECT_TRUE(field->text.ends_with('.')) << field->name;
    EXPECT_FALSE(field->example.empty()) << field->name;
    const bool may_have_words = field->type == FieldType::kDuration;
    EXPECT_TRUE(may_have_words || (field->type == FieldType::kChoice) == !field->choices.empty()) << field->name;
    EXPECT_EQ(field->type == FieldType::kSection, field->section != nullptr) << field->name;
  }
}

TEST(FieldTableTest, ExamplesAreRight) {
  std::set<const Field*> fields;
  for (const Section* section : {&kProjectSection, &kSourceSection, &kSqlModelSection, &kGeneratedModelSection,
                                 &kCheckQuerySection, &kSeedSection, &kSchemaYmlSection})
    Visit(*section, fields);
  for (const Field* field : fields) {
    const std::string yaml = std::string(field->name) + ": " + std::string(field->example);
    std::vector<Diagnostic> diagnostics;
    const Section alone{std::span(field, 1)};
    CheckFields(ParseYaml("x.yaml", yaml, 0, yaml.size(), diagnostics), alone, diagnostics);
    EXPECT_EQ(diagnostics.size(), 0u) << yaml << " " << (diagnostics.empty() ? "" : diagnostics[0].message);
  }
}

}  // namespace
}  // namespace leat::config
