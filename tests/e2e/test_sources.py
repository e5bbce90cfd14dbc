"""What becomes of tables of every shape, of changes to their shape, and of runs that are cut short."""

import dataclasses
import json
import platform
import re
import signal
import time
from decimal import Decimal

import pytest

from support.project import Project, diagnostics, outcome, streams
from support.totesys import READER


def changed(before: dict, after: dict) -> set[str]:
    return {name for name in after if after[name] != before.get(name)}


# --- keys ----------------------------------------------------------------------------------------------------------------


def test_table_without_key_is_replaced_only_when_it_changed(make):
    project = make("CREATE TABLE log (a int, b text); INSERT INTO log VALUES (1, 'x'), (1, 'x'), (2, NULL)")
    project.run().expect(0)
    assert project.versions("src.log", "a", "b") == [("u", 1, "x"), ("u", 1, "x"), ("u", 2, None)]

    before = project.snapshots()
    done = project.run().expect(0)
    assert "nothing changed · read 3 = repeated 3" in done.stdout
    # Rows that moved but kept their content are the same rows.
    project.execute("UPDATE log SET b = b")
    project.run().expect(0)
    assert project.snapshots() == before

    project.execute("DELETE FROM log WHERE ctid = (SELECT min(ctid) FROM log); UPDATE log SET b = 'y' WHERE a = 2")
    project.run().expect(0)
    assert changed(before, project.snapshots()) == {"src.log__history"}
    assert project.versions("src.log", "a", "b") == [("u", 1, "x"), ("u", 2, "y")]
    assert sorted(project.query("FROM src.log")) == ["1,x", "2,y"]


def test_key_given_to_a_table_without_one(make):
    project = make("CREATE TABLE log (a int, b text, c int); INSERT INTO log VALUES (1, 'x', 1), (1, 'y', 1)")
    streams(project, "log: {key: [a, b]}")
    project.run().expect(0)
    project.execute("UPDATE log SET c = 2 WHERE b = 'y'; DELETE FROM log WHERE b = 'x'; INSERT INTO log VALUES (2, 'x', 3)")
    done = project.run().expect(0)
    assert "read 2 = written 2 · deleted 1" in done.stdout
    assert project.versions("src.log", "a", "b", "c") == [
        ("u", 1, "x", 1),
        ("u", 1, "y", 1),
        ("d", 1, "x", 1),
        ("u", 1, "y", 2),
        ("u", 2, "x", 3),
    ]
    assert sorted(project.query("FROM src.log")) == ["1,y,2", "2,x,3"]


def test_table_that_gets_a_key_later_starts_anew(make):
    project = make("CREATE TABLE log (a int, b text); INSERT INTO log VALUES (1, 'x'), (1, 'x'), (2, NULL)")
    project.run().expect(0)
    project.execute("DELETE FROM log; INSERT INTO log VALUES (1, 'x'), (2, 'y')")
    streams(project, "log: {key: [a, b]}")
    for _ in range(2):
        project.run().expect(0)
        assert sorted(project.query("FROM src.log")) == ["1,x", "2,y"]
    assert "nothing changed" in project.run().expect(0).stdout


def test_key_that_gets_another_column_starts_anew(make):
    project = make("CREATE TABLE k (a int NOT NULL, b int NOT NULL, v int); INSERT INTO k VALUES (1, 1, 1), (2, 1, 1)")
    streams(project, "k: {key: a}")
    project.run().expect(0)
    streams(project, "k: {key: [a, b]}")
    project.execute("INSERT INTO k VALUES (1, 2, 9)")
    project.run().expect(0)
    assert sorted(project.query("FROM src.k")) == ["1,1,1", "1,2,9", "2,1,1"]


def test_doubled_key_stops_its_stream(make):
    project = make(
        """CREATE TABLE log (a int, b text); INSERT INTO log VALUES (1, 'x'), (1, 'y'), (2, 'z');
           CREATE TABLE ok (id int PRIMARY KEY)"""
    )
    streams(project, '"*": {}', "log: {key: a}")
    done = project.run().expect(1)
    assert diagnostics(done) == (
        "error[LEAT0408]: src.log: key (a) is not unique; doubled are (1)\n"
        "  ┌─ sources/src.yaml:5:14\n"
        "3 │ streams:\n"
        '4 │   "*": {}\n'
        "5 │   log: {key: a}\n"
        "  │              ^\n"
        "  = help: choose a `key:` that names one row each, or none: the table is then replaced as a whole\n"
        "  = more: leat explain LEAT0408"
    )
    assert set(project.snapshots()) == {"src.ok__history"}


def test_null_in_a_key_stops_its_stream(make):
    project = make(
        """CREATE TABLE log (a int, b text); INSERT INTO log VALUES (1, 'x'), (NULL, 'y');
           CREATE TABLE ok (id int PRIMARY KEY)"""
    )
    streams(project, '"*": {}', "log: {key: a}")
    done = project.run().expect(1)
    assert diagnostics(done) == (
        "error[LEAT0409]: src.log: key (a) is NULL in 1 rows; expected a value in each\n"
        "  ┌─ sources/src.yaml:5:14\n"
        "3 │ streams:\n"
        '4 │   "*": {}\n'
        "5 │   log: {key: a}\n"
        "  │              ^\n"
        "  = help: choose a `key:` that is never NULL, or none: the table is then replaced as a whole\n"
        "  = more: leat explain LEAT0409"
    )
    assert set(project.snapshots()) == {"src.ok__history"}


def test_key_that_is_no_column_stops_its_stream(make):
    project = make("CREATE TABLE log (a int, b text); CREATE TABLE ok (id int PRIMARY KEY)")
    streams(project, '"*": {}', "log: {key: nope}")
    done = project.run().expect(1)
    assert diagnostics(done) == (
        "error[LEAT0407]: key column nope of log is not among the columns read\n"
        "  ┌─ sources/src.yaml:5:14\n"
        "3 │ streams:\n"
        '4 │   "*": {}\n'
        "5 │   log: {key: nope}\n"
        "  │              ^^^^\n"
        "  = help: a key needs all its columns: take it out of `columns: {exclude: …}`, or set `key:`\n"
        "  = more: leat explain LEAT0407"
    )
    assert set(project.snapshots()) == {"src.ok__history"}


# --- which tables, which columns, what names -----------------------------------------------------------------------------


def columns(project: Project, table: str) -> list[str]:
    with project.lake() as lake:
        return [field.name for field in lake.table(table).schema().fields if not field.name.startswith("_leat_")]


def test_excluded_columns_are_not_read(make):
    project = make(
        """CREATE TABLE pay (id int PRIMARY KEY, amount int, iban text, iban_2 text);
           INSERT INTO pay VALUES (1, 5, 'canary', 'canary')"""
    )
    streams(project, 'pay: {columns: {exclude: ["iban*"]}}')
    project.run().expect(0)
    assert columns(project, "src.pay__history") == ["id", "amount"]
    # A change nobody reads is no change.
    project.execute("UPDATE pay SET iban = 'other'")
    assert "nothing changed" in project.run().expect(0).stdout
    assert not [path for path in project.folder.rglob("*") if path.is_file() and b"canary" in path.read_bytes()]


def test_excluded_column_needs_no_right(make):
    project = make("CREATE TABLE pay (id int PRIMARY KEY, amount int, iban text); INSERT INTO pay VALUES (1, 5, 'canary')")
    project.source.execute(f"REVOKE SELECT ON pay FROM {READER}; GRANT SELECT (id, amount) ON pay TO {READER}")
    streams(project, "pay: {columns: {exclude: [iban]}}")
    project.run().expect(0)
    assert project.query("FROM src.pay") == ["1,5"]


def test_stream_and_column_take_other_names(make):
    project = make("CREATE TABLE k (id int PRIMARY KEY, v int); INSERT INTO k VALUES (1, 7)")
    streams(project, "k: {rename: {v: value}}", before="rename: {k: kay}\n")
    project.run().expect(0)
    assert set(project.snapshots()) == {"src.kay__history"}
    assert columns(project, "src.kay__history") == ["id", "value"]
    assert project.query("SELECT id, value FROM src.kay") == ["1,7"]


def test_names_in_capitals_and_reserved_words_are_cleaned(make):
    project = make(
        """CREATE TABLE "Order Lines" ("Id" int PRIMARY KEY, "select" text, "Group By" int, "2nd" int, "a__b" int);
           INSERT INTO "Order Lines" VALUES (1, 's', 2, 3, 4);
           CREATE TABLE "order" ("user" int PRIMARY KEY, "desc" text); INSERT INTO "order" VALUES (1, 'd')"""
    )
    project.model("m", 'SELECT id, "select" AS picked, group_by, _2nd, a_b FROM src.order_lines\n', "key: id")
    project.run().expect(0)
    assert set(project.snapshots()) == {"src.order_lines__history", "src.order__history", "mart.m"}
    assert columns(project, "src.order_lines__history") == ["id", "select", "group_by", "_2nd", "a_b"]
    assert project.lake_rows("mart.m", "id", "picked", "group_by", "_2nd", "a_b") == [(1, "s", 2, 3, 4)]
    assert project.lake_rows("src.order__history", "user", "desc") == [(1, "d")]


def test_reserved_words_reach_the_warehouse(make):
    tables = """CREATE TABLE "order" ("user" int PRIMARY KEY, "desc" text); INSERT INTO "order" VALUES (1, 'd')"""
    project = make(tables, warehouse=True)
    project.model("select", 'SELECT "user", "desc" FROM src."order"\n', "key: user")
    project.run().expect(0)
    project.execute("""UPDATE "order" SET "desc" = 'it''s "new"\t\\'""")
    project.run().expect(0)
    assert project.loaded("select") == [(1, "it's \"new\"\t\\")]


def test_view_is_read_by_its_exact_name_only(make):
    project = make(
        """CREATE TABLE k (id int PRIMARY KEY, v int); INSERT INTO k VALUES (1, 1), (2, 2);
           CREATE VIEW v AS SELECT id, v * 10 AS v FROM k"""
    )
    project.run().expect(0)
    assert set(project.snapshots()) == {"src.k__history"}
    streams(project, '"*": {}', "v: {key: id}")
    project.run().expect(0)
    project.execute("UPDATE k SET v = 3 WHERE id = 2; DELETE FROM k WHERE id = 1")
    project.run().expect(0)
    assert project.versions("src.v", "id", "v") == [("u", 1, 10), ("u", 2, 20), ("d", 1, 10), ("u", 2, 30)]


def test_partitioned_table_is_one_stream(make):
    project = make(
        """CREATE TABLE part (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
           CREATE TABLE part_2020 PARTITION OF part FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
           CREATE TABLE part_2021 PARTITION OF part FOR VALUES FROM ('2021-01-01') TO ('2022-01-01') PARTITION BY RANGE (id);
           CREATE TABLE part_2021_low PARTITION OF part_2021 FOR VALUES FROM (0) TO (100);
           INSERT INTO part VALUES (1, '2020-05-05'), (2, '2021-05-05')"""
    )
    project.run().expect(0)
    assert set(project.snapshots()) == {"src.part__history"}
    assert sorted(project.query("FROM src.part")) == ["1,2020-05-05", "2,2021-05-05"]
    # A partition that is attached brings its rows; one that is detached takes them along.
    project.execute(
        """CREATE TABLE part_2022 (id int NOT NULL, day date NOT NULL, PRIMARY KEY (id, day));
           INSERT INTO part_2022 VALUES (3, '2022-01-01');
           ALTER TABLE part ATTACH PARTITION part_2022 FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
           ALTER TABLE part DETACH PARTITION part_2020; DROP TABLE part_2020"""
    )
    project.run().expect(0)
    assert sorted(project.query("FROM src.part")) == ["2,2021-05-05", "3,2022-01-01"]


def test_empty_table_is_a_table(make):
    project = make("CREATE TABLE empty (id int PRIMARY KEY, v text)", warehouse=True)
    project.model("m", "SELECT id, v FROM src.empty\n", "key: id")
    project.run().expect(0)
    assert project.lake_rows("src.empty__history", "id") == []
    assert project.loaded("m") == []
    assert "nothing changed" in project.run().expect(0).stdout
    project.execute("INSERT INTO empty VALUES (1, '')")
    project.run().expect(0)
    assert project.loaded("m") == [(1, "")]


def test_two_sources_with_a_schema_each(make):
    project = make(
        f"""CREATE TABLE staff (id int PRIMARY KEY); INSERT INTO staff VALUES (9);
            CREATE SCHEMA hr; GRANT USAGE ON SCHEMA hr TO {READER};
            CREATE TABLE hr.staff (id int PRIMARY KEY, name text); INSERT INTO hr.staff VALUES (1, 'ann');
            GRANT SELECT ON hr.staff TO {READER}"""
    )
    project.write("sources/hr.yaml", 'type: postgres\nconnection: source\nschema: hr\nstreams:\n  "*": {}\n')
    project.model("m", "SELECT s.id, h.name FROM src.staff s CROSS JOIN hr.staff h\n")
    project.run().expect(0)
    assert set(project.snapshots()) == {"src.staff__history", "hr.staff__history", "mart.m"}
    assert project.lake_rows("mart.m", "id", "name") == [(9, "ann")]


# --- columns that come, go, and change -----------------------------------------------------------------------------------


def warehouse_columns(project: Project, table: str) -> dict[str, str]:
    return dict(
        project.warehouse.rows(
            """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
               WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
            [table],
        )
    )


@pytest.fixture
def item(make):
    """src.item → mart.item, loaded into the warehouse; src.other beside it."""
    project = make(
        """CREATE TABLE item (id int PRIMARY KEY, v int); INSERT INTO item VALUES (1, 10), (2, 20);
           CREATE TABLE other (id int PRIMARY KEY, v text); INSERT INTO other VALUES (1, 'x')""",
        warehouse=True,
    )
    project.model("item", "SELECT id, v FROM src.item\n", "key: id\nkeep_deleted: true")
    project.run().expect(0)
    return project


def test_added_column_with_default_arrives_everywhere(item):
    item.execute("ALTER TABLE item ADD COLUMN colour text NOT NULL DEFAULT 'red'")
    done = item.run().expect(0)
    # No row was written at the source, yet every row shows another value.
    assert "written 2" in done.stdout
    assert sorted(item.query("SELECT id, v, colour FROM src.item")) == ["1,10,red", "2,20,red"]
    item.model("item", "SELECT id, v, colour FROM src.item\n", "key: id\nkeep_deleted: true")
    item.run().expect(0)
    assert item.lake_rows("mart.item", "id", "v", "colour") == [(1, 10, "red"), (2, 20, "red")]
    assert item.loaded("item") == [(1, 10, "red"), (2, 20, "red")]
    assert warehouse_columns(item, "item") == {"id": "integer", "v": "integer", "colour": "character varying"}


def test_dropped_column_reads_as_null_and_its_model_fails_only_when_it_goes(item):
    item.execute("ALTER TABLE item DROP COLUMN v")
    item.run().expect(0)
    assert sorted(item.query("SELECT id, v FROM src.item")) == ["1,", "2,"]
    assert item.loaded("item") == [(1, None), (2, None)]
    assert item.versions("src.item", "id", "v") == [("u", 1, 10), ("u", 2, 20), ("u", 1, None), ("u", 2, None)]


def test_int_that_becomes_bigint_is_widened_everywhere(item):
    item.execute("ALTER TABLE item ALTER COLUMN v TYPE bigint; UPDATE item SET v = 5000000000 WHERE id = 1")
    item.run().expect(0)
    assert item.lake_rows("mart.item", "id", "v") == [(1, 5000000000), (2, 20)]
    assert item.loaded("item") == [(1, 5000000000), (2, 20)]
    assert warehouse_columns(item, "item") == {"id": "integer", "v": "bigint"}
    assert item.versions("src.item", "id", "v") == [("u", 1, 10), ("u", 2, 20), ("u", 1, 5000000000)]


def test_type_that_cannot_be_widened_stops_its_stream(item):
    item.execute("ALTER TABLE item ALTER COLUMN v TYPE text; UPDATE item SET v = 'ten' WHERE id = 1; UPDATE other SET v = 'y'")
    done = item.run().expect(1)
    assert (
        "error[LEAT0410]: src.item: column v is VARCHAR now and was INTEGER; expected the same type or one that holds all "
        "its values" in done.stderr
    )
    assert sorted(item.query("FROM src.item")) == ["1,10", "2,20"]
    assert item.query("FROM src.other") == ["1,y"]
    assert item.loaded("item") == [(1, 10), (2, 20)]
    item.execute("ALTER TABLE item ALTER COLUMN v TYPE int USING 5")
    item.run().expect(0)
    assert item.loaded("item") == [(1, 5), (2, 5)]


def test_truncated_table_is_all_deleted_and_a_keeping_dimension_keeps(item):
    item.execute("TRUNCATE item")
    done = item.run().expect(0)
    assert "deleted 2" in done.stdout
    assert item.versions("src.item", "id", "v") == [("u", 1, 10), ("u", 2, 20), ("d", 1, 10), ("d", 2, 20)]
    assert item.query("FROM src.item") == []
    assert item.loaded("item") == [(1, 10), (2, 20)]
    # A row that returns is a version again.
    item.execute("INSERT INTO item VALUES (1, 11)")
    item.run().expect(0)
    assert item.versions("src.item", "id", "v")[-1] == ("u", 1, 11)
    assert item.loaded("item") == [(1, 11), (2, 20)]


def test_table_that_vanishes_keeps_its_rows_and_the_others_go_on(item):
    item.execute("DROP TABLE item; UPDATE other SET v = 'y'")
    done = item.run()
    assert item.loaded("item") == [(1, 10), (2, 20)]
    done.expect(1)
    assert "src.item" in diagnostics(done)
    assert item.query("FROM src.other") == ["1,y"]
    tables = item.command("status", "--json").expect(0).json()["data"]["tables"]
    assert {table["table"]: table["state"] for table in tables} == {
        "mart.item": "failing",
        "src.item": "failing",
        "src.other": "healthy",
    }


# --- values --------------------------------------------------------------------------------------------------------------

# Columns of one table: type, a value as SQL writes it. Kept by their type, or by their text.
AS_THEMSELVES = {
    "smallint": "-5",
    "integer": "2147483647",
    "bigint": "-9000000000",
    "real": "1.5",
    "double precision": "2.25e100",
    "numeric(12,3)": "123456789.125",
    "numeric": "-1.000000001",
    "boolean": "true",
    "text": "'tëxt \U0001f600 \"quoted\", line\nbreak'",
    "varchar(10)": "'vc '",
    "char(5)": "'ab'",
    "bytea": r"'\xdeadbeef00'",
    "uuid": "'123e4567-e89b-12d3-a456-426614174000'",
    "date": "'0044-03-15'",
    "time": "'12:34:56.789012'",
    "timestamp": "'2020-02-29 01:02:03.456789'",
    "timestamptz": "'2020-02-29 01:02:03.456789+05:30'",
}
AS_TEXT = {
    "json": """'{"b":  2, "a": [1, null]}'""",
    "jsonb": """'{"b":  2, "a": [1, null]}'""",
    "mood": "'so so'",
    "interval": "'1 year 2 days 03:04:05.6'",
    "inet": "'10.0.0.1'",
    "cidr": "'10.0.0.0/8'",
    "bit(3)": "'101'",
    "varbit(5)": "'10'",
    "money": "'-1234.56'",
    "timetz": "'12:00+02:30'",
    "int4range": "'[1,5]'",
    "xml": "'<a>b</a>'",
    "pair": "'(1,\"a b\")'",
    "macaddr": "'08:00:2b:01:02:03'",
    "point": "'(1.5,2)'",
    "tsvector": "'a:1 b:2'",
    "oid": "4000000000",
    "name": "'nm'",
}


@pytest.fixture
def typed(make):
    kinds = AS_THEMSELVES | AS_TEXT
    names = {kind: f"c{number}" for number, kind in enumerate(kinds)}
    declared = ", ".join(f"{names[kind]} {kind}" for kind in kinds)
    values = ", ".join(kinds.values())
    project = make(
        f"""CREATE TYPE mood AS ENUM ('sad', 'so so'); CREATE TYPE pair AS (a int, b text);
            CREATE TABLE t (id int PRIMARY KEY, {declared}); INSERT INTO t VALUES (1, {values}); INSERT INTO t (id) VALUES (2)"""
    )
    project.run().expect(0)
    with project.lake() as lake:
        project.rows = {row["id"]: row for row in lake.rows("src.t__history")}
    project.names = names
    return project


def test_every_type_keeps_its_value(typed):
    """Types of the lake against psycopg's values, everything else against the server's own text."""
    wanted = {}
    for kind, name in typed.names.items():
        shown = name if kind in AS_THEMSELVES else f"{name}::text"
        wanted[kind] = typed.source.value(f"SELECT {shown} FROM t WHERE id = 1")
    assert {kind: typed.rows[1][name] for kind, name in typed.names.items()} == wanted
    assert {typed.rows[2][name] for name in typed.names.values()} == {None}


def test_every_type_is_compared_as_equal_when_nothing_changed(typed):
    done = typed.run("--full-refresh").expect(0)  # or nothing would be read
    assert "nothing changed · read 2 = repeated 2" in done.stdout


def test_query_prints_every_type_as_the_server_does(typed):
    """Not those that JSON has forms of its own for: floating point, bytes, moments; nor padded zeros."""
    spared = {"double precision", "numeric", "bytea", "timestamp", "timestamptz"}
    names = [name for kind, name in typed.names.items() if kind not in spared]
    answer = typed.command("query", f"SELECT {', '.join(names)} FROM src.t WHERE id = 1", "--json").expect(0).json()
    shown = typed.source.rows(f"SELECT {', '.join(f'{name}::text' for name in names)} FROM t WHERE id = 1")[0]
    (row,) = answer["data"]["rows"]
    printed = {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in row.items()}
    # char(n) loses its padding in ::text; the lake keeps what is stored.
    padded = typed.names["char(5)"]
    assert printed.pop(padded) == "ab   "
    assert printed == {name: text for name, text in zip(names, shown) if name != padded}


UNFIT = {
    "numeric(6,2)": ("'NaN'", "public.bad.v holds NaN; expected a number"),
    "timestamp": ("'infinity'", "public.bad.v holds infinity; expected a finite moment"),
    "timestamptz": ("'-infinity'", "public.bad.v holds -infinity; expected a finite moment"),
    "numeric": ("1e35", f"public.bad.v holds 1{'0' * 35}; expected at most 29 digits before the point"),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_value_that_does_not_fit_stops_its_stream_and_is_named(make, kind):
    value, says = UNFIT[kind]
    project = make(
        f"""CREATE TABLE bad (id int PRIMARY KEY, v {kind}); INSERT INTO bad (id) VALUES (7);
            CREATE TABLE ok (id int PRIMARY KEY); INSERT INTO ok VALUES (1)"""
    )
    project.run().expect(0)
    project.execute(f"UPDATE bad SET v = {value}; INSERT INTO ok VALUES (2)")
    done = project.run().expect(1)
    assert diagnostics(done).splitlines()[0] == f"error[LEAT0401]: {says}"
    assert "  = help: mend the value, or take the column as text by  columns: {types: {v: VARCHAR}}" in diagnostics(done).splitlines()
    assert project.query("FROM src.bad") == ["7,"]
    assert sorted(project.query("FROM src.ok")) == ["1", "2"]
    project.execute("UPDATE bad SET v = NULL")
    project.run().expect(0)


def test_value_that_does_not_fit_is_told_with_its_key(make):
    project = make("CREATE TABLE bad (id int PRIMARY KEY, v numeric(6,2)); INSERT INTO bad VALUES (1, 1), (4711, 'NaN')")
    assert "4711" in diagnostics(project.run().expect(1))


# --- selection -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graph(pg, tmp_path_factory):
    """src.a → mart.one → mart.two (tag late), src.b → mart.three (history); loaded once, for tests that only look."""
    project = Project(
        pg,
        tmp_path_factory.mktemp("graph"),
        """CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a VALUES (1);
           CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b VALUES (1)""",
        warehouse=False,
    )
    project.model("one", "SELECT id FROM src.a\n", "key: id")
    project.model("two", "SELECT id FROM mart.one\n", "key: id\ntags: [late]")
    project.model("three", "SELECT id FROM src.b__history\n", "key: id\nkind: history")
    project.run().expect(0)
    yield project
    project.drop()


SELECTIONS = {
    "mart.two": {"mart.two"},
    "mart.*": {"mart.one", "mart.two", "mart.three"},
    "src.*": {"src.a", "src.b"},
    "+mart.two": {"src.a", "mart.one", "mart.two"},
    "1+mart.two": {"mart.one", "mart.two"},
    "mart.one+": {"mart.one", "mart.two"},
    "+mart.one+": {"src.a", "mart.one", "mart.two"},
    "source:src": {"src.a", "src.b"},
    "source:src+": {"src.a", "src.b", "mart.one", "mart.two", "mart.three"},
    "tag:late": {"mart.two"},
    "kind:history": {"mart.three"},
    "path:models/mart": {"mart.one", "mart.two", "mart.three"},
    "mart.one mart.three": {"mart.one", "mart.three"},
    "mart.*,tag:late": {"mart.two"},
    "+mart.two --exclude src.a": {"mart.one", "mart.two"},
    "-s mart.* --exclude tag:late": {"mart.one", "mart.three"},
    "--exclude source:src": {"mart.one", "mart.two", "mart.three"},
}


@pytest.mark.parametrize("selection", SELECTIONS)
def test_selection_runs_these_tables_and_no_others(graph, selection):
    done = graph.run(*selection.split(), "--json").expect(0)
    assert {step["table"] for step in done.json()["data"]["steps"]} == SELECTIONS[selection]


def test_model_whose_input_was_never_loaded_says_what_to_select(make):
    project = make("CREATE TABLE a (id int PRIMARY KEY)")
    project.model("m", "SELECT id FROM src.a\n")
    done = project.run("mart.m").expect(1)
    assert diagnostics(done) == (
        "error[LEAT0219]: mart.m needs src.a, which was never loaded\n"
        "  ┌─ models/mart/m.sql:1:1\n"
        "1 │ SELECT id FROM src.a\n"
        "  │ ^\n"
        "  = help: leat run +mart.m\n"
        "  = more: leat explain LEAT0219"
    )
    project.run("+mart.m").expect(0)


# --- answers as documents ------------------------------------------------------------------------------------------------

MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"

DOCUMENTS = {
    ("run",): {"run", "target", "tables", "tables_done", "tables_failed", "tables_skipped", "changed", "rows_read", "rows_written",
               "rows_repeated", "rows_rejected", "rows_deleted", "counts_equal", "steps"},
    ("validate",): {"project", "target", "valid", "sources", "streams", "models", "checks", "dur_s"},
    ("status",): {"project", "target", "last_run", "tables"},
    ("preview", "mart.one"): {"columns", "rows", "complete"},
    ("query", "SELECT id FROM mart.one"): {"columns", "rows", "complete"},
    ("explain", "LEAT0203"): {"code", "title", "text"},
}  # fmt: skip


def moments(value) -> list[str]:
    """Every text under a key that ends in _at or _to."""
    if isinstance(value, list):
        return [moment for item in value for moment in moments(item)]
    if not isinstance(value, dict):
        return []
    here = [text for key, text in value.items() if key.endswith(("_at", "_to")) and text is not None]
    return here + [moment for item in value.values() for moment in moments(item)]


@pytest.mark.parametrize("arguments", DOCUMENTS, ids=lambda arguments: arguments[0])
def test_json_answer_is_one_document(graph, arguments):
    done = graph.command(*arguments, "--json").expect(0)
    document = json.loads(done.stdout)
    assert list(document) == ["format", "command", "data", "diagnostics"]
    assert (document["format"], document["command"], document["diagnostics"]) == (1, arguments[0], [])
    assert set(document["data"]) == DOCUMENTS[arguments]
    found = moments(document)
    assert bool(found) == (arguments[0] in ("run", "status"))
    assert [moment for moment in found if not re.fullmatch(MOMENT, moment)] == []


def test_json_of_init_names_its_files(leat):
    document = leat.run("init", "new", "--template", "empty", "--json").expect(0).json()
    assert document == {
        "format": 1,
        "command": "init",
        "data": {
            "folder": "new",
            "template": "empty",
            "files": [".gitignore", "README.md", "leat.yaml"],
            "next": ["cd new && leat validate", "leat run"],
        },
        "diagnostics": [],
    }


def test_json_of_a_failed_run_holds_steps_and_diagnostics(make):
    project = make("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
    project.model("m", "SELECT id FROM src.a\n")
    project.model("n", "SELECT id FROM src.b\n")
    project.run().expect(0)
    project.source.execute(f"REVOKE SELECT ON a FROM {READER}")
    document = project.run("--json").expect(1).json()
    assert document["data"]["run"]["status"] == "partial"
    assert {step["table"]: step["status"] for step in document["data"]["steps"]} == {
        "src.a": "failed",
        "src.b": "unchanged",
        "mart.m": "skipped",
        "mart.n": "unchanged",
    }
    (diagnostic,) = document["diagnostics"]
    assert set(diagnostic) == {
        "severity", "code", "message", "file", "line", "column", "end_line", "end_column", "label",
        "looked_in", "help", "notes", "candidates",
    }  # fmt: skip
    assert (diagnostic["severity"], diagnostic["code"], diagnostic["file"]) == ("error", "LEAT0403", "sources/src.yaml")
    # Nothing was published.
    assert document["data"]["changed"] is False


# --- runs that are cut short -----------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Gate:
    """A stream that cannot be read while somebody holds `closed()`."""

    project: Project

    _WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"

    def closed(self):
        connection = self.project.source.connect()
        connection.execute("SELECT pg_advisory_lock(1)")
        return connection

    def start(self, *args):
        """A run that has come to the gate."""
        process = self.project.leat.start("run", *args, cwd=self.project.folder)
        self._wait_until(lambda: self.project.source.rows(self._WAITING))
        return process

    def settle(self) -> None:
        """The server forgets those whose client is gone."""
        self.project.source.execute(self._WAITING.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))
        self._wait_until(lambda: not self.project.source.rows(self._WAITING))

    @staticmethod
    def _wait_until(condition) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def gate(make):
    """src.item and the view src.slow over it, which waits for the gate; mart.slow below; loaded, then changed at the source."""
    project = make(
        """CREATE TABLE item (id int PRIMARY KEY, v int); INSERT INTO item SELECT i, i FROM generate_series(1, 50) i;
           CREATE FUNCTION gate() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT pg_advisory_xact_lock_shared(1) IS NOT NULL';
           CREATE VIEW slow AS SELECT id, v FROM item WHERE gate()""",
        warehouse=True,
    )
    streams(project, '"*": {}', "slow: {key: id}")
    project.model("slow", "SELECT id, v FROM src.slow\n", "key: id")
    project.run().expect(0)
    project.execute("UPDATE item SET v = 100 WHERE id = 1; DELETE FROM item WHERE id = 2")
    return Gate(project)


def settled(project: Project) -> bool:
    """Both streams hold the two changes once; model and warehouse hold the rows of the source."""
    versions = [project.versions(stream, "id", "v") for stream in ("src.item", "src.slow")]
    assert [found[50:] for found in versions] == [[("u", 1, 100), ("d", 2, 2)]] * 2
    rows = sorted(project.source.rows("SELECT id, v FROM item"), key=repr)
    return project.lake_rows("mart.slow", "id", "v") == rows == project.loaded("slow")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_signal_ends_a_run_at_once_and_leaves_all_as_it_was(gate, number, code):
    project = gate.project
    before, loaded = project.snapshots(), project.loaded("slow")
    with gate.closed():
        process = gate.start()
        begin = time.monotonic()
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=20)
        assert (process.returncode, time.monotonic() - begin < 2) == (code, True), stderr
        # The server is not left with our work.
        gate._wait_until(lambda: not project.source.rows(Gate._WAITING))
    told = stdout.splitlines()
    assert told[0].startswith("0 of 3 tables done in ")
    assert told[1:] == [
        "Stopped as asked. What was done is published, the other tables are as they were; lake and positions are consistent.",
        "Go on with  leat retry",
    ]
    assert (project.snapshots(), project.loaded("slow")) == (before, loaded)
    done = project.run().expect(0)
    assert re.search(r"written 2\b.* · deleted 2$", done.stdout, re.MULTILINE), done
    assert settled(project)


def test_signal_in_the_first_load_leaves_an_empty_lake(make):
    project = make(
        """CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1);
           CREATE FUNCTION gate() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT pg_advisory_xact_lock_shared(1) IS NOT NULL';
           CREATE VIEW slow AS SELECT id FROM item WHERE gate()"""
    )
    streams(project, '"*": {}', "slow: {key: id}")
    gate = Gate(project)
    with gate.closed():
        process = gate.start("--json")
        process.send_signal(signal.SIGINT)
        document = json.loads(process.communicate(timeout=20)[0])
    assert process.returncode == 130
    assert (document["data"]["run"]["status"], document["data"]["tables_done"]) == ("cancelled", 0)
    assert project.snapshots() == {}
    project.run().expect(0)
    assert set(project.snapshots()) == {"src.item__history", "src.slow__history"}


def test_second_signal_ends_without_waiting(gate):
    with gate.closed():
        process = gate.start()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode in (130, -signal.SIGINT)
        gate.settle()
    gate.project.run().expect(0)
    assert settled(gate.project)


def test_run_after_a_kill_takes_over_at_once(gate):
    project = gate.project
    before = project.snapshots()
    with gate.closed():
        process = gate.start()
        process.kill()
        process.communicate(timeout=20)
        assert project.snapshots() == before
        status = project.command("status", "--json").expect(0).json()["data"]
        assert (status["last_run"]["number"], status["last_run"]["status"]) == (2, "crashed")
        gate.settle()
    done = project.run().expect(0)
    assert done.duration_s < 5
    assert re.search(r"written 2\b.* · deleted 2$", done.stdout, re.MULTILINE), done
    assert settled(project)


def test_kill_while_the_warehouse_is_loaded_is_mended_by_the_next_run(gate):
    project = gate.project
    loaded = project.loaded("slow")
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with project.warehouse.connect(autocommit=False) as lock:
        lock.execute("LOCK TABLE slow IN ACCESS EXCLUSIVE MODE")
        process = project.leat.start("run", cwd=project.folder)
        gate._wait_until(lambda: project.warehouse.rows(waiting))
        process.kill()
        process.communicate(timeout=20)
        project.warehouse.execute(waiting.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))
    assert project.loaded("slow") == loaded
    done = project.run().expect(0)
    # Source and models were published before; only the load was missing.
    assert "written" not in done.stdout
    assert settled(project)


def test_second_run_is_told_who_is_at_work(gate):
    with gate.closed() as lock:
        first = gate.start()
        second = gate.project.run().expect(5)
        third = gate.project.run("src.item").expect(5)
        assert gate.project.command("status", "--json").json()["data"]["last_run"]["status"] == "running"
        assert gate.project.query("SELECT count(*) FROM src.slow") == ["50"]
        lock.execute("SELECT pg_advisory_unlock(1)")
        first.communicate(timeout=20)
    assert first.returncode == 0
    for refused, lease in ((second, "(model:mart.slow|source:src)"), (third, "source:src")):
        assert refused.stdout == ""
        message, *rest = diagnostics(refused).splitlines()
        holder = rf"run 2 \({re.escape(platform.node())}, process {first.pid}\)"
        assert re.fullmatch(rf"error\[LEAT0510\]: {holder} holds {lease} since {MOMENT}", message), message
        assert rest == ["  = help: run again when it has ended, or wait for it:  --wait 5m", "  = more: leat explain LEAT0510"]
    assert settled(gate.project)


def test_lost_connection_stops_the_whole_source(gate):
    project = gate.project
    before = project.snapshots()
    with gate.closed():
        process = gate.start()
        gate.settle()
        stdout, stderr = process.communicate(timeout=20)
    # Tables that were read already are not published without the others.
    assert process.returncode == 3
    assert 'error[LEAT0303]: connection "source" was lost: terminating connection due to administrator command' in stderr
    assert project.snapshots() == before
    project.run().expect(0)
    assert settled(project)
    # Every error says what to do.
    assert "  = help: " in stderr


def test_streams_of_a_source_are_read_as_of_one_moment(gate):
    """What is committed between the reads of two tables is seen in neither."""
    project = gate.project
    with gate.closed() as lock:
        process = gate.start()
        project.execute("UPDATE item SET v = -1 WHERE id = 3")
        lock.execute("SELECT pg_advisory_unlock(1)")
        process.communicate(timeout=20)
    assert process.returncode == 0
    assert settled_rows(project, "src.item") == settled_rows(project, "src.slow")
    assert "3,3" in settled_rows(project, "src.slow")
    project.run().expect(0)
    assert "3,-1" in settled_rows(project, "src.slow")


def settled_rows(project: Project, stream: str) -> list[str]:
    return sorted(project.query(f"SELECT id, v FROM {stream}"))


# --- other surroundings ------------------------------------------------------------------------------------------------------


def test_moved_project_works_on(make, tmp_path):
    project = make("CREATE TABLE item (id int PRIMARY KEY, v int); INSERT INTO item VALUES (1, 1), (2, 2)", warehouse=True)
    project.model("item", "SELECT id, v FROM src.item\n", "key: id")
    project.model("prices", "SELECT id, v FROM src.item__history\n", "key: id\nkind: history\nrecord_id: record_id")
    project.run().expect(0)
    project.folder = project.folder.rename(tmp_path / "elsewhere")
    assert "nothing changed" in project.run().expect(0).stdout
    project.execute("UPDATE item SET v = 3 WHERE id = 1")
    project.run().expect(0)
    assert project.loaded("item") == [(1, 3), (2, 2)]
    assert [row[:3] for row in project.loaded("prices")] == [(1, 1, 1), (2, 2, 2), (3, 1, 3)]
    assert sorted(project.query("FROM src.item")) == ["1,3", "2,2"]
    project.run("--full-refresh").expect(0)
    assert project.loaded("item") == [(1, 3), (2, 2)]


def test_without_a_warehouse_the_lake_is_the_same(pg, tmp_path_factory):
    tables = "CREATE TABLE item (id int PRIMARY KEY, v numeric(9,2)); INSERT INTO item VALUES (1, 1), (2, 2)"
    projects = [Project(pg, tmp_path_factory.mktemp("lake"), tables, warehouse=has) for has in (True, False)]
    found = []
    for project in projects:
        project.model("item", "SELECT id, v FROM src.item\n", "key: id\nchecks:\n  - rows: {min: 1}")
        project.model("prices", "SELECT id, v FROM src.item__history\n", "key: id\nkind: history\nrecord_id: record_id")
        project.run().expect(0)
        for value in (3, 4):
            project.execute(f"UPDATE item SET v = {value} WHERE id = 1")
            done = project.run().expect(0)
        status = project.command("status", "--json").expect(0).json()["data"]
        found.append(
            {
                "done": re.sub(r"in [\d.]+ s", "", done.stdout),
                "stream": project.versions("src.item", "id", "v"),
                "item": project.lake_rows("mart.item", "id", "v"),
                "prices": project.lake_rows("mart.prices", "record_id", "id", "v"),
                "states": [(table["table"], table["state"]) for table in status["tables"]],
                "valid": re.sub(r"\([\d.]+ s\)", "", project.command("validate").expect(0).stdout),
            }
        )
        project.drop()
    assert found[0] == found[1]
    assert found[0]["prices"] == [(1, 1, Decimal(1)), (2, 2, Decimal(2)), (3, 1, Decimal(3)), (4, 1, Decimal(4))]


def test_threads_make_no_difference(make):
    table = "CREATE TABLE t{0} (id int PRIMARY KEY, v int); INSERT INTO t{0} SELECT i, i * {0} FROM generate_series(1, 20) i;"
    project = make("".join(table.format(number) for number in range(8)))
    project.run("-j", "1").expect(0)
    before = project.snapshots()
    assert outcome(project.run("-j", "8").expect(0), "src.t7") == "table_unchanged"
    assert project.snapshots() == before
