"""The source becomes another one under its name: a standby, a promoted one, a restored copy. Nothing is lost or doubled."""

import subprocess

import pytest

from support.backends import burn, next_id
from support.positions import Positions
from support.postgres import Cluster, Database, Standby
from support.project import Project, diagnostics, streams
from support.totesys import READER

ITEM = "CREATE TABLE item (id int PRIMARY KEY, v text); INSERT INTO item SELECT i, 'old' FROM generate_series(1, 50) i;"


@pytest.fixture(scope="module")
def primary():
    with Cluster({"autovacuum": "off"}) as cluster:
        cluster.create_role(READER, "reader")
        yield cluster


@pytest.fixture
def item(primary, tmp_path):
    """src.item with 50 rows, read twice from the primary; the keys compared at every run."""
    project = Project(primary, tmp_path, ITEM, warehouse=False)
    streams(project, "item: {}", before="deletes: every_run\n")
    read(project)
    Positions(project.folder).age(100)
    burn(project.source, 10)
    read(project)
    yield project
    project.drop()


def read(project: Project, source: Database | None = None) -> dict[str, int]:
    """A run from `source` that went well; the lake then holds its rows, with no version twice in a row."""
    source = source or project.source
    move(project, source)
    data = project.run("--json").expect(0).json()["data"]
    assert held(project) == rows(source)
    newest: dict[int, tuple] = {}
    for op, key, value in project.versions("src.item", "id", "v"):
        assert newest.get(key) != (op, value), f"{key} has {op} {value} twice"
        newest[key] = (op, value)
    return data


def rows(source: Database) -> dict[int, str]:
    return dict(source.rows("SELECT id, v FROM item"))


def held(project: Project) -> dict[int, str]:
    with project.lake() as lake:
        return {key: row["v"] for key, row in lake.current("src.item", "id").items()}


def move(project: Project, source: Database) -> None:
    """The project's connection leads to `source` from now on."""
    entry = project.connection(source, READER, host=source.cluster.host, port=source.cluster.port)
    project.write("leat.yaml", f"name: small\nconnections:\n  source: {entry}\n")
    project.leat.write_pgpass(source.cluster.pgpass())


def write(source: Database, value: str, keys: str = "1, 2") -> None:
    """Change these keys, and add one."""
    source.execute(f"UPDATE item SET v = '{value}' WHERE id IN ({keys})")
    source.execute(f"INSERT INTO item SELECT max(id) + 1, '{value}' FROM item")


# --- a standby -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def standby(primary, item):
    with Standby(primary) as cluster:
        cluster.caught_up()
        yield cluster


def test_standby_is_read_like_its_primary(item, standby):
    copy = Database(standby, item.source.name)
    assert read(item, copy)["rows_written"] == 0
    for turn in range(3):
        write(item.source, f"turn {turn}")
        item.source.execute(f"DELETE FROM item WHERE id = {40 + turn}")
        with item.source.connect(autocommit=False) as late:
            late.execute("UPDATE item SET v = 'late' WHERE id = 30")
            write(item.source, f"meanwhile {turn}", "3, 4")
            standby.caught_up()
            done = read(item, copy)
            assert (done["rows_written"], done["rows_deleted"]) == (6, 1)
            late.execute(f"SAVEPOINT s; UPDATE item SET v = 'later {turn}' WHERE id = 31; RELEASE s")
            late.commit()
        standby.caught_up()
        Positions(item.folder).age(100)
        assert read(item, copy)["rows_written"] == (2 if turn == 0 else 1)
    # And back.
    write(item.source, "primary again")
    assert read(item)["rows_written"] == 3


def test_standby_behind_what_was_read_is_waited_for(item, standby):
    copy = Database(standby, item.source.name)
    copy.execute("SELECT pg_wal_replay_pause()")
    while copy.value("SELECT pg_get_wal_replay_pause_state()") != "paused":
        pass
    write(item.source, "new")
    item.source.execute("DELETE FROM item WHERE id = 40")
    read(item)
    before, snapshots = held(item), item.snapshots()
    assert rows(copy) != before
    move(item, copy)
    done = item.run().expect(0)
    assert diagnostics(done).splitlines()[0] == (
        "warning[LEAT0417]: src.item: the standby is behind what was read before, so nothing was read"
    )
    assert "nothing changed" in done.stdout
    assert (held(item), item.snapshots()) == (before, snapshots)
    # It catches up, and what came meanwhile is read.
    write(item.source, "newer")
    copy.execute("SELECT pg_wal_replay_resume()")
    standby.caught_up()
    done = item.run("--json").expect(0).json()
    assert (done["data"]["rows_written"], done["diagnostics"]) == (3, [])
    assert held(item) == rows(item.source)


@pytest.mark.parametrize("lagging", [False, True], ids=["that has everything", "that lost the last commits"])
def test_promoted_standby_is_compared_in_full(item, standby, lagging, primary):
    copy = Database(standby, item.source.name)
    if lagging:
        copy.execute("ALTER SYSTEM SET primary_conninfo = ''")
        copy.execute("SELECT pg_reload_conf()")
        while copy.value("SELECT count(*) FROM pg_stat_wal_receiver"):
            pass
    write(item.source, "before the failover")
    item.source.execute("DELETE FROM item WHERE id = 40")
    if not lagging:
        standby.caught_up()
    read(item)
    primary.shut_down()
    try:
        promoted(item, copy, lagging)
    finally:
        primary.start_again()


def promoted(item: Project, copy: Database, lagging: bool) -> None:
    assert copy.value("SELECT pg_promote()")
    # Rows written on the new timeline, with ids that the old one may have given out too.
    write(copy, "after the failover", "2, 3")
    done = read(item, copy)
    assert (40 in held(item)) == lagging
    assert done["rows_read"] == len(rows(copy))
    write(copy, "and on")
    assert read(item, copy)["rows_written"] == 3
    burn(copy, 200)
    Positions(item.folder).age(100)
    assert read(item, copy)["rows_written"] == 0


# --- a restored copy -----------------------------------------------------------------------------------------------------


def dump(source: Database) -> str:
    """SQL that makes the database's content anew."""
    command = [source.cluster.program("pg_dump"), "--no-owner", "-d", source.url()]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def restore(target: Database, text: str) -> None:
    command = [target.cluster.program("psql"), "-q", "-X", "-v", "ON_ERROR_STOP=1", "-d", target.url()]
    subprocess.run(command, check=True, capture_output=True, input=text, text=True)


def dumped(project: Project) -> str:
    """A dump in the middle of a life: the last run before it, changes, the dump, changes, a run."""
    write(project.source, "read before the dump")
    read(project)
    write(project.source, "in the dump alone", "3, 4")
    text = dump(project.source)
    write(project.source, "read, but not in the dump", "5")
    read(project)
    burn(project.source, 2000)
    return text


def goes_on_from(project: Project, restored: Database) -> None:
    versions = len(project.versions("src.item", "id"))
    done = read(project, restored)
    # One row is as it was before the dump, the newest key is gone; all else was read already.
    assert (done["rows_read"], done["rows_written"], done["rows_deleted"]) == (52, 1, 1)
    assert len(project.versions("src.item", "id")) == versions + 2
    write(restored, "goes on")
    assert read(project, restored)["rows_written"] == 3
    restored.execute("DELETE FROM item WHERE id = 10")
    assert read(project, restored)["rows_deleted"] == 1


def test_database_restored_on_its_server_is_compared_in_full(item):
    text = dumped(item)
    item.pg.drop_database(item.source.name)
    restored = item.pg.create_database(item.source.name)
    restore(restored, text)
    goes_on_from(item, restored)


def test_database_restored_on_a_new_server_is_compared_in_full(item):
    text = dumped(item)
    with Cluster() as new:
        new.create_role(READER, "reader")
        restored = new.create_database(item.source.name)
        restore(restored, text)
        # Its ids begin anew.
        assert next_id(restored) < next_id(item.source) - 1000
        goes_on_from(item, restored)


def test_table_made_anew_under_its_name_is_compared_in_full(item):
    """Loaded before the last read, renamed into place after it: its rows are older than the position."""
    item.execute("CREATE TABLE next (LIKE item INCLUDING ALL); INSERT INTO next SELECT id, v FROM item WHERE id <> 7")
    item.execute("UPDATE next SET v = 'made anew' WHERE id = 8")
    for _ in range(2):
        burn(item.source, 10)
        read(item)
        Positions(item.folder).age(100)
    item.execute("DROP TABLE item; ALTER TABLE next RENAME TO item")
    done = read(item)
    assert (done["rows_written"], done["rows_deleted"]) == (1, 1)
