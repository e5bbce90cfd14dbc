"""A DuckDB file as warehouse: who may have it open when, what a kill leaves of it, and files that cannot be one."""

import os
import re
import resource
import signal
import struct
import subprocess
import sys
import time

import duckdb
import pytest

from support.project import diagnostics
from support.warehouses import DuckdbWarehouse, sent

STAFF = "CREATE TABLE staff (id int PRIMARY KEY, name text); INSERT INTO staff VALUES (1, 'ann'), (2, 'bob')"
# A process that opens the file, says so, and lets go when its standard input ends.
HOLDER = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'r'); print('open', flush=True); sys.stdin.read()"


@pytest.fixture
def target(make):
    """A file with dim_staff, loaded once."""
    target = DuckdbWarehouse(make, STAFF)
    target.project.model("dim_staff", "SELECT id, name FROM src.staff\n", "key: id")
    target.project.run().expect(0)
    return target


@pytest.fixture
def hold(target):
    held = []

    def open_elsewhere(mode: str) -> subprocess.Popen:
        arguments = [sys.executable, "-c", HOLDER, str(target.path), mode]
        held.append(subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        assert held[-1].stdout.readline() == "open\n"
        return held[-1]

    yield open_elsewhere
    for process in held:
        process.stdin.close()
        process.wait()


def files(target) -> set[str]:
    return {path.name for path in target.path.parent.glob("warehouse.duckdb*")}


# --- who has it open ---


def test_after_a_load_it_is_one_file_that_others_read_in_its_oldest_format(target):
    assert files(target) == {"warehouse.duckdb"}
    assert struct.unpack_from("<Q", target.path.read_bytes(), 12) == (64,)  # of DuckDB 1.0
    assert target.rows("SELECT * FROM main.dim_staff") == [(1, "ann"), (2, "bob")]


@pytest.mark.parametrize("mode", ["r", "w"])
def test_process_that_has_it_open_is_named(target, hold, mode):
    holder = hold(mode)
    target.project.execute("DELETE FROM staff WHERE id = 2")
    done = target.project.run().expect(1)
    name = os.path.basename(os.readlink(f"/proc/{holder.pid}/exe"))
    told = f"error[LEAT0614]: warehouse file {target.path} is open in {name} (process {holder.pid})"
    assert told in diagnostics(done)
    assert "--wait 5m" in diagnostics(done)


def test_unchanged_run_goes_on_beside_readers(target, hold):
    hold("r")
    target.project.run().expect(0)


def test_run_waits_for_the_file(target, hold):
    holder = hold("w")
    target.project.execute("DELETE FROM staff WHERE id = 2")
    run = target.project.leat.start("run", "--wait", "1m", cwd=target.project.folder)
    assert any("table=mart.dim_staff step=build" in line for line in run.stderr)
    time.sleep(0.3)
    assert run.poll() is None
    holder.stdin.close()
    assert run.wait(timeout=30) == 0, run.stderr.read()
    assert target.rows("SELECT * FROM dim_staff") == [(1, "ann")]


# --- what a kill leaves ---


def test_kill_leaves_what_was_or_what_is_to_be(target):
    """Killed at moments spread over the load: every row is there, of before or of after, and the next run goes on."""
    rows = 60_000
    target.project.write("seeds/step.csv", "step\n0\n")
    target.project.model("big", f"SELECT i AS id, step, hash(i) AS h FROM range({rows}) AS r(i), seeds.step\n", "key: id")
    target.project.run().expect(0)
    committed = 0
    survived = set()
    for step in range(1, 6):
        target.project.write("seeds/step.csv", f"step\n{step}\n")
        run = target.project.leat.start("run", "mart.big", cwd=target.project.folder)
        if wait_for_writer(run, target.path):
            time.sleep(0.04 * (step - 1))
        run.kill()
        run.wait()
        ((count, low, high),) = target.rows("SELECT count(*), min(step), max(step) FROM big")
        assert (count, low) == (rows, high) and low in (committed, step)
        committed = low
        survived.add(step if low == step else 0)
    target.project.run().expect(0)
    assert target.rows("SELECT count(*), min(step), max(step) FROM big") == [(rows, 5, 5)]
    assert files(target) == {"warehouse.duckdb"}
    assert 0 in survived  # at least one kill came before the commit


def wait_for_writer(run: subprocess.Popen, path) -> bool:
    """Wait until the process writes to the file beside which it then has a log, or has it locked for writing."""
    inode = str(path.stat().st_ino)
    while run.poll() is None:
        with open("/proc/locks") as locks:
            if any(f" WRITE {run.pid} " in line and f":{inode} " in line for line in locks):
                return True
        time.sleep(0.002)
    return False


# --- files that cannot be one ---


def newer_version(target) -> None:
    """The file as a DuckDB of the far future would begin it; DuckDB itself says which checksum it misses."""
    content = bytearray(target.path.read_bytes())
    struct.pack_into("<Q", content, 12, 999)
    target.path.write_bytes(content)
    with pytest.raises(duckdb.IOException) as refused:
        duckdb.connect(str(target.path))
    struct.pack_into("<Q", content, 0, int(re.search(r"computed checksum (\d+)", str(refused.value))[1]))
    target.path.write_bytes(content)


def other_content(target) -> None:
    target.path.write_text("id,name\n1,ann\n")


def damage(target) -> None:
    content = bytearray(target.path.read_bytes())
    content[5000:5010] = b"x" * 10
    target.path.write_bytes(content)


def folder_instead(target) -> None:
    target.path.unlink()
    target.path.mkdir()


def folder_missing(target) -> None:
    leat_yaml = target.project.folder / "leat.yaml"
    leat_yaml.write_text(leat_yaml.read_text().replace("./warehouse.duckdb", "./data/warehouse.duckdb"))


@pytest.mark.parametrize(
    "spoil, told",
    [
        (newer_version, r"error\[LEAT0615\]: warehouse file \S+ was written by another version of DuckDB"),
        (other_content, r"error\[LEAT0615\]: warehouse file \S+ is no DuckDB database"),
        (damage, r"error\[LEAT0615\]: warehouse file \S+ is damaged"),
        (folder_instead, r"error\[LEAT0616\]: warehouse file \S+ cannot be opened: Is a directory"),
        (folder_missing, r"error\[LEAT0616\]: the folder of warehouse file \S+ does not exist"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_file_that_cannot_be_the_warehouse(target, spoil, told):
    spoil(target)
    target.project.execute("DELETE FROM staff WHERE id = 2")
    done = target.project.run().expect(1)
    assert re.search(told, diagnostics(done)), done
    assert "leat.yaml:4:" in diagnostics(done)


def test_full_disk_leaves_what_was(target):
    """A limit on the size of files stands for the disk."""
    rows, limit = 150_000, 3_000_000
    for name in ("big", "bigger"):  # one by one they fit, as their files in the lake do
        target.project.model(name, f"SELECT i AS id, hash(i) AS h FROM range({rows}) AS r(i)\n", "key: id")
    done = subprocess.run(
        target.project.leat.arguments("run"),
        cwd=target.project.folder,
        env=target.project.leat.environment,
        capture_output=True,
        text=True,
        restore_signals=False,  # SIGXFSZ stays ignored, so that writes fail instead
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1, done.stderr
    assert f"error[LEAT0617]: warehouse file {target.path} cannot be written" in done.stderr
    assert "File too large" in done.stderr
    assert target.rows("SELECT table_name FROM duckdb_tables()") == [("_leat_loads",), ("dim_staff",)]
    target.project.run().expect(0)
    assert target.rows("SELECT count(*) FROM big") == target.rows("SELECT count(*) FROM bigger") == [(rows,)]


# --- what others keep in it ---


def test_indexes_and_columns_of_others_outlive_a_new_definition(target):
    target.execute(
        "ALTER TABLE dim_staff ADD COLUMN note VARCHAR; UPDATE dim_staff SET note = 'mine' WHERE id = 1;"
        "CREATE VIEW names AS SELECT name FROM dim_staff; CREATE INDEX by_name ON dim_staff (name)"
    )
    target.project.model("dim_staff", "SELECT id, name, id * 2 AS twice FROM src.staff\n", "key: id")
    target.project.run().expect(0)
    assert target.rows("SELECT id, name, twice, note FROM dim_staff") == [(1, "ann", 2, "mine"), (2, "bob", 4, None)]
    assert target.rows("SELECT index_name FROM duckdb_indexes()") == [("by_name",)]
    assert target.rows("FROM names") == [("ann",), ("bob",)]
    target.project.execute("UPDATE staff SET name = 'eve' WHERE id = 1")
    assert sent(target.project.run().expect(0), "mart.dim_staff") == (1, 0)
    assert target.rows("SELECT id, name, twice, note FROM dim_staff") == [(1, "eve", 2, "mine"), (2, "bob", 4, None)]


def test_index_that_the_new_rows_break_stops_its_table_alone(target):
    target.execute("CREATE UNIQUE INDEX one_of_a_name ON dim_staff (name)")
    target.project.model("dim_staff", "SELECT id, 'same' AS name, id * 2 AS twice FROM src.staff\n", "key: id")
    target.project.model("other", "SELECT id FROM src.staff\n", "key: id")
    done = target.project.run().expect(1)
    assert "error[LEAT0605]: warehouse table main.dim_staff refused its rows" in diagnostics(done)
    assert files(target) == {"warehouse.duckdb"}
    assert target.rows("SELECT * FROM dim_staff") == [(1, "ann"), (2, "bob")]
    assert target.rows("SELECT * FROM other") == [(1,), (2,)]
    assert target.rows("SELECT index_name FROM duckdb_indexes()") == [("one_of_a_name",)]


def test_view_under_the_name_of_a_table_is_refused(target):
    target.execute("CREATE VIEW other AS SELECT 1 AS id")
    target.project.model("other", "SELECT id FROM src.staff\n", 'key: id\nwarehouse: {table: "OTHER"}')
    done = target.project.run().expect(1)
    assert "error[LEAT0602]: main.OTHER is in the warehouse already, and is no table" in diagnostics(done)


def test_schema_is_made_and_the_link_is_followed(target):
    real = target.project.folder / "elsewhere"
    real.mkdir()
    target.path.rename(real / "w.duckdb")
    target.path.symlink_to(real / "w.duckdb")
    leat_yaml = target.project.folder / "leat.yaml"
    leat_yaml.write_text(leat_yaml.read_text().replace("{connection: warehouse,", "{connection: warehouse, schema: bi,"))
    target.project.run().expect(0)
    with duckdb.connect(str(real / "w.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT * FROM bi.dim_staff ORDER BY 1").fetchall() == [(1, "ann"), (2, "bob")]
