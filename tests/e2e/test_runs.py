"""What can be done about runs: retry what failed, wait for another, see what ran, check what is published, forget positions."""

import contextlib
import hashlib
import json
import pathlib
import re
import signal
import sqlite3
import subprocess
import textwrap
import time

import pytest

from support.project import Project, diagnostics

TABLES = """
    CREATE TABLE staff (id int PRIMARY KEY, name text);
    INSERT INTO staff VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE item (id int PRIMARY KEY, staff_id int);
    INSERT INTO item VALUES (1, 1), (2, 2);
    CREATE FUNCTION gate() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT pg_advisory_xact_lock_shared(1) IS NOT NULL';
    CREATE SCHEMA late;
    CREATE VIEW late.slow AS SELECT id, staff_id FROM item WHERE gate();
"""
STAFF = "SELECT id, name FROM src.staff\n"


def lines(text: str) -> str:
    return textwrap.dedent(text).strip()


@pytest.fixture
def project(pg, tmp_path):
    """dim_staff ← below, dim_item; the warehouse takes them all. Nothing has run."""
    made = Project(pg, tmp_path, TABLES)
    made.model("dim_staff", STAFF, "key: id")
    made.model("below", "SELECT id, upper(name) AS name FROM mart.dim_staff\n", "key: id")
    made.model("dim_item", "SELECT id, staff_id FROM src.item\n", "key: id")
    yield made
    made.drop()


def add_late_source(project: Project) -> None:
    """A second source, read after the first, whose one stream waits at the gate; mart.slow below it."""
    project.execute("GRANT USAGE ON SCHEMA late TO PUBLIC; GRANT SELECT ON late.slow TO PUBLIC")
    project.write("sources/zlate.yaml", "type: postgres\nconnection: source\nschema: late\nstreams:\n  slow: {key: id}\n")
    project.model("slow", "SELECT id, staff_id FROM zlate.slow\n", "key: id")


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"


def wait_until(condition) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def held_up(project: Project, *args):
    """A run that waits at the gate until the block ends; it yields (process, open the gate)."""
    gate = project.source.connect()
    gate.execute("SELECT pg_advisory_lock(1)")
    process = project.leat.start("run", *args, cwd=project.folder)
    try:
        wait_until(lambda: project.source.rows(WAITING))
        yield process, gate.close
    finally:
        gate.close()
        process.kill()
        process.communicate()
        project.source.execute(WAITING.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))


def state(project: Project) -> sqlite3.Connection:
    return sqlite3.connect(project.folder / ".leat" / "state.db", isolation_level=None)


def log_of(project: Project, run: int) -> list[dict]:
    path = project.folder / ".leat" / "logs" / f"run-{run}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def worked_on(project: Project, run: int) -> set[str]:
    """Tables that a run touched, by the steps that the state database has."""
    with contextlib.closing(state(project)) as connection:
        return {name for (name,) in connection.execute("SELECT table_name FROM leat_steps WHERE run = ?", (run,))}


def runs(project: Project) -> list[tuple]:
    """(number, status, selection), newest first, as `runs list` tells them."""
    listed = project.command("runs", "list", "--json").expect(0).json()["data"]["runs"]
    return [(run["number"], run["status"], run["selection"]) for run in listed]


def mart(project: Project) -> dict[str, list[tuple]]:
    return {name: project.loaded(name) for name in ("dim_staff", "below", "dim_item")}


# --- retry -----------------------------------------------------------------------------------------------------------


def test_retry_reads_only_the_stream_that_failed_and_builds_what_was_skipped(project):
    project.run().expect(0)
    project.execute("UPDATE staff SET name = 'anna' WHERE id = 1; UPDATE item SET staff_id = 9 WHERE id = 1")
    project.source.execute("REVOKE SELECT ON staff FROM PUBLIC, leat_reader")
    failed = project.run().expect(1)
    assert "1 failed, 2 skipped" in failed.stdout
    assert failed.stdout.endswith("Fix what failed, then  leat retry\n")

    project.execute("INSERT INTO item VALUES (3, 3)")  # grants too; a stream that went well is not read again
    done = project.command("retry").expect(0)
    assert worked_on(project, 3) == {"src.staff", "mart.dim_staff", "mart.below"}
    assert done.stdout.splitlines()[1] == "This was the retry of run 2; what it read is of a new moment."
    assert 'event=run_started tables=3 threads=' in done.stderr
    assert 'selection="retry of run 2"' in done.stderr
    assert runs(project) == [(3, "succeeded", "retry of run 2"), (2, "partial", ""), (1, "succeeded", "")]
    assert mart(project) == {
        "dim_staff": [(1, "anna"), (2, "bob")],
        "below": [(1, "ANNA"), (2, "BOB")],
        "dim_item": [(1, 9), (2, 2)],
    }


def test_retry_has_nothing_to_do(project):
    assert project.command("retry").expect(0).stdout == "Nothing to retry: this project never ran.\n"
    project.run().expect(0)
    assert project.command("retry").expect(0).stdout == "Nothing to retry: run 1 succeeded.\n"
    assert project.command("retry", "--json").expect(0).json()["data"]["run"] is None
    assert len(runs(project)) == 1


def test_retry_of_a_named_run_and_of_a_retry(project):
    project.run().expect(0)
    project.model("dim_staff", "SELECT id, name FROM src.staff WHERE gone\n", "key: id")
    project.run().expect(1)
    project.run("mart.dim_item").expect(0)
    project.command("retry", "2").expect(1)
    project.model("dim_staff", STAFF, "key: id")
    project.command("retry").expect(0)
    assert [run[1:] for run in runs(project)][:3] == [
        ("succeeded", "retry of run 4"),
        ("failed", "retry of run 2"),
        ("succeeded", "mart.dim_item"),
    ]
    assert worked_on(project, 5) == {"mart.dim_staff", "mart.below"}


def test_retry_brings_failed_loads(project):
    settings = project.write("leat.yaml", project.settings())
    text = settings.read_text()
    wrong = project.connection(project.warehouse, "leat_writer").replace(project.warehouse.name, "absent")
    settings.write_text(re.sub(r"  warehouse: .*", f"  warehouse: {wrong}", text))
    project.run().expect(1)
    settings.write_text(text)
    project.command("retry").expect(0)
    assert worked_on(project, 2) == {"mart.dim_staff", "mart.below", "mart.dim_item"}
    assert mart(project)["dim_item"] == [(1, 1), (2, 2)]


def test_retry_of_an_unknown_run(project):
    project.run().expect(0)
    refused = project.command("retry", "9").expect(2)
    assert diagnostics(refused) == lines("""
        error[LEAT0517]: there is no run 9; the last one is 1
          = help: leat runs list  shows them; old ones go by `retention: {runs: …}` of leat.yaml
          = more: leat explain LEAT0517
    """)


def test_killed_run_is_crashed_and_retry_does_what_it_did_not_get_to(project):
    add_late_source(project)
    with held_up(project, "--exclude", "mart.below") as (process, _):
        process.send_signal(signal.SIGKILL)
        process.wait()
        log = log_of(project, 1)  # whole lines
        assert {entry["table"] for entry in log if entry["event"] == "table_done"} == {"src.item", "src.staff"}
        assert log[-1]["event"] != "run_ended"
        assert runs(project) == [(1, "crashed", "--exclude mart.below")]
    project.execute("UPDATE item SET staff_id = 9 WHERE id = 1")
    project.command("retry").expect(0)
    assert worked_on(project, 2) == {"zlate.slow", "mart.slow", "mart.dim_staff", "mart.dim_item"}
    assert runs(project)[0] == (2, "succeeded", "retry of run 1")
    # The late source is of the new moment, the other as the killed run read it.
    assert project.loaded("slow") == [(1, 9), (2, 2)]
    assert project.loaded("dim_item") == [(1, 1), (2, 2)]
    assert "below" not in project.warehouse_tables()
    assert project.command("retry").expect(0).stdout == "Nothing to retry: run 2 succeeded.\n"


def test_killed_retry_is_retried(project):
    add_late_source(project)
    with held_up(project) as (process, _):
        process.kill()
    with held_up_retry(project) as process:
        process.kill()
        process.wait()
        assert runs(project)[0] == (2, "crashed", "retry of run 1")
    project.command("retry").expect(0)
    assert worked_on(project, 3) == {"zlate.slow", "mart.slow", "mart.dim_staff", "mart.dim_item", "mart.below"}
    assert project.loaded("slow") == [(1, 1), (2, 2)]


@contextlib.contextmanager
def held_up_retry(project: Project):
    with project.source.connect() as gate:
        gate.execute("SELECT pg_advisory_lock(1)")
        process = project.leat.start("retry", cwd=project.folder)
        try:
            wait_until(lambda: project.source.rows(WAITING))
            yield process
        finally:
            process.kill()
            process.communicate()
            project.source.execute(WAITING.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))


def test_run_killed_in_its_load_is_loaded_by_retry(project):
    project.run().expect(0)
    project.execute("UPDATE item SET staff_id = 9 WHERE id = 1")
    with project.warehouse.connect() as holder:
        holder.execute("BEGIN; LOCK TABLE dim_item IN ACCESS EXCLUSIVE MODE")
        process = project.leat.start("run", cwd=project.folder)
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'dim_item'::regclass"
        wait_until(lambda: project.warehouse.rows(waiting))
        process.kill()
        process.communicate()
    assert project.lake_rows("mart.dim_item", "id", "staff_id") == [(1, 9), (2, 2)]
    assert project.loaded("dim_item") == [(1, 1), (2, 2)]
    project.command("retry").expect(0)
    assert worked_on(project, 3) == {"mart.dim_staff", "mart.below", "mart.dim_item"}
    assert project.loaded("dim_item") == [(1, 9), (2, 2)]


def test_stopped_run_goes_on_with_retry(project):
    add_late_source(project)
    with held_up(project) as (process, _):
        process.send_signal(signal.SIGINT)
        stdout, _ = process.communicate(timeout=20)
        assert stdout.endswith("Go on with  leat retry\n")
    project.command("retry").expect(0)
    assert "src.item" not in worked_on(project, 2)
    assert project.loaded("slow") == [(1, 1), (2, 2)]


# --- two runs at once ------------------------------------------------------------------------------------------------


def test_second_run_gives_up_at_once_or_after_its_patience(project):
    add_late_source(project)
    with held_up(project) as (process, open_gate):
        refused = project.run("mart.dim_item").expect(5)
        assert refused.duration_s < 5
        assert re.fullmatch(
            lines(r"""
                error\[LEAT0510\]: run 1 \(.*, process \d+\) holds model:mart.dim_item since \S+Z
                  = help: run again when it has ended, or wait for it:  --wait 5m
                  = more: leat explain LEAT0510
            """),
            diagnostics(refused),
        ), refused
        impatient = project.run("--wait", "500ms").expect(5)
        assert impatient.duration_s >= 0.5
        assert impatient.stderr.count("event=waiting for_run=1 ") == 1
        assert "  = note: waited for 0.5 s" in impatient.stderr
        assert "LEAT0510" in project.command("retry").expect(5).stderr

        patient = project.leat.start("run", "src.item+", "--wait", "1m", cwd=project.folder)
        wait_until(lambda: "event=waiting" in patient.stderr.readline())
        open_gate()
        assert process.wait(timeout=30) == 0
        stdout, stderr = patient.communicate(timeout=30)
        assert patient.returncode == 0, stderr
        assert "nothing changed" in stdout
    assert [status for _, status, _ in runs(project)] == ["succeeded", "succeeded"]


def test_ctrl_c_ends_the_wait_at_once(project):
    add_late_source(project)
    with held_up(project):
        waiting = project.leat.start("run", "--wait", "10m", cwd=project.folder)
        wait_until(lambda: "event=waiting" in waiting.stderr.readline())
        begin = time.monotonic()
        waiting.send_signal(signal.SIGINT)
        stdout, _ = waiting.communicate(timeout=20)
        assert (waiting.returncode, time.monotonic() - begin < 1) == (130, True)
        assert stdout.endswith("Go on with  leat run\n")
    assert len(runs(project)) == 1


# --- runs ------------------------------------------------------------------------------------------------------------


def test_runs_shows_what_ran(project):
    assert project.command("runs").expect(0).stdout == "no runs yet\n  Start with  leat run\n"
    assert "LEAT0517" in project.command("runs", "show").expect(2).stderr
    project.run().expect(0)
    project.model("dim_staff", "SELECT id, nam FROM src.staff\n", "key: id")
    project.run("mart.*", "--full-refresh").expect(1)
    heading, second, first = project.command("runs").expect(0).stdout.splitlines()
    assert heading.split() == ["RUN", "STATUS", "STARTED", "DURATION", "DONE", "FAILED", "SKIPPED", "ROWS", "READ", "SELECTION"]
    assert second.split()[:2] + second.split()[-6:] == ["2", "partial", "1", "1", "1", "0", "mart.*", "--full-refresh"]
    assert first.split()[:2] + first.split()[-4:] == ["1", "succeeded", "5", "0", "0", "4"]
    assert len(project.command("runs", "-n", "1").expect(0).stdout.splitlines()) == 2
    shown = project.command("runs", "2").expect(0).stdout
    assert re.search(r'mart.dim_staff +build +failed +– +\S+ s  LEAT0203 column "nam" does not exist', shown)
    assert shown.endswith("  What is left of it:  leat retry 2\n")
    steps = project.command("runs", "show", "2", "--json").expect(0).json()["data"]["steps"]
    assert {(step["table"], step["status"]) for step in steps if step["step"] == "build"} == {
        ("mart.dim_staff", "failed"),
        ("mart.below", "skipped"),
        ("mart.dim_item", "unchanged"),
    }


def without_time(line: str) -> str:
    return line.split(" ", 1)[1]


def test_log_of_a_run_tells_what_the_terminal_told(project):
    project.model("dim_item", "SELECT id, absent FROM src.item\n", "key: id")
    told = [line for line in project.run().expect(1).stderr.splitlines() if re.match(r"\d{4}-", line)]
    logged = project.command("runs", "logs").expect(0).stdout.splitlines()
    assert {without_time(line) for line in told} - {without_time(line) for line in logged} == {"run=1 event=run_ended"}
    one = project.command("runs", "logs", "1", "--table", "mart.dim_item").expect(0).stdout.splitlines()
    assert one == [line for line in logged if "table=mart.dim_item" in line]
    assert ["event=table_failed" in line for line in one].count(True) == 1

    quiet = project.run("-q").expect(1)
    assert not re.search(r"^\d{4}-", quiet.stderr, re.MULTILINE)
    kept = project.command("runs", "logs", "2", "--json").expect(0).stdout
    assert kept == (project.folder / ".leat/logs/run-2.jsonl").read_text()
    entries = log_of(project, 2)
    (failed,) = [entry for entry in entries if entry["event"] == "table_failed"]
    assert failed["diagnostic"]["code"] == "LEAT0203"
    assert (entries[-1]["event"], entries[-1]["status"], entries[-1]["tables_failed"]) == ("run_ended", "partial", 1)


def test_run_without_a_log_is_a_run_with_a_warning(project):
    project.write(".leat/logs", "in the way")
    done = project.run().expect(0)
    assert diagnostics(done).count("warning[LEAT0519]") == 1
    assert mart(project)["dim_item"] == [(1, 1), (2, 2)]
    assert "LEAT0519" in project.command("runs", "logs").expect(1).stderr


def test_old_runs_are_forgotten_with_their_logs(project):
    project.write("leat.yaml", project.settings() + "retention: {runs: 30d}\n")
    for _ in range(3):
        project.run().expect(0)
    with contextlib.closing(state(project)) as connection:
        day_us = 86_400_000_000
        connection.execute("UPDATE leat_runs SET started_at_us = started_at_us - 31 * ? WHERE number <= 2", (day_us,))
        connection.execute("UPDATE leat_meta SET trimmed_at_us = trimmed_at_us - ?", (day_us,))
    project.run().expect(0)
    assert [number for number, _, _ in runs(project)] == [4, 3, 1]  # the first was the last to load the warehouse
    logs = sorted(path.name for path in (project.folder / ".leat/logs").iterdir())
    assert logs == ["run-3.jsonl", "run-4.jsonl"]
    healthy = project.command("status", "--json").expect(0).json()["data"]["tables"]
    assert {table["state"] for table in healthy} == {"healthy"}


# --- check -----------------------------------------------------------------------------------------------------------


def test_check_judges_what_is_published_without_the_source(project):
    assert project.command("check").expect(0).stdout.endswith("0 checks: 0 passed, 0 failed\n")
    project.model("dim_staff", STAFF, "key: id\nchecks:\n  - not_null: [name]\n  - unique: [id]")
    project.write("checks/no_orphans.sql", "SELECT i.id FROM mart.dim_item i ANTI JOIN mart.dim_staff s ON s.id = i.staff_id\n")
    project.run().expect(0)
    # The source is gone, and worse than what is published.
    project.execute("UPDATE staff SET name = NULL")
    project.write("leat.yaml", project.settings().replace(f"port: {project.pg.port}", "port: 1"))
    before = project.snapshots()
    assert project.command("check").expect(0).stdout == (
        "     TABLE           CHECK           STATE   ROWS\n"
        "  ✓  mart.dim_staff  not_null(name)  passed     –\n"
        "  ✓  mart.dim_staff  unique(id)      passed     –\n"
        "  ✓  checks/         no_orphans      passed     –\n"
        "3 checks: 3 passed, 0 failed\n"
    )
    project.model("dim_staff", STAFF, "key: id\nchecks:\n  - rows: {max: 1}\n  - accepted_values: {name: [ann]}\n    severity: reject")
    project.write("checks/no_orphans.sql", "SELECT id FROM mart.dim_item\n")
    failed = project.command("check", "--json").expect(1)
    data = failed.json()["data"]
    assert [(check["check"], check["state"], check["rows_failing"]) for check in data["checks"]] == [
        ("accepted_values(name)", "rejects", 1),
        ("rows", "failed", 1),
        ("no_orphans", "failed", 2),
    ]
    codes = sorted(diagnostic["code"] for diagnostic in failed.json()["diagnostics"])
    assert codes == ["LEAT0703", "LEAT0706", "LEAT0707"]
    assert project.snapshots() == before
    assert len(runs(project)) == 1


def test_check_takes_a_selection_and_knows_what_was_never_built(project):
    project.model("dim_item", "SELECT id, staff_id FROM src.item\n", "key: id\nchecks:\n  - unique: [id]")
    project.run("+mart.dim_staff", "src.item").expect(0)
    assert "·  mart.dim_item  –      never built     –" in project.command("check", "mart.dim_item").expect(0).stdout
    assert "LEAT0124" in project.command("check", "source:src").expect(2).stderr
    assert "LEAT0120" in project.command("check", "mart.absent").expect(2).stderr


# --- state -----------------------------------------------------------------------------------------------------------


def test_reset_stream_is_compared_in_full_and_nothing_is_invented(project):
    project.run().expect(0)
    project.execute("UPDATE item SET staff_id = 5 WHERE id = 2")
    project.run().expect(0)
    shown = project.command("state", "show", "--json").expect(0).json()["data"]
    with contextlib.closing(state(project)) as connection:
        stored = dict(connection.execute("SELECT stream, value FROM leat_positions").fetchall())
    assert {entry["table"]: entry["position"] for entry in shown["streams"]} == {k: json.loads(v) for k, v in stored.items()}
    assert [entry["table"] for entry in shown["models"]] == ["mart.below", "mart.dim_item", "mart.dim_staff"]
    versions = project.versions("src.item", "id", "staff_id")

    refused = project.command("state", "reset", "src.item").expect(2)
    assert diagnostics(refused) == lines("""
        error[LEAT0198]: resetting src.item is not confirmed; nothing was changed
          = help: leat state reset src.item --confirm src.item
          = note: The next run reads all of src.item and compares it with the lake: no version is lost, and rows that are as they were give no new one.
          = more: leat explain LEAT0198
    """)
    assert "LEAT0198" in project.command("state", "reset", "src.item", "--confirm", "src.staff").expect(2).stderr
    assert "did you mean src.item?" in project.command("state", "reset", "src.itm", "--confirm", "x").expect(2).stderr
    done = project.command("state", "reset", "src.item", "--confirm", "src.item").expect(0)
    assert done.stdout.startswith("src.item: forgot how far it was read\n  The next run reads all of src.item and compares")
    assert "LEAT0518" in project.command("state", "show", "src.item").expect(2).stderr

    again = project.run().expect(0)
    assert "nothing changed" in again.stdout
    assert project.versions("src.item", "id", "staff_id") == versions
    project.execute("UPDATE item SET staff_id = 6 WHERE id = 2")
    project.run().expect(0)
    assert project.versions("src.item", "id", "staff_id") == [*versions, ("u", 2, 6)]
    assert project.loaded("dim_item") == [(1, 1), (2, 6)]


def test_reset_model_is_built_anew(project):
    project.run().expect(0)

    def fingerprint() -> str | None:
        return project.command("state", "show", "mart.dim_item", "--json").expect(0).json()["data"]["models"][0]["fingerprint"]

    before, snapshots = fingerprint(), project.snapshots()
    project.command("state", "reset", "mart.dim_item", "--confirm", "mart.dim_item").expect(0)
    assert fingerprint() is None
    assert "nothing: rebuilt by the next run" in project.command("state", "show").expect(0).stdout
    project.run().expect(0)
    assert fingerprint() == before
    assert project.snapshots() == snapshots


def test_nothing_is_reset_under_a_run(project):
    add_late_source(project)
    with held_up(project) as (process, open_gate):
        wait_until(lambda: worked_on(project, 1))
        refused = project.command("state", "reset", "src.item", "--confirm", "src.item").expect(5)
        assert "holds source:src since" in refused.stderr
        patient = project.leat.start("state", "reset", "src.item", "--confirm", "src.item", "--wait", "1m", cwd=project.folder)
        wait_until(lambda: "event=waiting" in patient.stderr.readline())
        open_gate()
        assert process.wait(timeout=30) == 0
        patient.communicate(timeout=30)
        assert patient.returncode == 0


# --- a state database that cannot be used ----------------------------------------------------------------------------


def digest(folder: pathlib.Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()


def refused_state(project: Project, code: int) -> str:
    """The diagnostics of a run that must touch neither lake nor warehouse."""
    project.execute("UPDATE item SET staff_id = 7 WHERE id = 1")
    lake, loaded = digest(project.folder / "lake"), mart(project)
    done = project.run().expect(code)
    assert (digest(project.folder / "lake"), mart(project)) == (lake, loaded)
    return diagnostics(done).replace(str(project.folder), "<project>")


def test_state_of_a_newer_leat(project):
    project.run().expect(0)
    with contextlib.closing(state(project)) as connection:
        connection.execute("UPDATE leat_meta SET schema_version = 99")
    told = refused_state(project, 2)
    assert re.fullmatch(
        lines(r"""
            error\[LEAT0513\]: the state database <project>/.leat/state.db has schema version 99; this leat \S+ knows versions up to 3
              = help: use the leat that made it, or a newer one
              = more: leat explain LEAT0513
        """),
        told,
    ), told


def test_damaged_state(project):
    project.run().expect(0)
    path = project.folder / ".leat" / "state.db"
    path.write_bytes(b"no database" * 1000)
    assert refused_state(project, 1) == lines("""
        error[LEAT0514]: the state database <project>/.leat/state.db is damaged: file is not a database
          = help: put a copy of it in its place; the files of the lake are untouched
          = more: leat explain LEAT0514
    """)


def test_locked_state(project):
    project.run().expect(0)
    with contextlib.closing(state(project)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        told = refused_state(project, 1)
    assert told == lines("""
        error[LEAT0515]: the state database <project>/.leat/state.db is locked by another process for more than 30 s
          = help: see who has it open: fuser <project>/.leat/state.db
          = more: leat explain LEAT0515
    """)


@pytest.fixture
def small_disk(project):
    """`.leat` on a disk of 4 MiB."""
    folder = project.folder / ".leat"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill_up(folder: pathlib.Path) -> pathlib.Path:
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    return ballast


def test_full_disk_is_recorded_and_made_good_by_retry(project, small_disk):
    add_late_source(project)
    project.run().expect(0)
    project.execute("UPDATE item SET staff_id = 9 WHERE id = 1")
    snapshots, loaded = project.snapshots(), project.loaded("slow")
    with held_up(project, "source:zlate+") as (process, open_gate):
        ballast = fill_up(small_disk)
        open_gate()
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 1, stderr
    assert "error[LEAT0502]: the state database" in stderr
    assert "database or disk is full" in stderr
    assert runs(project)[0][:2] == (2, "failed")
    assert not (small_disk / "reserve").exists()
    assert (project.snapshots(), project.loaded("slow")) == (snapshots, loaded)
    ballast.unlink()
    project.command("retry").expect(0)
    assert project.loaded("slow") == [(1, 9), (2, 2)]
    assert (small_disk / "reserve").stat().st_size == 1 << 20


def test_state_of_the_first_version_is_upgraded_and_kept_beside(project):
    project.run().expect(0)
    with contextlib.closing(state(project)) as connection:
        connection.executescript(
            """DROP INDEX leat_commits_run; DROP TABLE leat_recipes;
               ALTER TABLE leat_meta DROP COLUMN trimmed_at_us; ALTER TABLE leat_meta DROP COLUMN trimmed_to;
               UPDATE leat_meta SET schema_version = 1"""
        )
    done = project.run().expect(0)
    assert "nothing changed" in done.stdout
    assert (project.folder / ".leat" / "state.db.version-1").exists()
    assert len(runs(project)) == 2
