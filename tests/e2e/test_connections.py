"""`leat connections`: where settings come from, whether servers answer and rights suffice, what a database holds."""

import contextlib
import re
import socket
import threading

import pytest

from support.project import Project, streams
from support.shop import WRITER
from support.totesys import READER

TABLES = """
    CREATE TABLE staff (id int PRIMARY KEY, name text, born date);
    INSERT INTO staff SELECT i, 'n' || i, '2000-01-01' FROM generate_series(1, 1000) i;
    CREATE TABLE "Line Item" (order_id int, line int, price numeric(10,2), PRIMARY KEY (line, order_id));
    CREATE TABLE part (day date, v text) PARTITION BY RANGE (day);
    CREATE TABLE part_2024 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    INSERT INTO part SELECT '2024-03-01', 'x' FROM generate_series(1, 500);
    CREATE VIEW adults AS SELECT * FROM staff;
    CREATE MATERIALIZED VIEW names AS SELECT name FROM staff;
    CREATE SCHEMA "Other";
    CREATE TABLE "Other".thing (a int[], b jsonb);
    ANALYZE;
"""


@pytest.fixture
def project(pg, tmp_path):
    made = Project(pg, tmp_path, TABLES)
    yield made
    made.drop()


def entries_of(done) -> dict[str, dict]:
    return {entry["connection"]: entry for entry in done.json()["data"]["connections"]}


def test_list_says_who_uses_what(project):
    entries = entries_of(project.command("connections", "--json").expect(0))
    assert entries["source"]["used_by"] == ["source src"]
    assert entries["warehouse"]["used_by"] == ["warehouse"]
    settings = {setting["key"]: setting for setting in entries["source"]["settings"]}
    assert settings["database"]["value"] == project.source.name
    assert re.fullmatch(r"leat\.yaml:3:\d+", settings["database"]["origin"])
    assert settings["sslmode"] == {"key": "sslmode", "value": "prefer", "origin": "default"}
    assert entries["source"]["password"]["origin"] == "~/.pgpass"
    text = project.command("connections").expect(0).stdout
    assert re.search(r"^ +password +\(hidden\) +~/\.pgpass$", text, re.MULTILINE), text


def test_both_answer(project):
    entries = entries_of(project.command("connections", "test", "--json").expect(0))
    version = project.source.value("SHOW server_version").split()[0]
    for name, role, database in (("source", READER, project.source), ("warehouse", WRITER, project.warehouse)):
        entry = entries[name]
        assert entry["state"] == "good"
        assert entry["server"] == f"PostgreSQL {version}"
        assert (entry["role"], entry["database"], entry["tls"]) == (role, database.name, None)
        assert 0 < entry["round_trip_ms"] < 1000
        assert entry["diagnostics"] == []
    text = project.command("connections", "test", "source").expect(0).stdout
    assert re.search(rf"✓ +source +good +PostgreSQL {re.escape(version)} +\S+ +{READER} +none +[\d.]+ ms +source src\n", text), text
    assert "warehouse" not in text


def test_missing_rights_are_told_with_the_statements_that_mend_them(project):
    project.source.execute(f"REVOKE SELECT ON staff FROM {READER}")
    project.write("sources/other.yaml", "type: postgres\nconnection: source\nschema: Other\n")
    project.warehouse.execute(f"ALTER DATABASE {project.warehouse.name} OWNER TO CURRENT_USER")
    project.warehouse.execute(f"REVOKE ALL ON DATABASE {project.warehouse.name} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC")
    project.warehouse.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {project.warehouse.name} TO {WRITER}")
    done = project.command("connections", "test", "--json").expect(1)
    found = {(name, fault["code"]): fault for name, entry in entries_of(done).items() for fault in entry["diagnostics"]}
    assert ("source", "LEAT0312") in found, done
    assert found["source", "LEAT0312"]["file"] == "sources/other.yaml"
    assert ("warehouse", "LEAT0603") in found, done
    assert all(entry["reached"] and entry["state"] == "faults" for entry in entries_of(done).values())
    for (name, _), fault in found.items():
        database = project.source if name == "source" else project.warehouse
        for statement in (line for line in fault["help"] if "GRANT" in line):
            database.execute(statement[statement.index("GRANT") :])
    project.source.execute(f'GRANT SELECT ON "Other".thing TO {READER}')
    project.command("connections", "test").expect(0)


def test_one_that_is_closed_does_not_hide_the_other(project):
    text = project.settings().replace(f"port: {project.pg.port}, database: {project.source.name}", "port: 1, database: x")
    project.write("leat.yaml", text)
    done = project.command("connections", "test").expect(3)
    assert re.search(r"✗ +source +no connection", done.stdout), done
    assert re.search(r"✓ +warehouse +good", done.stdout), done
    assert "error[LEAT0301]" in done.stderr and "leat.yaml:3:3" in done.stderr


def test_no_password_names_the_places(project):
    (project.leat.home / ".pgpass").write_text("")
    done = project.command("connections", "test", "source", "--json").expect(3)
    (fault,) = entries_of(done)["source"]["diagnostics"]
    assert fault["code"] == "LEAT0310"
    assert fault["looked_in"][0] == "LEAT_CONNECTIONS_SOURCE_PASSWORD (not set)"
    assert fault["looked_in"][-2:] == [
        "PGPASSWORD (not set)",
        f"~/.pgpass (no line for {project.pg.host}:{project.pg.port}:{project.source.name}:{READER})",
    ]


@contextlib.contextmanager
def gate(port: int, guests: int):
    """A port that leads to `port` once `guests` are at the door."""
    barrier = threading.Barrier(guests)
    with socket.create_server(("127.0.0.1", 0)) as door:

        def pump(source, target):
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(data)
            with contextlib.suppress(OSError):
                target.shutdown(socket.SHUT_WR)

        def serve(guest):
            with contextlib.suppress(threading.BrokenBarrierError, OSError), guest:
                barrier.wait(8)
                with socket.create_connection(("127.0.0.1", port)) as server:
                    back = threading.Thread(target=pump, args=(server, guest), daemon=True)
                    back.start()
                    pump(guest, server)
                    back.join()

        def accept():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield door.getsockname()[1]


def test_connections_are_tried_at_the_same_time(project):
    with gate(project.pg.port, 2) as port:
        entry = {"host": "127.0.0.1", "port": port}
        project.write(
            "leat.yaml",
            "name: small\nconnections:\n"
            f"  one: {project.connection(project.source, READER, **entry)}\n"
            f"  two: {project.connection(project.warehouse, WRITER, **entry)}\n",
        )
        (project.folder / "sources/src.yaml").unlink()
        done = project.command("connections", "test", env={"PGPASSFILE": str(any_port(project))}).expect(0)
    assert done.duration_s < 8, done


def any_port(project: Project):
    """The passwords, whatever the port."""
    lines = (project.leat.home / ".pgpass").read_text().replace(f":{project.pg.port}:", ":*:")
    path = project.leat.home / "passwords"
    path.write_text(lines)
    path.chmod(0o600)
    return path


CATALOG = """
    SELECT n.nspname, c.relname, c.relkind, has_schema_privilege(%(role)s, n.oid, 'USAGE'),
           array(SELECT a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' ||
                        has_column_privilege(%(role)s, c.oid, a.attnum, 'SELECT')
                   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('public', 'Other') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""
KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view"}


def test_discover_lists_what_a_database_holds(project):
    project.source.execute(f"REVOKE SELECT ON staff FROM {READER}; GRANT SELECT (id) ON staff TO {READER}")
    streams(project, '"*": {}', "part: {skip: true}", "names: {key: name}", before='rename: {"Line Item": items}\n')
    answer = project.command("connections", "discover", "source", "--json").expect(0).json()["data"]
    tables = {(table["schema"], table["table"]): table for table in answer["tables"]}
    wanted = project.source.rows(CATALOG, {"role": READER})
    assert list(tables) == [(schema, name) for schema, name, *_ in wanted]
    for schema, name, kind, usable, columns in wanted:
        table = tables[schema, name]
        assert table["kind"] == KINDS[kind]
        assert [f"{c['column']} {c['type']} {str(c['readable']).lower()}" for c in table["columns"]] == columns
        assert table["readable"] == (usable and all(column.endswith(" true") for column in columns))
    staff = tables["public", "staff"]
    assert staff["key"] == ["id"]
    assert tables["public", "Line Item"]["key"] == ["line", "order_id"]
    assert staff["rows_estimate"] == 1000
    assert staff["size_bytes"] == project.source.value("SELECT pg_total_relation_size('staff')")
    assert tables["public", "part"]["rows_estimate"] == 500
    assert tables["public", "part"]["size_bytes"] == project.source.value("SELECT pg_total_relation_size('part_2024')")
    assert tables["public", "adults"]["size_bytes"] is None
    assert {table["table"]: table["streams"] for table in answer["tables"]} == {
        "thing": [],
        "Line Item": ["src.items"],
        "adults": [],
        "names": ["src.names"],
        "part": [],
        "staff": ["src.staff"],
    }
    text = project.command("connections", "discover", "source").expect(0).stdout
    assert re.search(r"^ +public\.staff +table +3 +~1000 +[\d.]+ kB +id +src\.staff +leat_reader lacks rights to read it$", text, re.MULTILINE), text


def test_discover_of_a_connection_that_does_not_exist(project):
    done = project.command("connections", "discover", "sorce").expect(2)
    assert done.stderr == (
        "error[LEAT0313]: connection 'sorce' does not exist; did you mean source?\n"
        "  = help: connections: source, warehouse\n"
        "  = more: leat explain LEAT0313\n"
    )
    assert "needs a connection" in project.command("connections", "discover").expect(2).stderr
