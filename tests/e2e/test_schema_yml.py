"""models/schema.yml in dbt's shape: its tests are the checks of heads, and those of streams stop what is built from them."""

import pytest

from support.project import Project, diagnostics, outcome

TABLES = """
    CREATE TABLE design (design_id int PRIMARY KEY, name text);
    INSERT INTO design VALUES (1, 'ash'), (2, 'elm');
    CREATE TABLE orders (order_id int PRIMARY KEY, design_id int, state text);
    INSERT INTO orders VALUES (1, 1, 'new'), (2, 2, 'paid');
"""

SCHEMA = """\
version: 2
models:
  - name: dim_design
    description: One row per design.
    config: {tags: [core], meta: {owner: sales-data}}
    columns:
      - {name: design_id, data_type: INTEGER, data_tests: [not_null, unique]}
  - name: mart.fact
    columns:
      - name: design_id
        data_tests:
          - relationships: {to: ref('dim_design'), field: design_id}
      - name: state
        tests:
          - accepted_values:
              arguments: {values: [new, paid]}
              config: {severity: warn}
sources:
  - name: src
    tables:
      - name: orders
        description: One order each.
        columns:
          - {name: design_id, data_tests: [not_null]}
"""


@pytest.fixture
def project(make) -> Project:
    project = make(TABLES)
    project.model("dim_design", "SELECT design_id, name FROM src.design\n", "key: design_id")
    project.model("fact", "SELECT order_id, design_id, state FROM src.orders\n", "key: order_id")
    project.write("models/schema.yml", SCHEMA)
    return project


def test_tests_become_checks_of_models_and_streams(project):
    valid = project.command("validate", "--json").expect(0).json()["data"]
    assert (valid["valid"], valid["checks"]) == (True, 5)
    project.run().expect(0)
    checks = project.command("check", "--json").expect(0).json()["data"]["checks"]
    assert [(check["table"], check["check"], check["severity"], check["state"]) for check in checks] == [
        ("src.orders", "not_null(design_id)", "error", "passed"),
        ("mart.dim_design", "not_null(design_id)", "error", "passed"),
        ("mart.dim_design", "unique(design_id)", "error", "passed"),
        ("mart.fact", "references(design_id → mart.dim_design)", "error", "passed"),
        ("mart.fact", "accepted_values(state)", "warn", "passed"),
    ]
    only = project.command("check", "tag:core", "--json").expect(0).json()["data"]["checks"]
    assert {check["table"] for check in only} == {"mart.dim_design"}

    project.execute("INSERT INTO orders VALUES (3, 9, 'lost')")
    done = project.run().expect(1)
    told = diagnostics(done)
    assert "error[LEAT0704]: check references(design_id → mart.dim_design) on mart.fact failed: 1 of 3 rows" in told
    assert "models/schema.yml:12:13" in told and "warning[LEAT0703]" in told
    assert project.lake_rows("mart.fact", "order_id") == [(1,), (2,)]


def test_rule_of_a_stream_keeps_what_is_built_from_it(project):
    project.run().expect(0)
    project.execute("INSERT INTO orders VALUES (3, NULL, 'new'); INSERT INTO design VALUES (3, 'fir')")
    done = project.run().expect(1)
    assert "check not_null(design_id) on src.orders failed: 1 of 3 rows are NULL" in diagnostics(done)
    assert "models/schema.yml:24:44" in diagnostics(done)
    assert len(project.lake_rows("src.orders__history", "order_id")) == 3, "the rows are the source's"
    assert project.lake_rows("mart.fact", "order_id") == [(1,), (2,)]
    assert len(project.lake_rows("mart.dim_design", "design_id")) == 3, "what reads other streams goes on"
    states = {table["table"]: table["state"] for table in project.command("status", "--json").json()["data"]["tables"]}
    assert states == {"src.orders": "failing", "mart.fact": "failing", "src.design": "healthy", "mart.dim_design": "healthy"}
    assert project.command("status", "--exit-code").code == 1
    # Nothing changed, and it is judged again all the same; so it is where the model alone is run.
    assert outcome(project.command("retry").expect(1), "mart.fact") == "table_skipped"
    project.run("mart.fact").expect(1)

    project.execute("UPDATE orders SET design_id = 3 WHERE order_id = 3")
    project.run("+mart.fact").expect(0)
    assert len(project.lake_rows("mart.fact", "order_id")) == 3
    assert project.command("status", "--exit-code").code == 0


def test_removed_rule_of_a_stream_leaves_no_failure(project):
    project.execute("INSERT INTO orders VALUES (3, NULL, 'new')")
    project.run().expect(1)
    project.write("models/schema.yml", SCHEMA[: SCHEMA.index("sources:")])
    project.run().expect(0)
    assert project.command("status", "--exit-code").code == 0


def test_columns_of_a_stream_are_judged_without_rules(project):
    described = SCHEMA[SCHEMA.index("sources:") :].replace(
        "{name: design_id, data_tests: [not_null]}", "{name: design_id, data_type: INTEGER}"
    )
    project.write("models/schema.yml", described)
    project.run().expect(0)
    project.write("models/schema.yml", described.replace("INTEGER", "VARCHAR"))
    assert "LEAT0136" in diagnostics(project.command("check", "src.orders").expect(1))
    assert "LEAT0136" in diagnostics(project.run().expect(1))
    project.write("models/schema.yml", described.replace("design_id", "desing_id"))
    assert "LEAT0217" in diagnostics(project.run().expect(1))


def test_lineage_shows_exposures_and_references_of_streams(project):
    relation = "{relationships: {to: \"source('src', 'design')\", field: design_id}}"
    exposures = "exposures:\n  - {name: weekly, depends_on: [ref('fact'), \"source('src', 'design')\"]}\n"
    project.write("models/schema.yml", SCHEMA.replace("data_tests: [not_null]}", f"data_tests: [{relation}]}}") + exposures)
    project.run().expect(0)
    shown = project.command("lineage", "src.design", "--json").expect(0).json()["data"]
    edges = {(edge["from"], edge["to"], edge["how"]) for edge in shown["edges"]}
    assert {("src.design", "exposure:weekly", "reads"), ("src.design", "src.orders", "references")} <= edges
    column = project.command("lineage", "src.design.design_id", "--json").expect(0).json()["data"]["edges"]
    assert ("src.design.design_id", "src.orders.design_id", "references") in {
        (edge["from"], edge["to"], edge["how"]) for edge in column
    }
    assert "exposure:weekly" in project.command("lineage", "mart.fact").expect(0).stdout

    project.write("models/schema.yml", (SCHEMA + exposures).replace("'design')", "'desing')"))
    assert "LEAT0134" in diagnostics(project.command("validate").expect(2))


def test_validate_compares_names_types_and_keys(project):
    project.run().expect(0)
    schema = (
        SCHEMA.replace("data_type: INTEGER", "data_type: VARCHAR")
        .replace("field: design_id", "field: name")
        .replace("{name: design_id, data_tests: [not_null]}", "{name: desing_id, data_tests: [not_null]}")
        + "      - {name: orderz, tests: [unique: {column_name: a}]}\n"
        + "      - {name: design, loaded_at_field: name}\n"
    )
    project.write("models/schema.yml", schema)
    told = {
        (fault["code"], fault["message"], f"{fault['file']}:{fault['line']}:{fault['column']}", fault["candidates"][:1] == [])
        for fault in project.command("validate", "--json").expect(2).json()["diagnostics"]
    }
    assert told == {
        ("LEAT0136", "column design_id of mart.dim_design has type INTEGER; expected VARCHAR", "models/schema.yml:7:38", True),
        ("LEAT0135", "relationships names column name of mart.dim_design, whose key is design_id; expected the key",
         "models/schema.yml:12:59", True),
        ("LEAT0217", 'models/schema.yml names column "desing_id", which src.orders does not have', "models/schema.yml:24:20", False),
        ("LEAT0134", "stream src.orderz does not exist", "models/schema.yml:25:16", False),
        ("LEAT0712", "loaded_at_field is 'name' of type VARCHAR; expected a timestamp or a date", "models/schema.yml:26:41", True),
    }
    project.run().expect(2)


def test_what_is_dbts_alone_is_an_error_with_its_counterpart(project):
    project.write("models/schema.yml", "version: 2\nmodels:\n  - name: fact\n    config: {materialized: table}\n")
    told = diagnostics(project.command("validate").expect(2))
    assert told.startswith("error[LEAT0130]: 'materialized' is of dbt and not of leat\n  ┌─ models/schema.yml:4:14\n")
    assert "= help: leat has instead: `kind` in the model's head: table or history" in told
