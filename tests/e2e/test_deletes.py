"""Rows that are gone at the source: where they go, when they are looked for, and what must never be taken for a delete."""

import time

import pytest

from support.backends import held, sender
from support.positions import Positions
from support.project import Project, diagnostics, streams
from support.totesys import READER

ITEM = "CREATE TABLE item (id int PRIMARY KEY, v text); INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, 'c');"
FIRST = [("u", 1, "a"), ("u", 2, "b"), ("u", 3, "c")]
ALL = ["1,a", "2,b", "3,c"]


@pytest.fixture
def item(make):
    """src.item → mart.item and mart.kept (keep_deleted), loaded; the keys compared at every run."""
    project = make(ITEM, warehouse=True)
    project.model("item", "SELECT id, v FROM src.item\n", "key: id")
    project.model("kept", "SELECT id, v FROM src.item\n", "key: id\nkeep_deleted: true")
    look(project, "every_run")
    project.run().expect(0)
    return project


def look(project: Project, when: str) -> None:
    streams(project, '"*": {}', before=f"deletes: {when}\n")


def versions(project: Project) -> list[tuple]:
    return project.versions("src.item", "id", "v")


def current(project: Project) -> list[str]:
    return sorted(project.query("FROM src.item"))


# --- where they go -------------------------------------------------------------------------------------------------------


def test_deleted_row_leaves_current_rows_and_keyed_tables_and_stays_in_history(item):
    item.execute("DELETE FROM item WHERE id = 2")
    done = item.run().expect(0)
    assert "deleted 1" in done.stdout
    assert current(item) == ["1,a", "3,c"]
    assert versions(item) == FIRST + [("d", 2, "b")]
    assert item.loaded("item") == [(1, "a"), (3, "c")]
    assert item.loaded("kept") == [(1, "a"), (2, "b"), (3, "c")]
    # A delete is told once.
    assert "deleted" not in item.run().expect(0).stdout
    assert versions(item) == FIRST + [("d", 2, "b")]


def test_truncated_table_is_all_deleted(item):
    item.execute("TRUNCATE item")
    assert "deleted 3" in item.run().expect(0).stdout
    assert current(item) == [] == item.loaded("item")
    assert len(item.loaded("kept")) == 3
    assert versions(item)[3:] == [("d", 1, "a"), ("d", 2, "b"), ("d", 3, "c")]
    item.execute("INSERT INTO item VALUES (2, 'b'), (4, 'd')")
    item.run().expect(0)
    assert current(item) == ["2,b", "4,d"]
    assert item.loaded("item") == [(2, "b"), (4, "d")]
    assert item.loaded("kept") == [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


def test_row_deleted_and_inserted_otherwise_between_two_runs_is_a_change(item):
    item.execute("DELETE FROM item WHERE id = 2; INSERT INTO item VALUES (2, 'other')")
    item.run().expect(0)
    assert versions(item) == FIRST + [("u", 2, "other")]
    assert item.loaded("item") == [(1, "a"), (2, "other"), (3, "c")]


# --- when they are looked for --------------------------------------------------------------------------------------------


def test_never_means_never(item):
    look(item, "never")
    item.execute("DELETE FROM item WHERE id = 2; UPDATE item SET v = 'x' WHERE id = 1")
    for _ in range(2):
        assert "deleted" not in item.run().expect(0).stdout
        Positions(item.folder).age(48 * 3600)
    assert current(item) == ["1,x", "2,b", "3,c"]
    assert item.loaded("item") == [(1, "x"), (2, "b"), (3, "c")]


def test_interval_is_waited_for(item):
    look(item, "6h")
    item.run().expect(0)
    item.execute("DELETE FROM item WHERE id = 2; UPDATE item SET v = 'x' WHERE id = 1")
    item.run().expect(0)
    assert current(item) == ["1,x", "2,b", "3,c"]
    Positions(item.folder).age(5.9 * 3600)
    item.run().expect(0)
    assert current(item) == ["1,x", "2,b", "3,c"]
    Positions(item.folder).age(0.2 * 3600)
    assert "deleted 1" in item.run().expect(0).stdout
    assert current(item) == ["1,x", "3,c"]
    # And from then on anew.
    item.execute("DELETE FROM item WHERE id = 3")
    item.run().expect(0)
    assert current(item) == ["1,x", "3,c"]


def test_auto_looks_at_every_run_while_that_is_quick(item):
    look(item, "auto")
    for key, left in ((2, ["1,a", "3,c"]), (3, ["1,a"])):
        item.execute(f"DELETE FROM item WHERE id = {key}")
        item.run().expect(0)
        assert current(item) == left


def test_streams_may_differ(make):
    project = make(ITEM + "CREATE TABLE audit (id int PRIMARY KEY); INSERT INTO audit VALUES (1), (2)")
    streams(project, '"*": {}', "audit: {deletes: never}", before="deletes: every_run\n")
    project.run().expect(0)
    project.execute("DELETE FROM item WHERE id = 1; DELETE FROM audit WHERE id = 1")
    project.run().expect(0)
    assert current(project) == ["2,b", "3,c"]
    assert sorted(project.query("FROM src.audit")) == ["1", "2"]


# --- what is no delete ---------------------------------------------------------------------------------------------------


def test_right_that_was_taken_away_deletes_nothing(item):
    item.source.execute(f"REVOKE SELECT ON item FROM {READER}")
    done = item.run().expect(1)
    assert "error[LEAT0403]" in diagnostics(done)
    assert (current(item), versions(item)) == (ALL, FIRST)
    assert len(item.loaded("item")) == 3
    # Half a right is none either: the values may not be seen, the keys may.
    item.source.execute(f"GRANT SELECT (id) ON item TO {READER}")
    item.run().expect(1)
    item.source.execute(f"GRANT SELECT ON item TO {READER}")
    item.run().expect(0)
    assert (current(item), versions(item)) == (ALL, FIRST)


def test_rows_hidden_by_a_policy_are_not_deleted(item):
    item.source.execute(f"ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON item TO {READER} USING (id = 1)")
    item.run().expect(1)
    assert (current(item), versions(item)) == (ALL, FIRST)


def test_rows_another_transaction_has_not_deleted_yet_are_not_deleted(item):
    with item.source.connect(autocommit=False) as other:
        other.execute("DELETE FROM item WHERE id = 2")
        item.run().expect(0)
        assert current(item) == ALL
        other.rollback()
    item.run().expect(0)
    assert versions(item) == FIRST


BIG = """CREATE TABLE item (id text PRIMARY KEY, v int);
         INSERT INTO item SELECT repeat('key ', 60) || i, i FROM generate_series(1, 120000) i"""


@pytest.mark.parametrize("read", ["changes", "full"])
def test_listing_of_keys_that_breaks_off_deletes_nothing(make, read):
    """The server process is killed in the middle: its reader holds still, and the rows do not fit between them."""
    project = make(BIG)
    streams(project, '"*": {}', before=f"read: {read}\ndeletes: every_run\n")
    project.run().expect(0)
    before = project.snapshots()
    project.execute("DELETE FROM item WHERE v % 3 = 0; UPDATE item SET v = -1 WHERE v = 1")
    process = project.leat.start("run", cwd=project.folder)
    pid = sender(project, process)
    with held(process):
        assert project.source.value("SELECT pg_terminate_backend(%s)", [pid])
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 3, stderr
    assert 'error[LEAT0303]: connection "source" was lost: ' in stderr
    assert project.snapshots() == before
    assert "deleted 40000" in project.run().expect(0).stdout
    with project.lake() as lake:
        found = {key: row["v"] for key, row in lake.current("src.item", "id").items()}
    assert found == dict(project.source.rows("SELECT id, v FROM item"))


def test_table_truncated_while_it_is_read_keeps_its_rows(item):
    """A TRUNCATE shows through snapshots of before it: the read would find none of the rows that its moment had."""
    with item.source.connect(autocommit=False) as other:
        other.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        process = item.leat.start("run", cwd=item.folder)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND wait_event_type = 'Lock'"
        deadline = time.monotonic() + 20
        while not item.source.value(waiting, [READER]):
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.02)
        other.execute("TRUNCATE item")
        other.commit()
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1, stderr
    assert "error[LEAT0411]: public.item was truncated, rewritten or replaced while it was read" in stderr
    assert (current(item), versions(item)) == (ALL, FIRST)
    assert "deleted 3" in item.run().expect(0).stdout
