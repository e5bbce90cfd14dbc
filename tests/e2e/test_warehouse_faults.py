"""A warehouse that was restored, taken over, or lost its memory: leat goes by what stands there, never by what it remembers."""

import re
import shutil
import subprocess

import pytest

from support.postgres import _binary as server_binary
from support.project import Project, diagnostics

TABLES = """
    CREATE TABLE staff (id int PRIMARY KEY, name text);
    CREATE TABLE item (id int PRIMARY KEY, price int);
    INSERT INTO staff VALUES (1, 'ann'), (2, 'bob');
    INSERT INTO item VALUES (1, 10), (2, 20)
"""


@pytest.fixture
def project(make) -> Project:
    """A dimension and a fact with record ids, loaded once."""
    project = make(TABLES, warehouse=True)
    project.model("dim_staff", "SELECT id, name FROM src.staff\n", "key: id")
    project.model("prices", "SELECT id, price FROM src.item__history\n", "kind: history\nkey: id\nrecord_id: record_id")
    project.run().expect(0)
    return project


def change(project: Project, number: int) -> None:
    project.execute(f"UPDATE staff SET name = 'ann {number}' WHERE id = 1; INSERT INTO staff VALUES ({10 + number}, 'new');"
                    f"UPDATE item SET price = {100 + number} WHERE id = 2")


def expect_warehouse_like_lake(project: Project) -> None:
    assert project.loaded("dim_staff") == project.lake_rows("mart.dim_staff", "id", "name")
    assert project.loaded("prices") == project.lake_rows("mart.prices", "record_id", "id", "price")


def dump(project: Project) -> bytes:
    return subprocess.run(
        [server_binary("pg_dump"), "-d", project.warehouse.url()], check=True, capture_output=True
    ).stdout


def restore(project: Project, dumped: bytes) -> None:
    project.warehouse.execute("DROP OWNED BY leat_writer CASCADE; DROP SCHEMA IF EXISTS public CASCADE")
    subprocess.run(
        [server_binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", project.warehouse.url()],
        check=True,
        input=b"CREATE SCHEMA IF NOT EXISTS public AUTHORIZATION leat_writer;\n" + dumped,
        capture_output=True,
    )


@pytest.mark.parametrize("runs_since", [1, 3])
def test_warehouse_restored_from_a_backup_is_brought_up_to_date(project, runs_since):
    backup = dump(project)
    for number in range(runs_since):
        change(project, number)
        project.run().expect(0)
    restore(project, backup)
    # Nothing is new at the source, and leat's own state says that all is loaded.
    project.run().expect(0)
    expect_warehouse_like_lake(project)
    assert "nothing changed" in project.run().expect(0).stdout


def test_deleted_rows_leave_the_warehouse(project):
    project.execute("DELETE FROM staff WHERE id = 2")
    project.run().expect(0)
    assert project.loaded("dim_staff") == [(1, "ann")]
    # The fact keeps what it has told.
    project.execute("DELETE FROM item WHERE id = 2")
    project.run().expect(0)
    assert project.loaded("prices") == [(1, 1, 10), (2, 2, 20)]


def test_ledger_that_names_a_lost_snapshot_is_compared_by_key(project):
    change(project, 1)
    project.warehouse.execute("UPDATE _leat_loads SET snapshot_id = 4711; UPDATE dim_staff SET name = 'scribble' WHERE id = 2")
    project.run().expect(0)
    expect_warehouse_like_lake(project)


def test_ledger_that_was_lost_leaves_tables_alone(project):
    project.warehouse.execute("DROP TABLE _leat_loads")
    change(project, 1)
    done = project.run().expect(1)
    assert "error[LEAT0602]" in done.stderr
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]


def test_lake_made_anew_does_not_take_a_warehouse_over_unasked(project):
    change(project, 1)
    project.run().expect(0)
    shutil.rmtree(project.folder / "lake")
    shutil.rmtree(project.folder / ".leat")
    project.execute("DELETE FROM staff WHERE id = 2")
    before = project.loaded("dim_staff"), project.loaded("prices")
    refused = project.run().expect(1)
    assert (project.loaded("dim_staff"), project.loaded("prices")) == before
    told = diagnostics(refused)
    assert re.search(r"error\[LEAT0613\]: warehouse table public\.(dim_staff|prices) was loaded from another lake, or from another table of this one", told), told
    assert "= help: if this lake is to have its tables from now on:  leat run --full-refresh" in told

    project.run("--full-refresh").expect(0)
    expect_warehouse_like_lake(project)
    assert project.loaded("dim_staff")[0] == (1, "ann 1")
    change(project, 2)
    project.run().expect(0)
    expect_warehouse_like_lake(project)


def test_older_state_does_not_load_over_a_newer_warehouse(project):
    """The state database comes back from a backup, as do the rows that its tables point to; the warehouse does not."""
    state = project.folder / ".leat"
    backup = shutil.copytree(state, project.folder.parent / "backup")
    for number in range(3):
        change(project, number)
        project.run().expect(0)
    before = project.loaded("dim_staff"), project.loaded("prices")
    shutil.rmtree(state)
    shutil.copytree(backup, state)
    project.execute("UPDATE staff SET name = 'later' WHERE id = 1")
    refused = project.run().expect(1)
    told = diagnostics(refused)
    later = r"holds commit 4 \(epoch \d+\), which is later than this run's commit 2 "
    assert re.search(r"error\[LEAT0604\]: warehouse table public\.dim_staff " + later, told), told
    assert (project.loaded("dim_staff"), project.loaded("prices")) == before


def test_full_refresh_mends_rows_that_somebody_changed_in_the_warehouse(project):
    project.model("lines", "SELECT name FROM src.staff\n")
    project.run().expect(0)
    project.warehouse.execute(
        "DELETE FROM dim_staff WHERE id = 1; UPDATE dim_staff SET name = 'scribble' WHERE id = 2;"
        "UPDATE prices SET price = 0; DELETE FROM lines"
    )
    assert "nothing changed" in project.run().expect(0).stdout
    project.run("--full-refresh").expect(0)
    expect_warehouse_like_lake(project)
    assert project.loaded("lines") == [("ann",), ("bob",)]


def test_taking_over_forgets_only_what_was_loaded(project):
    """A table whose rows are refused stays ours: it can be loaded when the warehouse takes them."""
    shutil.rmtree(project.folder / "lake")
    shutil.rmtree(project.folder / ".leat")
    project.execute("UPDATE item SET price = 99 WHERE id = 2")
    project.warehouse.execute("ALTER TABLE prices ADD CHECK (price < 50) NOT VALID")
    refused = project.run("--full-refresh").expect(1)
    assert "error[LEAT0605]" in refused.stderr
    project.warehouse.execute("ALTER TABLE prices DROP CONSTRAINT prices_price_check")
    project.run("--full-refresh").expect(0)
    expect_warehouse_like_lake(project)
