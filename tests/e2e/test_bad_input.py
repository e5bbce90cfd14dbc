"""What leat says to wrong projects, wrong words and closed doors: wording, place, exit code, and that nothing is lost."""

import re
import dataclasses
import textwrap

import pytest

from support.postgres import Database
from support.project import Project, diagnostics, outcome
from support.shop import WRITER
from support.totesys import READER

TABLES = """
    CREATE TABLE staff (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO staff VALUES (1, 'ann'), (2, 'bob');
    CREATE TABLE item (id int PRIMARY KEY, price numeric(10,2));
    INSERT INTO item VALUES (1, 2.50), (2, 3.00);
"""


@pytest.fixture
def project(pg, tmp_path):
    made = Project(pg, tmp_path, TABLES)
    made.model("dim_staff", "SELECT id, name FROM src.staff\n", "key: id")
    made.model("dim_item", "SELECT id, price FROM src.item\n", "key: id")
    yield made
    made.drop()


def lines(text: str) -> str:
    return textwrap.dedent(text).strip()


def told(project: Project, result) -> str:
    """The diagnostics, with what differs from cluster to cluster named."""
    text = diagnostics(result)
    for database, name in ((project.source, "SOURCE"), (project.warehouse, "WAREHOUSE")):
        text = text.replace(f"database: {database.name},", f"database: {name},").replace(f":{database.name}:", f":{name}:")
    return text.replace(str(project.pg.port), "PORT")


# --- projects that cannot be run: exit 2, nothing is tried ----------------------------------------------------------

# Nothing listens on port 1: whoever tries to connect gives himself away by another message.
LEAT_YAML = """\
name: small
connections:
  source: {type: postgres, host: 127.0.0.1, port: 1, database: shop, user: reader}
"""
SOURCE_YAML = 'type: postgres\nconnection: source\nstreams:\n  "*": {}\n  item: {}\n'
FILES = {"leat.yaml": LEAT_YAML, "sources/src.yaml": SOURCE_YAML}


@dataclasses.dataclass
class Broken:
    files: dict[str, str]
    says: str


BROKEN = {
    "unknown key in leat.yaml": Broken(
        {"leat.yaml": LEAT_YAML + "limit: {threads: 2}\n"},
        """
        error[LEAT0102]: unknown key 'limit'; did you mean limits?
          ┌─ leat.yaml:4:1
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: 1, database: shop, user: reader}
        4 │ limit: {threads: 2}
          │ ^^^^^
          = help: keys here: name, timezone, lake, state, connections, warehouse, freshness, limits, retention, targets
          = more: leat explain LEAT0102
        """,
    ),
    "duplicate key in leat.yaml": Broken(
        {"leat.yaml": LEAT_YAML + "name: other\n"},
        """
        error[LEAT0103]: duplicate key 'name'; it stands on line 1 already
          ┌─ leat.yaml:4:1
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: 1, database: shop, user: reader}
        4 │ name: other
          │ ^^^^ second time
          = help: remove one of the two
          = more: leat explain LEAT0103
        """,
    ),
    "duplicate key inside a map on one line": Broken(
        {"leat.yaml": LEAT_YAML + "limits: {threads: 2, memory: 1GB, threads: 3}\n"},
        """
        error[LEAT0103]: duplicate key 'threads'; it stands on line 4 already
          ┌─ leat.yaml:4:35
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: 1, database: shop, user: reader}
        4 │ limits: {threads: 2, memory: 1GB, threads: 3}
          │                                   ^^^^^^^ second time
          = help: remove one of the two
          = more: leat explain LEAT0103
        """,
    ),
    "unknown key in a source": Broken(
        {"sources/src.yaml": 'type: postgres\nconnection: source\nstrems:\n  "*": {}\n'},
        """
        error[LEAT0102]: unknown key 'strems'; did you mean streams?
          ┌─ sources/src.yaml:3:1
        1 │ type: postgres
        2 │ connection: source
        3 │ strems:
          │ ^^^^^^
          = help: keys here: type, connection, schema, rename, streams, skip, read, deletes, key, columns, version_time, tags, description, owner, freshness
          = more: leat explain LEAT0102
        """,
    ),
    "duplicate stream": Broken(
        {"sources/src.yaml": "type: postgres\nconnection: source\nstreams:\n  item: {}\n  item: {skip: true}\n"},
        """
        error[LEAT0103]: duplicate key 'item'; it stands on line 4 already
          ┌─ sources/src.yaml:5:3
        3 │ streams:
        4 │   item: {}
        5 │   item: {skip: true}
          │   ^^^^ second time
          = help: remove one of the two
          = more: leat explain LEAT0103
        """,
    ),
    "unknown key in a head": Broken(
        {"models/mart/top.sql": "/* ---\nkee: id\n--- */\nSELECT id FROM src.item\n"},
        """
        error[LEAT0102]: unknown key 'kee'; did you mean key?
          ┌─ models/mart/top.sql:2:1
        1 │ /* ---
        2 │ kee: id
          │ ^^^
          = help: keys here: kind, key, record_id, keep_deleted, deletes, period, time, from, checks, warehouse, tags, description, owner, freshness
          = more: leat explain LEAT0102
        """,
    ),
    "duplicate key in a head": Broken(
        {"models/mart/top.sql": "/* ---\nkey: id\nkey: id\n--- */\nSELECT id FROM src.item\n"},
        """
        error[LEAT0103]: duplicate key 'key'; it stands on line 2 already
          ┌─ models/mart/top.sql:3:1
        1 │ /* ---
        2 │ key: id
        3 │ key: id
          │ ^^^ second time
          = help: remove one of the two
          = more: leat explain LEAT0103
        """,
    ),
    "unknown check": Broken(
        {"models/mart/top.sql": "/* ---\nchecks: [not_nul: [id]]\n--- */\nSELECT id FROM src.item\n"},
        """
        error[LEAT0102]: unknown key 'not_nul'; did you mean not_null?
          ┌─ models/mart/top.sql:2:10
        1 │ /* ---
        2 │ checks: [not_nul: [id]]
          │          ^^^^^^^
          = help: keys here: not_null, unique, accepted_values, references, range, rows, severity, where
          = more: leat explain LEAT0102
        """,
    ),
    "two sources of one name": Broken(
        {"sources/src.yml": SOURCE_YAML},
        """
        error[LEAT0111]: sources/src.yml and sources/src.yaml have one name
          ┌─ sources/src.yml
          = help: remove sources/src.yml
          = more: leat explain LEAT0111
        """,
    ),
    "two models of one name": Broken(
        {
            "models/mart/top.sql": "SELECT id FROM src.item\n",
            "models/mart/top.yaml": "kind: dim_date\nfrom: 2020-01-01\nto: 2020-01-02\n",
        },
        """
        error[LEAT0111]: models/mart/top.sql and models/mart/top.yaml are both the model mart.top
          ┌─ models/mart/top.yaml
          = help: rename or remove one of the two
          = more: leat explain LEAT0111
        """,
    ),
    "source and folder of models of one name": Broken(
        {"models/src/top.sql": "SELECT id FROM src.item\n"},
        """
        error[LEAT0111]: the namespace src is of the source sources/src.yaml and of the folder models/src
          ┌─ models/src/top.sql
          = help: rename the folder
          = more: leat explain LEAT0111
        """,
    ),
    "connection that does not exist": Broken(
        {"sources/src.yaml": "type: postgres\nconnection: sorce\nstreams: {item: {}}\n"},
        """
        error[LEAT0112]: connection 'sorce' does not exist; did you mean source?
          ┌─ sources/src.yaml:2:13
        1 │ type: postgres
        2 │ connection: sorce
          │             ^^^^^
          = help: add  sorce: {type: postgres, …}  to connections in leat.yaml
          = note: connections: source
          = more: leat explain LEAT0112
        """,
    ),
    "syntax error": Broken(
        {"models/mart/top.sql": "SELECT id,\n       price price,,\nFROM src.item\n"},
        """
        error[LEAT0201]: syntax error at or near ","
          ┌─ models/mart/top.sql:2:20
        1 │ SELECT id,
        2 │        price price,,
          │                    ^ not understood from here on
          = help: the SQL of a model is one SELECT in DuckDB's dialect
          = more: leat explain LEAT0201
        """,
    ),
    "syntax error at the end": Broken(
        {"models/mart/top.sql": "SELECT id FROM src.item WHERE\n"},
        """
        error[LEAT0201]: syntax error at end of input
          ┌─ models/mart/top.sql:1:30
        1 │ SELECT id FROM src.item WHERE
          │                              ^ not understood from here on
          = help: the SQL of a model is one SELECT in DuckDB's dialect
          = more: leat explain LEAT0201
        """,
    ),
    "no SELECT": Broken(
        {"models/mart/top.sql": "DELETE FROM src.item\n"},
        """
        error[LEAT0202]: DELETE is not a SELECT; expected exactly one SELECT
          ┌─ models/mart/top.sql:1:1
        1 │ DELETE FROM src.item
          │ ^^^^^^
          = help: write the SELECT whose rows the table is to hold; leat makes the table
          = more: leat explain LEAT0202
        """,
    ),
    "unknown table": Broken(
        {
            "models/mart/top.sql": "SELECT id\nFROM mart.botom\n",
            "models/mart/bottom.sql": "SELECT 1 AS id\n",
        },
        """
        error[LEAT0204]: table mart.botom does not exist
          ┌─ models/mart/top.sql:2:6
        1 │ SELECT id
        2 │ FROM mart.botom
          │      ^^^^^^^^^^
          = help: did you mean mart.bottom?
          = more: leat explain LEAT0204
        """,
    ),
    "table without its schema": Broken(
        {"models/mart/top.sql": "SELECT id FROM bottom\n", "models/mart/bottom.sql": "SELECT 1 AS id\n"},
        """
        error[LEAT0205]: table "bottom" is not written as schema.table
          ┌─ models/mart/top.sql:1:16
        1 │ SELECT id FROM bottom
          │                ^^^^^^ which schema?
          = help: did you mean mart.bottom?
          = more: leat explain LEAT0205
        """,
    ),
    "models that wait for each other": Broken(
        {
            "models/mart/a.sql": "SELECT id FROM mart.b\n",
            "models/mart/b.sql": "SELECT id FROM mart.c\n",
            "models/mart/c.sql": "SELECT id\nFROM mart.a\n",
        },
        """
        error[LEAT0208]: models wait for each other: mart.a → mart.b → mart.c → mart.a
          ┌─ models/mart/a.sql:1:16
        1 │ SELECT id FROM mart.b
          │                ^^^^^^ waits for mart.b
          = help: let one of them read what the other reads, or move the shared part into a model of its own
          = note: mart.a reads mart.b at models/mart/a.sql:1:16
                  mart.b reads mart.c at models/mart/b.sql:1:16
                  mart.c reads mart.a at models/mart/c.sql:2:6
          = more: leat explain LEAT0208
        """,
    ),
    "model that reads itself": Broken(
        {"models/mart/a.sql": "SELECT id FROM mart.a\n"},
        """
        error[LEAT0208]: models wait for each other: mart.a → mart.a
          ┌─ models/mart/a.sql:1:16
        1 │ SELECT id FROM mart.a
          │                ^^^^^^ waits for mart.a
          = help: let one of them read what the other reads, or move the shared part into a model of its own
          = note: mart.a reads mart.a at models/mart/a.sql:1:16
          = more: leat explain LEAT0208
        """,
    ),
}


def write_files(folder, files: dict[str, str]) -> None:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_invalid_project_is_refused_before_anything_runs(leat, tmp_path, broken):
    write_files(tmp_path, FILES | broken.files)
    done = leat.run("run").expect(2)
    assert done.stderr.strip() == lines(broken.says), done
    assert done.stdout == ""
    # `validate` may also look at the server.
    checked = leat.run("validate").expect(2)
    assert lines(broken.says) in checked.stderr
    assert [path for path in (tmp_path / "lake").rglob("*") if path.is_file()] == []
    assert leat.run("run", "--json").expect(2).json()["data"] is None


def test_all_mistakes_are_told_at_once(leat, tmp_path):
    write_files(
        tmp_path,
        FILES
        | {
            "sources/src.yaml": "type: postgres\nconnection: source\nstrems: {}\n",
            "models/mart/top.sql": "/* ---\nkee: id\n--- */\nSELECT 1 AS id\n",
        },
    )
    found = leat.run("validate", "--json").expect(2).json()["diagnostics"]
    assert [(d["code"], d["file"], d["line"], d["column"]) for d in found] == [
        ("LEAT0102", "sources/src.yaml", 3, 1),
        ("LEAT0102", "models/mart/top.sql", 2, 1),
    ]


def test_password_in_a_file_is_refused_and_never_printed(leat, tmp_path):
    write_files(tmp_path, FILES | {"leat.yaml": LEAT_YAML.replace("user: reader}", "user: reader, password: canary}")})
    for done in (leat.run("run"), leat.run("validate"), leat.run("run", "--json")):
        done.expect(2)
        told_all = done.stdout + done.stderr
        assert "connections.source.password stands in the file; expected ${NAME} or ${file:/path}" in told_all
        assert "canary" not in told_all
    found = leat.run("run", "--json").json()["diagnostics"]
    assert [(d["code"], d["file"], d["line"], d["column"], d["help"]) for d in found] == [
        ("LEAT0108", "leat.yaml", 3, 94, ['for example  password: "${TOTESYS_PASSWORD}"'])
    ]


# --- wrong words on the command line --------------------------------------------------------------------------------

MISTYPED = {
    ("vaildate",): """
        error[LEAT0190]: unknown command 'vaildate'; did you mean validate?
          = help: leat --help lists the commands
          = more: leat explain LEAT0190
    """,
    (): """
        error[LEAT0190]: no command was given
          = help: leat --help lists the commands
          = more: leat explain LEAT0190
    """,
    ("run", "--full-refesh"): """
        error[LEAT0190]: unknown flag '--full-refesh' of leat run; did you mean --full-refresh?
          = help: leat run --help lists what it takes
          = more: leat explain LEAT0190
    """,
    ("run", "-j"): """
        error[LEAT0190]: --threads needs a value
          = help: leat run --help lists what it takes
          = more: leat explain LEAT0190
    """,
    ("run", "mart.dim_stff"): """
        error[LEAT0120]: selection 'mart.dim_stff' matches no table
          = help: did you mean mart.dim_staff?
          = more: leat explain LEAT0120
    """,
    ("run", "source:sr"): """
        error[LEAT0120]: selection 'source:sr' matches no table
          = help: did you mean src?
          = more: leat explain LEAT0120
    """,
    ("run", "souce:src"): """
        error[LEAT0120]: 'souce:' is no way to select; expected source:, tag:, kind: or path:
          = help: did you mean source?
          = more: leat explain LEAT0120
    """,
    ("run", "--exclude", "mart.dim_stff"): """
        error[LEAT0120]: selection 'mart.dim_stff' matches no table
          = help: did you mean mart.dim_staff?
          = more: leat explain LEAT0120
    """,
    ("init", "new", "--template", "shop"): """
        error[LEAT0194]: template "shop" needs --source; expected the URL of the database totesys to read
          = help: leat init new --template shop --source postgresql://user@host:port/totesys
          = more: leat explain LEAT0194
    """,
    ("init", "new", "--template", "shp"): """
        error[LEAT0190]: --template is 'shp'; expected shop or billing or empty; did you mean shop?
          = help: leat init --help lists what it takes
          = more: leat explain LEAT0190
    """,
    ("init", "new"): """
        error[LEAT0190]: leat init needs --template; expected shop, billing or empty
          = help: leat init --help lists what it takes
          = more: leat explain LEAT0190
    """,
    ("init", "new", "--template", "shop", "--source", "mysql://shop/totesys"): """
        error[LEAT0192]: --source is no PostgreSQL URL: 'mysql://shop/totesys'; expected postgresql://user@host:port/database
          = help: --source postgresql://user@host:port/database
          = more: leat explain LEAT0192
    """,
    ("init", "models", "--template", "empty"): """
        error[LEAT0191]: models is not empty; expected an empty or absent folder
          = help: name another folder; nothing was written
          = more: leat explain LEAT0191
    """,
    ("init", "--template", "empty"): """
        error[LEAT0191]: . is not empty; expected an empty or absent folder
          = help: name another folder; nothing was written
          = more: leat explain LEAT0191
    """,
}


@pytest.mark.parametrize("arguments", MISTYPED, ids=" ".join)
def test_wrong_command_line_is_refused_with_the_nearest_right_one(leat, tmp_path, arguments):
    write_files(tmp_path, FILES | {"models/mart/dim_staff.sql": "SELECT 1 AS id\n"})
    before = sorted(tmp_path.rglob("*"))
    done = leat.run(*arguments).expect(2)
    assert done.stderr.strip() == lines(MISTYPED[arguments])
    assert done.stdout == ""
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path not in before and path.is_file()}
    assert {path.parts[0] for path in made} <= {".leat"}


def test_folder_without_a_project_is_named(leat, tmp_path):
    assert diagnostics(leat.run("status").expect(2)) == lines(f"""
        error[LEAT0101]: no leat.yaml in {tmp_path} or in a folder above it
          = help: go to the project's folder, name it with  -C DIR , or make one with  leat init DIR
          = more: leat explain LEAT0101
    """)


PASSWORD_URLS = {
    "postgresql://reader:canary@db/shop": "db:5432:shop:reader:<password>",
    "postgresql://reader@db:5433/shop?password=canary": "db:5433:shop:reader:<password>",
    # A slash or an at-sign that is not escaped: the parts of the URL cannot be told, so none of them is shown.
    "postgresql://reader:can/ary@db/shop": "*:5432:*:*:<password>",
    "postgresql://reader:can@ary@db/shop": "*:5432:*:*:<password>",
}


@pytest.mark.parametrize("flag", ["--source", "--warehouse"])
@pytest.mark.parametrize("url", PASSWORD_URLS)
def test_password_in_a_url_is_refused_and_never_printed(leat, tmp_path, url, flag):
    urls = {"--source": "postgresql://reader@db/shop"} | {flag: url}
    arguments = [part for pair in urls.items() for part in pair]
    done = leat.run("init", "new", "--template", "shop", *arguments).expect(2)
    assert diagnostics(done) == lines(f"""
        error[LEAT0193]: {flag} holds a password; others could read it in the list of processes and in the shell's history
          = help: leave the password out of the URL, add this line to ~/.pgpass, then  chmod 600 ~/.pgpass
                  {PASSWORD_URLS[url]}
          = more: leat explain LEAT0193
    """)
    document = leat.run("init", "new", "--template", "shop", "--json", *arguments).expect(2)
    for part in ("canary", "can/ary", "can@ary", "ary@"):
        assert part not in done.stdout + done.stderr + document.stdout + document.stderr
    assert not (tmp_path / "new").exists()


# --- servers that do not let us in ----------------------------------------------------------------------------------


def closed(project: Project, database: Database) -> str:
    """leat.yaml that looks for a database where no server is."""
    return project.settings().replace(f"port: {project.pg.port}, database: {database.name}", f"port: 1, database: {database.name}")


def test_no_server_at_the_source(project):
    project.write("leat.yaml", closed(project, project.source))
    done = project.run().expect(3)
    assert told(project, done) == lines("""
        error[LEAT0301]: cannot reach connection "source" at 127.0.0.1:1: Connection refused
          ┌─ leat.yaml:3:3
        1 │ name: small
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: 1, database: SOURCE, user: leat_reader}
          │   ^^^^^^
          = help: check that the server runs, and `host` and `port` of the connection
          = more: leat explain LEAT0301
    """)
    assert outcome(done, "src") == "table_failed"
    assert outcome(done, "mart.dim_staff") == "table_skipped"
    assert project.snapshots() == {}
    project.write("leat.yaml", project.settings())
    project.run().expect(0)
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]


def test_validate_that_needs_a_closed_server_exits_as_unreachable(project):
    project.write("leat.yaml", closed(project, project.source))
    done = project.command("validate").expect(3)
    assert 'error[LEAT0301]: cannot reach connection "source" at 127.0.0.1:1: Connection refused' in done.stderr


def test_tables_of_a_source_that_cannot_be_reached_are_failing(project):
    project.run().expect(0)
    project.write("leat.yaml", closed(project, project.source))
    project.run().expect(3)
    tables = project.command("status", "--json").expect(0).json()["data"]["tables"]
    assert {table["table"]: table["state"] for table in tables} == {
        "src.item": "failing",
        "src.staff": "failing",
        "mart.dim_item": "failing",
        "mart.dim_staff": "failing",
    }
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]


def test_no_server_at_the_warehouse_keeps_what_the_lake_got(project):
    project.write("leat.yaml", closed(project, project.warehouse))
    done = project.run().expect(1)
    assert told(project, done) == lines("""
        error[LEAT0301]: cannot reach connection "warehouse" at 127.0.0.1:1: Connection refused
          ┌─ leat.yaml:4:3
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: PORT, database: SOURCE, user: leat_reader}
        4 │   warehouse: {type: postgres, host: 127.0.0.1, port: 1, database: WAREHOUSE, user: leat_writer}
          │   ^^^^^^^^^
          = help: check that the server runs, and `host` and `port` of the connection
          = more: leat explain LEAT0301
    """)
    assert project.lake_rows("mart.dim_staff", "id", "name") == [(1, "ann"), (2, "bob")]
    project.write("leat.yaml", project.settings())
    # Nothing is new, yet the warehouse is behind.
    done = project.run().expect(0)
    assert "written" not in done.stdout
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]


def test_run_that_only_loads_is_partial(project):
    """A warehouse that missed a run is loaded, even while the source is away: then something was worked on."""
    project.write("leat.yaml", closed(project, project.warehouse))
    project.run().expect(1)
    project.write("leat.yaml", closed(project, project.source))
    done = project.run()
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]
    done.expect(1)


def test_wrong_password_at_the_source(project):
    project.leat.write_pgpass(project.pg.pgpass(leat_reader="canary"))
    done = project.run().expect(3)
    assert told(project, done) == lines("""
        error[LEAT0302]: cannot log in to connection "source" at 127.0.0.1:PORT: password authentication failed for user "leat_reader"
          ┌─ leat.yaml:3:3
        1 │ name: small
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: PORT, database: SOURCE, user: leat_reader}
          │   ^^^^^^
          = help: check the user and the password of connection "source"
          = more: leat explain LEAT0302
    """)
    written = [path for path in project.folder.rglob("*") if path.is_file()]
    assert "canary" not in done.stdout + done.stderr
    assert written and not [path for path in written if b"canary" in path.read_bytes()]


def test_wrong_password_at_the_warehouse(project):
    project.leat.write_pgpass(project.pg.pgpass(leat_writer="wrong"))
    done = project.run().expect(1)
    assert told(project, done) == lines("""
        error[LEAT0302]: cannot log in to connection "warehouse" at 127.0.0.1:PORT: password authentication failed for user "leat_writer"
          ┌─ leat.yaml:4:3
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: PORT, database: SOURCE, user: leat_reader}
        4 │   warehouse: {type: postgres, host: 127.0.0.1, port: PORT, database: WAREHOUSE, user: leat_writer}
          │   ^^^^^^^^^
          = help: check the user and the password of connection "warehouse"
          = more: leat explain LEAT0302
    """)
    assert project.lake_rows("mart.dim_staff", "id", "name") == [(1, "ann"), (2, "bob")]


def test_no_password_where_one_is_needed(project):
    project.leat.write_pgpass("")
    done = project.run("src.staff").expect(3)
    assert told(project, done) == lines("""
        error[LEAT0310]: connection "source" has no password
          ┌─ leat.yaml:3:3
        1 │ name: small
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: PORT, database: SOURCE, user: leat_reader}
          │   ^^^^^^
          = looked in: LEAT_CONNECTIONS_SOURCE_PASSWORD (not set) ·
                       $CREDENTIALS_DIRECTORY/source.password (absent) · PGPASSWORD (not set) ·
                       ~/.pgpass (no line for 127.0.0.1:PORT:SOURCE:leat_reader)
          = help: add this line to ~/.pgpass, then  chmod 600 ~/.pgpass
                  127.0.0.1:PORT:SOURCE:leat_reader:<password>
          = more: leat explain LEAT0310
    """)


def test_password_from_the_environment_is_found(project):
    passwords = dict(line.split(":", 4)[3:] for line in project.pg.pgpass().splitlines())
    project.leat.write_pgpass("")
    environment = {
        "LEAT_CONNECTIONS_SOURCE_PASSWORD": passwords[READER],
        "LEAT_CONNECTIONS_WAREHOUSE_PASSWORD": passwords[WRITER],
    }
    project.run(env=environment).expect(0)
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]


def test_variable_that_is_not_set(leat, tmp_path):
    settings = 'name: small\nconnections:\n  source: {type: postgres, host: 127.0.0.1, password: "${SHOP_PASSWORD}"}\n'
    write_files(tmp_path, FILES | {"leat.yaml": settings})
    done = leat.run("run")
    assert diagnostics(done) == lines("""
        error[LEAT0109]: the environment variable SHOP_PASSWORD is not set; connection 'source' takes its password from it
          ┌─ leat.yaml:3:55
        1 │ name: small
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, password: "${SHOP_PASSWORD}"}
          │                                                       ^^^^^^^^^^^^^^^^^^
          = help: set SHOP_PASSWORD before leat is started
          = more: leat explain LEAT0109
    """)
    # No table could be worked on: the run cannot have been a partial success.
    assert done.code in (2, 3), done


def test_database_that_does_not_exist(project):
    project.write("leat.yaml", project.settings().replace(f"database: {project.source.name}", "database: nowhere"))
    done = project.run().expect(3)
    assert told(project, done) == lines("""
        error[LEAT0302]: cannot log in to connection "source" at 127.0.0.1:PORT: database "nowhere" does not exist
          ┌─ leat.yaml:3:3
        1 │ name: small
        2 │ connections:
        3 │   source: {type: postgres, host: 127.0.0.1, port: PORT, database: nowhere, user: leat_reader}
          │   ^^^^^^
          = help: check `database` of connection "source"
          = more: leat explain LEAT0302
    """)


# --- sources that do not have what the project says -----------------------------------------------------------------


def test_table_without_select_stops_alone_and_heals_with_the_grant(project):
    project.model("top", "SELECT count(*) AS n FROM mart.dim_item\n")
    project.run().expect(0)
    project.execute("UPDATE staff SET name = 'anna' WHERE id = 1; INSERT INTO item VALUES (3, 4.00)")
    project.source.execute(f"REVOKE SELECT ON item FROM {READER}")

    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0403]: the role may not read public.item
          ┌─ sources/src.yaml:2:13
        1 │ type: postgres
        2 │ connection: source
          │             ^^^^^^
          = help: run as its owner:  GRANT SELECT ON "public"."item" TO "leat_reader"
                  or leave the stream out by  item: {skip: true}
          = more: leat explain LEAT0403
    """)
    assert done.stdout.splitlines() == [
        next(line for line in done.stdout.splitlines() if line.startswith("2 of 5 tables done in ")),
        "1 failed, 2 skipped; these tables keep their last good rows.  Fix what failed, then  leat retry",
    ]
    assert re.search(r"read \d+ = written 1\b", done.stdout), done
    # The others came through together, what depends on the table kept its rows.
    assert project.loaded("dim_staff") == [(1, "anna"), (2, "bob")]
    assert project.lake_rows("mart.dim_staff", "id", "name") == [(1, "anna"), (2, "bob")]
    assert project.lake_rows("mart.dim_item", "id") == [(1,), (2,)]
    assert project.loaded("top") == [(2,)]

    project.execute("")
    done = project.run().expect(0)
    assert re.search(r"read \d+ = written 1\b", done.stdout), done
    assert project.lake_rows("mart.dim_item", "id") == [(1,), (2,), (3,)]
    assert project.loaded("top") == [(3,)]


def test_stream_that_matches_no_table_stops_its_source_only(project):
    project.write("sources/src.yaml", 'type: postgres\nconnection: source\nstreams:\n  "*": {}\n  stuff: {}\n')
    project.write("sources/other.yaml", "type: postgres\nconnection: source\nstreams:\n  item: {}\n")
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0404]: stream stuff matches no table of schema public
          ┌─ sources/src.yaml:5:3
        3 │ streams:
        4 │   "*": {}
        5 │   stuff: {}
          │   ^^^^^
          = help: did you mean staff?
                  names of streams are those of the tables in the database, as spelled there
          = more: leat explain LEAT0404
    """)
    assert set(project.snapshots()) == {"other.item__history"}
    assert outcome(done, "mart.dim_staff") == "table_skipped"


def test_schema_that_does_not_exist(project):
    project.write("sources/src.yaml", 'type: postgres\nconnection: source\nschema: nope\nstreams:\n  "*": {}\n')
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0405]: schema nope does not exist in the database
          ┌─ sources/src.yaml:3:9
        1 │ type: postgres
        2 │ connection: source
        3 │ schema: nope
          │         ^^^^
          = help: set `schema:` in the source's file to one that the role can see
          = more: leat explain LEAT0405
    """)
    assert project.snapshots() == {}


def test_tables_whose_names_become_one(project):
    project.execute('CREATE TABLE "Item" (id int PRIMARY KEY)')
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0406]: tables "Item" and "item" would both be the stream src.item
          ┌─ sources/src.yaml:4:3
        2 │ connection: source
        3 │ streams:
        4 │   "*": {}
          │   ^^^
          = help: add  rename: {item: item_2}  at the top of the file
          = more: leat explain LEAT0406
    """)
    project.write("sources/src.yaml", 'type: postgres\nconnection: source\nrename: {Item: item_upper}\nstreams:\n  "*": {}\n')
    project.run().expect(0)
    assert set(project.snapshots()) >= {"src.item__history", "src.item_upper__history"}


def test_columns_whose_names_become_one(project):
    project.execute('ALTER TABLE item ADD COLUMN "Price" int')
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0406]: columns "price" and "Price" of item would both be called price
          ┌─ sources/src.yaml:4:3
        2 │ connection: source
        3 │ streams:
        4 │   "*": {}
          │   ^^^
          = help: add  rename: {Price: price_2}  to the stream
          = more: leat explain LEAT0406
    """)
    assert set(project.snapshots()) == {"src.staff__history", "mart.dim_staff"}


def test_column_with_a_reserved_name(project):
    project.execute("ALTER TABLE item ADD COLUMN _leat_seq int")
    done = project.run().expect(1)
    assert "_leat_seq" in diagnostics(done)
    assert "reserved" in diagnostics(done)
    assert set(project.snapshots()) == {"src.staff__history", "mart.dim_staff"}


# --- models that do not fit what they read ---------------------------------------------------------------------------


def test_unknown_column_stops_its_model_only(project):
    project.model("dim_item", "SELECT\n  i.id,\n  i.prise\nFROM src.item i\n", "key: id")
    done = project.run().expect(1)
    says = lines("""
        error[LEAT0203]: column "prise" does not exist in src.item
          ┌─ models/mart/dim_item.sql:6:5
        4 │ SELECT
        5 │   i.id,
        6 │   i.prise
          │     ^^^^^ not in src.item
          = help: did you mean price?
          = note: src.item has 2 columns:  leat preview src.item
          = more: leat explain LEAT0203
    """)
    assert diagnostics(done) == says
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]
    assert project.warehouse_tables() == {"dim_staff", "_leat_loads"}
    # What can be known before the run is said before the run.
    assert diagnostics(project.command("validate").expect(2)) == says


def test_key_that_the_model_does_not_have(project):
    project.model("dim_item", "SELECT id, price FROM src.item\n", "key: idd")
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0217]: `key` names column "idd", which mart.dim_item does not have
          ┌─ models/mart/dim_item.sql:2:6
        1 │ /* ---
        2 │ key: idd
          │      ^^^ not a column of mart.dim_item
          = help: did you mean id?
          = more: leat explain LEAT0217
    """)
    assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]


def test_key_that_does_not_identify_rows(project):
    project.model("dim_item", "SELECT 1 AS id, price FROM src.item\n", "key: id")
    done = project.run().expect(1)
    assert diagnostics(done) == lines("""
        error[LEAT0708]: mart.dim_item: 1 values of key id stand in more than one row; expected each once
          ┌─ models/mart/dim_item.sql:2:6
        1 │ /* ---
        2 │ key: id
          │      ^^ does not identify a row
          = help: add a column to `key`, or mend the join that doubles rows
                  look at what it reads:  leat preview src.item
          = note: for example id 1
          = more: leat explain LEAT0708
    """)
    assert project.warehouse_tables() == {"dim_staff", "_leat_loads"}


# --- warehouses that hold something else -----------------------------------------------------------------------------


def test_table_that_leat_did_not_make_is_left_alone(project):
    project.warehouse.execute("CREATE TABLE dim_item (a int, id text); INSERT INTO dim_item VALUES (7, 'x')")
    before = project.warehouse.rows("SELECT oid, relfilenode, xmin::text FROM pg_class WHERE relname = 'dim_item'")

    for _ in range(2):
        done = project.run().expect(1)
        assert diagnostics(done) == lines("""
            error[LEAT0602]: table public.dim_item is in the warehouse already, and this project did not make it
              ┌─ models/mart/dim_item.sql:2:1
            1 │ /* ---
            2 │ key: id
              │ ^^^^^^^
              = help: choose another name with `warehouse: {table: …}` in the model's head, or another `schema` in leat.yaml
                      or make room for it: ALTER TABLE "public"."dim_item" RENAME TO "dim_item_old";  (or DROP TABLE)
              = note: column "id": text there, integer in the model
                      column "price" numeric(10,2): missing there
                      column "a" integer: not in the model
                      primary key: none there, ("id") in the model
              = more: leat explain LEAT0602
        """)
        assert "3 of 4 tables done" in done.stdout
        assert project.warehouse.rows("SELECT oid, relfilenode, xmin::text FROM pg_class WHERE relname = 'dim_item'") == before
        assert project.loaded("dim_item") == [(7, "x")]
        assert project.loaded("dim_staff") == [(1, "ann"), (2, "bob")]

    project.warehouse.execute('ALTER TABLE "public"."dim_item" RENAME TO "dim_item_old"')
    project.run().expect(0)
    assert project.warehouse_tables() == {"dim_staff", "dim_item", "dim_item_old", "_leat_loads"}
    assert [id for id, _ in project.loaded("dim_item")] == [1, 2]


def test_two_models_that_would_be_one_table_of_the_warehouse(project):
    project.model("dim_item", "SELECT id, price FROM src.item\n", "key: id\nwarehouse: {table: dim_staff}")
    done = project.run().expect(2)
    assert diagnostics(done) == lines("""
        error[LEAT0611]: mart.dim_item and mart.dim_staff would both be table public.dim_staff of the warehouse
          ┌─ models/mart/dim_staff.sql:1
        1 │ /* ---
          = help: give one of them another name by  warehouse: {table: another_name}  in its head, or `warehouse: false`
          = more: leat explain LEAT0611
    """)
    assert project.warehouse_tables() == set()


def test_warehouse_that_is_the_source_is_refused(project):
    name = project.warehouse.name
    settings = project.settings().replace(f"database: {name}, user: {WRITER}", f"database: {project.source.name}, user: postgres")
    project.write("leat.yaml", settings)
    done = project.run()
    tables = project.source.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {table for (table,) in tables} == {"staff", "item"}
    assert done.code in (1, 2), done


def test_fault_of_a_model_that_others_read_and_refer_to_is_told_once(leat, tmp_path):
    # By its name the model that refers to it is looked at first, the one that reads it last.
    folder = tmp_path / "project"
    for path, text in {
        "leat.yaml": "name: small\n",
        "seeds/s.csv": "id,x\n1,2\n",
        "models/m/z.sql": "/* ---\nkey: x\n--- */\nSELECT x, nope FROM seeds.s\n",
        "models/m/b.sql": "/* ---\nchecks:\n  - references: {x: m.z}\n--- */\nSELECT x FROM seeds.s\n",
        "models/m/c.sql": "SELECT x FROM m.z\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    result = leat.run("validate", "--fast", cwd=folder).expect(2)
    assert re.findall(r"error\[(LEAT\d+)\]: (.*)", result.stderr) == [("LEAT0203", 'column "nope" does not exist in seeds.s')]


def test_variable_where_no_secret_belongs_is_refused(leat, tmp_path):
    yaml = LEAT_YAML.replace("user: reader", 'user: "${CRM_USER}"')
    (tmp_path / "leat.yaml").write_text(yaml)
    result = leat.run("validate", "--fast", cwd=tmp_path).expect(2)
    assert "error[LEAT0105]: connections.source.user is '${CRM_USER}'; variables stand in for secrets only\n" in result.stderr
    assert "= help: leave the key out and set  LEAT_CONNECTIONS_SOURCE_USER\n" in result.stderr
