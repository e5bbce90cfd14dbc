"""The fault tools do what they say, and the world's eyes see each kind of damage."""

import os
import random
import re

import psycopg
import pytest
import rounds
import world
from proxy import DOWN, UP, Fault, Proxy
from world import World, Wrong

SRC = world.CHECKOUT / "src"


@pytest.fixture
def project(cluster):
    made = World(cluster)
    yield made
    made.drop()


@pytest.fixture
def done(project):
    """A world that is right."""
    project.run_clean()
    return project


# --- fail points ---


def test_list_of_fail_points_is_what_the_sources_hold():
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SRC.rglob("*.cc")))
    found = sorted(re.findall(r'\bFailPoint\("([^"]*)"\)', sources))
    assert found == rounds.fail_points()
    assert len(found) == len(set(found))
    for name in found:
        folder, _, step = name.split(".")
        assert (SRC / folder).is_dir() and step.startswith(("before_", "after_")), name


def test_first_run_passes_every_fail_point(project, tmp_path):
    log = tmp_path / "points"
    project.run_clean(binary="leat-faults", env={"LEAT_FAIL_LOG": str(log)})
    assert sorted({line.split()[0] for line in log.read_text().splitlines()}) == rounds.fail_points()


def test_shipped_program_has_no_fail_points(project, tmp_path):
    log = tmp_path / "points"
    project.run_clean(env={"LEAT_FAIL": "pipeline.run.after_plan", "LEAT_FAIL_LOG": str(log)})
    assert not log.exists()
    assert b"LEAT_FAIL" not in world.program("leat").read_bytes()


# --- the nth system call ---


def test_nth_call_fails_once(project):
    run, notes = rounds.run_preloaded(project, {"NTH": 3, "NTH_OP": "fsync", "NTH_ERR": "ENOSPC"})
    assert run.code == 1 and "No space left on device" in run.output
    assert [line.split()[:2] for line in notes if line.startswith("hit")] == [["hit", "fsync"]]


def test_without_a_number_calls_are_counted_and_none_fails(project):
    run, notes = rounds.run_preloaded(project, {"NTH": 0})
    run.require_green()
    calls = rounds.calls_in(notes)
    assert set(calls) == set(rounds.IO_FAULTS)
    assert all(calls.values()), calls


def test_files_elsewhere_are_left_alone(project):
    settings = {"NTH": 1, "NTH_MODE": "sticky", "NTH_PATH": "/somewhere/else"}
    run, notes = rounds.run_preloaded(project, settings)
    run.require_green()
    assert not any(rounds.calls_in(notes).values())


# --- the proxy ---


@pytest.fixture
def proxy(cluster):
    with Proxy(cluster.host, cluster.port) as made:
        yield made


@pytest.fixture
def database(cluster):
    made = cluster.create_database()
    made.execute("CREATE TABLE t (v int)")
    yield made
    cluster.drop_database(made.name)


def connect(proxy: Proxy, database) -> psycopg.Connection:
    return psycopg.connect(
        host="127.0.0.1", port=proxy.port, dbname=database.name, user="postgres", sslmode="disable", autocommit=True
    )


def insert_through(proxy: Proxy, database) -> None:
    with connect(proxy, database) as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.execute("COMMIT")


def count(database) -> int:
    return database.value("SELECT count(*) FROM t")


def test_lost_answer_leaves_a_commit_that_was_carried_out(proxy, database):
    proxy.arm(Fault("lost_commit"))
    with pytest.raises(psycopg.OperationalError):
        insert_through(proxy, database)
    assert proxy.hits == 1 and count(database) == 1


def test_unsent_commit_is_rolled_back(proxy, database):
    proxy.arm(Fault("unsent_commit"))
    with pytest.raises(psycopg.OperationalError):
        insert_through(proxy, database)
    assert proxy.hits == 1 and count(database) == 0


@pytest.mark.parametrize("kind", ["reset", "cut", "refuse"])
@pytest.mark.parametrize("direction", [UP, DOWN])
def test_connection_breaks_and_the_next_one_passes(proxy, database, kind, direction):
    proxy.arm(Fault(kind, 0, direction, 20))
    with pytest.raises(psycopg.OperationalError):
        insert_through(proxy, database)
    assert proxy.hits == 1
    insert_through(proxy, database)
    assert count(database) == 1


def test_lasting_fault_refuses_who_comes_later(proxy, database):
    proxy.arm(Fault("reset", 0, UP, 0, is_lasting=True))
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            insert_through(proxy, database)
    proxy.disarm()
    insert_through(proxy, database)


def test_stalled_and_slow_connections_lose_nothing(proxy, database):
    for fault in (Fault("stall", 0, DOWN, 30, seconds=0.1), Fault("slow", 0, DOWN, 30, bytes_per_s=20_000)):
        proxy.arm(fault)
        with connect(proxy, database) as connection:
            (text,) = connection.execute("SELECT repeat('x', 5000)").fetchone()
        assert proxy.hits == 1 and text == "x" * 5000


def test_borders_are_where_messages_begin(proxy, database):
    proxy.arm(None)
    with connect(proxy, database) as connection:
        connection.execute("SELECT 1")
    (seen,) = proxy.connections
    # The startup message and the query; the farewell may still be under way.
    assert seen.framing[UP].borders[0] == 0 and len(seen.framing[UP].borders) in (2, 3)
    assert len(seen.framing[DOWN].borders) > 5


# --- what verify sees ---


def test_clean_runs_are_right_and_a_second_one_has_nothing_to_do(done):
    rng = random.Random(5)
    for _ in range(3):
        done.mutate(rng)
        done.run_clean()
        done.run_idle()


def sabotage_warehouse(statement: str):
    def do(project: World) -> None:
        project.warehouse.execute(statement)

    return do


def sabotage_state(statement: str):
    def do(project: World) -> None:
        project.state(statement)

    return do


def remove_data_file(project: World) -> None:
    pointers = project.pointers()
    os.unlink(project.data_files("src.orders__history", pointers["src.orders__history"])[0])


def damage_state(project: World) -> None:
    project.state("PRAGMA wal_checkpoint(TRUNCATE)")
    bytes_ = bytearray(project.state_path.read_bytes())
    for page in range(2, len(bytes_) // 4096):
        bytes_[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    project.state_path.write_bytes(bytes_)


def change_source(project: World) -> None:
    project.source.execute("UPDATE orders SET units = 99 WHERE order_id = 7")


def forget_pointer(project: World) -> None:
    """The stream's table as it was one commit ago, with the position of now."""
    project.source.execute("UPDATE orders SET units = 98 WHERE order_id = 7")
    project.run().require_green()
    project.state(
        "UPDATE iceberg_tables SET metadata_location = previous_metadata_location WHERE table_name = 'orders__history'"
    )


DAMAGE = {
    "row lost in the warehouse": (sabotage_warehouse("DELETE FROM order_total WHERE order_id = 7"), "order_total, warehouse"),
    "row changed in the warehouse": (
        sabotage_warehouse("UPDATE dim_customer SET note = 'x' WHERE customer_id = 3"),
        "dim_customer, warehouse",
    ),
    "record id out of line": (
        sabotage_warehouse("UPDATE fact_order SET order_record_id = 5000 WHERE order_record_id = 9"),
        "fact_order, warehouse",
    ),
    "load noted twice": (
        sabotage_warehouse(
            "INSERT INTO _leat_loads SELECT gen_random_uuid(), project, table_name, commit_number, epoch, snapshot_id, rows, "
            "hash_sum, definition, clock_timestamp() FROM _leat_loads WHERE table_name = 'page'"
        ),
        "holds a snapshot twice",
    ),
    "load noted of another snapshot": (
        sabotage_warehouse("UPDATE _leat_loads SET snapshot_id = 1 WHERE table_name = 'page'"),
        "snapshot in",
    ),
    "gap in the commits": (sabotage_state("UPDATE leat_commits SET number = 3 WHERE scope = 'models'"), "commits of models"),
    "position beyond its commit": (sabotage_state("UPDATE leat_positions SET commit_number = 2"), "position of"),
    "run that never ended": (sabotage_state("UPDATE leat_runs SET status = 'running'"), "never ended"),
    "data file gone": (remove_data_file, "is missing"),
    "state database damaged": (damage_state, "state database|malformed"),
    "position moved without a read": (sabotage_state("UPDATE leat_positions SET value = value || ' '"), "moved without a read"),
    "change not read": (change_source, "orders, lake beside source"),
    "position published before its data": (forget_pointer, "orders, lake beside source"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_verify_sees(done, damage):
    sabotage, message = DAMAGE[damage]
    sabotage(done)
    with pytest.raises(Exception, match=message) as caught:
        done.verify()
    assert isinstance(caught.value, Wrong) or "malformed" in message


def test_verify_sees_a_version_that_was_skipped(done):
    """The lake holds what the source holds, but not how it came to that."""
    done.source.execute("UPDATE orders SET units = 99 WHERE order_id = 7")
    done._note_truth()
    done.source.execute("UPDATE orders SET units = 98 WHERE order_id = 7")
    done.run().require_green()
    with pytest.raises(Wrong, match="versions of"):
        done.verify()


def test_failure_names_the_command_that_repeats_it(cluster, monkeypatch):
    def break_in_round_2(chunk, number, rng):
        world.require(number < 2, "broken")

    kind = rounds.Kind("kills", break_in_round_2, 200)
    monkeypatch.setitem(rounds.KINDS, "kills", kind)
    with pytest.raises(rounds.Failure, match=r"torture.py --seed 7 --only kills:2$"):
        list(rounds.play(cluster, 7, "kills", 0, 19))
