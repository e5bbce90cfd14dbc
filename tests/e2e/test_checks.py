"""Checks decide what is published: rows that fail keep the old ones in lake and warehouse, the rest goes on."""

import re
import textwrap
from decimal import Decimal

import pytest

from support.project import Project, diagnostics, outcome

TABLES = """
    CREATE TABLE staff (id int PRIMARY KEY, name text, grade text);
    INSERT INTO staff VALUES (1, 'ann', 'a'), (2, 'bob', 'b');
    CREATE TABLE item (id int PRIMARY KEY, price numeric(10,2), staff_id int);
    INSERT INTO item VALUES (1, 2.50, 1), (2, 3.00, 2);
"""
STAFF = "SELECT id, name, grade, id * 30 AS age, id AS item FROM src.staff\n"
ITEM = "SELECT id, price, staff_id FROM src.item\n"
PRICES = "kind: history\nkey: id\nrecord_id: record_id"


def lines(text: str) -> str:
    return textwrap.dedent(text).strip()


@pytest.fixture
def project(pg, tmp_path):
    """dim_staff ← below, dim_item, and prices, the history of items; loaded once."""
    made = Project(pg, tmp_path, TABLES)
    made.model("dim_staff", STAFF, "key: id")
    made.model("below", "SELECT id, upper(name) AS name FROM mart.dim_staff\n", "key: id")
    made.model("dim_item", ITEM, "key: id")
    made.model("prices", "SELECT id, price FROM src.item__history\n", PRICES)
    made.run().expect(0)
    yield made
    made.drop()


def staff_checks(project: Project, checks: str, table: str = STAFF) -> None:
    project.model("dim_staff", table, "key: id\nchecks:\n" + "".join(f"  {line}\n" for line in checks.splitlines()))


def both(project: Project, table: str, *columns: str) -> list[tuple]:
    """The rows of a model, in lake and warehouse alike."""
    lake = project.lake_rows(f"mart.{table}", *columns)
    names = ", ".join(f'"{name}"' for name in columns)
    assert sorted(project.warehouse.rows(f'SELECT {names} FROM "{table}"'), key=repr) == lake
    return lake


def prices(project: Project) -> list[tuple]:
    return both(project, "prices", "record_id", "id", "price")


# --- error, warn, reject ---------------------------------------------------------------------------------------------


def test_failing_check_keeps_its_model_and_all_below_it_and_publishes_the_others(project):
    staff_checks(project, "- not_null: [name]")
    project.run().expect(0)
    project.execute(
        """UPDATE staff SET name = NULL WHERE id = 1; INSERT INTO staff VALUES (3, 'cid', 'a');
           UPDATE item SET price = 5 WHERE id = 1"""
    )
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0701]: check not_null(name) on mart.dim_staff failed: 1 of 3 rows are NULL
          ┌─ models/mart/dim_staff.sql:4:16
        2 │ key: id
        3 │ checks:
        4 │   - not_null: [name]
          │                ^^^^
          = help: look at what it reads:  leat preview src.staff
          = note: for example id 1
          = more: leat explain LEAT0701
    """)
    first, second = done.stdout.splitlines()
    assert first.startswith("4 of 6 tables done in ")
    assert re.search(r" · read \d+ = written 3\b", first), done
    assert second == "1 failed, 1 skipped; these tables keep their last good rows.  Fix what failed, then  leat retry"
    # The stream has the new rows, the models that were checked the old ones, the others the new ones.
    assert sorted(project.query("SELECT id FROM src.staff")) == ["1", "2", "3"]
    assert both(project, "dim_staff", "id", "name") == [(1, "ann"), (2, "bob")]
    assert both(project, "below", "id", "name") == [(1, "ANN"), (2, "BOB")]
    assert both(project, "dim_item", "id", "price") == [(1, Decimal("5.00")), (2, Decimal("3.00"))]
    assert [row[1:] for row in prices(project)] == [(1, Decimal("2.50")), (2, Decimal("3.00")), (1, Decimal("5.00"))]


def test_failing_check_fails_again_until_the_rows_are_mended(project):
    staff_checks(project, "- not_null: [name]")
    project.execute("UPDATE staff SET name = NULL WHERE id = 1")
    project.run().expect(1)
    snapshots = project.snapshots()
    again = project.run().expect(1)
    assert "LEAT0701" in again.stderr
    assert "written" not in again.stdout
    assert project.snapshots() == snapshots

    project.execute("UPDATE staff SET name = 'anna' WHERE id = 1")
    project.run().expect(0)
    assert both(project, "dim_staff", "id", "name") == [(1, "anna"), (2, "bob")]
    assert both(project, "below", "id", "name") == [(1, "ANNA"), (2, "BOB")]


def test_mended_check_publishes_what_waited(project):
    staff_checks(project, "- accepted_values: {grade: [a, b]}")
    project.execute("INSERT INTO staff VALUES (3, 'cid', 'c')")
    project.run().expect(1)
    staff_checks(project, "- accepted_values: {grade: [a, b, c]}")
    done = project.run().expect(0)
    assert "written" not in done.stdout
    assert [id for (id,) in both(project, "dim_staff", "id")] == [1, 2, 3]
    assert [id for (id,) in both(project, "below", "id")] == [1, 2, 3]


def test_status_shows_the_failing_check(project):
    staff_checks(project, "- not_null: [name]\n- unique: [id]")
    project.execute("UPDATE staff SET name = NULL WHERE id = 1")
    project.run().expect(1)
    tables = {table["table"]: table for table in project.command("status", "--json").expect(0).json()["data"]["tables"]}
    states = {name: table["state"] for name, table in tables.items()}
    assert states == {
        "mart.dim_staff": "failing",
        "mart.below": "failing",
        "mart.dim_item": "healthy",
        "mart.prices": "healthy",
        "src.item": "healthy",
        "src.staff": "healthy",
    }
    staff = tables["mart.dim_staff"]
    assert staff["reason"] == "run 2: LEAT0701 check not_null(name) on mart.dim_staff failed: 1 of 2 rows are NULL"
    assert (staff["checks"], staff["checks_failed"]) == (2, 1)


def test_model_that_is_as_it_was_published_is_healthy_again(project):
    staff_checks(project, "- rows: {max: 1}")
    project.run().expect(1)
    project.model("dim_staff", STAFF, "key: id")
    done = project.run().expect(0)
    assert outcome_of_build(done, "mart.dim_staff") == "table_unchanged"
    tables = project.command("status", "--json").expect(0).json()["data"]["tables"]
    assert {table["state"] for table in tables} == {"healthy"}


def test_warning_publishes_all_the_same(project):
    staff_checks(project, "- not_null: [name]\n  severity: warn")
    project.execute("UPDATE staff SET name = NULL WHERE id = 1")
    done = project.run().expect(0)
    assert diagnostics(done) == lines("""
        warning[LEAT0701]: check not_null(name) on mart.dim_staff failed: 1 of 2 rows are NULL
          ┌─ models/mart/dim_staff.sql:4:16
        2 │ key: id
        3 │ checks:
        4 │   - not_null: [name]
          │                ^^^^
          = help: look at what it reads:  leat preview src.staff
          = note: for example id 1
          = more: leat explain LEAT0701
    """)
    assert both(project, "dim_staff", "id", "name") == [(1, None), (2, "bob")]
    assert both(project, "below", "id", "name") == [(1, None), (2, "BOB")]
    # A model that is skipped says nothing again; its state remembers.
    quiet = project.run().expect(0)
    assert (diagnostics(quiet), "nothing changed" in quiet.stdout) == ("", True)
    assert "0/1" in next(line for line in project.command("status").stdout.splitlines() if "mart.dim_staff" in line)


def test_reject_sets_rows_aside_with_a_reason_and_counts_them(project):
    staff_checks(project, "- not_null: [name]\n  severity: reject\n- accepted_values: {grade: [a, b]}\n  severity: reject")
    project.execute("UPDATE staff SET name = NULL WHERE id = 1; INSERT INTO staff VALUES (3, 'cid', 'z'), (4, 'dora', 'a')")
    done = project.run().expect(0)
    # Rows of the source were all written: what checks set aside is counted beside that.
    assert re.search(r"read \d+ = written 3\b.* · checks rejected 2 \(leat preview mart.dim_staff__rejects\)", done.stdout), done
    assert "warning[LEAT0701]: check not_null(name) on mart.dim_staff failed: 1 of 4 rows are NULL, set aside" in done.stderr
    accepted = "check accepted_values(grade) on mart.dim_staff failed: 1 of 4 rows hold none of a, b, set aside"
    assert f"warning[LEAT0703]: {accepted}" in done.stderr
    assert both(project, "dim_staff", "id", "name") == [(2, "bob"), (4, "dora")]
    assert both(project, "below", "id", "name") == [(2, "BOB"), (4, "DORA")]
    assert project.lake_rows("mart.dim_staff__rejects", "id", "name", "grade", "_leat_reason", "_leat_run") == [
        (1, None, "a", "not_null(name)", 2),
        (3, "cid", "z", "accepted_values(grade)", 2),
    ]
    assert "dim_staff__rejects" not in project.warehouse_tables()

    project.execute("UPDATE staff SET name = 'anna' WHERE id = 1; UPDATE staff SET grade = 'b' WHERE id = 3")
    done = project.run().expect(0)
    assert "rejected" not in done.stdout
    assert [id for (id,) in both(project, "dim_staff", "id")] == [1, 2, 3, 4]
    assert project.lake_rows("mart.dim_staff__rejects", "id") == []


def test_history_rejects_only_the_bad_versions(project):
    checks = "\nchecks:\n  - range: {price: {min: 1}}\n    severity: reject"
    project.model("prices", "SELECT id, price FROM src.item__history\n", PRICES + checks)
    project.run().expect(0)
    project.execute("UPDATE item SET price = 0.5 WHERE id = 1; UPDATE item SET price = 4 WHERE id = 2")
    done = project.run().expect(0)
    assert "checks rejected 1 (leat preview mart.prices__rejects)" in done.stdout
    assert [row[1:] for row in prices(project)] == [(1, Decimal("2.50")), (2, Decimal("3.00")), (2, Decimal("4.00"))]
    assert project.lake_rows("mart.prices__rejects", "id", "price", "_leat_reason") == [(1, Decimal("0.50"), "range(price)")]
    # Not again, and the next good version follows.
    assert "rejected" not in project.run().expect(0).stdout
    project.execute("UPDATE item SET price = 6 WHERE id = 1")
    project.run().expect(0)
    assert [row[0] for row in prices(project)] == [1, 2, 3, 4]
    assert prices(project)[-1][1:] == (1, Decimal("6.00"))


# --- each rule once ----------------------------------------------------------------------------------------------------

RULES = {
    "- unique: [grade]": """
        error[LEAT0702]: check unique(grade) on mart.dim_staff failed: 2 of 3 rows share their value with another row
          ┌─ models/mart/dim_staff.sql:4:5
        2 │ key: id
        3 │ checks:
        4 │   - unique: [grade]
          │     ^^^^^^
          = help: look at what it reads:  leat preview src.staff
          = note: for example grade a
          = more: leat explain LEAT0702
    """,
    "- accepted_values: {grade: [a, c]}": """
        error[LEAT0703]: check accepted_values(grade) on mart.dim_staff failed: 1 of 3 rows hold none of a, c
          ┌─ models/mart/dim_staff.sql:4:23
        2 │ key: id
        3 │ checks:
        4 │   - accepted_values: {grade: [a, c]}
          │                       ^^^^^
          = help: look at what it reads:  leat preview src.staff
          = note: for example id 2, grade b
          = more: leat explain LEAT0703
    """,
    "- range: {age: {min: 18, max: 65}}": """
        error[LEAT0705]: check range(age) on mart.dim_staff failed: 1 of 3 rows lie outside 18 to 65
          ┌─ models/mart/dim_staff.sql:4:13
        2 │ key: id
        3 │ checks:
        4 │   - range: {age: {min: 18, max: 65}}
          │             ^^^
          = help: look at what it reads:  leat preview src.staff
          = note: for example id 3, age 90
          = more: leat explain LEAT0705
    """,
    "- rows: {min: 5}": """
        error[LEAT0706]: check rows on mart.dim_staff failed: 3 rows; expected at least 5
          ┌─ models/mart/dim_staff.sql:4:5
        2 │ key: id
        3 │ checks:
        4 │   - rows: {min: 5}
          │     ^^^^
          = help: look at what it reads:  leat preview src.staff
          = more: leat explain LEAT0706
    """,
    "- rows: {max: 2}": """
        error[LEAT0706]: check rows on mart.dim_staff failed: 3 rows; expected at most 2
          ┌─ models/mart/dim_staff.sql:4:5
        2 │ key: id
        3 │ checks:
        4 │   - rows: {max: 2}
          │     ^^^^
          = help: look at what it reads:  leat preview src.staff
          = more: leat explain LEAT0706
    """,
    "- references: {item: mart.dim_item}": """
        error[LEAT0704]: check references(item → mart.dim_item) on mart.dim_staff failed: 1 of 3 rows name no row of mart.dim_item
          ┌─ models/mart/dim_staff.sql:4:18
        2 │ key: id
        3 │ checks:
        4 │   - references: {item: mart.dim_item}
          │                  ^^^^
          = help: look at what it reads:  leat preview src.staff
          = note: for example id 3, item 3
          = more: leat explain LEAT0704
    """,
}


@pytest.mark.parametrize("rule", RULES)
def test_rule_stops_the_model(project, rule):
    project.execute("INSERT INTO staff VALUES (3, 'cid', 'a')")
    staff_checks(project, rule)
    done = project.run().expect(1)
    assert diagnostics(done) == lines(RULES[rule])
    assert outcome_of_build(done, "mart.dim_staff") == "table_failed"
    assert both(project, "dim_staff", "id", "name", "grade") == [(1, "ann", "a"), (2, "bob", "b")]


def outcome_of_build(done, table: str) -> str:
    found = [line for line in done.stderr.splitlines() if f" table={table} step=build" in line]
    assert len(found) == 1, done
    return found[0].split("event=")[1].split()[0]


def test_reference_is_checked_against_the_candidates_of_the_same_run(project):
    project.model("dim_item", ITEM, "key: id\nchecks:\n  - references: {staff_id: mart.dim_staff}")
    project.execute("INSERT INTO staff VALUES (9, 'ida', 'a'); INSERT INTO item VALUES (3, 1.00, 9)")
    project.run().expect(0)
    assert project.warehouse.rows(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
    ) == [("dim_item", "dim_staff")]

    project.execute("UPDATE item SET staff_id = 77 WHERE id = 3")
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0704]: check references(staff_id → mart.dim_staff) on mart.dim_item failed: 1 of 3 rows name no row of mart.dim_staff
          ┌─ models/mart/dim_item.sql:4:18
        2 │ key: id
        3 │ checks:
        4 │   - references: {staff_id: mart.dim_staff}
          │                  ^^^^^^^^
          = help: look at what it reads:  leat preview src.item
          = note: for example id 3, staff_id 77
          = more: leat explain LEAT0704
    """)
    assert both(project, "dim_item", "id", "staff_id") == [(1, 1), (2, 2), (3, 9)]


def test_reference_to_a_row_that_went_away_is_found(project):
    project.model("dim_item", ITEM, "key: id\nchecks:\n  - references: {staff_id: mart.dim_staff}")
    project.run().expect(0)
    project.execute("DELETE FROM staff WHERE id = 2")
    done = project.run().expect(1)
    assert "1 of 2 rows name no row of mart.dim_staff" in done.stderr
    # The key that is named stays as long as the row that names it.
    assert both(project, "dim_item", "id", "staff_id") == [(1, 1), (2, 2)]
    assert (2,) in project.warehouse.rows("SELECT id FROM dim_staff")


def test_failing_model_with_other_columns_leaves_the_warehouse_as_it_is(project):
    staff_checks(project, "- rows: {max: 1}", "SELECT id, name, grade, 1 AS added FROM src.staff\n")
    project.run().expect(1)
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = 'dim_staff'::regclass AND attnum > 0 ORDER BY attnum"
    assert [name for (name,) in project.warehouse.rows(columns)] == ["id", "name", "grade", "age", "item"]


def test_failing_model_with_another_key_fails_once(project):
    """What the warehouse holds is not measured by a head that was not published."""
    project.model("dim_staff", STAFF, "key: name")
    project.execute("INSERT INTO staff VALUES (3, NULL, 'a')")
    done = project.run().expect(1)
    assert [line for line in done.stderr.splitlines() if line.startswith("error")] == [
        "error[LEAT0708]: mart.dim_staff: key name is NULL in 1 rows; expected a value in each"
    ]


# --- queries in checks/ ------------------------------------------------------------------------------------------------


def test_failing_query_drops_the_models_it_reads(project):
    project.write(
        "checks/dear.sql",
        """\
        /* ---
        description: Nothing is dear.
        --- */
        SELECT id, price FROM mart.dim_item WHERE price > 4
        """,
    )
    project.run().expect(0)
    project.execute("UPDATE item SET price = 5 WHERE id = 1; UPDATE staff SET name = 'anna' WHERE id = 1")
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0707]: check dear failed: 1 row; expected none
          ┌─ checks/dear.sql:4:1
        2 │ description: Nothing is dear.
        3 │ --- */
        4 │ SELECT id, price FROM mart.dim_item WHERE price > 4
          │ ^^^^^^ Nothing is dear.
          = help: see the rows:  leat query "$(cat checks/dear.sql)"
          = note: for example id 1, price 5.00
          = more: leat explain LEAT0707
    """)
    assert both(project, "dim_item", "id", "price") == [(1, Decimal("2.50")), (2, Decimal("3.00"))]
    assert both(project, "dim_staff", "id", "name") == [(1, "anna"), (2, "bob")]
    assert prices(project)[-1][1:] == (1, Decimal("5.00"))

    project.execute("UPDATE item SET price = 4 WHERE id = 1")
    project.run().expect(0)
    assert both(project, "dim_item", "id", "price") == [(1, Decimal("4.00")), (2, Decimal("3.00"))]


def test_run_with_a_failing_query_says_which_table_and_why(project):
    project.write("checks/dear.sql", "SELECT id, price FROM mart.dim_item WHERE price > 4\n")
    project.execute("UPDATE item SET price = 5 WHERE id = 1")
    done = project.run().expect(1)
    assert "0 failed" not in done.stdout
    assert "event=table_failed table=mart.dim_item step=" in done.stderr
    tables = {table["table"]: table for table in project.command("status", "--json").json()["data"]["tables"]}
    assert tables["mart.dim_item"]["state"] == "failing"
    assert "LEAT0707" in tables["mart.dim_item"]["reason"]


def test_failing_query_over_two_models_drops_both_and_what_is_below(project):
    project.write(
        "checks/pair.sql",
        "SELECT i.id FROM mart.dim_item i JOIN mart.dim_staff s ON i.staff_id = s.id WHERE s.grade = 'z'\n",
    )
    project.execute("UPDATE staff SET grade = 'z'; UPDATE item SET price = 9")
    project.run().expect(1)
    assert both(project, "dim_staff", "id", "grade") == [(1, "a"), (2, "b")]
    assert both(project, "dim_item", "id", "price") == [(1, Decimal("2.50")), (2, Decimal("3.00"))]
    assert len(prices(project)) == 4


def test_query_that_only_warns_publishes(project):
    project.write("checks/dear.sql", "/* ---\nseverity: warn\n--- */\nSELECT id, price FROM mart.dim_item WHERE price > 4\n")
    project.execute("UPDATE item SET price = 5 WHERE id = 1")
    done = project.run().expect(0)
    assert "warning[LEAT0707]: check dear failed: 1 row; expected none" in done.stderr
    assert both(project, "dim_item", "id", "price") == [(1, Decimal("5.00")), (2, Decimal("3.00"))]


def test_query_with_an_unknown_column_is_an_error_of_its_own(project):
    project.write("checks/dear.sql", "SELECT id, prise FROM mart.dim_item\n")
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0203]: column "prise" does not exist in mart.dim_item
          ┌─ checks/dear.sql:1:12
        1 │ SELECT id, prise FROM mart.dim_item
          │            ^^^^^ not in mart.dim_item
          = help: did you mean price?
          = note: mart.dim_item has 3 columns:  leat preview mart.dim_item
          = more: leat explain LEAT0203
    """)
    assert "The run partial" not in done.stdout


# --- history models that change -----------------------------------------------------------------------------------------


def with_changed_prices(project: Project) -> list[tuple]:
    for price in (5, 6):
        project.execute(f"UPDATE item SET price = {price} WHERE id = 2")
        project.run().expect(0)
    found = prices(project)
    assert [row[1:] for row in found] == [(1, Decimal("2.50")), (2, Decimal("3.00")), (2, Decimal("5.00")), (2, Decimal("6.00"))]
    return found


def test_changed_history_model_is_rebuilt_and_its_warehouse_table_replaced(project):
    with_changed_prices(project)
    project.model("prices", "SELECT id, price * 2 AS price FROM src.item__history WHERE price < 6\n", PRICES)
    project.run().expect(0)
    assert both(project, "prices", "record_id", "id") == [(1, 1), (2, 2), (3, 2)]
    assert [row[2] for row in prices(project)] == [5, 6, 10]


def test_changed_history_model_renumbers_without_gaps(project):
    with_changed_prices(project)
    # Without the price, an item has one version.
    project.model("prices", "SELECT id, staff_id FROM src.item__history\n", PRICES)
    project.run().expect(0)
    assert both(project, "prices", "record_id", "id", "staff_id") == [(1, 1, 1), (2, 2, 2)]


def test_full_refresh_keeps_record_ids(project):
    before = with_changed_prices(project)
    marks = project.warehouse.rows("SELECT record_id, xmin::text, ctid::text FROM prices ORDER BY 1")
    project.run("--full-refresh").expect(0)
    assert prices(project) == before
    assert project.warehouse.rows("SELECT record_id, xmin::text, ctid::text FROM prices ORDER BY 1") == marks
    project.execute("UPDATE item SET price = 7 WHERE id = 1")
    project.run().expect(0)
    assert prices(project) == [*before, (5, 1, Decimal("7.00"))]


def test_only_changed_rows_travel_to_the_warehouse(project):
    marks = "SELECT id, xmin::text, ctid::text FROM dim_item ORDER BY 1"
    before = project.warehouse.rows(marks)
    project.execute("UPDATE item SET price = 5 WHERE id = 1")
    project.run().expect(0)
    after = project.warehouse.rows(marks)
    assert [old == new for old, new in zip(before, after)] == [False, True]


def test_outcome_is_told_once_per_step(project):
    done = project.run("mart.below").expect(0)
    assert "1 table done" in done.stdout
    assert outcome_of_build(done, "mart.below") == "table_unchanged"
    assert outcome(project.run("source:src").expect(0), "src.item") == "table_unchanged"
