"""leat doctor: each thing it looks at is broken once, and the finding must say so; a healthy project has none."""

import resource
import signal
import socket
import time

import duckdb
from support.shop import WRITER
from support.totesys import READER

_ITEM = "CREATE TABLE item (id int PRIMARY KEY); INSERT INTO item VALUES (1)"


def findings(project, code: int, **options) -> dict[str, list[dict]]:
    """What doctor found, by subject."""
    found = {}
    for finding in project.command("doctor", "--json", **options).expect(code).json()["data"]["findings"]:
        found.setdefault(finding["subject"], []).append(finding)
    return found


def bad(found: dict[str, list[dict]]) -> list[dict]:
    return [finding for group in found.values() for finding in group if finding["state"] != "good"]


def only(found: dict[str, list[dict]], subject: str, state: str) -> dict:
    """The one finding that is not good."""
    assert [(finding["subject"], finding["state"]) for finding in bad(found)] == [(subject, state)], bad(found)
    assert bad(found)[0]["remedy"]
    return bad(found)[0]


def test_outside_a_project_the_machine_is_looked_at(leat, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    result = leat.run("doctor", cwd=tmp_path / "elsewhere").expect(0)
    assert "none here" in result.stdout
    for subject in ("memory", "open files", "clock", "time zones", "passwords"):
        assert f"✓ {subject} " in result.stdout, result


def test_a_healthy_project_has_no_finding_and_nothing_is_changed(make):
    project = make(_ITEM)
    project.model("total", "SELECT count(*) AS n FROM src.item")
    project.run().expect(0)
    # SQLite's shared memory comes and goes with its readers.
    files = lambda: {p for p in project.folder.rglob("*") if not p.name.endswith(("-wal", "-shm"))}  # noqa: E731
    before = files()
    found = findings(project, 0)
    assert bad(found) == []
    assert {"memory", "project", "lake folder", "state folder", "state", "tables", "connection source"} <= set(found)
    assert files() == before


def test_rights_of_a_source_that_are_too_wide_are_a_warning(make):
    project = make(_ITEM)
    with project.source.connect() as connection:
        connection.execute(f"GRANT INSERT ON item TO {READER}")
    warning = only(findings(project, 0), "connection source", "warning")
    assert warning["text"] == f"role {READER} may write to 1 table of schema public, as item; a source is only read"
    with project.source.connect() as connection:
        connection.execute(warning["remedy"])  # the remedy mends it
    assert bad(findings(project, 0)) == []
    project.write("leat.yaml", project.settings().replace(f"user: {READER}", "user: postgres"))
    assert "superuser" in only(findings(project, 0), "connection source", "warning")["text"]


def test_a_warehouse_that_nobody_may_write_to_is_a_fault(make):
    project = make(_ITEM, warehouse=True)
    project.write("leat.yaml", project.settings().replace("warehouse: {connection", "warehouse: {schema: mart, connection"))
    with project.warehouse.connect() as connection:
        connection.execute(f"CREATE SCHEMA mart; GRANT CREATE ON SCHEMA mart TO {WRITER}")  # not to use it
    fault = only(findings(project, 1), "connection warehouse", "fault")
    with project.warehouse.connect() as connection:
        connection.execute(fault["remedy"])
    assert bad(findings(project, 0)) == []


def test_the_schemas_that_a_warehouse_fills_in_are_looked_at(make):
    project = make(_ITEM, warehouse=True)
    project.model("total", "SELECT count(*) AS n FROM src.item")
    settings = project.settings().replace("warehouse: {connection", 'warehouse: {schema: "{namespace}", connection')
    project.write("leat.yaml", settings)
    with project.warehouse.connect() as connection:
        connection.execute("CREATE SCHEMA mart")
    fault = only(findings(project, 1), "connection warehouse", "fault")
    assert fault["text"] == f"role {WRITER} lacks rights to load into schema mart of the warehouse"
    with project.warehouse.connect() as connection:
        connection.execute(fault["remedy"])
    assert bad(findings(project, 0)) == []


def test_a_warehouse_file_that_is_no_database_is_a_fault(make):
    project = make(_ITEM)
    settings = "connections:\n  file: {type: duckdb, path: ./w.duckdb}"
    settings = project.settings().replace("connections:", settings) + "warehouse: {connection: file}\n"
    project.write("leat.yaml", settings)
    assert findings(project, 0)["connection file"][0]["text"].endswith("w.duckdb is made by the first load")
    project.write("w.duckdb", "no database at all\n" * 1000)
    assert "is no DuckDB database" in only(findings(project, 1), "connection file", "fault")["text"]
    (project.folder / "w.duckdb").unlink()
    duckdb.connect(project.folder / "w.duckdb").close()
    assert findings(project, 0)["connection file"][0]["text"].endswith("w.duckdb can be loaded")


def test_a_server_that_is_silent_or_absent_is_a_fault_soon(make):
    project = make(_ITEM)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        project.write("leat.yaml", project.settings().replace(f"port: {project.pg.port}", f"port: {port}"))
        begin = time.monotonic()
        fault = only(findings(project, 1), "connection source", "fault")
        assert fault["text"] == "no answer within 5 s"
        assert time.monotonic() - begin < 8
    assert port in only(findings(project, 1), "connection source", "fault")["text"]


def test_a_table_whose_metadata_is_gone_is_a_fault(make):
    project = make(_ITEM)
    project.run().expect(0)
    for file in (project.folder / "lake").rglob("*.metadata.json"):
        file.unlink()
    assert only(findings(project, 1), "tables", "fault")["text"].startswith("src.item__history: ")


def test_a_damaged_state_database_is_a_fault(make):
    project = make(_ITEM)
    project.run().expect(0)
    state = project.folder / ".leat" / "state.db"
    for other in state.parent.glob("state.db-*"):
        other.unlink()
    state.write_bytes(b"\x00" * 100 + state.read_bytes()[100:])
    assert {finding["subject"] for finding in bad(findings(project, 1))} >= {"state"}


def test_a_run_that_died_with_its_leases_is_a_warning(make):
    project = make(_ITEM)
    with project.source.connect(autocommit=False) as connection:
        connection.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        run = project.leat.start("run", cwd=project.folder)
        # It has its lease as soon as it waits for the table.
        with project.source.connect() as other:
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'item'::regclass"
            while other.execute(waits).fetchone() == (0,):
                assert run.poll() is None, run.communicate()
                time.sleep(0.02)
        assert "is at work" in findings(project, 0)["leases"][0]["text"]
        run.send_signal(signal.SIGKILL)
        run.communicate()
        assert "run 1 died" in only(findings(project, 0), "leases", "warning")["text"]
    project.run().expect(0)
    assert "leases" not in findings(project, 0)


def test_small_things_of_the_machine_are_warnings(make):
    project = make(_ITEM)
    pgpass = project.leat.home / ".pgpass"
    pgpass.chmod(0o644)
    found = findings(project, 1)  # libpq ignores it, so the log-in fails too
    assert found["passwords"][0]["remedy"] == f"chmod 600 {pgpass}"
    pgpass.chmod(0o600)

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        assert only(findings(project, 0), "open files", "warning")["remedy"] == "ulimit -n 1024"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    (project.folder / ".git").mkdir()
    assert only(findings(project, 0), "git", "warning")["text"] == ".leat/ and lake/ may end up in the repository"
    for ignored in ("/.leat\nlake/\n", ".leat/*\n/lake/**\n", "# ours\n**/.leat/\n*ak*\n"):
        project.write(".gitignore", ignored)
        assert bad(findings(project, 0)) == [], ignored
    project.write(".gitignore", ".leat\n/lake/\n")  # another one
    project.write("leat.yaml", project.settings() + "lake: ./data/lake\n")
    assert only(findings(project, 0), "git", "warning")["remedy"] == "add to .gitignore:  data/lake/"
    project.write(".gitignore", ".leat\n/data/\n")
    assert bad(findings(project, 0)) == []
    project.write("leat.yaml", project.settings().replace("lake: ./data/lake\n", ""))
    project.write(".gitignore", "/.leat\nlake/\n")

    project.write("leat.yaml", project.settings() + "limits: {memory: 60TB}\n")
    assert only(findings(project, 1), "memory", "fault")["text"].startswith("a run takes up to 60.0 TB")


def test_a_project_that_is_not_valid_is_a_fault(make):
    project = make("CREATE TABLE item (id int PRIMARY KEY)")
    project.model("broken", "SELEC 1 AS a")
    assert only(findings(project, 1), "project", "fault")["remedy"] == "leat validate"
    project.write("leat.yaml", project.settings() + "nonsense: 1\n")
    assert findings(project, 1)["project"][0]["text"] == "1 error in its files"
