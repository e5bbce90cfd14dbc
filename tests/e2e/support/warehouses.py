"""The kinds of warehouses behind one interface, each read by a client of its own: psycopg, the duckdb package.

What a kind does otherwise than the others stands in its `Differences`, and nowhere else.
"""

import dataclasses
import datetime
import hashlib
import pathlib
import re
import shutil
import subprocess

import duckdb

from support.leat import Result
from support.postgres import _binary as server_binary
from support.project import Project
from support.shop import WRITER


@dataclasses.dataclass(frozen=True)
class Differences:
    types: dict[str, str]  # of columns, as the warehouse writes them, by the name of the type in PostgreSQL
    keeps_foreign_keys: bool  # references are constraints; else they hold because the lake's checks hold
    sends_changes_of_definitions_alone: bool  # a new definition alters the table; else the table is made anew, from all rows


class PostgresWarehouse:
    differences = Differences(
        types={"struct": "jsonb"},
        keeps_foreign_keys=True,
        sends_changes_of_definitions_alone=True,
    )

    def __init__(self, make, tables: str) -> None:
        self.project: Project = make(tables, warehouse=True)
        self.database = self.project.warehouse

    def rows(self, query: str) -> list[tuple]:
        return sorted(self.database.rows(query), key=repr)

    def execute(self, statements: str) -> None:
        self.database.execute(statements)

    def columns(self, table: str) -> list[tuple[str, str, bool]]:
        """Name, type and NOT NULL in the table's order."""
        return self.database.rows(
            """SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
               WHERE attrelid = quote_ident(%s)::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
            [table],
        )

    def key(self, table: str) -> list[str]:
        return [
            name
            for (name,) in self.database.rows(
                """SELECT attname FROM pg_constraint c CROSS JOIN unnest(conkey) WITH ORDINALITY AS k(attnum, place)
                   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
                   WHERE contype = 'p' AND conrelid = quote_ident(%s)::regclass ORDER BY place""",
                [table],
            )
        ]

    def has_foreign_keys(self) -> bool:
        return self.database.value("SELECT count(*) FROM pg_constraint WHERE contype = 'f'") > 0

    def content(self) -> object:
        """What changes if anything is written."""
        return self.database.rows("SELECT load_id::text, table_name FROM _leat_loads ORDER BY 1, 2")

    def backup(self) -> bytes:
        return subprocess.run([server_binary("pg_dump"), "-d", self.database.url()], check=True, capture_output=True).stdout

    def restore(self, backup: bytes) -> None:
        self.database.execute(f"DROP OWNED BY {WRITER} CASCADE; DROP SCHEMA IF EXISTS public CASCADE")
        subprocess.run(
            [server_binary("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.database.url()],
            check=True,
            input=f"CREATE SCHEMA public AUTHORIZATION {WRITER};\n".encode() + backup.replace(b"CREATE SCHEMA public;", b""),
            capture_output=True,
        )


class DuckdbWarehouse:
    differences = Differences(
        types={
            "struct": "STRUCT(a INTEGER, b VARCHAR)",
            "boolean": "BOOLEAN",
            "integer": "INTEGER",
            "bigint": "BIGINT",
            "real": "FLOAT",
            "double precision": "DOUBLE",
            "numeric(10,2)": "DECIMAL(10,2)",
            "numeric(12,3)": "DECIMAL(12,3)",
            "date": "DATE",
            "time without time zone": "TIME",
            "timestamp without time zone": "TIMESTAMP",
            "timestamp with time zone": "TIMESTAMP WITH TIME ZONE",
            "character varying": "VARCHAR",
            "uuid": "UUID",
            "bytea": "BLOB",
            "integer[]": "INTEGER[]",
        },
        keeps_foreign_keys=False,
        sends_changes_of_definitions_alone=False,
    )

    def __init__(self, make, tables: str) -> None:
        self.project: Project = make(tables)
        self.path: pathlib.Path = self.project.folder / "warehouse.duckdb"
        settings = self.project.settings() + "  warehouse: {type: duckdb, path: ./warehouse.duckdb}\n"
        self.project.write("leat.yaml", settings + 'warehouse: {connection: warehouse, load: ["mart.*"]}\n')

    def rows(self, query: str) -> list[tuple]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            # The package needs another one for moments: they come as UTC without a zone, and get it here.
            columns = connection.execute(f"DESCRIBE {query}").fetchall()
            moments = {place for place, (_, kind, *_) in enumerate(columns) if kind == "TIMESTAMP WITH TIME ZONE"}
            shown = [f"timezone('UTC', #{n + 1})" if n in moments else f"#{n + 1}" for n in range(len(columns))]
            found = connection.execute(f"SELECT {', '.join(shown)} FROM ({query})").fetchall()
        utc = datetime.timezone.utc
        rows = [tuple(v.replace(tzinfo=utc) if v and n in moments else v for n, v in enumerate(row)) for row in found]
        return sorted(rows, key=repr)

    def execute(self, statements: str) -> None:
        with duckdb.connect(str(self.path)) as connection:
            connection.execute(statements)

    def columns(self, table: str) -> list[tuple[str, str, bool]]:
        rows = self.rows_in_order(
            "SELECT column_name, data_type, NOT is_nullable FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", table
        )
        return rows

    def key(self, table: str) -> list[str]:
        found = self.rows_in_order(
            "SELECT constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'PRIMARY KEY' AND table_name = ?", table
        )
        return found[0][0] if found else []

    def rows_in_order(self, query: str, *parameters) -> list[tuple]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(query, parameters).fetchall()

    def has_foreign_keys(self) -> bool:
        return bool(self.rows("SELECT 1 FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'"))

    def content(self) -> object:
        return hashlib.sha256(self.path.read_bytes()).hexdigest(), self.path.stat().st_mtime_ns

    def backup(self) -> pathlib.Path:
        return shutil.copy(self.path, self.path.with_suffix(".backup"))

    def restore(self, backup: pathlib.Path) -> None:
        shutil.copy(backup, self.path)


KINDS = {"postgres": PostgresWarehouse, "duckdb": DuckdbWarehouse}


def sent(result: Result, table: str) -> tuple[int, int]:
    """Rows that a run sent to a table of the warehouse, and rows that it deleted there."""
    found = re.findall(rf"event=table_done table={re.escape(table)} step=load rows=(\d+)(?: rows_deleted=(\d+))?", result.stderr)
    assert len(found) == 1, f"{table} is not loaded once\n{result}"
    return int(found[0][0]), int(found[0][1] or 0)
