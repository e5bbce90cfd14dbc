"""Columns that come, go and change while only changes are read: what rows show moves without a row being written."""

import pytest

from support.backends import burn
from support.positions import Positions
from support.project import Project, diagnostics, streams


@pytest.fixture
def item(make):
    """src.item → mart.item (all columns) → warehouse, and src.other; read once, and everything long ago."""
    project = make(
        """CREATE TYPE mood AS ENUM ('sad', 'fine');
           CREATE TABLE item (id int PRIMARY KEY, v int, m mood); INSERT INTO item VALUES (1, 10, 'sad'), (2, 20, 'fine');
           CREATE TABLE other (id int PRIMARY KEY, v text); INSERT INTO other VALUES (1, 'x')""",
        warehouse=True,
    )
    project.model("item", "SELECT * FROM src.item\n", "key: id")
    project.run().expect(0)
    long_ago(project)
    return project


def long_ago(project: Project) -> None:
    """No row written so far is younger than the position."""
    for _ in range(2):
        burn(project.source, 1)
        project.run().expect(0)
        Positions(project.folder).age(100)


def rows(project: Project, columns: str = "*") -> list[str]:
    return sorted(project.query(f"SELECT {columns} FROM src.item"))


def lake_columns(project: Project, table: str = "src.item__history") -> list[str]:
    with project.lake() as lake:
        return [field.name for field in lake.table(table).schema().fields if not field.name.startswith("_leat_")]


def warehouse_types(project: Project, table: str = "item") -> dict[str, str]:
    return dict(
        project.warehouse.rows(
            """SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
               WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
            [table],
        )
    )


def stops(project: Project, says: str) -> None:
    """The stream keeps its rows and says why; the other goes on."""
    before = rows(project), lake_columns(project)
    project.execute("INSERT INTO other SELECT max(id) + 1, 'y' FROM other")
    done = project.run().expect(1)
    assert says in diagnostics(done), done
    assert "  = help: " in diagnostics(done)
    assert (rows(project), lake_columns(project)) == before
    assert len(project.query("FROM src.other")) == project.source.value("SELECT count(*) FROM other")
    states = {table["table"]: table["state"] for table in project.command("status", "--json").json()["data"]["tables"]}
    assert (states["src.item"], states["src.other"]) == ("failing", "healthy")


# --- new -----------------------------------------------------------------------------------------------------------------


def test_added_column_with_default_arrives_everywhere(item):
    item.execute("ALTER TABLE item ADD COLUMN colour text NOT NULL DEFAULT 'red'")
    item.run().expect(0)
    assert item.lake_rows("mart.item", "id", "colour") == [(1, "red"), (2, "red")]
    assert item.loaded("item") == [(1, 10, "sad", "red"), (2, 20, "fine", "red")]
    assert warehouse_types(item)["colour"] == "character varying"
    assert item.versions("src.item", "id", "colour") == [("u", 1, None), ("u", 2, None), ("u", 1, "red"), ("u", 2, "red")]
    item.execute("UPDATE item SET colour = 'blue' WHERE id = 2")
    item.run().expect(0)
    assert item.loaded("item") == [(1, 10, "sad", "red"), (2, 20, "fine", "blue")]


def test_added_column_without_default_makes_no_version(item):
    item.execute("ALTER TABLE item ADD COLUMN note text")
    item.run().expect(0)
    assert lake_columns(item) == ["id", "v", "m", "note"]
    assert len(item.versions("src.item", "id")) == 2
    assert item.loaded("item") == [(1, 10, "sad", None), (2, 20, "fine", None)]


def test_column_made_anew_under_its_name_is_read_again(item):
    item.execute("ALTER TABLE item DROP COLUMN v; ALTER TABLE item ADD COLUMN v int DEFAULT 7")
    item.run().expect(0)
    assert rows(item, "id, v") == ["1,7", "2,7"]
    assert sorted((row[0], row[1]) for row in item.loaded("item")) == [(1, 7), (2, 7)]


def test_ignored_new_column_does_not_arrive(item):
    streams(item, '"*": {}', "item: {columns: {new: ignore}}")
    item.execute("ALTER TABLE item ADD COLUMN colour text NOT NULL DEFAULT 'red'; UPDATE item SET v = 11 WHERE id = 1")
    for _ in range(2):
        item.run().expect(0)
        assert lake_columns(item) == ["id", "v", "m"]
    assert item.versions("src.item", "id", "v") == [("u", 1, 10), ("u", 2, 20), ("u", 1, 11)]
    streams(item, '"*": {}', "item: {columns: {new: add}}")
    item.run().expect(0)
    assert rows(item) == ["1,11,sad,red", "2,20,fine,red"]


def test_new_column_stops_its_stream_where_that_is_asked(item):
    streams(item, '"*": {}', "item: {columns: {new: stop}}")
    item.run().expect(0)
    item.execute("ALTER TABLE item ADD COLUMN colour text DEFAULT 'red'; UPDATE item SET v = 11 WHERE id = 1")
    for _ in range(2):
        stops(item, "error[LEAT0414]: src.item: column colour is new at the source, and the project stops at new ones\n")
    streams(item, '"*": {}', "item: {columns: {new: stop, exclude: [colour]}}")
    item.run().expect(0)
    assert rows(item) == ["1,11,sad", "2,20,fine"]
    streams(item, '"*": {}')
    item.run().expect(0)
    assert rows(item) == ["1,11,sad,red", "2,20,fine,red"]


# --- missing -------------------------------------------------------------------------------------------------------------


def test_dropped_column_reads_as_null_and_warns(item):
    item.execute("ALTER TABLE item DROP COLUMN v")
    done = item.run().expect(0)
    assert diagnostics(done) == (
        "warning[LEAT0415]: src.item: column v is gone from the source and NULL from now on\n"
        "  ┌─ sources/src.yaml:4:3\n"
        "2 │ connection: source\n"
        "3 │ streams:\n"
        '4 │   "*": {}\n'
        "  │   ^^^\n"
        '  = help: if it was renamed, keep one column by  rename: {"its new name": v}\n'
        "          if the stream is to stop at such a change, set  columns: {missing: stop}\n"
        "  = note: earlier versions keep its values in src.item__history\n"
        "  = more: leat explain LEAT0415"
    )
    assert rows(item, "id, v") == ["1,", "2,"]
    assert item.loaded("item") == [(1, None, "sad"), (2, None, "fine")]
    assert item.versions("src.item", "id", "v") == [("u", 1, 10), ("u", 2, 20), ("u", 1, None), ("u", 2, None)]
    # Told once, when it happens.
    assert "warning" not in diagnostics(item.run().expect(0))


def test_dropped_column_stops_its_stream_where_that_is_asked(item):
    streams(item, '"*": {}', "item: {columns: {missing: stop}}")
    item.execute("ALTER TABLE item DROP COLUMN v; UPDATE item SET m = 'fine' WHERE id = 1")
    stops(item, "error[LEAT0415]: src.item: column v is gone from the source, and the project stops at missing ones\n")
    assert item.loaded("item") == [(1, 10, "sad"), (2, 20, "fine")]
    # What was asked for is mended in the project or at the source.
    item.execute("ALTER TABLE item ADD COLUMN v int; UPDATE item SET v = 30")
    item.run().expect(0)
    assert rows(item, "id, v, m") == ["1,30,fine", "2,30,fine"]


def test_renamed_column_is_one_that_went_and_one_that_came(item):
    item.execute("ALTER TABLE item RENAME COLUMN v TO w")
    item.run().expect(0)
    assert rows(item, "id, v, w") == ["1,,10", "2,,20"]
    assert sorted(item.loaded("item")) == [(1, None, "sad", 10), (2, None, "fine", 20)]


def test_stop_at_the_top_is_for_all_streams_but_those_that_say_otherwise(item):
    streams(item, '"*": {}', "other: {columns: {missing: null}}", before="columns: {missing: stop}\n")
    item.execute("ALTER TABLE item DROP COLUMN v; ALTER TABLE other DROP COLUMN v")
    done = item.run().expect(1)
    assert "src.item" in diagnostics(done)
    assert item.query("FROM src.other") == ["1,"]
    assert rows(item) == ["1,10,sad", "2,20,fine"]


# --- changed -------------------------------------------------------------------------------------------------------------


def test_wider_type_is_taken_over_everywhere(item):
    item.execute("ALTER TABLE item ALTER COLUMN v TYPE bigint; UPDATE item SET v = 5000000000 WHERE id = 1")
    item.run().expect(0)
    assert item.versions("src.item", "id", "v") == [("u", 1, 10), ("u", 2, 20), ("u", 1, 5000000000)]
    assert item.loaded("item") == [(1, 5000000000, "sad"), (2, 20, "fine")]
    assert warehouse_types(item)["v"] == "bigint"
    with item.lake() as lake:
        assert str(lake.table("src.item__history").schema().find_field("v").field_type) == "long"


def test_wider_type_stops_its_stream_where_that_is_asked(item):
    streams(item, '"*": {}', "item: {columns: {changed: stop}}")
    item.execute("ALTER TABLE item ALTER COLUMN v TYPE bigint; UPDATE item SET v = 5000000000 WHERE id = 1")
    stops(item, "error[LEAT0410]: src.item: column v is BIGINT now and was INTEGER; expected no change, as the project says\n")
    streams(item, '"*": {}')
    item.run().expect(0)
    assert rows(item) == ["1,5000000000,sad", "2,20,fine"]


@pytest.mark.parametrize(("kind", "shown"), [("text", "VARCHAR"), ("numeric(10,2)", "DECIMAL(10,2)"), ("boolean", "BOOLEAN")])
def test_type_that_cannot_be_widened_stops_its_stream(item, kind, shown):
    item.execute(f"ALTER TABLE item ALTER COLUMN v TYPE {kind} USING '1'::text::{kind}")
    stops(
        item,
        f"error[LEAT0410]: src.item: column v is {shown} now and was INTEGER; "
        "expected the same type or one that holds all its values\n",
    )
    assert item.loaded("item") == [(1, 10, "sad"), (2, 20, "fine")]
    item.execute("ALTER TABLE item ALTER COLUMN v TYPE int USING 5")
    item.run().expect(0)
    assert item.loaded("item") == [(1, 5, "sad"), (2, 5, "fine")]


def test_narrower_type_that_the_old_one_holds_goes_on(item):
    item.execute("ALTER TABLE item ALTER COLUMN v TYPE smallint; UPDATE item SET v = 11 WHERE id = 1")
    item.run().expect(0)
    assert item.loaded("item") == [(1, 11, "sad"), (2, 20, "fine")]


ENUMS = {
    "enum": ("mood", "'sad'"),
    "array of enum": ("mood[]", "ARRAY['sad']::mood[]"),
    "domain over enum": ("feeling", "'sad'"),
    "composite with enum": ("pair", "ROW(1, 'sad')::pair"),
    "array of domain over enum": ("feeling[]", "ARRAY['sad']::feeling[]"),
}


@pytest.mark.parametrize("kind", ENUMS)
def test_renamed_label_shows_wherever_the_enum_is_used(make, kind):
    declared, value = ENUMS[kind]
    project = make(
        f"""CREATE TYPE mood AS ENUM ('sad', 'fine'); CREATE DOMAIN feeling AS mood; CREATE TYPE pair AS (a int, m mood);
            CREATE TABLE item (id int PRIMARY KEY, v {declared}); INSERT INTO item VALUES (1, {value})"""
    )
    project.run().expect(0)
    long_ago(project)
    project.execute("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'")
    project.run().expect(0)
    (row,) = rows(project)
    assert "blue" in row and "sad" not in row


def test_renamed_label_of_an_enum_reaches_rows_that_were_not_written(item):
    item.execute("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'")
    item.run().expect(0)
    assert item.versions("src.item", "id", "m") == [("u", 1, "sad"), ("u", 2, "fine"), ("u", 1, "blue")]
    assert item.loaded("item") == [(1, 10, "blue"), (2, 20, "fine")]
    # One more label changes no row.
    item.execute("ALTER TYPE mood ADD VALUE 'glad'")
    item.run().expect(0)
    assert len(item.versions("src.item", "id")) == 3
    item.execute("UPDATE item SET m = 'glad' WHERE id = 2")
    item.run().expect(0)
    assert item.loaded("item") == [(1, 10, "blue"), (2, 20, "glad")]


# --- what the project takes ----------------------------------------------------------------------------------------------


def test_column_that_is_no_longer_left_out_is_filled(item):
    streams(item, '"*": {}', "item: {columns: {exclude: [m]}}")
    item.run().expect(0)
    item.execute("INSERT INTO item VALUES (3, 30, 'sad')")
    item.run().expect(0)
    assert [row.split(",")[:2] for row in rows(item, "id, v")] == [["1", "10"], ["2", "20"], ["3", "30"]]
    long_ago(item)
    streams(item, '"*": {}')
    item.run().expect(0)
    assert rows(item, "id, v, m") == ["1,10,sad", "2,20,fine", "3,30,sad"]
    assert [row[2] for row in item.loaded("item")] == ["sad", "fine", "sad"]


def test_column_that_is_left_out_from_now_on_arrives_no_more(item):
    streams(item, '"*": {}', "item: {columns: {exclude: [m]}}")
    item.execute("INSERT INTO item VALUES (3, 30, 'sad')")
    done = item.run().expect(0)
    assert diagnostics(done) == ""
    assert "3,30," in rows(item, "id, v, m")


def test_change_of_an_excluded_column_is_nobodys_change(item):
    streams(item, '"*": {}', "item: {columns: {exclude: [m]}}")
    item.run().expect(0)
    before = item.snapshots()
    item.execute("UPDATE item SET m = 'fine'")
    item.run().expect(0)
    assert item.snapshots() == before
