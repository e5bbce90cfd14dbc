"""What every warehouse does, whatever its kind; what one does otherwise is declared in support.warehouses."""

import datetime
import decimal
import shutil
import uuid

import pytest

from support.project import diagnostics
from support.warehouses import KINDS, sent

STAFF = """
    CREATE TABLE staff (id int PRIMARY KEY, name text, pay int);
    INSERT INTO staff VALUES (1, 'ann', 10), (2, 'bob', 20), (3, 'cid', 30), (4, 'dan', 40), (5, NULL, NULL)
"""
STAFF_ROWS = [(1, "ann", 10), (2, "bob", 20), (3, "cid", 30), (4, "dan", 40), (5, None, None)]
DIM_STAFF = "SELECT id, name, pay FROM src.staff\n"


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


@pytest.fixture
def target(kind, make):
    """A warehouse that holds dim_staff, loaded once."""
    target = kind(make, STAFF)
    target.project.model("dim_staff", DIM_STAFF, "key: id")
    target.project.run().expect(0)
    return target


def staff(target) -> list[tuple]:
    return target.rows("SELECT * FROM dim_staff")


def expect_as_at_the_source(target) -> None:
    assert staff(target) == sorted(target.project.source.rows("SELECT id, name, pay FROM staff"), key=repr)


# --- what arrives ---

# One line per type: its name in PostgreSQL, an ordinary value, an extreme one.
VALUES = [
    ("boolean", True, False),
    ("integer", 1, -(2**31)),
    ("bigint", 1, 2**63 - 1),
    ("real", 1.5, -(2.0**-10)),
    ("double precision", 2.25, 5e-324),
    ("numeric(10,2)", decimal.Decimal("1.50"), decimal.Decimal("-99999999.99")),
    ("date", datetime.date(2024, 2, 29), datetime.date(1, 1, 1)),
    ("time without time zone", datetime.time(1, 2, 3, 456789), datetime.time(23, 59, 59, 999999)),
    ("timestamp without time zone", datetime.datetime(2024, 2, 29, 1, 2, 3, 4), datetime.datetime(9999, 12, 31, 23, 59, 59, 999999)),
    (
        "timestamp with time zone",
        datetime.datetime(2024, 7, 1, 1, 2, 3, 4, tzinfo=datetime.timezone.utc),
        datetime.datetime(1900, 1, 1, tzinfo=datetime.timezone.utc),
    ),
    ("character varying", "ann", "'\"\\\n\t{,}NULL \U0001f986 e\u0301 \u202e"),
    ("uuid", uuid.UUID(int=1), uuid.UUID(int=2**128 - 1)),
    ("bytea", b"ab", bytes(range(256))),
]


def test_values_and_types_arrive_as_they_are(kind, make):
    columns = [f"c{n}" for n in range(len(VALUES))]
    declared = ", ".join(f"{name} {pg_type}" for name, (pg_type, *_) in zip(columns, VALUES))
    target = kind(make, f"CREATE TABLE kinds (id int PRIMARY KEY, {declared}); CREATE TABLE staff (id int PRIMARY KEY)")
    rows = [(1, *(value for _, value, _ in VALUES)), (2, *(extreme for _, _, extreme in VALUES)), (3, *(None for _ in VALUES))]
    with target.project.source.connect() as connection:
        for row in rows:
            connection.execute(f"INSERT INTO kinds VALUES ({', '.join(['%s'] * len(row))})", row)
    target.project.model("kinds", "SELECT * FROM src.kinds\n", "key: id")
    target.project.model("nothing", "SELECT * FROM src.staff\n", "key: id")
    target.project.run().expect(0)
    assert target.rows("SELECT * FROM kinds") == sorted(rows, key=repr)
    types = target.differences.types
    assert [(name, found) for name, found, _ in target.columns("kinds")[1:]] == [
        (name, types.get(pg_type, pg_type)) for name, (pg_type, *_) in zip(columns, VALUES)
    ]
    assert target.rows("SELECT * FROM nothing") == []


def test_lists_and_structs_arrive_with_their_parts(kind, make):
    target = kind(make, STAFF)
    model = "SELECT id, [pay, NULL] AS pays, {a: pay, b: name} AS parts FROM src.staff WHERE id < 3\n"
    target.project.model("parts", model, "key: id")
    target.project.run().expect(0)
    target.project.execute("UPDATE staff SET pay = 21 WHERE id = 2")
    target.project.run().expect(0)
    assert target.rows("SELECT * FROM parts") == [
        (1, [10, None], {"a": 10, "b": "ann"}),
        (2, [21, None], {"a": 21, "b": "bob"}),
    ]
    types = target.differences.types
    assert [kind for _, kind, _ in target.columns("parts")[1:]] == [types.get("integer[]", "integer[]"), types["struct"]]


def test_columns_keys_and_not_null_are_those_of_the_model(kind, make):
    target = kind(make, STAFF)
    project = target.project
    project.model("dim_staff", DIM_STAFF, "key: id")
    head = "key: [staff_id, day]\nchecks:\n  - not_null: [n]\n  - references: {staff_id: mart.dim_staff}"
    project.model("fact", "SELECT 1.5 AS price, id AS staff_id, DATE '2024-01-01' AS day, 1 AS n FROM src.staff\n", head)
    project.run().expect(0)
    types = target.differences.types
    assert [(name, not_null) for name, _, not_null in target.columns("fact")] == [
        ("price", False), ("staff_id", True), ("day", True), ("n", True)
    ]
    assert target.columns("fact")[2][1] == types.get("date", "date")
    assert target.key("fact") == ["staff_id", "day"]
    assert target.has_foreign_keys() == target.differences.keeps_foreign_keys


def test_head_gives_other_names_and_types(kind, make):
    target = kind(make, STAFF)
    head = 'key: id\nwarehouse: {table: "Löhne", rename: {pay: "Pay €"}, types: {pay: "numeric(12,3)"}}'
    target.project.model("dim_staff", DIM_STAFF, head)
    target.project.run().expect(0)
    assert target.rows('SELECT "Pay €" FROM "Löhne" WHERE id = 1') == [(decimal.Decimal("10.000"),)]
    pay = target.columns("Löhne")[2]
    assert pay[1] == target.differences.types.get("numeric(12,3)", "numeric(12,3)")


# --- only what changed travels ---


def test_unchanged_run_writes_nothing(target):
    before = target.content()
    target.project.run().expect(0)
    assert target.content() == before


def test_only_changed_rows_travel(target):
    target.project.execute("UPDATE staff SET pay = 21 WHERE id = 2; DELETE FROM staff WHERE id = 3; INSERT INTO staff VALUES (6, 'new', NULL)")
    done = target.project.run().expect(0)
    assert sent(done, "mart.dim_staff") == (2, 1)
    expect_as_at_the_source(target)


def test_table_without_a_key_is_replaced(kind, make):
    target = kind(make, STAFF)
    target.project.model("names", "SELECT name FROM src.staff UNION ALL SELECT 'ann'\n")
    target.project.run().expect(0)
    target.project.execute("DELETE FROM staff WHERE id > 1")
    done = target.project.run().expect(0)
    assert sent(done, "mart.names") == (2, 6)
    assert target.rows("SELECT * FROM names") == [("ann",), ("ann",)]


def test_history_only_grows(kind, make):
    target = kind(make, STAFF)
    target.project.model("pays", "SELECT id, pay FROM src.staff__history\n", "kind: history\nkey: id\nrecord_id: record_id")
    target.project.run().expect(0)
    before = target.rows("SELECT record_id, id, pay FROM pays")
    target.project.execute("UPDATE staff SET pay = 11 WHERE id = 1")
    done = target.project.run().expect(0)
    assert sent(done, "mart.pays") == (1, 0)
    assert target.rows("SELECT record_id, id, pay FROM pays") == [*before, (6, 1, 11)]
    assert target.columns("pays")[0][1] == target.differences.types.get("integer", "integer")
    assert target.key("pays") == ["record_id"]


def test_history_that_is_numbered_anew_is_replaced(kind, make):
    head = "kind: history\nkey: id\nrecord_id: record_id"
    target = kind(make, STAFF)
    target.project.model("pays", "SELECT id, pay FROM src.staff__history\n", head)
    target.project.run().expect(0)
    target.project.model("pays", "SELECT id, pay, pay * 2 AS twice FROM src.staff__history WHERE id > 3\n", head)
    done = target.project.run().expect(0)
    assert target.rows("SELECT record_id, id, pay, twice FROM pays") == [(1, 4, 40, 80), (2, 5, None, None)]
    assert sent(done, "mart.pays") == (2, 5)


# --- the model changes ---


def test_column_is_added_and_types_are_widened(target):
    model = "SELECT id::BIGINT AS id, name, pay::BIGINT AS pay, CASE WHEN id = 2 THEN 7 END AS bonus FROM src.staff\n"
    target.project.model("dim_staff", model, "key: id")
    done = target.project.run().expect(0)
    assert staff(target) == [(*row, 7 if row[0] == 2 else None) for row in STAFF_ROWS]
    names = ["bigint", "character varying", "bigint", "integer"]
    assert [found for _, found, _ in target.columns("dim_staff")] == [target.differences.types.get(name, name) for name in names]
    assert target.key("dim_staff") == ["id"]
    assert sent(done, "mart.dim_staff") == ((1 if target.differences.sends_changes_of_definitions_alone else 5), 0)
    target.project.execute("DELETE FROM staff WHERE id = 1")
    assert sent(target.project.run().expect(0), "mart.dim_staff") == (0, 1)


def test_column_that_the_model_dropped_stays(target):
    target.project.model("dim_staff", "SELECT id, name FROM src.staff\n", "key: id\nchecks:\n  - not_null: [id]")
    target.project.execute("INSERT INTO staff VALUES (6, 'new', 60)")
    target.project.run().expect(0)
    assert target.rows("SELECT id, name, pay FROM dim_staff") == [*STAFF_ROWS, (6, "new", None)]


def test_narrower_type_is_refused_and_the_others_are_loaded(target):
    target.project.model("dim_staff", DIM_STAFF, "key: id\nwarehouse: {types: {pay: smallint}}")
    target.project.model("other", "SELECT id FROM src.staff\n", "key: id")
    done = target.project.run().expect(1)
    assert "error[LEAT0607]: warehouse table" in diagnostics(done)
    assert 'column "pay" is' in diagnostics(done)
    assert staff(target) == STAFF_ROWS
    assert len(target.rows("SELECT * FROM other")) == 5


def test_type_that_is_none_is_refused_at_its_place(target):
    target.project.model("dim_staff", DIM_STAFF, 'key: id\nwarehouse: {types: {pay: "numeric(10"}}')
    done = target.project.run().expect(1)
    assert "error[LEAT0601]" in diagnostics(done)
    assert "models/mart/dim_staff.sql:3" in diagnostics(done)
    assert staff(target) == STAFF_ROWS


# --- what others did ---


def test_table_that_somebody_else_made_is_refused(target):
    target.execute("CREATE TABLE other (id INTEGER, note VARCHAR); INSERT INTO other VALUES (1, 'mine')")
    for name in ("a_new_one", "other", "z_new_one"):
        target.project.model(name, "SELECT id FROM src.staff\n", "key: id")
    target.project.execute("INSERT INTO staff VALUES (6, 'new', 60)")
    done = target.project.run().expect(1)
    told = diagnostics(done)
    assert "error[LEAT0602]: table" in told and "this project did not make it" in told
    assert 'column "note"' in told and 'primary key: none there, ("id") in the model' in told
    assert told.count("error[") == 1, told
    assert target.rows("SELECT * FROM other") == [(1, "mine")]
    assert len(target.rows("SELECT * FROM a_new_one UNION ALL SELECT * FROM z_new_one")) == 12
    expect_as_at_the_source(target)


def test_warehouse_that_is_ahead_is_left_alone(target):
    target.execute("UPDATE _leat_loads SET commit_number = commit_number + 100")
    target.project.execute("DELETE FROM staff")
    done = target.project.run().expect(1)
    assert "error[LEAT0604]: warehouse table" in diagnostics(done)
    assert staff(target) == STAFF_ROWS


def test_other_lake_is_refused_until_it_takes_the_table_over(target):
    for folder in ("lake", ".leat"):
        shutil.rmtree(target.project.folder / folder)
    target.project.execute("DELETE FROM staff WHERE id > 1")
    done = target.project.run().expect(1)
    assert "error[LEAT0613]: warehouse table" in diagnostics(done)
    assert staff(target) == STAFF_ROWS
    done = target.project.run("--full-refresh").expect(0)
    assert sent(done, "mart.dim_staff") == (0, 4)
    expect_as_at_the_source(target)


def test_older_copy_of_the_warehouse_is_mended(target):
    backup = target.backup()
    for number in range(3):
        target.project.execute(f"UPDATE staff SET pay = {number} WHERE id = {number + 1}; INSERT INTO staff VALUES ({number + 10}, 'x', 1)")
        target.project.run().expect(0)
    target.restore(backup)
    assert staff(target) == STAFF_ROWS
    done = target.project.run().expect(0)
    assert sent(done, "mart.dim_staff") == (6, 0)
    expect_as_at_the_source(target)


def test_full_refresh_mends_rows_that_somebody_changed(target):
    target.execute("UPDATE dim_staff SET name = 'eve' WHERE id = 1; DELETE FROM dim_staff WHERE id = 2; INSERT INTO dim_staff VALUES (9, 'x', 1)")
    done = target.project.run("--full-refresh").expect(0)
    assert sent(done, "mart.dim_staff") == (2, 1)
    assert staff(target) == STAFF_ROWS


def test_table_that_was_dropped_is_made_anew(target):
    target.execute("DROP TABLE dim_staff")
    target.project.run().expect(0)
    assert staff(target) == STAFF_ROWS


# --- what fails, fails alone ---


def test_table_whose_rows_do_not_fit_fails_alone(target):
    target.project.model("bad", "SELECT id, name FROM src.staff\n", "key: id\nwarehouse: {types: {name: integer}}")
    target.project.model("good", "SELECT id FROM src.staff\n", "key: id")
    target.project.execute("DELETE FROM staff WHERE id = 5")
    done = target.project.run().expect(1)
    assert "error[LEAT0605]" in diagnostics(done)
    assert "= help: give it a type that holds its values by  warehouse: {types: {" in diagnostics(done)
    expect_as_at_the_source(target)
    assert len(target.rows("SELECT * FROM good")) == 4
    target.project.model("bad", "SELECT id, name FROM src.staff\n", "key: id")
    target.project.run().expect(0)
    assert len(target.rows("SELECT * FROM bad")) == 4
