#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "config/project.h"
#include "config/project_fixture.h"
#include "core/error.h"

namespace leat::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kShop = R"yaml(
=== leat.yaml
name: shop
connections:
  totesys:   {type: postgres, host: db.internal, port: 5433, database: totesys, user: reader, password: "${PW}"}
  warehouse: {type: postgres, service: warehouse}
warehouse: {connection: warehouse, load: ["mart.*"]}
limits: {threads: 4, memory: 2GB}
=== sources/totesys.yaml
type: postgres
connection: totesys
streams:
  "*": {}
  _prisma_migrations: {skip: true}
  payment: {columns: {exclude: [company_ac_number]}}
=== models/mart/fact_sales_order.sql
/* ---
kind: history
key: sales_order_id
record_id: sales_record_id
checks: [not_null: [sales_order_id, design_id], references: {design_id: mart.dim_design}, rows: {min: 1}]
warehouse: {types: {unit_price: "numeric(10,2)"}}
--- */
SELECT sales_order_id FROM totesys.sales_order__history
=== models/mart/dim_date.yaml
kind: dim_date
from: 2020-01-01
=== seeds/iso_4217.csv
code
=== seeds/iso_4217.yaml
columns: {types: {numeric_code: VARCHAR}}
=== macros/money.sql
CREATE MACRO f(x) AS x;
=== checks/payment.sql
/* ---
description: Every payment belongs to a transaction.
severity: warn
--- */
SELECT 1
)yaml";

using LoadProjectTest = ProjectTest;

TEST(WarehouseTest, TheNamespaceIsFilledIntoTheSchema) {
  EXPECT_EQ((Warehouse{.schema = "{namespace}"}).SchemaOf("mart"), "mart");
  EXPECT_EQ((Warehouse{.schema = "a_{namespace}_{namespace}"}).SchemaOf("{namespace}"), "a_{namespace}_{namespace}");
  EXPECT_EQ((Warehouse{.schema = "public"}).SchemaOf("mart"), "public");
}

TEST_F(LoadProjectTest, ReadsEveryKindOfFile) {
  const Project project = Loaded(kShop);
  EXPECT_EQ(project.name, "shop");
  EXPECT_EQ(project.lake.value, (folder / "lake").string());
  EXPECT_EQ(project.state.value, (folder / ".leat/state.db").string());
  EXPECT_EQ(project.connections.at("totesys").port, "5433");
  EXPECT_EQ(project.connections.at("totesys").place, (Place{"leat.yaml", 3, 3, 10}));
  EXPECT_EQ(project.warehouse->schema, "public");
  EXPECT_EQ(project.warehouse->load[0].place, (Place{"leat.yaml", 5, 43, 51}));
  EXPECT_EQ(project.limits.threads, 4);
  EXPECT_EQ(project.limits.memory_bytes, 2'000'000'000);
  ASSERT_EQ(project.sources.size(), 1u);
  EXPECT_EQ(project.sources[0].streams.size(), 3u);
  EXPECT_TRUE(project.sources[0].streams[1].skip);
  EXPECT_EQ(project.seeds[0].types.at("numeric_code").value, "VARCHAR");
  EXPECT_EQ(project.macros[0].file, "macros/money.sql");
  EXPECT_EQ(project.checks[0].severity, CheckSeverity::kWarn);
}

TEST_F(LoadProjectTest, ReadsTheHeadOfAModel) {
  const Project project = Loaded(kShop);
  ASSERT_NE(project.FindModel("mart.fact_sales_order"), nullptr);
  const Model& model = *project.FindModel("mart.fact_sales_order");
  EXPECT_EQ(model.kind, ModelKind::kHistory);
  EXPECT_EQ(model.key[0].value, "sales_order_id");
  EXPECT_EQ(model.record_id->place, (Place{"models/mart/fact_sales_order.sql", 4, 12, 27}));
  ASSERT_EQ(model.checks.size(), 3u);
  EXPECT_EQ(model.checks[0].rule, "not_null");
  EXPECT_EQ(model.checks[0].columns[1].place, (Place{"models/mart/fact_sales_order.sql", 5, 37, 46}));
  EXPECT_EQ(model.checks[1].references[0].table.value, "mart.dim_design");
  EXPECT_EQ(model.checks[2].rows_min, 1);
  EXPECT_EQ(model.warehouse.types.at("unit_price").value, "numeric(10,2)");
  const Model& calendar = *project.FindModel("mart.dim_date");
  EXPECT_EQ(calendar.kind, ModelKind::kDimDate);
  EXPECT_EQ(calendar.key[0].value, "date_id");
  EXPECT_EQ(calendar.date_from->value, "2020-01-01");
  EXPECT_FALSE(calendar.date_to);
}

TEST_F(LoadProjectTest, FindsTheProjectInAFolderAbove) {
  Write(kShop);
  const LoadResult result = LoadProject((folder / "models/mart").string());
  EXPECT_EQ(result.project.folder, folder.string());
}

TEST_F(LoadProjectTest, SaysWhereItLookedForAProject) {
  try {
    LoadProject(folder.string());
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "LEAT0101");
    EXPECT_EQ(error.message(), "no leat.yaml in " + folder.string() + " or in a folder above it");
    EXPECT_THAT(error.diagnostic().help, ElementsAre(HasSubstr("leat init DIR")));
  }
}

TEST_F(LoadProjectTest, NamesLeatYmlWhereItIsMeant) {
  Write("=== leat.yml\nname: shop\n");
  try {
    Load();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.diagnostic().help, ElementsAre("rename leat.yml to leat.yaml"));
  }
}

TEST_F(LoadProjectTest, LetsTheEnvironmentWin) {
  variables = {{"LEAT_LAKE", "/srv/lake"},
               {"LEAT_CONNECTIONS_TOTESYS_HOST", "localhost"},
               {"LEAT_WAREHOUSE_SCHEMA", "star"},
               {"LEAT_WAREHOUSE_LOAD", "mart.a, mart.b"},
               {"LEAT_LIMITS_THREADS", "2"}};
  const Project project = Loaded(kShop);
  EXPECT_EQ(project.lake.value, "/srv/lake");
  EXPECT_EQ(project.lake.place.ToString(), "LEAT_LAKE");
  EXPECT_EQ(project.connections.at("totesys").host, "localhost");
  EXPECT_EQ(project.warehouse->schema, "star");
  EXPECT_EQ(project.warehouse->load[1].value, "mart.b");
  EXPECT_EQ(project.limits.threads, 2);
}

TEST_F(LoadProjectTest, ChecksTheEnvironmentLikeTheFile) {
  variables = {{"LEAT_LIMITS_THREADS", "many"}, {"LEAT_LIMITS_MEMORY", "1GB"}};
  EXPECT_EQ(Faults("=== leat.yaml\nname: shop\n"), R"(
LEAT_LIMITS_THREADS: LEAT0104 limits.threads is 'many'; expected a whole number from 1 to 256
  help: for example  threads: 4
)");
}

TEST_F(LoadProjectTest, NeedsNoSecretToValidate) {
  const Project project = Loaded(kShop);
  EXPECT_THROW(project.connections.at("totesys").password.Resolve(), Error);
}

TEST_F(LoadProjectTest, KnowsTheTimeZones) {
  EXPECT_EQ(Loaded("=== leat.yaml\nname: shop\n").timezone.value, "UTC");
  EXPECT_EQ(Loaded("=== leat.yaml\nname: shop\ntimezone: America/Argentina/Ushuaia\n").timezone.value,
            "America/Argentina/Ushuaia");
  EXPECT_EQ(Faults("=== leat.yaml\nname: shop\ntimezone: europe/london\n"), R"(
leat.yaml:2:11: LEAT0240 timezone is 'europe/london'; expected a name of the IANA time zone database
  help: did you mean Europe/London?
)");
  EXPECT_EQ(Faults("=== leat.yaml\nname: shop\ntimezone: \"+01:00\"\n"), R"(
leat.yaml:2:11: LEAT0240 timezone is '+01:00'; expected a name of the IANA time zone database
  help: write a region and a city, such as  timezone: Europe/London
)");
}

TEST_F(LoadProjectTest, TakesEmptySectionsAsAbsent) {
  const Project project = Loaded("=== leat.yaml\nname: shop\nconnections:\n#  a: {type: postgres}\nlimits:\n");
  EXPECT_THAT(project.connections, IsEmpty());
}

TEST_F(LoadProjectTest, ReportsAConnectionThatDoesNotExist) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
connections: {totesys: {type: postgres}}
warehouse: {connection: warehouse}
=== sources/crm.yaml
type: postgres
connection: totsys
)"),
            R"(
leat.yaml:3:25: LEAT0112 connection 'warehouse' does not exist
  help: add  warehouse: {type: postgres, …}  to connections in leat.yaml
sources/crm.yaml:2:13: LEAT0112 connection 'totsys' does not exist; did you mean totesys?
  help: add  totsys: {type: postgres, …}  to connections in leat.yaml
)");
}

TEST_F(LoadProjectTest, ReportsABrokenFileOnce) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
connections: {totesys: {type: postgres}
=== sources/crm.yaml
type: postgres
connection: totesys
)"),
            R"(
leat.yaml:2:14: LEAT0107 '{' is not closed, or an entry in it is not `key: value`
  help: close it with '}' and put a comma between entries
)");
}

TEST_F(LoadProjectTest, ReportsNamesThatClash) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
connections: {c: {type: postgres}}
=== sources/totesys.yaml
{type: postgres, connection: c}
=== sources/totesys.yml
{type: postgres, connection: c}
=== sources/main.yaml
{type: postgres, connection: c}
=== models/totesys/x.sql
SELECT 1
=== models/seeds/x.sql
SELECT 1
=== models/mart/a.sql
SELECT 1
=== models/mart/a.yaml
kind: dim_date
)"),
            R"(
sources/totesys.yml: LEAT0111 sources/totesys.yml and sources/totesys.yaml have one name
  help: remove sources/totesys.yml
models/mart/a.yaml: LEAT0111 models/mart/a.sql and models/mart/a.yaml are both the model mart.a
  help: rename or remove one of the two
sources/main.yaml: LEAT0111 the namespace main is taken by leat itself
  help: rename the file
models/seeds/x.sql: LEAT0111 the namespace seeds is taken by leat itself
  help: rename the folder
models/totesys/x.sql: LEAT0111 the namespace totesys is of the source sources/totesys.yaml and of the folder models/totesys
  help: rename the folder
)");
}

TEST_F(LoadProjectTest, ReportsFilesInTheWrongPlaceOrOfTheWrongName) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
=== models/dim_staff.sql
SELECT 1
=== models/mart/deep/dim_staff.sql
SELECT 1
=== models/mart/Dim-Staff.sql
SELECT 1
=== models/Data Mart/a.sql
SELECT 1
=== models/Data Mart/b.sql
SELECT 1
=== models/mart/up.SQL
SELECT 1
=== sources/crm.yml
type: postgres
=== sources/eu/crm.yaml
type: postgres
=== seeds/lost.yaml
columns: {}
=== models/mart/notes.md
=== models/.hidden/x.sql
=== models/mart/.x.sql
)"),
            R"(
sources/crm.yml: warning LEAT0118 sources/crm.yml is not read: it ends in .yml, not .yaml
  help: rename it to sources/crm.yaml
sources/eu/crm.yaml: warning LEAT0118 sources/eu/crm.yaml is not read: sources/ has no folders below it
  help: move it to sources/crm.yaml
models/Data Mart/a.sql: LEAT0110 the folder 'Data Mart' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters
  help: rename it to data_mart
models/dim_staff.sql: LEAT0114 models/dim_staff.sql stands directly in models/; expected it in a folder of models/, which is its namespace
  help: move it to models/mart/dim_staff.sql
models/mart/Dim-Staff.sql: LEAT0110 the file 'Dim-Staff' is not a name; expected a-z, 0-9 and _, no digit first, no '__', not _leat, at most 63 characters
  help: rename it to dim_staff.sql
models/mart/deep/dim_staff.sql: LEAT0114 models/mart/deep/dim_staff.sql stands too deep; expected it in a folder of models/, which is its namespace
  help: move it to models/mart/dim_staff.sql
models/mart/up.SQL: warning LEAT0118 models/mart/up.SQL is not read: it ends in .SQL, not .sql
  help: rename it to models/mart/up.sql
seeds/lost.yaml: warning LEAT0118 seeds/lost.yaml is not read: there is no seeds/lost.csv
  help: add seeds/lost.csv or remove the file
)");
}

TEST_F(LoadProjectTest, RefusesAFileOfMoreThanAMegabyte) {
  Write("=== leat.yaml\nname: shop\n");
  WriteFile("macros/big.sql", std::string(1'000'001, ' '));
  EXPECT_EQ(Lines(Load().diagnostics),
            R"(macros/big.sql: LEAT0116 macros/big.sql has 1000001 bytes; expected at most 1000000
  help: split it
)");
}

TEST_F(LoadProjectTest, RefusesAWarehouseThatIsTheSource) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
connections: {db: {type: postgres}}
warehouse: {connection: db}
=== sources/crm.yaml
type: postgres
connection: db
)"),
            R"(
sources/crm.yaml:2:13: LEAT0115 the source crm reads what the warehouse writes: connection db, schema public
  help: give the warehouse a schema of its own
)");
}

TEST_F(LoadProjectTest, ReadsADuckdbWarehouse) {
  const Project project = Loaded(R"(
=== leat.yaml
name: shop
connections: {bi: {type: duckdb, path: ./out/warehouse.duckdb}}
warehouse: {connection: bi}
)");
  EXPECT_EQ(project.connections.at("bi").path.value, (folder / "out/warehouse.duckdb").string());
  EXPECT_EQ(project.connections.at("bi").path.place, (Place{"leat.yaml", 2, 40, 62}));
  EXPECT_EQ(project.warehouse->schema, "main");
}

TEST_F(LoadProjectTest, TellsFieldsOfAnotherTypeOfConnection) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
connections:
  bi: {type: duckdb, path: ./w.duckdb, host: db.internal}
  db: {type: postgres, path: ./w.duckdb}
  none: {type: duckdb}
)"),
            R"(
leat.yaml:3:40: LEAT0115 connections.bi.host belongs to type postgres; connections.bi has type duckdb
  help: remove it; type duckdb has: path
leat.yaml:4:24: LEAT0115 connections.db.path belongs to type duckdb; connections.db has type postgres
  help: remove it; type postgres has: host, port, database, user, password, service, sslmode
leat.yaml:5:9: LEAT0106 connections.none.path is missing
  help: add  path: ./warehouse.duckdb
)");
}

TEST_F(LoadProjectTest, RefusesADuckdbFileWhereItCannotBe) {
  EXPECT_EQ(Faults(R"(
=== leat.yaml
name: shop
connections:
  inside: {type: duckdb, path: ./lake/w.duckdb}
  state: {type: duckdb, path: .leat/state.db}
=== sources/crm.yaml
type: postgres
connection: inside
)"),
            R"(
leat.yaml:3:32: LEAT0115 connections.inside.path is inside the lake
  help: choose a folder beside the lake
leat.yaml:4:31: LEAT0115 connections.state.path is the file of the state database
  help: choose another file
sources/crm.yaml:2:13: LEAT0115 the source crm has type postgres, but connection inside has type duckdb
  help: name a connection of type postgres
)");
}

TEST_F(LoadProjectTest, LoadsTwoHundredModelsAtOnce) {
  std::string files(kShop);
  for (int i = 0; i < 200; ++i)
    files += "=== models/mart/m" + std::to_string(i) +
             ".sql\n/* ---\nkey: a\nchecks: [not_null: [a, b], range: {c: {min: 0}}]\n--- */\nSELECT 1\n";
  Write(files);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Load().project.models.size(), 202u);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  RecordProperty("took_ms", static_cast<int>(took.count()));
  // The budget is 50 ms; this bound leaves room for a build without optimisation, under sanitizers, on a busy machine.
  EXPECT_LT(took.count(), 2000);
}

/// The project with one byte of one file cut off or flipped: any outcome but a crash or a foreign exception will do.
TEST_F(LoadProjectTest, SurvivesCutAndFlippedFiles) {
  const std::map<std::string, std::string> files = {
      {"leat.yaml",
       "name: shop\nconnections:\n  c: &c {type: postgres, port: 5433, password: \"${PW}\"}\n  d: *c\n"
       "warehouse: {connection: c, schema: star, load: ['mart.*']}\nlimits: {threads: 4, memory: 2GB}\n"},
      {"sources/s.yaml",
       "type: postgres\nconnection: c\nstreams:\n  \"*\": {}\n  a: {skip: true, rename: {\"Id\": i}}\n"},
      {"models/mart/h.sql",
       "/* ---\nkind: history\nkey: [a]\nchecks: [not_null: [a], rows: {min: 1}]\ndescription: |\n  text\n--- "
       "*/\nSELECT 1\n"},
      {"models/mart/d.yaml", "kind: dim_date\nfrom: 2020-01-01\nto: 2021-01-01\n"}};
  for (const auto& [path, bytes] : files) WriteFile(path, bytes);
  ASSERT_EQ(Lines(Load().diagnostics), "");
  for (const auto& [path, bytes] : files) {
    for (size_t i = 0; i < bytes.size(); ++i) {
      WriteFile(path, bytes.substr(0, i));
      Load();
      constexpr char kFlips[] = {'\x01', '\x20', '\x80', '\x7F', '\x04'};
      std::string flipped = bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ kFlips[i % std::size(kFlips)]);
      WriteFile(path, flipped);
      Load();
    }
    WriteFile(path, bytes);
  }
}

}  // namespace
}  // namespace leat::config
