"""What a run makes of rows that changed, moved or only seem to have changed, when it reads no more than it must."""

import psycopg
import pytest

from support.backends import burn
from support.positions import Positions
from support.project import Project, diagnostics, streams
from support.totesys import READER

ITEM = "CREATE TABLE item (id int PRIMARY KEY, v text); INSERT INTO item VALUES (1, 'a'), (2, 'b'), (3, 'c');"
FIRST = [("u", 1, "a"), ("u", 2, "b"), ("u", 3, "c")]


@pytest.fixture
def item(make):
    """src.item with three rows, read once."""
    project = make(ITEM)
    project.run().expect(0)
    assert versions(project) == FIRST
    return project


def versions(project: Project) -> list[tuple]:
    return project.versions("src.item", "id", "v")


def counts(project: Project, *args) -> dict[str, int]:
    """A run that went well: its rows read, written, repeated, deleted."""
    data = project.run(*args, "--json").expect(0).json()["data"]
    assert data["rows_read"] == data["rows_written"] + data["rows_repeated"] + data["rows_rejected"]
    return {name: data[f"rows_{name}"] for name in ("read", "written", "repeated", "deleted")}


def age(project: Project, seconds: float) -> None:
    """All that was read so far was read that much earlier."""
    Positions(project.folder).age(seconds)


# --- versions ------------------------------------------------------------------------------------------------------------


def test_value_that_returns_is_a_third_version(item):
    for value in ("other", "a"):
        item.execute(f"UPDATE item SET v = '{value}' WHERE id = 1")
        assert counts(item)["written"] == 1
    assert versions(item) == FIRST + [("u", 1, "other"), ("u", 1, "a")]
    assert counts(item)["written"] == 0


def test_value_that_changed_and_returned_between_two_runs_is_no_version(item):
    item.execute("UPDATE item SET v = 'other' WHERE id = 1; UPDATE item SET v = 'a' WHERE id = 1")
    assert counts(item)["written"] == 0
    assert versions(item) == FIRST


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item SET v = v",
        "ALTER TABLE item ALTER COLUMN v TYPE varchar(50)",
        "ALTER TABLE item ALTER COLUMN v TYPE text USING concat(v, '')",
        "ALTER TABLE item SET UNLOGGED",
        "VACUUM (FREEZE) item",
        "VACUUM (FULL) item",
        "CLUSTER item USING item_pkey",
        "SELECT * FROM item FOR UPDATE",
        "DELETE FROM item RETURNING 1; INSERT INTO item VALUES (3, 'c'), (2, 'b'), (1, 'a')",
        "INSERT INTO item VALUES (4, 'd'); DELETE FROM item WHERE id = 4",
        "BEGIN; UPDATE item SET v = 'never'; ROLLBACK",
        "ALTER TABLE item ALTER COLUMN v SET DEFAULT 'later'",
        "ALTER TABLE item ALTER COLUMN v SET NOT NULL",
        "ANALYZE item; CREATE INDEX ON item (v); REINDEX TABLE item",
    ],
)
def test_what_changes_no_value_makes_no_version(item, statement):
    item.source.execute(statement)
    for _ in range(2):
        found = counts(item)
        assert (found["written"], found["deleted"]) == (0, 0)
    assert versions(item) == FIRST
    assert sorted(item.query("FROM src.item")) == ["1,a", "2,b", "3,c"]


def test_change_after_a_rewrite_of_the_table_is_seen(item):
    for number, statement in enumerate(("VACUUM (FULL, FREEZE) item", "CLUSTER item USING item_pkey", "VACUUM (FREEZE) item")):
        item.source.execute(statement)
        item.execute(f"UPDATE item SET v = 'n{number}' WHERE id = 2")
        assert counts(item)["written"] == 1
    assert versions(item) == FIRST + [("u", 2, "n0"), ("u", 2, "n1"), ("u", 2, "n2")]


def test_rewrite_that_changes_values_is_read(item):
    age(item, 100)
    item.source.execute("ALTER TABLE item ALTER COLUMN v TYPE text USING CASE id WHEN 2 THEN 'other' ELSE v END")
    assert counts(item) == {"read": 3, "written": 1, "repeated": 2, "deleted": 0}
    assert versions(item) == FIRST + [("u", 2, "other")]


def test_rows_loaded_frozen_are_seen(item):
    """COPY FREEZE writes rows that count as older than every transaction."""
    with item.source.connect(autocommit=False) as connection:
        connection.execute("TRUNCATE item")
        with connection.cursor().copy("COPY item FROM STDIN (FREEZE)") as copy:
            copy.write("1\ta\n2\tfrozen\n4\tnew\n")
    assert counts(item)["deleted"] == 1
    assert sorted(item.query("FROM src.item")) == ["1,a", "2,frozen", "4,new"]
    assert versions(item)[3:] == [("u", 2, "frozen"), ("d", 3, "c"), ("u", 4, "new")]


def test_key_that_changes_is_a_delete_and_an_insert(item):
    item.execute("UPDATE item SET id = 30 WHERE id = 3")
    found = counts(item)
    assert (found["written"], found["deleted"]) == (1, 1)
    assert versions(item) == FIRST + [("d", 3, "c"), ("u", 30, "c")]
    assert sorted(item.query("FROM src.item")) == ["1,a", "2,b", "30,c"]


def test_keys_that_change_places_are_two_changes(item):
    item.execute("UPDATE item SET id = -id; UPDATE item SET id = CASE id WHEN -1 THEN 2 WHEN -2 THEN 1 ELSE 3 END")
    assert counts(item)["deleted"] == 0
    assert versions(item) == FIRST + [("u", 1, "b"), ("u", 2, "a")]


def test_row_that_went_and_came_back_unchanged_is_a_version_if_a_run_saw_it_gone(item):
    item.execute("DELETE FROM item WHERE id = 2")
    assert counts(item)["deleted"] == 1
    item.execute("INSERT INTO item VALUES (2, 'b')")
    assert counts(item)["written"] == 1
    assert versions(item) == FIRST + [("d", 2, "b"), ("u", 2, "b")]


def test_row_that_came_back_is_a_version_where_no_count_would_tell(make):
    """The delete lies beside the current rows, which are too many to be written anew for it; and keys are not compared."""
    project = make("CREATE TABLE item AS SELECT i AS id, 'v' AS v FROM generate_series(1, 100) i; ALTER TABLE item ADD PRIMARY KEY (id)")
    project.run().expect(0)
    project.execute("DELETE FROM item WHERE id = 2")
    assert counts(project)["deleted"] == 1
    streams(project, "item: {deletes: never}")
    project.execute("INSERT INTO item VALUES (2, 'v')")
    assert counts(project)["written"] == 1
    assert versions(project)[100:] == [("d", 2, "v"), ("u", 2, "v")]


# --- what is read --------------------------------------------------------------------------------------------------------


def test_only_what_changed_is_read(make):
    rows_of_table = "INSERT INTO item SELECT i, i FROM generate_series(1, 20000) i"
    project = make("CREATE TABLE item (id int PRIMARY KEY, v int);" + rows_of_table)
    project.run().expect(0)
    # The ids of the first load may be read once more: so far back a crash could reach.
    for turn in range(3):
        project.execute(f"UPDATE item SET v = -{turn} WHERE id % 1000 = {turn}")
        counts(project)
    age(project, 100)
    counts(project)
    project.execute("UPDATE item SET v = -10 WHERE id = 10; INSERT INTO item VALUES (0, 0)")
    found = counts(project)
    assert (found["written"], found["deleted"]) == (2, 0)
    assert found["read"] < 100


def test_idle_source_gets_no_commit(item):
    before = item.snapshots()
    runs = [counts(item) for _ in range(3)]
    assert {found["written"] for found in runs} == {0}
    assert item.snapshots() == before


def test_read_full_reads_everything(item):
    streams(item, "item: {read: full}")
    item.execute("UPDATE item SET v = 'x' WHERE id = 1; DELETE FROM item WHERE id = 2")
    assert counts(item) == {"read": 2, "written": 1, "repeated": 1, "deleted": 1}
    assert counts(item) == {"read": 2, "written": 0, "repeated": 2, "deleted": 0}
    # Back to changes, and nothing was missed meanwhile.
    item.execute("UPDATE item SET v = 'y' WHERE id = 1")
    counts(item)
    item.execute("UPDATE item SET v = 'z' WHERE id = 1")
    streams(item, "item: {read: changes}")
    counts(item)
    assert versions(item)[3:] == [("u", 1, "x"), ("d", 2, "b"), ("u", 1, "y"), ("u", 1, "z")]


def test_full_refresh_finds_nothing_new(item):
    assert counts(item, "--full-refresh") == {"read": 3, "written": 0, "repeated": 3, "deleted": 0}
    assert versions(item) == FIRST


def test_each_stream_goes_on_from_where_it_was_read_itself(make):
    project = make(ITEM + "CREATE TABLE other (id int PRIMARY KEY, v text); INSERT INTO other VALUES (1, 'x')")
    project.run().expect(0)
    project.execute("UPDATE item SET v = 'new' WHERE id = 1; UPDATE other SET v = 'new'")
    for written in (1, 0):
        assert counts(project, "src.item")["written"] == written
        burn(project.source, 10)
        age(project, 100)
    assert counts(project)["written"] == 1
    assert project.query("FROM src.other") == ["1,new"]


def test_stream_that_failed_goes_on_from_where_it_was(make):
    project = make("CREATE TABLE item (id int PRIMARY KEY, v numeric(6,2)); INSERT INTO item VALUES (1, 1), (2, 2)")
    project.run().expect(0)
    project.execute("UPDATE item SET v = 20 WHERE id = 2; UPDATE item SET v = 'NaN' WHERE id = 1")
    for _ in range(2):
        project.run().expect(1)
        burn(project.source, 10)
        age(project, 100)
    project.execute("UPDATE item SET v = 10 WHERE id = 1")
    assert counts(project)["written"] == 2
    assert sorted(project.query("FROM src.item")) == ["1,10.00", "2,20.00"]


def test_forgotten_position_means_a_comparison_of_everything(item):
    item.execute("UPDATE item SET v = 'new' WHERE id = 1; DELETE FROM item WHERE id = 2")
    Positions(item.folder).forget()
    assert counts(item) == {"read": 2, "written": 1, "repeated": 1, "deleted": 1}
    assert versions(item) == FIRST + [("u", 1, "new"), ("d", 2, "b")]


# --- late commits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("savepoint", [False, True], ids=["plain", "under a savepoint"])
def test_transaction_that_commits_after_later_ones_is_read(item, savepoint):
    with item.source.connect(autocommit=False) as late:
        late.execute("INSERT INTO item VALUES (10, 'late')")
        if savepoint:
            late.execute("SAVEPOINT a; UPDATE item SET v = 'late' WHERE id = 1; RELEASE a")
        for number in (20, 21):
            item.source.execute(f"INSERT INTO item VALUES ({number}, 'quick')")
            counts(item)
        age(item, 3600)
        counts(item)
        late.commit()
    found = counts(item)
    assert found["written"] == 1 + savepoint
    assert sorted(item.query("FROM src.item")) == sorted(
        f"{key},{value}" for key, value in item.source.rows("SELECT id, v FROM item")
    )
    assert counts(item)["written"] == 0


def test_late_commit_is_read_where_no_count_would_tell(item):
    """Keys are not compared: nothing but the horizon says that there is a row to read."""
    streams(item, "item: {deletes: never}")
    with item.source.connect(autocommit=False) as late:
        late.execute("UPDATE item SET v = 'late' WHERE id = 1")
        for number in (20, 21):
            item.source.execute(f"INSERT INTO item VALUES ({number}, 'quick')")
            counts(item)
            age(item, 100)
        late.commit()
    assert counts(item)["written"] == 1
    assert versions(item)[-1] == ("u", 1, "late")


def test_subtransaction_that_began_after_the_read_is_read(item):
    """Its id lies above the snapshot's, its parent's far below."""
    with item.source.connect(autocommit=False) as late:
        late.execute("SELECT pg_current_xact_id()")
        for _ in range(3):
            burn(item.source, 1)
            counts(item)
            age(item, 100)
        late.execute("SAVEPOINT a; UPDATE item SET v = 'late'; RELEASE a")
        counts(item)
        late.commit()
    assert counts(item)["written"] == 3
    assert {value for _, key, value in versions(item)[3:]} == {"late"}


# --- partitions ----------------------------------------------------------------------------------------------------------

PARTITIONED = """
    CREATE TABLE item (id int, day int, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
    CREATE TABLE item_1 PARTITION OF item FOR VALUES FROM (10) TO (20);
    CREATE TABLE item_2 PARTITION OF item FOR VALUES FROM (20) TO (30);
    INSERT INTO item VALUES (1, 10, 'a'), (2, 20, 'b');
    CREATE TABLE item_3 (LIKE item INCLUDING ALL); INSERT INTO item_3 VALUES (3, 30, 'old');"""


@pytest.fixture
def partitioned(make):
    """src.item of two partitions; the table of a third, whose rows are older than every position."""
    project = make(PARTITIONED)
    streams(project, "item: {}")
    project.run().expect(0)
    for _ in range(2):
        burn(project.source, 1)
        age(project, 100)
        project.run().expect(0)
    return project


def rows(project: Project) -> list[str]:
    return sorted(project.query("SELECT id, day, v FROM src.item"))


def test_attached_partition_brings_its_old_rows(partitioned):
    partitioned.execute("ALTER TABLE item ATTACH PARTITION item_3 FOR VALUES FROM (30) TO (40)")
    assert counts(partitioned)["written"] == 1
    assert rows(partitioned) == ["1,10,a", "2,20,b", "3,30,old"]
    partitioned.execute("UPDATE item SET v = 'new' WHERE id = 3")
    assert counts(partitioned)["written"] == 1
    assert rows(partitioned) == ["1,10,a", "2,20,b", "3,30,new"]


@pytest.mark.parametrize("concurrently", ["", " CONCURRENTLY"])
def test_detached_partition_takes_its_rows_along(partitioned, concurrently):
    partitioned.source.execute(f"ALTER TABLE item DETACH PARTITION item_1{concurrently}")
    assert counts(partitioned)["deleted"] == 1
    assert rows(partitioned) == ["2,20,b"]
    # What it does by itself is nobody's change.
    partitioned.source.execute("UPDATE item_1 SET v = 'x'")
    assert counts(partitioned)["written"] == 0
    partitioned.source.execute("ALTER TABLE item ATTACH PARTITION item_1 FOR VALUES FROM (10) TO (20)")
    assert counts(partitioned)["written"] == 1
    assert rows(partitioned) == ["1,10,x", "2,20,b"]


def test_partition_whose_detachment_was_cancelled_is_left_out(partitioned):
    """It still stands in the catalog, and no SELECT shows its rows any more."""
    with partitioned.source.connect() as reader, reader.transaction():
        reader.execute("SELECT * FROM item")
        with pytest.raises(psycopg.errors.QueryCanceled), partitioned.source.connect() as owner:
            owner.execute("SET statement_timeout = '300ms'")
            owner.execute("ALTER TABLE item DETACH PARTITION item_1 CONCURRENTLY")
    assert partitioned.source.rows("SELECT id FROM item") == [(2,)]
    assert counts(partitioned)["deleted"] == 1
    assert rows(partitioned) == ["2,20,b"]
    partitioned.source.execute("ALTER TABLE item DETACH PARTITION item_1 FINALIZE")
    assert counts(partitioned)["written"] == 0


def test_partition_that_was_altered_while_it_was_detached_is_read(partitioned):
    """Its rows show other values, and none of them was written."""
    partitioned.source.execute(
        """ALTER TABLE item DETACH PARTITION item_1;
           ALTER TABLE item_1 DROP COLUMN v; ALTER TABLE item_1 ADD COLUMN v text DEFAULT 'altered';
           ALTER TABLE item ATTACH PARTITION item_1 FOR VALUES FROM (10) TO (20)"""
    )
    assert counts(partitioned)["written"] == 1
    assert rows(partitioned) == ["1,10,altered", "2,20,b"]


def test_row_that_moves_to_another_partition_moves_once(partitioned):
    partitioned.execute("UPDATE item SET day = 21 WHERE id = 1")
    found = counts(partitioned)
    assert (found["written"], found["deleted"]) == (1, 1)
    assert partitioned.versions("src.item", "id", "day") == [("u", 1, 10), ("u", 2, 20), ("d", 1, 10), ("u", 1, 21)]


def test_partition_made_by_the_day_is_read(partitioned):
    partitioned.execute("CREATE TABLE item_4 PARTITION OF item FOR VALUES FROM (40) TO (50)")
    partitioned.execute("INSERT INTO item VALUES (4, 40, 'd')")
    assert counts(partitioned)["written"] == 1
    assert rows(partitioned) == ["1,10,a", "2,20,b", "4,40,d"]


# --- rights --------------------------------------------------------------------------------------------------------------


def test_rows_hidden_by_row_level_security_stop_the_stream(item):
    item.execute("UPDATE item SET v = 'x' WHERE id = 1; CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1)")
    item.source.execute(f"ALTER TABLE item ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON item TO {READER} USING (id = 2)")
    done = item.run().expect(1)
    assert 'query would be affected by row-level security policy for table "item"' in diagnostics(done)
    assert versions(item) == FIRST
    assert item.query("FROM src.other") == ["1"]
    item.source.execute("ALTER TABLE item DISABLE ROW LEVEL SECURITY")
    item.run().expect(0)
    assert versions(item) == FIRST + [("u", 1, "x")]


# --- names and keys that stand in the way -------------------------------------------------------------------------------


def test_columns_named_like_words_of_ours_are_columns_like_others(make):
    project = make(
        """CREATE TABLE t (newest int PRIMARY KEY, op text, is_new boolean, is_version int, v int);
           INSERT INTO t VALUES (1, 'd', true, 0, 1), (2, NULL, NULL, NULL, 2), (3, 'u', false, 1, 3)""",
        warehouse=True,
    )
    project.model("t", "SELECT newest, op, is_new, is_version, v FROM src.t__history\n", "kind: history\nkey: newest\nrecord_id: id")
    project.run().expect(0)
    for value in (10, 20):
        project.execute(f"UPDATE t SET v = v + {value}, is_new = NOT is_new; DELETE FROM t WHERE newest = 2; INSERT INTO t VALUES (2, 'd', true, 1, {value})")
        project.run().expect(0)
        with project.lake() as lake:
            current = lake.current("src.t", "newest")
        columns = ("newest", "op", "is_new", "is_version", "v")
        found = sorted(tuple(row[name] for name in columns) for row in current.values())
        assert found == sorted(project.source.rows("SELECT newest, op, is_new, is_version, v FROM t"))
    versions = project.loaded("t")
    assert [row[0] for row in versions] == list(range(1, 10))
    assert sorted((row[1], row[5]) for row in versions) == [(1, 1), (1, 11), (1, 31), (2, 2), (2, 10), (2, 20), (3, 3), (3, 13), (3, 33)]


def test_key_that_the_server_does_not_keep_is_looked_at_in_every_row(make):
    project = make("CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 1), (2, 2)")
    streams(project, "t: {key: id}")
    project.run().expect(0)
    # As many rows as before.
    project.execute("DELETE FROM t WHERE id = 1; INSERT INTO t VALUES (2, 3)")
    assert "error[LEAT0408]" in project.run().expect(1).stderr
    assert sorted(project.query("FROM src.t")) == ["1,1", "2,2"]


def test_table_that_lost_its_key_keeps_its_versions(make):
    project = make("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)")
    project.run().expect(0)
    project.execute("UPDATE t SET v = 3 WHERE id = 1")
    project.run().expect(0)
    project.execute("ALTER TABLE t DROP CONSTRAINT t_pkey")
    told = project.run().expect(1).stderr
    assert "error[LEAT0418]: src.t has no key any more, and its versions in the lake are kept by one" in told
    assert len(project.versions("src.t", "id", "v")) == 3
    streams(project, "t: {key: id}")
    project.run().expect(0)
    project.execute("UPDATE t SET v = 4 WHERE id = 2")
    project.run().expect(0)
    assert project.versions("src.t", "id", "v") == [("u", 1, 1), ("u", 2, 2), ("u", 1, 3), ("u", 2, 4)]


def test_partitioned_table_without_partitions_is_empty(make):
    project = make("CREATE TABLE p (id int, PRIMARY KEY (id)) PARTITION BY RANGE (id)")
    project.run().expect(0)
    project.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); INSERT INTO p VALUES (1)")
    project.run().expect(0)
    assert project.query("FROM src.p") == ["1"]


def test_role_with_rights_on_columns_reads_them_at_every_run(make):
    project = make("CREATE TABLE t (id int PRIMARY KEY, v int, secret text); INSERT INTO t VALUES (1, 1, 'x')")
    project.source.execute("REVOKE SELECT ON t FROM leat_reader; GRANT SELECT (id, v) ON t TO leat_reader")
    streams(project, "t: {columns: {exclude: [secret]}}")
    for value in (1, 2):
        project.source.execute(f"UPDATE t SET v = {value}")
        project.run().expect(0)
        assert project.query("FROM src.t") == [f"1,{value}"]
