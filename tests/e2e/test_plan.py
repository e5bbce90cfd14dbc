"""What `leat plan` says before a run, exactly; and that a run then does it, after which the plan is empty."""

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
import sqlite3
import textwrap
from typing import Callable

import duckdb
import pytest

from support.project import Project, diagnostics, streams
from support.screen import show
from support.shop import WRITER, Shop
from support.warehouses import KINDS, DuckdbWarehouse

_TABLES = """
    CREATE TABLE item (id int PRIMARY KEY, code text NOT NULL UNIQUE, v int, name text);
    INSERT INTO item VALUES (1, 'a', 10, 'one'), (2, 'b', 20, 'two');
    CREATE TABLE note (body text); INSERT INTO note VALUES ('x')"""

_ITEM_HEAD = """
    key: id
    checks:
      - not_null: id
"""


@pytest.fixture
def small(make) -> Project:
    """src.item → mart.item → mart.total, src.note → mart.notes, a macro, a seed and a warehouse; run once."""
    project = make(_TABLES, warehouse=True)
    project.write("macros/gross.sql", "CREATE MACRO gross(net) AS net * 2;\n")
    project.write("seeds/rates.csv", "code,rate\na,1\nb,2\n")
    project.model("item", "SELECT id, code, v, name\nFROM src.item\n", _ITEM_HEAD)
    project.model("total", "SELECT count(*) AS items, sum(gross(v)) AS v\nFROM mart.item\n")
    project.model("notes", "SELECT body FROM src.note\n")
    project.model("rated", "SELECT code, rate FROM seeds.rates\n")
    project.run().expect(0)
    return project


def plan(project: Project, *args) -> str:
    """What stands on a terminal of 100 columns, the times in it replaced; then the exit code."""
    code, text, stderr = show(project.leat, "plan", *args, cwd=project.folder)
    text = re.sub(r"\d+\.\d+ s last time", "T last time", text)
    text = re.sub(r"(compared with run \d+), \d\d:\d\d\n", r"\1, HH:MM\n", text)
    return f"{text}exit {code}\n{stderr}"


def golden(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def expect_empty(project: Project) -> None:
    done = project.command("plan", "--exit-code", "--json").expect(0)
    assert (done.json()["data"]["changes"], done.json()["data"]["warehouse"]) == ([], []), done
    assert "\nNo changes. New rows come with  leat run\n" in project.command("plan").expect(0).stdout


@dataclasses.dataclass
class Case:
    name: str
    change: Callable[[Project], None]
    shows: str
    applies: bool = True  # `leat run` then ends well, and the plan is empty


def new_model(project):
    project.model("cheap", "SELECT id, v FROM mart.item WHERE v < 15\n", "key: id")


def other_sql(project):
    project.model(
        "item", "SELECT id, code,\n  v::BIGINT AS v,\n  0.50 AS discount\nFROM src.item\n", _ITEM_HEAD
    )


def narrower_type(project):
    project.model("item", "SELECT id, code, v::SMALLINT::VARCHAR AS v, name\nFROM src.item\n", _ITEM_HEAD)


def head_and_checks(project):
    project.model(
        "item",
        "SELECT id, code, v, name\nFROM src.item\n",
        """
        key: id
        checks:
          - not_null: [id, code]
          - range: {v: {min: 0, max: 100}}
          - unique: code
            severity: warn
        """,
    )


def renamed_model(project):
    (project.folder / "models/mart/notes.sql").rename(project.folder / "models/mart/remarks.sql")


def removed_model(project):
    (project.folder / "models/mart/rated.sql").unlink()


def new_source_column(project):
    project.model("wide", "SELECT * FROM src.item\n", "key: id")
    project.run().expect(0)
    project.execute("ALTER TABLE item ADD COLUMN colour text DEFAULT 'red'")


def skipped_stream(project):
    streams(project, '"*": {}', "note: {skip: true}")


def warehouse_types(project):
    project.model(
        "item",
        "SELECT id, code, v, name\nFROM src.item\n",
        _ITEM_HEAD + "    warehouse: {types: {v: bigint}, rename: {name: title}}\n",
    )


def macro(project):
    project.write("macros/gross.sql", "CREATE MACRO gross(net) AS net * 3;\n")


def seed(project):
    project.write("seeds/rates.csv", "code,rate\na,1\nb,3\n")


def stream_key(project):
    streams(project, '"*": {}', "item: {key: code, deletes: 2h}")


def new_stream(project):
    project.execute("CREATE TABLE fresh (id int PRIMARY KEY, at timestamptz)")


def source_alone(project):
    project.execute("INSERT INTO item VALUES (3, 'c', 30, 'three')")
    project.run("source:src").expect(0)


def check_columns(project: Project, planned: dict) -> None:
    """What PyIceberg finds in the lake after the run is what the plan said of columns; gone tables are still there."""
    types = {"INTEGER": "int", "BIGINT": "long", "VARCHAR": "string", "TIMESTAMP WITH TIME ZONE": "timestamptz"}
    for change in planned["changes"]:
        name = change["table"] + ("__history" if change["kind"] == "stream" else "")
        with project.lake() as lake:
            found = {field.name: str(field.field_type) for field in lake.table(name).schema().fields}
        for column in change["columns"]:
            wanted = types.get(column["type_after"], column["type_after"].lower().replace(",", ", "))
            assert found.get(column["name"], "") == wanted, (name, column)


CASES = [
    Case(
        "new model",
        new_model,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              + mart.cheap  new       models/mart/cheap.sql
                  columns   id INTEGER   v INTEGER
                  build     whole table
              = 6 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
              warehouse   CREATE TABLE "public"."cheap" (
                            "id" integer NOT NULL,
                            "v" integer
                          )
                          ALTER TABLE "public"."cheap" ADD PRIMARY KEY ("id")
            Plan: 1 to add, 0 to change, 0 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "other SQL",
        other_sql,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              ~ mart.item   changed   models/mart/item.sql
                  columns   ~ v INTEGER → BIGINT (widening)   + discount DECIMAL(3,2)   - name VARCHAR
                  @@ line 6
                  - SELECT id, code, v, name
                  + SELECT id, code,
                  +   v::BIGINT AS v,
                  +   0.50 AS discount
                  rebuild   whole table, about 2 rows, T last time
              · mart.total  rebuilt   reads mart.item
              = 4 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
              warehouse   ALTER TABLE "public"."item" ALTER COLUMN "v" TYPE bigint
                          ALTER TABLE "public"."item" ADD COLUMN "discount" numeric(3,2)
            Plan: 0 to add, 1 to change, 1 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "narrower type",
        narrower_type,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              ✗ mart.item   refused   models/mart/item.sql
                  columns   ~ v INTEGER → VARCHAR (no wider type)
                  @@ line 6
                  - SELECT id, code, v, name
                  + SELECT id, code, v::SMALLINT::VARCHAR AS v, name
              · mart.total  skipped   needs mart.item
              = 4 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
            Plan: 0 to add, 0 to change, 0 to rebuild, 0 to drop, 1 refused, 1 skipped. 1 error.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 1
            error[LEAT0211]: column "v" has type INTEGER in the lake, its new rows have VARCHAR
              ┌─ models/mart/item.sql:6:29
            4 │   - not_null: id
            5 │ --- */
            6 │ SELECT id, code, v::SMALLINT::VARCHAR AS v, name
              │                             ^
              = help: cast it to INTEGER where its rows are made, or rebuild the table with --full-refresh
                      leat run mart.item --full-refresh
              = more: leat explain LEAT0211
        """,
        applies=False,
    ),
    Case(
        "head and checks",
        head_and_checks,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              ~ mart.item  changed   models/mart/item.sql
                  checks    + not_null(code)   + range(v) 0 to 100   + unique(code) warn
                  check     the rows as they are, about 2 rows, T last time
              = 5 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
              warehouse   ALTER TABLE "public"."item" ALTER COLUMN "code" SET NOT NULL
            Plan: 0 to add, 1 to change, 0 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "renamed model",
        renamed_model,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              + mart.remarks  new       models/mart/remarks.sql   was mart.notes
                  columns   body VARCHAR
                  build     whole table
              - mart.notes    dropped   now mart.remarks; its rows stay
              = 5 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
              warehouse   CREATE TABLE "public"."remarks" (
                            "body" character varying
                          )
            Plan: 1 to add, 0 to change, 0 to rebuild, 1 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "removed model",
        removed_model,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              - mart.rated  dropped   no file makes it any more; its rows stay
              = 5 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
            Plan: 0 to add, 0 to change, 0 to rebuild, 1 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "new column at the source",
        new_source_column,
        """
            small · target default · lake ./lake · compared with run 2, HH:MM
              ~ src.item    changed   sources/src.yaml
                  columns   + colour VARCHAR
                  read      all rows (its shape changed), about 2 rows, T last time
              · mart.item   rebuilt   reads src.item
              · mart.total  rebuilt   reads mart.item
              · mart.wide   rebuilt   reads src.item
                  columns   + colour VARCHAR
              = 3 tables unchanged
              reads       src: 2 in full   src.item: its shape changed   src.note: it has no key
              warehouse   ALTER TABLE "public"."wide" ADD COLUMN "colour" character varying
            Plan: 0 to add, 1 to change, 3 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "skipped stream",
        skipped_stream,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              - src.note  dropped   sources/src.yaml does not read it any more; its rows stay
              = 5 tables unchanged
              reads       src: 1 by what changed
            Plan: 0 to add, 0 to change, 0 to rebuild, 1 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "types and names in the warehouse",
        warehouse_types,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              ~ mart.item  changed   models/mart/item.sql
                  warehouse + rename name title   + types v bigint
                  load      into the warehouse alone, about 2 rows
              = 5 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
              warehouse   ALTER TABLE "public"."item" ALTER COLUMN "v" TYPE bigint
                          ALTER TABLE "public"."item" ADD COLUMN "title" character varying
            Plan: 0 to add, 1 to change, 0 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "macro",
        macro,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              ~ mart.total  changed   models/mart/total.sql
                  macros    ~ gross
                  rebuild   whole table, about 1 row, T last time
              = 5 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
            Plan: 0 to add, 1 to change, 0 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "seed",
        seed,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              · mart.rated  rebuilt   seeds.rates changed
              = 5 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
            Plan: 0 to add, 0 to change, 1 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "key of a stream",
        stream_key,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              ~ src.item    changed   sources/src.yaml
                  rules     ~ deletes auto → 2h   ~ key (id) → (code)
                  read      all rows (it has another key now), about 2 rows, T last time
              · mart.item   rebuilt   reads src.item
              · mart.total  rebuilt   reads mart.item
              = 3 tables unchanged
              reads       src: 2 in full   src.item: it has another key now   src.note: it has no key
            Plan: 0 to add, 1 to change, 2 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "new stream",
        new_stream,
        """
            small · target default · lake ./lake · compared with run 1, HH:MM
              + src.fresh  new       sources/src.yaml
                  columns   id INTEGER   at TIMESTAMP WITH TIME ZONE
                  read      all rows
              = 6 tables unchanged
              reads       src: 1 for the first time, 1 by what changed, 1 in full   src.note: it has no key
            Plan: 1 to add, 0 to change, 0 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
    Case(
        "a source run alone",
        source_alone,
        """
            small · target default · lake ./lake · compared with run 2, HH:MM
              · mart.item   rebuilt   new rows of src.item
              · mart.total  rebuilt   reads mart.item
              = 4 tables unchanged
              reads       src: 1 by what changed, 1 in full   src.note: it has no key
            Plan: 0 to add, 0 to change, 2 to rebuild, 0 to drop.
              Apply with  leat run      Save with  leat plan -o plan.json
            exit 0
        """,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_plan_shows_the_change_and_a_run_makes_it(small, case):
    case.change(small)
    assert plan(small) == golden(case.shows)
    if not case.applies:
        before = small.snapshots()["mart.item"]
        assert small.run().code == 1
        assert small.snapshots()["mart.item"] == before
        return
    planned = small.command("plan", "--json").json()["data"]
    small.run().expect(0)
    expect_empty(small)
    check_columns(small, planned)


# --- what the run would refuse or cannot know ----------------------------------------------------------------------------


def told(project: Project, *args, code: int = 0) -> str:
    """The lines about tables, then the diagnostics' first lines and notes."""
    done = project.command("plan", *args).expect(code)
    lines = [line for line in done.stdout.splitlines() if re.match(r"  [+~·✗=-] ", line)]
    lines += [line for line in diagnostics(done).splitlines() if re.match(r"(error|warning)\[|  = note", line)]
    return "\n".join(line.rstrip() for line in lines)


def test_table_that_is_gone_from_the_source_is_an_error_and_what_reads_it_is_skipped(small):
    small.execute("DROP TABLE note")
    assert told(small, code=1) == (
        "  ✗ src.note    refused   sources/src.yaml\n"
        "  · mart.notes  skipped   needs src.note\n"
        "  = 4 tables unchanged\n"
        "error[LEAT0412]: the table of stream src.note is gone from the database"
    )


def test_type_that_the_stream_cannot_take_is_an_error(small):
    small.execute("ALTER TABLE item ALTER COLUMN v TYPE text")
    assert told(small, code=1) == (
        "  ✗ src.item    refused   sources/src.yaml\n"
        "  · mart.item   skipped   needs src.item\n"
        "  · mart.total  skipped   needs mart.item\n"
        "  = 3 tables unchanged\n"
        "error[LEAT0410]: src.item: column v is VARCHAR now and was INTEGER; "
        "expected the same type or one that holds all its values"
    )


def test_broken_model_is_refused_and_what_is_outside_the_selection_does_not_matter(small):
    small.model("total", "SELECT nam FROM mart.item\n")
    assert told(small, code=1).splitlines()[0] == "  ✗ mart.total  refused   models/mart/total.sql"
    assert "error[LEAT0203]" in told(small, code=1)
    assert told(small, "mart.item") == "  = 1 table unchanged"


def test_table_altered_by_hand_is_a_warning_until_its_rows_change(small):
    with small.warehouse.connect() as connection:
        connection.execute("ALTER TABLE item DROP COLUMN name; ALTER TABLE item ADD COLUMN extra int")
    alter = 'ALTER TABLE "public"."item" ADD COLUMN "name" character varying'
    assert told(small, "--exit-code") == (
        "  = 6 tables unchanged\n"
        "warning[LEAT0531]: the warehouse's table of mart.item was altered since it was loaded\n"
        f"  = note: that would be {alter}"
    )
    small.execute("UPDATE item SET v = 11 WHERE id = 1")
    small.run().expect(0)
    assert told(small) == "  = 6 tables unchanged"
    small.run("mart.item", "--full-refresh").expect(0)
    assert small.loaded("item") == [(1, "a", 11, None, "one"), (2, "b", 20, None, "two")]


def test_table_dropped_by_hand_is_made_again(small):
    with small.warehouse.connect() as connection:
        connection.execute("DROP TABLE notes")
    assert told(small, "--exit-code", code=4) == (
        "  ~ mart.notes  changed   models/mart/notes.sql   not in the warehouse yet\n  = 5 tables unchanged"
    )
    small.run().expect(0)
    expect_empty(small)
    assert small.loaded("notes") == [("x",)]


def test_table_that_somebody_else_made_is_an_error(small):
    with small.warehouse.connect() as connection:
        connection.execute("CREATE TABLE cheap (id int)")
    new_model(small)
    assert "error[LEAT0602]: table public.cheap is in the warehouse already" in told(small, code=1)


def test_layout_and_comments_of_sql_are_no_change(small):
    small.model("item", "-- all of it\nSELECT\n  id, code,   v, name\nFROM src.item\n", _ITEM_HEAD)
    expect_empty(small)


def test_rows_that_wait_are_no_change(small):
    small.execute("INSERT INTO item VALUES (3, 'c', 30, 'three'); DELETE FROM item WHERE id = 1; INSERT INTO note VALUES ('y')")
    expect_empty(small)
    small.run().expect(0)
    expect_empty(small)


def test_what_does_not_answer_is_a_warning_and_the_rest_is_planned(small):
    other_sql(small)
    settings = small.folder / "leat.yaml"
    settings.write_text(re.sub(r"port: \d+", "port: 1", settings.read_text()))
    shown = told(small)
    assert shown.startswith(
        "  ~ mart.item   changed   models/mart/item.sql\n"
        "  · mart.total  rebuilt   reads mart.item\n"
        "  = 2 tables unchanged\n"
        "warning[LEAT0301]"
    )
    assert "= note: the streams of src stand in this plan as they are in the lake" in shown
    assert "= note: what would change in the warehouse is not known" in shown


def test_full_refresh_makes_another_type_of_it(make):
    project = make(_TABLES)
    project.model("item", "SELECT id, v FROM src.item\n")
    project.run().expect(0)
    project.model("item", "SELECT id, v::VARCHAR AS v FROM src.item\n")
    planned = project.command("plan", "--full-refresh", "--json").expect(0).json()["data"]
    changes = {change["table"]: (change["change"], change["columns"]) for change in planned["changes"]}
    assert changes["src.item"] == ("rebuilt", [])
    assert changes["mart.item"] == (
        "changed",
        [{"name": "v", "change": "replaced", "type_before": "INTEGER", "type_after": "VARCHAR"}],
    )
    project.run("--full-refresh").expect(0)
    expect_empty(project)


def test_reset_model_is_rebuilt_and_a_reset_stream_is_read_in_full(small):
    small.command("state", "reset", "mart.item", "--confirm", "mart.item").expect(0)
    small.command("state", "reset", "src.item", "--confirm", "src.item").expect(0)
    assert told(small).startswith("  · mart.item   rebuilt   what it was built from was reset\n")
    reads = {read["stream"]: read for read in small.command("plan", "--json").json()["data"]["reads"]}
    assert reads["src.item"] == {"stream": "src.item", "how": "full", "because": "it is not kept how far it was read"}
    small.run().expect(0)
    expect_empty(small)


# --- what the warehouse lacks or refuses ---------------------------------------------------------------------------------


@pytest.fixture(params=KINDS)
def target(request, make):
    """Each kind of warehouse, with mart.item loaded once."""
    target = KINDS[request.param](make, _TABLES)
    target.project.model("item", "SELECT id, v FROM src.item\n", "key: id")
    target.project.run().expect(0)
    return target


def load_streams(project: Project) -> None:
    settings = project.folder / "leat.yaml"
    settings.write_text(settings.read_text().replace('load: ["mart.*"]', 'load: ["mart.*", "src.item"]'))


def test_schema_that_a_source_reads_is_no_warehouse(make):
    project = make(_TABLES, warehouse=True)
    project.source.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {WRITER}")
    project.write("leat.yaml", project.settings().replace(project.warehouse.name, project.source.name))
    load_streams(project)
    assert told(project, code=1).splitlines()[-1] == (
        "error[LEAT0612]: the warehouse is the schema public of the database that source src reads"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_stream_of_another_key_is_replaced_in_the_warehouse(make, kind):
    target = KINDS[kind](make, _TABLES)
    project = target.project
    load_streams(project)
    project.run().expect(0)
    streams(project, '"*": {}', "item: {key: code}")
    assert "error" not in told(project)
    project.run().expect(0)
    assert target.key("item") == ["code"]
    expect_empty(project)


def test_load_that_failed_is_planned_again(target):
    project = target.project
    project.execute("UPDATE item SET v = 11 WHERE id = 1")
    settings = (project.folder / "leat.yaml").read_text()
    broken = re.sub(r"(  warehouse: .*port: )\d+", r"\g<1>1", settings.replace("path: ./", "path: ./absent/"))
    project.write("leat.yaml", broken)
    project.run().expect(1)
    project.write("leat.yaml", settings)
    assert told(project, "--exit-code", code=4) == (
        "  ~ mart.item  changed   models/mart/item.sql   the warehouse lacks rows\n  = 2 tables unchanged"
    )
    project.run().expect(0)
    expect_empty(project)


def test_lake_made_anew_is_refused_by_the_plan_as_by_the_run(target):
    project = target.project
    shutil.rmtree(project.folder / "lake")
    shutil.rmtree(project.folder / ".leat")
    refusal = "was loaded from another lake, or from another table of this one"
    assert re.search(rf"error\[LEAT0613\]: warehouse table \w+\.item {refusal}", told(project, code=1))
    assert refusal in diagnostics(project.run().expect(1))
    assert "error" not in told(project, "--full-refresh")
    project.run("--full-refresh").expect(0)
    expect_empty(project)


def test_type_in_the_warehouse_of_a_history_does_not_number_it_anew(make):
    project = make(_TABLES, warehouse=True)
    project.model("versions", "SELECT id, v FROM src.item__history\n", "kind: history\nkey: id\nrecord_id: record\n")
    project.run().expect(0)
    project.model(
        "versions",
        "SELECT id, v FROM src.item__history\n",
        "kind: history\nkey: id\nrecord_id: record\nwarehouse: {types: {v: smallint}}\n",
    )
    project.execute("UPDATE item SET v = 11 WHERE id = 1")
    project.run("src.item").expect(0)
    assert "error[LEAT0607]" in told(project, code=1)
    assert "error[LEAT0607]" in diagnostics(project.run().expect(1))


def test_duckdb_file_that_is_held_is_a_warning_and_the_rest_is_planned(make):
    target = DuckdbWarehouse(make, _TABLES)
    target.project.model("item", "SELECT id, v FROM src.item\n", "key: id")
    target.project.run().expect(0)
    target.project.model("item", "SELECT id, v, code FROM src.item\n", "key: id")
    with contextlib.closing(duckdb.connect(str(target.path))):
        shown = told(target.project)
    assert shown.startswith("  ~ mart.item  changed   models/mart/item.sql\n")
    assert "warning[LEAT0614]" in shown and "= note: what would change in the warehouse is not known" in shown


def test_duckdb_file_gets_a_schema_once_and_its_tables_are_told_apart_without_case(make):
    target = DuckdbWarehouse(make, _TABLES)
    project = target.project
    project.write("leat.yaml", project.settings() + "  warehouse: {type: duckdb, path: ./warehouse.duckdb}\n"
                  "warehouse: {connection: warehouse, schema: shown}\n")
    project.model("item", "SELECT id, v FROM src.item\n", "key: id")
    project.model("other", "SELECT id, v FROM src.item\n", "key: id")
    planned = project.command("plan", "--json").expect(0).json()["data"]["warehouse"]
    assert len(planned) == 2
    statements = [statement for entry in planned for statement in entry["statements"]]
    assert [statement for statement in statements if "SCHEMA" in statement] == ['CREATE SCHEMA IF NOT EXISTS "shown"']
    project.model("other", "SELECT id, v FROM src.item\n", "key: id\nwarehouse: {table: ITEM}\n")
    assert "error[LEAT0611]" in diagnostics(project.command("plan").expect(2))


def test_duckdb_table_that_is_made_anew_is_there_already(make):
    target = DuckdbWarehouse(make, _TABLES)
    target.project.model("item", "SELECT id, v FROM src.item\n", "key: id")
    target.project.run().expect(0)
    target.execute("ALTER TABLE item DROP COLUMN v")
    target.execute("UPDATE _leat_loads SET definition = 'other'")
    assert "models/mart/item.sql   the warehouse has it otherwise" in told(target.project)


# --- rules of streams ----------------------------------------------------------------------------------------------------

_RULE = """
    sources:
      - name: src
        tables:
          - name: item
            columns:
              - {name: id, data_tests: [not_null]}
    """


def test_rule_of_a_stream_is_a_change_until_it_was_judged(small):
    small.write("models/schema.yml", _RULE)
    assert "  ~ src.item  changed   sources/src.yaml\n      checks    + not_null(id)\n      check     the rows as they are" in (
        small.command("plan").expect(0).stdout
    )
    small.run().expect(0)
    expect_empty(small)


def test_type_of_a_column_is_a_rule_of_its_stream(small):
    small.execute("CREATE TABLE odd (id int PRIMARY KEY, n text)")
    small.run().expect(0)
    streams(small, '"*": {}', "odd: {columns: {types: {n: varchar}}}")
    changes = small.command("plan", "--json").json()["data"]["changes"]
    assert [(change["table"], [setting["name"] for setting in change["settings"]]) for change in changes] == [
        ("src.odd", ["columns types n"])
    ]


def test_wrong_type_in_schema_yml_refuses_its_model_alone(small):
    small.write(
        "models/schema.yml",
        """
        models:
          - name: item
            columns:
              - {name: v, data_type: varchar}
        """,
    )
    shown = told(small, code=1)
    assert shown.startswith("  ✗ mart.item   refused   models/mart/item.sql\n  · mart.total  skipped   needs mart.item\n")
    assert shown.count("error[LEAT0136]") == 1
    assert told(small, "mart.notes") == "  = 1 table unchanged"


# --- targets and older files ---------------------------------------------------------------------------------------------


def test_commands_in_the_answer_name_the_target_that_was_typed(small):
    small.write("leat.yaml", small.settings() + "targets: {dev: {limits: {threads: 1}}}\n")
    macro(small)
    assert "Apply with  leat -t dev run      Save with  leat -t dev plan -o plan.json\n" in (
        small.command("plan", "-t", "dev").expect(0).stdout
    )
    small.command("plan", "-t", "dev", "-o", "plan.json").expect(0)
    refused = small.run("--apply", "plan.json").expect(2)
    assert diagnostics(refused).startswith(
        "error[LEAT0532]: plan.json is a plan of target dev, and this run is of target default\n"
        "  = help: leat -t dev run --apply plan.json\n"
    )
    small.command("-t", "dev", "run", "--apply", "plan.json").expect(0)
    small.model("total", "SELECT 1 / 0 = 'x'::INTEGER AS n FROM mart.item\n")
    assert "Fix it, then  leat -t dev retry\n" in small.run("-t", "dev").expect(1).stdout


def test_looking_leaves_a_state_database_of_an_older_leat_as_it_is(small):
    state = small.folder / ".leat" / "state.db"
    with contextlib.closing(sqlite3.connect(state)) as connection:
        connection.executescript("DROP TABLE leat_recipes; UPDATE leat_meta SET schema_version = 2")
    expect_empty(small)
    assert "src.item\tstream" in small.command("__complete", "leat preview src.").stdout
    assert list(state.parent.glob("state.db.version-*")) == []
    small.run().expect(0)
    assert (state.parent / "state.db.version-2").exists()
    expect_empty(small)


# --- it writes nothing ---------------------------------------------------------------------------------------------------


def everything(project: Project) -> dict:
    """Every file of the project by its hash, the state database by its content, and what is in the warehouse."""
    files = {
        str(path.relative_to(project.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in project.folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }
    state = project.folder / ".leat" / "state.db"
    if state.exists():
        with contextlib.closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as connection:
            files["state"] = list(connection.iterdump())
    tables = sorted(project.warehouse_tables())
    return files | {"tables": tables} | {table: project.loaded(table) for table in tables}


def test_plan_writes_nothing(small):
    for change in (other_sql, new_stream, skipped_stream, warehouse_types, removed_model):
        change(small)
        before = everything(small)
        small.command("plan", "--full-refresh").expect(0)
        small.command("run", "--dry-run").expect(0)
        assert everything(small) == before


def test_plan_of_a_project_that_never_ran_makes_no_folder(make):
    project = make(_TABLES, warehouse=True)
    project.model("item", "SELECT * FROM src.item\n", "key: id")
    before = everything(project)
    assert told(project, "--exit-code", code=4).splitlines() == [
        "  + src.item   new       sources/src.yaml",
        "  + src.note   new       sources/src.yaml",
        "  + mart.item  new       models/mart/item.sql",
    ]
    assert everything(project) == before
    assert not (project.folder / ".leat").exists() and not (project.folder / "lake").exists()


# --- saved plans ---------------------------------------------------------------------------------------------------------


def test_saved_plan_is_applied_while_it_is_true(small):
    other_sql(small)
    new_model(small)
    small.command("plan", "+mart.cheap", "-o", "plan.json").expect(0)
    saved = json.loads((small.folder / "plan.json").read_text())
    assert (saved["format"], saved["selection"]["select"], saved["to_add"]) == (1, "+mart.cheap", 1)
    small.execute("INSERT INTO item VALUES (3, 'c', 5, 'three')")  # rows are no change of the plan
    small.run("--apply", "plan.json").expect(0)
    assert small.loaded("cheap") == [(1, 10), (3, 5)]
    assert told(small, "mart.total") == "  · mart.total  rebuilt   new rows of mart.item"


def test_saved_plan_that_is_not_true_any_more_runs_nothing(small):
    new_model(small)
    small.command("plan", "-o", "plan.json").expect(0)
    macro(small)
    small.model("cheap", "SELECT id FROM mart.item\n", "key: id")
    before = everything(small)
    done = small.run("--apply", "plan.json").expect(2)
    assert diagnostics(done) == (
        "error[LEAT0530]: plan.json is not what a run would do any more; nothing was run\n"
        "  = help: look at the plan of now and save it:  leat plan -o plan.json\n"
        "  = note: mart.cheap: new in another way than planned\n"
        "          mart.total: unchanged in the plan, changed now\n"
        "          other statements would run in the warehouse\n"
        "  = more: leat explain LEAT0530"
    )
    assert everything(small) == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is not what  leat plan -o  writes"),
        ("[]", "it is not what  leat plan -o  writes"),
        ('{"format": 2}', "it has format 2; expected 1"),
    ],
)
def test_file_that_is_no_plan_is_refused(small, text, why):
    small.write("plan.json", text)
    done = small.run("--apply", "plan.json").expect(2)
    assert diagnostics(done).startswith(f"error[LEAT0532]: plan.json is no plan that can be applied: {why}\n")


def test_apply_takes_no_selection_of_its_own(small):
    done = small.run("mart.item", "--apply", "plan.json").expect(2)
    assert "error[LEAT0190]: --apply takes its selection from the plan" in diagnostics(done)


def test_dry_run_prints_the_plan(small):
    macro(small)
    planned = small.command("plan").expect(0)
    dry = small.run("--dry-run").expect(0)
    assert (dry.stdout, dry.stderr) == (planned.stdout, planned.stderr)


# --- the shop ------------------------------------------------------------------------------------------------------------


def test_plan_of_the_shop_is_empty_after_its_run(pg, totesys_template, tmp_path):
    shop = Shop(pg, totesys_template, tmp_path)
    try:
        shop.init().expect(0)
        before = shop.leat.run("plan", "--exit-code", "--json", cwd=shop.project).expect(4).json()["data"]
        shop.run().expect(0)
        after = shop.leat.run("plan", "--exit-code", "--json", cwd=shop.project).expect(0).json()["data"]
        assert (after["changes"], after["warehouse"]) == ([], [])
        assert before["to_add"] == after["unchanged"] > 15
        assert {entry["table"] for entry in before["warehouse"]} == {
            change["table"] for change in before["changes"] if change["kind"] == "model"
        }
    finally:
        shop.drop()
