#include <fmt/format.h>

#include "config/project_fixture.h"

namespace leat::config {
namespace {

constexpr const char* kDescribedShop = R"yml(
=== leat.yaml
name: shop
connections: {db: {type: postgres}}
=== sources/totesys.yaml
type: postgres
connection: db
=== models/mart/dim_design.sql
/* ---
key: design_id
description: The head's words.
--- */
SELECT 1 AS design_id
=== models/mart/fact_sales_order.sql
/* ---
checks: [not_null: [design_id]]
tags: [head]
--- */
SELECT 1 AS design_id, 2 AS currency_id
=== models/mart/dim_date.sql
SELECT 1
=== models/stage/dim_date.sql
SELECT 1
=== seeds/iso_4217.csv
code
=== models/schema.yml
)yml";

std::string RuleText(const CheckRule& rule) {
  std::string text = fmt::format("{}: {}", rule.place.ToString(), rule.rule);
  for (const auto& column : rule.columns) text += " " + column.value;
  for (const auto& accepted : rule.accepted)
    text += fmt::format(" {} {}", accepted.column.value, accepted.values.size());
  for (const auto& reference : rule.references)
    text += fmt::format(" {} {}.{}", reference.column.value, reference.table.value, reference.field.value);
  if (rule.severity == CheckSeverity::kWarn) text += " warn";
  if (!rule.where.empty()) text += " where " + rule.where;
  return text + "\n";
}

std::string RulesText(const std::vector<CheckRule>& rules) {
  std::string text = "\n";
  for (const CheckRule& rule : rules) text += RuleText(rule);
  return text;
}

class SchemaYmlTest : public ProjectTest {
 protected:
  Project Read(const std::string& schema) { return Loaded(kDescribedShop + schema); }
  std::string FaultsIn(const std::string& schema) { return Faults(kDescribedShop + schema); }
};

TEST_F(SchemaYmlTest, AddsToTheHeadWhatTheHeadDoesNotSay) {
  const Project project = Read(R"yml(version: 2
models:
  - name: dim_design
    description: not taken
    config: {tags: [finance], meta: {owner: sales-data, steward: {name: x}}}
  - name: mart.fact_sales_order
    description: One row per version.
    tags: [not_taken]
    freshness: {warn_after: {count: 2, period: hour}}
    columns:
      - {name: design_id, description: Which one., data_type: INTEGER}
)yml");
  const Model& design = *project.FindModel("mart.dim_design");
  EXPECT_EQ(design.description, "The head's words.");
  EXPECT_EQ(design.owner, "sales-data");
  EXPECT_EQ(design.tags, std::vector<std::string>{"finance"});
  const Model& fact = *project.FindModel("mart.fact_sales_order");
  EXPECT_EQ(fact.description, "One row per version.");
  EXPECT_EQ(fact.tags, std::vector<std::string>{"head"});
  EXPECT_EQ(fact.freshness->warn_after, std::chrono::hours(2));
  EXPECT_EQ(fact.columns[0].description, "Which one.");
  EXPECT_EQ(fact.columns[0].data_type->value, "INTEGER");
}

TEST_F(SchemaYmlTest, ReadsTestsAsTheChecksOfHeads) {
  const Project project = Read(R"yml(models:
  - name: fact_sales_order
    columns:
      - name: design_id
        tests:
          - not_null
          - relationships: {to: ref('dim_design'), field: design_id}
      - name: currency_id
        data_tests:
          - not_null
          - unique: {config: {where: "currency_id > 0"}}
          - accepted_values:
              arguments: {values: [1, 2, 3]}
              config: {severity: warn}
    data_tests:
      - unique: {column_name: design_id, severity: warn, name: mine}
)yml");
  // The head has not_null of design_id itself.
  EXPECT_EQ(RulesText(project.FindModel("mart.fact_sales_order")->checks), R"yml(
models/mart/fact_sales_order.sql:2:10: not_null design_id
models/schema.yml:7:13: references design_id mart.dim_design.design_id
models/schema.yml:10:13: not_null currency_id
models/schema.yml:11:13: unique currency_id where currency_id > 0
models/schema.yml:12:13: accepted_values currency_id 3 warn
models/schema.yml:16:9: unique design_id warn
)yml");
}

TEST_F(SchemaYmlTest, KeepsRulesThatDiffer) {
  const Project project = Read(R"yml(models:
  - name: fact_sales_order
    columns:
      - name: design_id
        tests:
          - not_null: {severity: warn}
          - not_null: {where: "currency_id > 0"}
          - accepted_values: {values: [1], where: "currency_id = 1"}
          - accepted_values: {values: [1, 2], where: "currency_id = 2"}
          - accepted_values: {values: [1, 2], where: "currency_id = 2"}
          - relationships: {to: ref('dim_design'), field: design_id}
          - relationships: {to: ref('iso_4217'), field: code}
      - name: currency_id
        tests: [not_null: {severity: warn}, not_null, not_null]
    tests: [unique: {column_name: design_id}, unique: {column_name: currency_id}]
)yml");
  EXPECT_EQ(RulesText(project.FindModel("mart.fact_sales_order")->checks), R"yml(
models/mart/fact_sales_order.sql:2:10: not_null design_id
models/schema.yml:8:13: accepted_values design_id 1 where currency_id = 1
models/schema.yml:9:13: accepted_values design_id 2 where currency_id = 2
models/schema.yml:11:13: references design_id mart.dim_design.design_id
models/schema.yml:12:13: references design_id seeds.iso_4217.code
models/schema.yml:14:17: not_null currency_id warn
models/schema.yml:14:45: not_null currency_id
models/schema.yml:15:13: unique design_id
models/schema.yml:15:47: unique currency_id
)yml");
}

TEST_F(SchemaYmlTest, DescribesStreamsWithTheirSource) {
  const Project project = Read(R"yml(sources:
  - name: totesys
    tags: [crm]
    freshness: {warn_after: {count: 20, period: minute}, error_after: {count: 30, period: minute}}
    loaded_at_field: last_updated
    tables:
      - name: payment
        description: One payment per order.
        columns:
          - {name: payment_id, tests: [unique]}
          - {name: currency, tests: [{relationships: {to: ref('iso_4217'), field: code}}]}
      - {name: design, freshness: null, config: {loaded_at_field: created_at}}
      - {name: staff, freshness: {error_after: {count: 1, period: day}}}
exposures:
  - {name: weekly, type: dashboard, owner: {name: board, email: b@acme.example}, depends_on: [ref('dim_design'), "source('totesys', 'design')"]}
)yml");
  const StreamProperties& payment = *project.FindStream("totesys.payment");
  EXPECT_EQ(payment.description, "One payment per order.");
  EXPECT_EQ(payment.tags, std::vector<std::string>{"crm"});
  EXPECT_EQ(payment.loaded_at_field->value, "last_updated");
  EXPECT_EQ(RulesText(payment.checks), R"yml(
models/schema.yml:10:40: unique payment_id
models/schema.yml:11:39: references currency seeds.iso_4217.code
)yml");
  EXPECT_EQ(project.FindStream("totesys.design")->loaded_at_field->value, "created_at");
  using std::chrono::minutes;
  EXPECT_EQ(project.FreshnessOf("totesys.payment").error_after, minutes(30));
  EXPECT_EQ(project.FreshnessOf("totesys.not_described").warn_after, minutes(20));
  EXPECT_TRUE(project.FreshnessOf("totesys.design").empty());
  EXPECT_FALSE(project.FreshnessOf("totesys.staff").warn_after);
  EXPECT_EQ(project.exposures[0].owner, "board");
  EXPECT_EQ(project.exposures[0].depends_on[1].value, "totesys.design");
}

TEST_F(SchemaYmlTest, LooksForPromisesFromNearToFar) {
  const Project project = Loaded(R"yml(
=== leat.yaml
name: shop
connections: {db: {type: postgres}}
freshness: {warn_after: 20m, error_after: 30m}
=== sources/totesys.yaml
type: postgres
connection: db
rename: {"Orders": orders_upper}
streams:
  "*": {}
  "Payment": {freshness: {error_after: 15m}}
  "Orders": {freshness: null}
  log: {skip: true}
=== sources/crm.yaml
type: postgres
connection: db
schema: crm
freshness: {warn_after: 1h}
streams: {customer: {}}
=== models/mart/a.sql
/* ---
freshness: {warn_after: 2h}
--- */
SELECT 1
=== models/mart/b.sql
SELECT 1
)yml");
  const auto text = [&](const char* table) {
    const Freshness freshness = project.FreshnessOf(table);
    const auto minutes = [](const auto& age) { return age ? fmt::format("{}", age->count() / 60000) : "-"; };
    return minutes(freshness.warn_after) + " " + minutes(freshness.error_after);
  };
  EXPECT_EQ(text("totesys.staff"), "20 30");
  EXPECT_EQ(text("totesys.payment"), "- 15");
  EXPECT_EQ(text("totesys.orders_upper"), "- -");
  EXPECT_EQ(text("totesys.log"), "- -");
  EXPECT_EQ(text("crm.customer"), "60 -");
  EXPECT_EQ(text("crm.unnamed"), "- -");
  EXPECT_EQ(text("mart.a"), "120 -");
  EXPECT_EQ(text("mart.b"), "20 30");
  EXPECT_TRUE(project.IsLeftOut("totesys.log"));
  EXPECT_TRUE(project.IsLeftOut("crm.unnamed"));
  EXPECT_FALSE(project.IsLeftOut("totesys.orders")) << "the table orders, if there is one";
  EXPECT_FALSE(project.IsLeftOut("totesys.staff"));
}

TEST_F(SchemaYmlTest, SaysWhatLeatHasInsteadOfDbtsOwn) {
  EXPECT_EQ(FaultsIn(R"yml(version: 2
snapshots: []
models:
  - name: fact_sales_order
    description: "{{ doc('sales') }}"
    config: {materialized: incremental}
    columns:
      - name: design_id
        tests:
          - dbt_utils.accepted_range: {min_value: 0}
          - is_even
          - not_nul
)yml"),
            R"yml(
models/schema.yml:2:1: LEAT0130 'snapshots' is of dbt and not of leat
  help: leat has instead: `kind: history` in a model's head keeps every version of a row
models/schema.yml:5:18: LEAT0132 '{{ doc('sales') }}' is Jinja, which leat does not fill in; expected the value itself
  help: write what it stands for; ref('x') and source('a', 'b') stand without {{ }}
models/schema.yml:6:14: LEAT0130 'materialized' is of dbt and not of leat
  help: leat has instead: `kind` in the model's head: table or history
models/schema.yml:10:13: LEAT0131 test 'dbt_utils.accepted_range' is none of leat's: not_null, unique, accepted_values, relationships
  help: leat has instead: in the model's head:  checks: [range: {column: {min: 0, max: 9}}]
models/schema.yml:11:13: LEAT0131 test 'is_even' is none of leat's: not_null, unique, accepted_values, relationships
  help: leat has instead: write a file in checks/: a query that must return no rows
models/schema.yml:12:13: LEAT0131 test 'not_nul' is none of leat's: not_null, unique, accepted_values, relationships; did you mean not_null?
  help: leat has instead: write a file in checks/: a query that must return no rows
)yml");
}

TEST_F(SchemaYmlTest, FindsNamesThatMeanNothingOrTwoThings) {
  EXPECT_EQ(FaultsIn(R"yml(models:
  - name: dim_desing
  - name: dim_date
  - name: dim_design
  - name: mart.dim_design
  - name: fact_sales_order
    columns:
      - {name: a, tests: [{relationships: {to: ref('dim_dat'), field: x}}]}
      - {name: b, tests: [{relationships: {to: dim_design, field: x}}]}
      - {name: c, tests: [{relationships: {to: "ref('p', 'dim_design')", field: x}}]}
      - {name: d, tests: [{relationships: {to: ref('dim_design')}}, accepted_values]}
      - {name: e, tests: [{accepted_values: {values: 3}}]}
    tests: [not_null]
sources:
  - name: totsys
)yml"),
            R"yml(
models/schema.yml:2:11: LEAT0134 model 'dim_desing' does not exist; did you mean dim_design?
  help: models are the files models/FOLDER/NAME.sql and .yaml
models/schema.yml:3:11: LEAT0134 'dim_date' may be mart.dim_date or stage.dim_date; expected the name of one
  help: write  mart.dim_date
models/schema.yml:5:11: LEAT0137 mart.dim_design is described at models/schema.yml:4:11 already
  help: put all of it into one entry
models/schema.yml:8:48: LEAT0134 model 'dim_dat' does not exist; did you mean dim_date?
  help: models are the files models/FOLDER/NAME.sql and .yaml
models/schema.yml:9:48: LEAT0133 'dim_design' names no table; expected ref('model') or source('source', 'stream')
  help: write  ref('dim_design')  or  "source('totesys', 'design')"
models/schema.yml:10:48: LEAT0133 'ref('p', 'dim_design')' names no table; expected ref('model') or source('source', 'stream')
  help: a project is all there is: name the model alone, ref('dim_design')
models/schema.yml:11:28: LEAT0106 relationships.field is missing
  help: add  field: the key of that table
models/schema.yml:11:69: LEAT0106 accepted_values.values is missing
  help: add  values: the values allowed
models/schema.yml:12:54: LEAT0104 models.columns.tests.accepted_values.values is '3'; expected a list
  help: for example  values: [new, paid]
models/schema.yml:13:13: LEAT0106 not_null.column_name is missing
  help: add  column_name: the column it is about
models/schema.yml:15:11: LEAT0134 source 'totsys' does not exist; did you mean totesys?
  help: add sources/totsys.yaml, or correct the name
)yml");
}

TEST_F(SchemaYmlTest, ChecksPromises) {
  EXPECT_EQ(FaultsIn(R"yml(sources:
  - name: totesys
    freshness: {warn_after: {count: 2, period: hours}, error_after: {count: 1}}
    tables:
      - {name: payment, freshness: {warn_after: {count: 2, period: hour}, error_after: {count: 1, period: hour}}}
)yml"),
            R"yml(
models/schema.yml:3:48: LEAT0105 sources.freshness.warn_after.period is 'hours'; expected one of minute, hour, day
  help: did you mean hour?
  help: for example  period: minute
models/schema.yml:3:69: LEAT0106 sources.freshness.error_after.period is missing
  help: add  period: minute
models/schema.yml:5:75: LEAT0115 error_after is shorter than warn_after; data is late before it is too late
  help: swap them
)yml");
}

TEST_F(SchemaYmlTest, IsReadInAnyFolderOfModels) {
  const Project project = Read(R"yml(models: [{name: dim_design, tags: [a]}]
=== models/mart/_facts.yml
models: [{name: fact_sales_order, description: x}]
=== models/mart/deep/schema.yml
sources: [{name: totesys, description: y}]
)yml");
  EXPECT_EQ(project.FindModel("mart.dim_design")->tags.size(), 1u);
  EXPECT_EQ(project.FindModel("mart.fact_sales_order")->description, "x");
  EXPECT_EQ(project.FindSource("totesys")->description, "y");
  EXPECT_EQ(FaultsIn(R"yml(version: 1
=== models/mart/other.yml
=== models/schema.yaml
)yml"),
            R"yml(
models/mart/other.yml: warning LEAT0118 models/mart/other.yml is not read: it ends in .yml, not .yaml
  help: rename it to models/mart/other.yaml, or to _other.yml if it is in dbt's shape
models/schema.yaml: LEAT0114 models/schema.yaml stands directly in models/; expected it in a folder of models/, which is its namespace
  help: rename it to models/schema.yml
models/schema.yml:1:10: LEAT0105 version is '1'; expected 2
  help: for example  version: 2
)yml");
}

TEST_F(SchemaYmlTest, SurvivesCutFiles) {
  const std::string text = R"yml(version: 2
models:
  - name: fact_sales_order
    config: {tags: [a], meta: {owner: x, y: [1, {z: 2}]}}
    columns: [{name: design_id, data_type: INT, tests: [not_null, {relationships: {to: ref('dim_design'), field: a}}]}]
sources: [{name: totesys, freshness: {warn_after: {count: 1, period: day}}, tables: [{name: a, tests: [unique: {column_name: b}]}]}]
exposures: [{name: e, depends_on: [ref('dim_design')]}]
)yml";
  Write(std::string(kDescribedShop));
  for (size_t i = 0; i < text.size(); i += 5) {
    WriteFile("models/schema.yml", text.substr(0, i));
    Load();
    std::string flipped = text;
    flipped[i] = i % 2 == 0 ? '{' : ' ';
    WriteFile("models/schema.yml", flipped);
    Load();
  }
}

}  // namespace
}  // namespace leat::config
