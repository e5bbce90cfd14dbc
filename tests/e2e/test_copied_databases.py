"""A database copied as it is: `load` of streams, the types of PostgreSQL restored, and only what changed sent."""

import re
import struct
import textwrap
import time

import psycopg
import pytest
from psycopg import sql

from support import copies
from support.copies import VIEWS, Changer, Copies, assert_equal
from support.leat import Result
from support.project import Project, diagnostics, streams

SEED = 20240229
CHANGES = 1_000

# --- databases of other people -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def copied(pg, tmp_path_factory):
    """All three of them, read and loaded once."""
    made = Copies(pg, tmp_path_factory.mktemp("copies"))
    made.run().expect(0)
    yield made
    for database in [*made.sources.values(), made.warehouse]:
        pg.drop_database(database.name)


def assert_warehouse_equals(copied: Copies) -> dict[str, int]:
    """Rows by database, every one of them found equal."""
    rows = {}
    for name, source in copied.sources.items():
        tables = copies.tables(source, "public")
        assert copies.tables(copied.warehouse, name) == sorted(tables + VIEWS[name])
        rows[name] = sum(assert_equal(source, table, copied.warehouse, name) for table in tables + VIEWS[name])
    return rows


def assert_lake_equals(copied: Copies) -> None:
    """What PyIceberg reads of every table is what psycopg reads."""
    with copied.lake() as lake:
        for name, source in copied.sources.items():
            for table in copies.tables(source, "public"):
                with source.connect() as connection:
                    key = copies.key(connection, "public", table)
                    cursor = connection.execute(sql.SQL("SELECT * FROM ONLY {}").format(sql.Identifier(table)))
                    # What one of them reads as text and the other does not is left to the warehouse.
                    names = [column.name for column in cursor.description if column.type_code not in READ_DIFFERENTLY]
                    rows = cursor.fetchall()
                    at = [column.name for column in cursor.description].index
                    expected = [tuple(comparable(row[at(name)]) for name in names) for row in rows]
                found = current(lake.rows(f"{name}.{table}__history"), key)
                found = [tuple(comparable(row[name]) for name in names) for row in found]
                assert sorted(map(repr, found)) == sorted(map(repr, expected)), (name, table)


READ_DIFFERENTLY = {psycopg.adapters.types["text"].array_oid}


def comparable(value):
    # A float of 4 bytes comes as the nearest of 8 bytes, or as the one that is written with the same digits.
    return struct.pack("f", value) if isinstance(value, float) else value


def current(versions: list[dict], key: list[str]) -> list[dict]:
    """The newest version of each key, the deleted ones gone; all rows of a stream without a key."""
    if not key:
        return versions
    newest = {}
    for row in sorted(versions, key=lambda row: row["_leat_seq"]):
        newest[tuple(row[name] for name in key)] = row
    return [row for row in newest.values() if row["_leat_op"] == "u"]


def loads(copied: Copies) -> int:
    return sum(copied.warehouse.value(f"SELECT count(*) FROM {name}._leat_loads") for name in copied.sources)


def test_every_table_comes_out_as_it_went_in(copied):
    rows = assert_warehouse_equals(copied)
    assert rows["chinook"] == 347 + 275 + 59 + 8 + 25 + 412 + 2_240 + 5 + 18 + 8_715 + 3_503
    assert rows["pagila"] > 46_000 and rows["world"] > 5_300
    types = copied.warehouse.rows(
        """SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
           WHERE c.relnamespace IN ('pagila'::regnamespace, 'world'::regnamespace) AND relkind = 'r' AND attnum > 0"""
    )
    assert {"smallint", "real", "character(3)", "tsvector", "text[]", "bytea", "numeric(5,2)"} <= {type for (type,) in types}


def test_a_run_without_changes_loads_nothing(copied):
    before = loads(copied)
    done = copied.run().expect(0)
    assert loads(copied) == before
    assert "event=table_done" not in done.stderr
    assert done.stderr.count("step=load") == sum(len(copies.tables(copied.warehouse, name)) for name in copied.sources)


def test_a_thousand_changes_in_each_of_them(copied):
    before = {name: snapshot(copied, name) for name in copied.sources}
    writers = {name: {table: set(written_by(copied, name, table)) for table in rows} for name, rows in before.items()}
    for number, source in enumerate(copied.sources.values()):
        changer = Changer(source, SEED + number)
        changer.change(CHANGES)
        changer.close()
    copied.sources["pagila"].execute("UPDATE payment_p2007_02 SET amount = amount + 1 WHERE payment_id % 3 = 0")
    copied.sources["pagila"].execute("REFRESH MATERIALIZED VIEW rentals_by_month")
    copied.run().expect(0)
    assert_warehouse_equals(copied)
    assert_lake_equals(copied)
    for name, source in copied.sources.items():
        for table, rows in snapshot(copied, name).items():
            # Of a key that changes one row goes and one comes.
            new = [writer for writer in written_by(copied, name, table) if writer not in writers[name][table]]
            assert len(new) == len(rows - before[name][table]), (name, table)


def snapshot(copied: Copies, name: str) -> dict[str, set]:
    """The rows of each table that has a key, as the source shows them."""
    source = copied.sources[name]
    with source.connect() as connection:
        return {
            table: set(copies.shown(connection, "public", table))
            for table in copies.tables(source, "public")
            if copies.key(connection, "public", table)
        }


def written_by(copied: Copies, name: str, table: str) -> list[str]:
    """The transaction that wrote each row of a table in the warehouse."""
    return [writer for (writer,) in copied.warehouse.rows(f'SELECT xmin::text FROM {name}."{table}"')]


# --- only what changed travels ---------------------------------------------------------------------------------------------

TABLES = """
    CREATE TABLE item (id int PRIMARY KEY, name varchar(20), price numeric(8,2));
    INSERT INTO item SELECT n, 'item ' || n, n FROM generate_series(1, 300) n;
    CREATE TABLE note (line text, seen timestamp(0));
    INSERT INTO note VALUES ('a', '2024-02-29 12:00'), ('a', '2024-02-29 12:00'), (NULL, NULL);
"""


@pytest.fixture
def project(pg, tmp_path):
    made = Project(pg, tmp_path, TABLES)
    load(made, "src.*")
    yield made
    made.drop()


def load(project: Project, *patterns: str, schema: str = "public") -> None:
    listed = ", ".join(f'"{pattern}"' for pattern in patterns)
    text = f'load: [{listed}], schema: "{schema}"}}'
    project.write("leat.yaml", project.settings().replace('load: ["mart.*"]}', text))


def told(result: Result) -> str:
    """Errors and warnings, without the lines of leat.yaml that hold a port."""
    return "\n".join(line for line in diagnostics(result).splitlines() if "host:" not in line)


def assert_copied(project: Project, *tables: str) -> None:
    for table in tables or copies.tables(project.source, "public"):
        assert_equal(project.source, table, project.warehouse, "public")


def writers(project: Project, table: str = "item") -> dict:
    """The transaction that wrote each row, by key."""
    return dict(project.warehouse.rows(f"SELECT id, xmin::text FROM {table}"))


def newly_written(project: Project, before: dict) -> set:
    return {id for id, writer in writers(project).items() if writer != before.get(id)}


def test_a_stream_without_a_key_is_replaced_when_it_changed(project):
    project.run().expect(0)
    assert_copied(project)
    project.execute("UPDATE note SET seen = '2023-01-01' WHERE line IS NULL; INSERT INTO note VALUES ('b', NULL)")
    done = project.run().expect(0)
    assert_copied(project)
    assert project.warehouse.value("SELECT count(*) FROM _leat_loads WHERE table_name = 'note'") == 2
    assert project.warehouse.value("SELECT count(*) FROM _leat_loads WHERE table_name = 'item'") == 1
    assert "event=table_done table=src.note step=load rows=4" in done.stderr


def test_versions_that_compaction_has_moved_are_neither_missed_nor_sent_again(project):
    project.run().expect(0)
    before = writers(project)
    load(project, "mart.*")
    # More than a fifth of the base each time, so that every run writes a new one; some keys change twice, come back, or go.
    project.execute("UPDATE item SET price = price + 1 WHERE id <= 80; DELETE FROM item WHERE id IN (5, 290, 300)")
    project.run().expect(0)
    project.execute("UPDATE item SET price = price + 1 WHERE id <= 70; INSERT INTO item VALUES (5, 'back', 5), (301, 'new', 1)")
    project.run().expect(0)
    project.execute("UPDATE item SET price = price + 1 WHERE id <= 75; DELETE FROM item WHERE id IN (7, 301)")
    project.run().expect(0)
    with project.lake() as lake:
        assert any(lake.rows("src.item__history", "_leat_superseded = true"))
    load(project, "src.*")
    project.run("--select", "src.item").expect(0)
    assert_copied(project, "item")
    assert newly_written(project, before) == set(range(1, 81)) - {7}


def test_a_snapshot_that_was_forgotten_is_compared_in_full(project):
    project.run().expect(0)
    before = writers(project)
    project.warehouse.execute("UPDATE _leat_loads SET snapshot_id = 1")
    project.execute("UPDATE item SET name = 'other' WHERE id = 9; DELETE FROM item WHERE id = 10")
    project.run().expect(0)
    assert_copied(project, "item")
    assert newly_written(project, before) == {9}


def test_another_key_replaces_the_rows_and_the_key_of_the_table(project):
    project.execute("ALTER TABLE item ADD CONSTRAINT item_name UNIQUE (name); ALTER TABLE item ALTER name SET NOT NULL")
    project.run().expect(0)
    streams(project, "item: {key: [name]}", "note: {}")
    project.execute("DELETE FROM item WHERE id < 10; UPDATE item SET id = id + 1000 WHERE id < 20")
    project.run().expect(0)
    with project.warehouse.connect() as connection:
        assert copies.key(connection, "public", "item") == ["name"]
    assert project.loaded("item") == sorted(project.source.rows("SELECT * FROM item"), key=repr)


def test_a_full_refresh_mends_rows_that_somebody_changed(project):
    project.run().expect(0)
    project.warehouse.execute("UPDATE item SET price = 0 WHERE id = 3; DELETE FROM item WHERE id = 4; DELETE FROM note")
    before = writers(project)
    project.run().expect(0)
    assert writers(project) == before
    project.run("--full-refresh").expect(0)
    assert_copied(project)
    assert newly_written(project, before) == {3, 4}


def test_retry_brings_the_stream_that_was_not_loaded(project):
    project.warehouse.execute("CREATE TABLE item (id int)")
    failed = project.run().expect(1)
    assert told(failed) == textwrap.dedent(
        """\
        error[LEAT0602]: table public.item is in the warehouse already, and this project did not make it
          ┌─ leat.yaml:5:43
        5 │ warehouse: {connection: warehouse, load: ["src.*"], schema: "public"}
          │                                           ^^^^^^^
          = help: choose another name with `rename` in the source's file, or another `schema` in leat.yaml
                  or make room for it: ALTER TABLE "public"."item" RENAME TO "item_old";  (or DROP TABLE)
          = note: column "id": may be NULL there, NOT NULL in the stream
                  column "name" character varying(20): missing there
                  column "price" numeric(8,2): missing there
                  primary key: none there, ("id") in the stream
          = more: leat explain LEAT0602"""
    )
    assert_copied(project, "note")
    assert state(project, "src.item") == "failing"
    project.warehouse.execute("DROP TABLE item")
    done = project.command("retry").expect(0)
    assert outcome_of_loads(done) == {"src.item"}
    assert_copied(project)
    assert state(project, "src.item") == "healthy"


def test_retry_of_a_run_that_was_killed_in_its_load_brings_the_streams(project):
    project.run().expect(0)
    project.execute("UPDATE item SET price = 0 WHERE id = 1")
    with project.warehouse.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        process = project.leat.start("run", cwd=project.folder)
        try:
            deadline = time.monotonic() + 30
            while not project.warehouse.rows("SELECT FROM pg_locks WHERE NOT granted AND relation = 'item'::regclass"):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            process.kill()
            process.communicate()
    assert project.warehouse.value("SELECT price FROM item WHERE id = 1") == 1
    done = project.command("retry").expect(0)
    assert outcome_of_loads(done) == {"src.item"}
    assert_copied(project)


def state(project: Project, table: str) -> str:
    tables = project.command("status", "--all", "--json").json()["data"]["tables"]
    return next(entry["state"] for entry in tables if entry["table"] == table)


def outcome_of_loads(done: Result) -> set[str]:
    """The tables that a run loaded."""
    return set(re.findall(r"event=table_done table=(\S+) step=load", done.stderr))


# --- which tables, and where -----------------------------------------------------------------------------------------------


def test_models_and_streams_go_side_by_side_into_schemas_of_their_own(project):
    project.model("item", "SELECT id, price * 2 AS price FROM src.item WHERE id <= 2\n", "key: id")
    project.model("sale", "SELECT id FROM mart.item\n", "key: id\nchecks:\n  - references: {id: mart.item}")
    load(project, "src.item", "mart.*")
    refused = project.run().expect(2)
    assert "error[LEAT0611]: src.item and mart.item would both be table public.item of the warehouse" in refused.stderr
    assert "LEAT0611" in project.command("validate").expect(2).stderr
    load(project, "src.item", "mart.*", schema="{namespace}")
    project.command("validate").expect(0)
    project.run().expect(0)
    assert_equal(project.source, "item", project.warehouse, "src")
    assert copies.tables(project.warehouse, "src") == ["item"]
    assert project.warehouse.rows("SELECT * FROM mart.item ORDER BY id") == [(1, 2), (2, 4)]
    assert project.warehouse.rows("SELECT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'") == [("mart.item",)]
    assert outcome_of_loads(project.run().expect(0)) == set()


def test_without_patterns_no_stream_is_loaded(project):
    project.model("item", "SELECT id FROM src.item\n", "key: id")
    text = project.settings().replace(', load: ["mart.*"]', "")
    project.write("leat.yaml", text)
    project.run().expect(0)
    assert project.warehouse_tables() == {"item", "_leat_loads"}
    assert project.warehouse.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'item'::regclass AND attnum > 0") == 1


def test_a_pattern_that_matches_nothing_is_told(project):
    load(project, "src.itme", "src.n*")
    warning = textwrap.dedent(
        """\
        warning[LEAT0621]: `load` has 'src.itme', which matches no model and no stream
          ┌─ leat.yaml:5:43
        5 │ warehouse: {connection: warehouse, load: ["src.itme", "src.n*"], schema: "public"}
          │                                           ^^^^^^^^^^
          = help: did you mean src.item?
          = more: leat explain LEAT0621"""
    )
    for command in ("validate", "run"):
        assert told(project.command(command).expect(0)) == warning, command
    assert told(project.command("validate", "--fast").expect(0)) == ""  # the source may have got that table
    assert project.warehouse_tables() == {"note", "_leat_loads"}


def test_only_the_namespace_is_filled_into_a_schema(project):
    load(project, "src.*", schema="{source}")
    assert told(project.run().expect(2)) == textwrap.dedent(
        """\
        error[LEAT0620]: warehouse.schema is '{source}'; only {namespace} is filled in
          ┌─ leat.yaml:5:61
        5 │ warehouse: {connection: warehouse, load: ["src.*"], schema: "{source}"}
          │                                                             ^^^^^^^^^^
          = help: write  schema: "{namespace}"  for a schema per source and model folder
          = more: leat explain LEAT0620"""
    )


# --- types ----------------------------------------------------------------------------------------------------------------

# Type, and values as PostgreSQL shows them.
VALUES = {
    "smallint": ["-32768", "32767"],
    "integer": ["-2147483648"],
    "bigint": ["9223372036854775807"],
    "real": ["1.1754944e-38", "-0", "Infinity", "NaN", "0.1"],
    "double precision": ["5e-324", "-0", "-Infinity", "0.1"],
    "numeric(5,2)": ["-999.99", "0.10"],
    "numeric(38,10)": ["9999999999999999999999999999.0123456789"],
    "numeric(3,-2)": ["12300"],
    "numeric(2,5)": ["0.00012"],
    "numeric": ["1.5", "-12345678901234567890.000000001"],
    "boolean": ["t", "f"],
    "text": ["", "a\tb\nc\\d", "é ü 😀", "NULL", "\\N"],
    "character varying(20)": ["  x  ", ""],
    "character(4)": ["ab  ", "    ", "ééé "],
    "name": ["a_name"],
    '"char"': ["x", ""],
    "bytea": ["\\x00ff5c27", "\\x"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "date": ["0044-03-15 BC", "9999-12-31"],
    "time without time zone": ["00:00:00", "23:59:59.999999"],
    "time(0) without time zone": ["12:34:56"],
    "time with time zone": ["12:34:56.5+05:30"],
    "time(2) with time zone": ["12:34:56.55-08"],
    "timestamp without time zone": ["2024-02-29 12:34:56.789012", "0044-03-15 00:00:00 BC", "20000-01-01 00:00:00"],
    "timestamp(3) without time zone": ["2024-02-29 12:34:56.789"],
    "timestamp with time zone": ["2024-02-29 12:34:56.789012+00", "0044-03-15 00:00:00+00 BC"],
    "timestamp(0) with time zone": ["2024-02-29 12:34:56+00"],
    "interval": ["1 year 2 mons 3 days 04:05:06.789", "-1 days +24:00:00", "24:00:00"],
    "interval(0)": ["1 day 00:00:01"],
    "interval day to second(3)": ["1 day 00:00:01.123"],
    "json": ['{"b": 1,  "a": [1.0, null]}', '"x"'],
    "jsonb": ['{"a": [1.00, null], "b": "\\u0001"}', "null"],
    "jsonpath": ['$."a"[*]?(@ > 1)'],
    "inet": ["10.0.0.1", "10.0.0.1/8", "::1"],
    "cidr": ["10.0.0.0/8", "10.0.0.1/32"],
    "macaddr": ["08:00:2b:01:02:03"],
    "macaddr8": ["08:00:2b:01:02:03:04:05"],
    "bit(3)": ["101"],
    "bit varying(8)": ["1", ""],
    "bit varying": ["10101010101"],
    "money": ["-$1,234.56"],
    "xml": ["<a b=\"1\">&lt;</a>"],
    "tsvector": ["'cat':1A 'dog':2"],
    "tsquery": ["'cat' & !'dog'"],
    "point": ["(1,2.5)"],
    "lseg": ["[(0,0),(1,1)]"],
    "line": ["{1,-1,0}"],
    "box": ["(1,1),(0,0)"] * 4,
    "box[]": ["{(1,1),(0,0);(2,3),(1,1)}", "{}"],
    "path": ["((0,0),(1,1))", "[(0,0),(1,1)]"],
    "polygon": ["((0,0),(1,1),(1,0))"],
    "circle": ["<(0,0),1.5>"],
    "int4range": ["[1,5)", "empty", "(,)"],
    "int8range": ["[1,)"],
    "numrange": ["(1.50,2.0]"],
    "daterange": ["[2024-01-01,2024-02-01)"],
    "tsrange": ['["2024-01-01 00:00:00",)'],
    "tstzrange": ['["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")'],
    "int4multirange": ["{[1,3),[5,7)}", "{}"],
    "nummultirange": ["{[1.5,2.0)}"],
    "pg_lsn": ["16/B374D848"],
    "pg_snapshot": ["10:20:10,14,15"],
    "oid": ["4294967295"],
    "xid": ["4294967295"],
    "xid8": ["18446744073709551615"],
    "tid": ["(0,1)"],
    "int2vector": ["1 2 3"],
    "integer[]": ["{1,NULL,-3}", "{}"],
    "smallint[]": ["{1,NULL}"],
    "text[]": ['{a,"b c",NULL,"NULL","","x\\\\y","q\\"r"}'],
    "character varying(5)[]": ["{abc,NULL}"],
    "numeric(6,2)[]": ["{1.00,NULL}"],
    "boolean[]": ["{t,f,NULL}"],
    "date[]": ["{2024-02-29,NULL}"],
    "timestamp with time zone[]": ['{"2024-02-29 12:34:56+00"}'],
    "uuid[]": ["{00000000-0000-0000-0000-000000000001}"],
    "bytea[]": ['{"\\\\x00ff",NULL}'],
    "jsonb[]": ['{"{\\"a\\": 1}",NULL}'],
    "inet[]": ["{10.0.0.0/8}"],
    "numrange[]": ['{"[1.50,2)",NULL}'] + ['{"[1.50,2)"}'] * 4,
    "double precision[]": ["{0.1,Infinity,NaN}"],
}

# What the warehouse does not have, or cannot name, and what it gets instead.
AS_TEXT = {"mood": "sad", "pair": '(1,"a b")', "regclass": "pg_class", "mood[]": "{sad,ok}"}


def test_every_type_comes_back_as_itself(pg, tmp_path):
    made = Project(pg, tmp_path, 'CREATE TYPE mood AS ENUM (\'sad\', \'ok\'); CREATE TYPE pair AS (a int, b text);')
    load(made, "src.*")
    try:
        with made.source.connect() as connection:
            names = [f"c{i}" for i in range(len(VALUES))]
            listed = ", ".join(f"{name} {type}" for name, type in zip(names, VALUES))
            connection.execute("CREATE DOMAIN year AS smallint; CREATE DOMAIN code AS character(3)")
            connection.execute(f"CREATE TABLE every (id int PRIMARY KEY, {listed}, y year, c code)")
            connection.execute(f"CREATE TABLE other (id int PRIMARY KEY, {', '.join(f'o{i} {t}' for i, t in enumerate(AS_TEXT))})")
            rows = max(map(len, VALUES.values()))
            for number in range(rows):
                row = [values[number] if number < len(values) else None for values in VALUES.values()]
                insert(connection, "every", [number, *row, number, "ab"])
            insert(connection, "every", [99, *[None] * (len(VALUES) + 2)])
            insert(connection, "other", [1, *AS_TEXT.values()])
        made.execute("")
        made.run().expect(0)
        assert_copied(made, "every")
        made.execute(changes())
        made.run().expect(0)
        assert_copied(made, "every")
        with made.warehouse.connect() as connection:
            types = dict(copies.columns(connection, "public", "other"))
        expected = {f"o{i}": "text[]" if type.endswith("[]") else "text" for i, type in enumerate(AS_TEXT)}
        assert types == {"id": "integer"} | expected
        assert made.loaded("other") == [(1, "sad", '(1,"a b")', "pg_class", ["sad", "ok"])]
    finally:
        made.drop()


def changes() -> str:
    """One value of each of some rows becomes another text that is equal to it by `=`."""
    column = {type: f"c{i}" for i, type in enumerate(VALUES)}
    return f"""
        UPDATE every SET {column["jsonb"]} = '{{"a": [1.0, null], "b": "\\u0001"}}' WHERE id = 0;
        UPDATE every SET {column["interval"]} = '1 day' WHERE id = 2;
        UPDATE every SET {column["box"]} = '(2,0.5),(0,0)' WHERE id = 3;
        UPDATE every SET {column["numrange[]"]} = '{{"[1.5,2)"}}' WHERE id = 4;
    """


def insert(connection, table: str, values: list) -> None:
    quoted = ", ".join("NULL" if value is None else sql.Literal(str(value)).as_string(None) for value in values)
    connection.execute(f"INSERT INTO {table} VALUES ({quoted})")


def test_a_type_that_grows_at_the_source_grows_in_the_warehouse(project):
    project.run().expect(0)
    project.execute("ALTER TABLE item ALTER id TYPE bigint, ALTER name TYPE text, ALTER price TYPE numeric(10,2)")
    project.execute("ALTER TABLE item ADD seen smallint DEFAULT 7")
    project.run().expect(0)
    assert_copied(project)
    project.execute("ALTER TABLE item DROP seen")
    project.run().expect(0)
    with project.warehouse.connect() as connection:
        assert dict(copies.columns(connection, "public", "item"))["seen"] == "smallint"
    assert project.warehouse.value("SELECT count(seen) FROM item") == 0


def test_a_type_that_becomes_narrower_is_refused(project):
    project.run().expect(0)
    project.execute("ALTER TABLE item ALTER name TYPE varchar(10)")
    failed = project.run().expect(1)
    assert told(failed) == textwrap.dedent(
        """\
        error[LEAT0607]: warehouse table public.item cannot become what src.item says now
          ┌─ leat.yaml:5:43
        5 │ warehouse: {connection: warehouse, load: ["src.*"], schema: "public"}
          │                                           ^^^^^^^
          = help: let it be made anew: DROP TABLE "public"."item";
          = note: column "name" is character varying(20); character varying(10) is no wider type
          = more: leat explain LEAT0607"""
    )
    project.warehouse.execute("DROP TABLE item")
    project.run().expect(0)
    assert_copied(project)
