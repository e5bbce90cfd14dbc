"""A project of few lines, for tests that are about one thing each: a database `source`, one `warehouse`, the files given."""

import pathlib
import re
import textwrap

from support.lake import Lake
from support.leat import Leat, Result
from support.postgres import Cluster, Database
from support.shop import WRITER
from support.totesys import READER

_SOURCE = """\
type: postgres
connection: source
streams:
  "*": {}
"""


class Project:
    """`folder`/project, reading schema public of `source` as `src`. `drop` removes its databases.

    `tables` is SQL that makes the tables of the source; the role that reads may SELECT from all of them.
    """

    def __init__(self, pg: Cluster, folder: pathlib.Path, tables: str = "", *, warehouse: bool = True) -> None:
        self.pg = pg
        self.source = pg.create_database()
        self.warehouse = pg.create_database(owner=WRITER) if warehouse else None
        self.leat = Leat(folder / "home", folder)
        self.leat.write_pgpass(pg.pgpass())
        self.folder = folder / "project"
        self.execute(tables)
        self.write("leat.yaml", self.settings())
        self.write("sources/src.yaml", _SOURCE)

    def drop(self) -> None:
        for database in (self.source, self.warehouse):
            if database:
                self.pg.drop_database(database.name)

    # --- what it is made of ---

    def settings(self) -> str:
        """leat.yaml: connections `source` and, with a warehouse, `warehouse`."""
        lines = ["name: small", "connections:", f"  source: {self.connection(self.source, READER)}"]
        if self.warehouse:
            lines.append(f"  warehouse: {self.connection(self.warehouse, WRITER)}")
            lines.append('warehouse: {connection: warehouse, load: ["mart.*"]}')
        return "\n".join(lines) + "\n"

    def connection(self, database: Database, user: str, **other) -> str:
        """The value of one entry of `connections:`; keywords change or add keys."""
        values = {"type": "postgres", "host": self.pg.host, "port": self.pg.port, "database": database.name, "user": user}
        return "{" + ", ".join(f"{key}: {value}" for key, value in (values | other).items()) + "}"

    def write(self, path: str, text: str) -> pathlib.Path:
        """A file of the project; `text` may be indented as the test is."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def model(self, name: str, select: str, head: str = "") -> pathlib.Path:
        """models/mart/<name>.sql"""
        lines = textwrap.dedent(head).strip()
        return self.write(f"models/mart/{name}.sql", (f"/* ---\n{lines}\n--- */\n" if lines else "") + textwrap.dedent(select))

    def execute(self, statements: str) -> None:
        """Change the source, as its owner."""
        with self.source.connect() as connection:
            if statements:
                connection.execute(statements)
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")

    # --- what is done with it ---

    def run(self, *args, **options) -> Result:
        return self.command("run", *args, **options)

    def command(self, *args, **options) -> Result:
        return self.leat.run(*args, **({"cwd": self.folder} | options))

    def query(self, statement: str) -> list[str]:
        """Lines of leat's own answer, without the header."""
        return self.command("query", statement, "--format", "csv").expect(0).stdout.splitlines()[1:]

    # --- what it holds, seen by others ---

    def lake(self) -> Lake:
        return Lake(self.folder)

    def lake_rows(self, table: str, *columns: str) -> list[tuple]:
        """Sorted rows of a table of the lake, through PyIceberg."""
        with self.lake() as lake:
            return sorted((tuple(row[name] for name in columns) for row in lake.rows(table)), key=repr)

    def versions(self, stream: str, *columns: str) -> list[tuple]:
        """(operation, columns …) of every version of a stream's rows, oldest first, through PyIceberg."""
        with self.lake() as lake:
            rows = lake.rows(f"{stream}__history")
        order = sorted(rows, key=lambda row: (row["_leat_seq"], repr([row[name] for name in columns])))
        return [(row["_leat_op"], *(row[name] for name in columns)) for row in order]

    def snapshots(self) -> dict[str, int | None]:
        with self.lake() as lake:
            return lake.snapshots()

    def loaded(self, table: str) -> list[tuple]:
        """Sorted rows of a table of the warehouse, through psycopg."""
        return sorted(self.warehouse.rows(f'SELECT * FROM "{table}"'), key=repr)

    def warehouse_tables(self) -> set[str]:
        return {name for (name,) in self.warehouse.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def streams(project: Project, *entries: str, before: str = "") -> None:
    """sources/src.yaml: keys of the source, then its streams."""
    head = "type: postgres\nconnection: source\n" + before + "streams:\n"
    project.write("sources/src.yaml", head + "".join(f"  {entry}\n" for entry in entries))


def diagnostics(result: Result) -> str:
    """Errors and warnings as printed on stderr, without the lines of progress around them."""
    log = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ")
    return "\n".join(line for line in result.stderr.splitlines() if not log.match(line)).strip()


def outcome(result: Result, table: str) -> str:
    """How the line of progress about the end of a table begins: `table_done`, `table_failed`, …"""
    found = re.findall(rf"event=(table_\w+) table={re.escape(table)}\b", result.stderr)
    assert len(found) == 1, f"{table} ends {len(found)} times\n{result}"
    return found[0]
