"""The ids that changes are found by run over, are given out twice after a crash, and stand still: no row is lost by that."""

import re

import pytest

from support.backends import LogWriter, burn, freeze, held, jump, next_id, sender
from support.positions import Positions
from support.postgres import Cluster
from support.project import Project, diagnostics, streams
from support.totesys import READER

ITEM = "CREATE TABLE item (id int PRIMARY KEY, v text); INSERT INTO item SELECT i, 'old' FROM generate_series(1, 200) i;"


@pytest.fixture(scope="module")
def server():
    """A server that may crash and whose ids may jump; not the one of the other tests."""
    with Cluster({"max_prepared_transactions": "5", "autovacuum": "off"}) as cluster:
        cluster.create_role(READER, "reader")
        yield cluster


@pytest.fixture
def item(server, tmp_path):
    """src.item with 200 rows, not read yet. Rows are not counted: a count that is wrong would have all compared."""
    project = Project(server, tmp_path, ITEM, warehouse=False)
    streams(project, "item: {deletes: never}")
    yield project
    project.drop()


def read(project: Project) -> dict[str, int]:
    """A run that went well; what is in the lake then is what is in the table, with no version twice in a row."""
    data = project.run("--json").expect(0).json()["data"]
    with project.lake() as lake:
        current = {key: row["v"] for key, row in lake.current("src.item", "id").items()}
    assert current == dict(project.source.rows("SELECT id, v FROM item"))
    newest: dict[int, tuple] = {}
    for op, key, value in project.versions("src.item", "id", "v"):
        assert newest.get(key) != (op, value), f"{key} has {op} {value} twice"
        newest[key] = (op, value)
    return data


def age(project: Project, seconds: float = 300) -> None:
    Positions(project.folder).age(seconds)


def settle(project: Project) -> None:
    """Reads far apart, each after ids of its own: none of the old rows is within the reach of a crash any more."""
    for _ in range(2):
        read(project)
        age(project)
        burn(project.source, 10)


def write(project: Project, count: int, value: str) -> None:
    """`count` new rows and as many changed ones, a transaction each."""
    with project.source.connect() as connection:
        for number in range(count):
            connection.execute("INSERT INTO item SELECT max(id) + 1, %s FROM item", [value])
            connection.execute("UPDATE item SET v = %s WHERE id = %s", [f"{value} {number}", number + 1])


# --- past the end of 31 and 32 bits --------------------------------------------------------------------------------------


@pytest.mark.timeout(180)
def test_rows_written_around_two_to_the_31_and_32_are_read_once(item, server):
    settle(item)
    for boundary, way in ((2**31, [2**30, 2**31 - 2**15]), (2**32, [3 * 2**30, 2**32 - 2**15])):
        for stop in way:
            jump(server, stop)
            settle(item)
        burn(item.source, boundary - next_id(item.source) - 40)
        settle(item)
        write(item, 5, "before")
        assert boundary - 20 < next_id(item.source) < boundary
        assert read(item)["rows_written"] == 10
        with item.source.connect(autocommit=False) as late:
            late.execute("UPDATE item SET v = 'late' || %s WHERE id = 100", [boundary])
            write(item, 2, "still before")
            assert next_id(item.source) < boundary
            read(item)
            burn(item.source, boundary - next_id(item.source) + 10)
            write(item, 5, "after")
            assert read(item)["rows_written"] == 10
            late.execute("SAVEPOINT s; UPDATE item SET v = 'late too' || %s WHERE id = 101; RELEASE s" % boundary)
            late.commit()
        done = read(item)
        assert done["rows_written"] == 2
        assert done["rows_read"] < 150
        age(item)
        write(item, 3, "long after")
        done = read(item)
        assert (done["rows_written"], done["rows_read"] < 150) == (6, True)
        freeze(server)
        assert read(item)["rows_written"] == 0


# --- ids given out again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passed", [False, True], ids=["not yet passed again", "passed again before the next read"])
@pytest.mark.parametrize("apart_s", [0, 300], ids=["reads close together", "reads minutes apart"])
@pytest.mark.parametrize("what", ["backend", "server"])
def test_rows_whose_ids_were_given_out_before_a_crash_are_read(item, server, what, apart_s, passed):
    settle(item)
    for _ in range(2):
        read(item)
        age(item, apart_s)
        burn(item.source, 10)
    with LogWriter(server) as log_writer:
        burn(item.source, 200)
        read(item)
        horizon = Positions(item.folder).of("src.item")["ring"][-1]
        log_writer.crash(what)
    assert next_id(item.source) < horizon["h"] - 100, "the crash took no ids back"
    age(item, apart_s)

    item.source.execute("INSERT INTO item VALUES (2000, 'new'); UPDATE item SET v = 'changed' WHERE id = 7")
    item.source.execute("BEGIN; SAVEPOINT s; UPDATE item SET v = 'changed too' WHERE id = 8; COMMIT")
    written = item.source.rows("SELECT xmin::text::bigint FROM item WHERE id IN (7, 8, 2000)")
    assert max(number for (number,) in written) < horizon["h"] % 2**32
    if passed:
        burn(item.source, 400)
    assert read(item)["rows_written"] == 3
    # And from now on as ever.
    burn(item.source, 400)
    item.source.execute("UPDATE item SET v = 'last' WHERE id = 9")
    read(item)
    age(item, apart_s)
    item.source.execute("UPDATE item SET v = 'really last' WHERE id = 9")
    assert read(item)["rows_written"] == 1


def test_after_a_crash_under_a_running_writer_nothing_is_deleted_until_the_ids_are_passed(item, server):
    """The horizon of the last read is still good then, but what it saw may not have come back yet."""
    streams(item, "item: {deletes: every_run}")
    settle(item)
    writer = item.source.connect(autocommit=False)
    writer.execute("SELECT pg_current_xact_id()")
    with LogWriter(server) as log_writer:
        burn(item.source, 200)
        read(item)
        seen = Positions(item.folder).of("src.item")["ring"][-1]
        log_writer.crash("backend")
    writer.close()
    assert seen["h"] < next_id(item.source) < seen["x"] - 100
    item.source.execute("DELETE FROM item WHERE id = 5; INSERT INTO item VALUES (2000, 'new')")
    for value in ("one", "two"):
        item.source.execute(f"UPDATE item SET v = '{value}' WHERE id = 6")
        item.run().expect(0)
        with item.lake() as lake:
            current = {key: row["v"] for key, row in lake.current("src.item", "id").items()}
        assert (current[5], current[6], current[2000]) == ("old", value, "new")
        age(item)
    burn(item.source, 400)
    assert read(item)["rows_deleted"] == 1
    item.source.execute("DELETE FROM item WHERE id = 9")
    assert read(item)["rows_deleted"] == 1


@pytest.mark.parametrize("flushed", [True, False], ids=["flushed in time", "never flushed"])
def test_crash_right_after_the_very_first_read_loses_nothing(item, server, flushed):
    """The first position waits for the server's log, or has everything compared once more."""
    item.source.execute("ALTER SYSTEM SET wal_writer_delay = '300ms'")
    item.source.execute("SELECT pg_reload_conf()")
    try:
        with LogWriter(server) as log_writer:
            burn(item.source, 200)
            before = next_id(item.source)
            if flushed:
                log_writer.release()
            item.run().expect(0)
            log_writer.crash("server")
        assert (next_id(item.source) < before) == (not flushed)
        age(item)
        item.source.execute("INSERT INTO item VALUES (2000, 'new'); UPDATE item SET v = 'changed' WHERE id = 7")
        burn(item.source, 400)
        assert read(item)["rows_written"] == 2
    finally:
        item.source.execute("ALTER SYSTEM RESET wal_writer_delay")
        item.source.execute("SELECT pg_reload_conf()")


def test_backend_killed_while_it_sends_fails_the_run_and_the_next_is_right(server, tmp_path):
    project = Project(
        server,
        tmp_path,
        """CREATE TABLE item (id int PRIMARY KEY, v text);
           INSERT INTO item SELECT i, repeat('v', 300) FROM generate_series(1, 60000) i""",
        warehouse=False,
    )
    project.source.execute("CHECKPOINT")
    process = project.leat.start("run", cwd=project.folder)
    pid = sender(project, process)
    with held(process):
        server.kill(pid)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 3, stderr
    # Lost where it was read, or where one more connection was wanted.
    told = ('error[LEAT0303]: connection "source" was lost: ', 'error[LEAT0301]: cannot reach connection "source" at ')
    assert any(text in stderr for text in told), stderr
    assert project.snapshots() == {}
    assert read(project)["rows_written"] == 60000
    project.execute("UPDATE item SET v = 'x' WHERE id = 1")
    assert read(project)["rows_written"] == 1
    project.drop()


# --- ids that stand still ------------------------------------------------------------------------------------------------


def test_prepared_transaction_that_holds_the_horizon_is_named(item, server):
    settle(item)
    database = item.source.name
    item.source.execute("BEGIN; UPDATE item SET v = 'prepared' WHERE id = 1; PREPARE TRANSACTION 'forgotten one'")
    try:
        burn(item.source, 1)  # while nobody else writes, nothing is held back
        for _ in range(2):
            assert "warning" not in diagnostics(item.run().expect(0))
        age(item, 700)
        item.source.execute("UPDATE item SET v = 'x' WHERE id = 2")
        done = item.run().expect(0)
        told = diagnostics(done)
        since = item.source.value("SELECT prepared FROM pg_prepared_xacts").strftime("%Y-%m-%d %H:%M:%S")
        assert re.sub(rf"{since}\S*|11 min \d+ s", "…", told) == (
            'warning[LEAT0416]: a transaction holds back connection "source" for …: prepared transaction \'forgotten one\' '
            f"of postgres in database {database}, prepared …\n"
            "  ┌─ leat.yaml:3:3\n"
            "1 │ name: small\n"
            "2 │ connections:\n"
            f"3 │   source: {item.connection(item.source, READER)}\n"
            "  │   ^^^^^^\n"
            f"  = help: in database {database}:  COMMIT PREPARED 'forgotten one'  or  ROLLBACK PREPARED 'forgotten one'\n"
            "  = note: nothing is lost: until it ends each run reads again all rows that were written since it began\n"
            "  = more: leat explain LEAT0416"
        )
        assert item.query("SELECT v FROM src.item WHERE id IN (1, 2) ORDER BY id") == ["old", "x"]
    finally:
        item.source.execute("COMMIT PREPARED 'forgotten one'")
    assert read(item)["rows_written"] == 1
    assert "warning" not in diagnostics(item.run().expect(0))


def test_transaction_that_holds_the_horizon_is_named(item, server):
    settle(item)
    elsewhere = server.create_database()
    with elsewhere.connect(autocommit=False) as idle:
        idle.execute("CREATE TABLE t (a int)")
        burn(item.source, 1)
        assert diagnostics(item.run().expect(0)) == ""
        age(item, 700)
        told = diagnostics(item.run().expect(0))
        assert told.startswith('warning[LEAT0416]: a transaction holds back connection "source" for 11 min ')
        # Since when, the role that reads may not see of others.
        pid = idle.info.backend_pid
        assert f": process {pid} of postgres in database {elsewhere.name}\n" in told
        item.source.execute(f"GRANT pg_read_all_stats TO {READER}")
        told = diagnostics(item.run().expect(0))
        began = idle.execute("SELECT now()::timestamp(0)::text").fetchone()[0]
        assert f": process {pid} of postgres in database {elsewhere.name}, in a transaction since {began[:16]}" in told
        assert f"  = help: let it end, or end it by  SELECT pg_terminate_backend({pid})\n" in told
        item.source.execute(f"REVOKE pg_read_all_stats FROM {READER}")
    server.drop_database(elsewhere.name)


def test_idle_server_holds_nothing_back(item):
    settle(item)
    for _ in range(3):
        assert diagnostics(item.run().expect(0)) == ""
        age(item, 900)


def test_transaction_that_just_began_on_a_quiet_server_holds_nothing_back(item):
    """Its id is the one that stood as the next for a long time."""
    settle(item)
    item.run().expect(0)
    age(item, 3600)
    with item.source.connect(autocommit=False) as young:
        young.execute("UPDATE item SET v = 'young' WHERE id = 1")
        item.source.execute("UPDATE item SET v = 'done' WHERE id = 2")
        assert diagnostics(item.run().expect(0)) == ""
