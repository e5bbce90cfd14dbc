"""Databases that other people made, copied by leat as they are, and what one shows as text beside the other."""

import pathlib
import random
import subprocess

import psycopg
from psycopg import sql

from support.lake import Lake
from support.leat import Leat, Result
from support.postgres import HOST, SUPERUSER, Cluster, Database
from support.shop import WRITER
from support.totesys import READER, data_folder

# Views come by name alone. Left out are those that list names in no promised order.
VIEWS = {
    "chinook": [],
    "pagila": ["customer_list", "sales_by_film_category", "sales_by_store", "staff_list", "rentals_by_month"],
    "world": [],
}


def scripts(name: str) -> list[str]:
    """SQL for psql that fills an empty database."""
    folder = data_folder(name)
    if name == "pagila":
        texts = [(folder / f"pagila-{part}.sql").read_text(encoding="utf-8") for part in ("schema", "data")]
        # It has no materialised view of its own.
        return texts + [
            "CREATE MATERIALIZED VIEW rentals_by_month AS SELECT date_trunc('month', rental_date) AS month, count(*), "
            "avg(return_date - rental_date) AS lent_for FROM rental GROUP BY 1;"
        ]
    if name == "chinook":
        text = (folder / "Chinook_PostgreSql.sql").read_text(encoding="utf-8")
        return [text.split("\\c chinook;", 1)[1]]
    return [(folder / "world.sql").read_text(encoding="latin-1").replace("'LATIN1'", "'UTF8'")]


def fill(cluster: Cluster, name: str) -> Database:
    database = cluster.create_database()
    for script in scripts(name):
        subprocess.run(
            [cluster.program("psql"), "-X", "-q", "-h", HOST, "-p", str(cluster.port), "-U", SUPERUSER, database.name],
            input=script,
            env={"PATH": "/usr/bin:/bin", "PGCLIENTENCODING": "UTF8"},
            text=True,
            encoding="utf-8",
            capture_output=True,
            check=True,
        )
    database.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}")
    return database


class Copies:
    """One project with a source for each of the databases, all of whose streams go to one warehouse."""

    def __init__(self, cluster: Cluster, folder: pathlib.Path) -> None:
        self.sources = {name: fill(cluster, name) for name in VIEWS}
        self.warehouse = cluster.create_database(owner=WRITER)
        self.folder = folder / "project"
        self._leat = Leat(folder / "home", folder)
        self._leat.write_pgpass(cluster.pgpass())
        (self.folder / "sources").mkdir(parents=True)
        (self.folder / "leat.yaml").write_text(self._settings(cluster))
        for name, views in VIEWS.items():
            streams = ['  "*": {}'] + [f"  {view}: {{read: full}}" for view in views]
            text = "\n".join(["type: postgres", f"connection: {name}", "streams:", *streams, ""])
            (self.folder / "sources" / f"{name}.yaml").write_text(text)

    def _settings(self, cluster: Cluster) -> str:
        def connection(name: str, database: Database, user: str) -> str:
            place = f"host: {cluster.host}, port: {cluster.port}, database: {database.name}"
            return f"  {name}: {{type: postgres, {place}, user: {user}}}"

        lines = ["name: copies", "connections:"]
        lines += [connection(name, database, READER) for name, database in self.sources.items()]
        lines.append(connection("warehouse", self.warehouse, WRITER))
        patterns = ", ".join(f'"{name}.*"' for name in self.sources)
        lines.append(f'warehouse: {{connection: warehouse, schema: "{{namespace}}", load: [{patterns}]}}')
        return "\n".join(lines) + "\n"

    def run(self, *args) -> Result:
        return self._leat.run("run", *args, cwd=self.folder, timeout_s=120)

    def lake(self) -> Lake:
        return Lake(self.folder)


# --- what a database shows ---

_COLUMNS = """
    SELECT a.attname, CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod)
                           WHEN t.typnamespace = 'pg_catalog'::regnamespace THEN format_type(a.atttypid, a.atttypmod)
                           ELSE 'text' END
      FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
     WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"""

_KEY = """
    SELECT a.attname FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u (attnum, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
     WHERE i.indrelid = %s::regclass AND i.indisprimary ORDER BY u.place"""


def _name(schema: str, table: str) -> str:
    return sql.Identifier(schema, table).as_string(None)


def tables(database: Database, schema: str) -> list[str]:
    """Tables in the proper sense of a schema, sorted, but for those of leat's own."""
    rows = database.rows(
        """SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'
           AND relname <> '_leat_loads' ORDER BY 1""",
        [schema],
    )
    return [name for (name,) in rows]


def columns(connection: psycopg.Connection, schema: str, table: str) -> list[tuple[str, str]]:
    """(name, type) in order: a domain as its base type, a type that the database got from its users as `text`."""
    return connection.execute(_COLUMNS, [_name(schema, table)]).fetchall()


def key(connection: psycopg.Connection, schema: str, table: str) -> list[str]:
    return [name for (name,) in connection.execute(_KEY, [_name(schema, table)])]


def shown(connection: psycopg.Connection, schema: str, table: str) -> list[bytes]:
    """Every row as psql shows it, sorted. A bare numeric is a value, however many zeros it is written with."""
    kind = connection.execute("SELECT relkind FROM pg_class WHERE oid = %s::regclass", [_name(schema, table)]).fetchone()[0]
    names = [
        sql.SQL("trim_scale({})" if type == "numeric" else "{}").format(sql.Identifier(name))
        for name, type in columns(connection, schema, table)
    ]
    statement = sql.SQL("COPY (SELECT {} FROM {} {}) TO STDOUT").format(
        sql.SQL(", ").join(names),
        sql.SQL("ONLY" if kind in ("r", b"r") else ""),
        sql.Identifier(schema, table),
    )
    with connection.cursor().copy(statement) as copy:
        return sorted(b"".join(copy).splitlines())


def assert_equal(source: Database, table: str, warehouse: Database, schema: str) -> int:
    """The warehouse shows what the source shows, with its types and its key. Returns how many rows that are."""
    with source.connect() as theirs, warehouse.connect() as ours:
        expected = [(name.replace(" ", "_"), type) for name, type in columns(theirs, "public", table)]
        assert columns(ours, schema, table) == expected, table
        assert key(ours, schema, table) == key(theirs, "public", table), table
        expected, found = shown(theirs, "public", table), shown(ours, schema, table)
    assert len(found) == len(expected), table
    assert found == expected, (table, [pair for pair in zip(found, expected) if pair[0] != pair[1]][:3])
    return len(found)


# --- changes ---


class Changer:
    """Random changes to all tables with a key, as many as asked for, of the same kinds and values for the same seed."""

    def __init__(self, database: Database, seed: int) -> None:
        self._random = random.Random(seed)
        self._connection = database.connect()
        # Neither triggers nor foreign keys: what is to be seen is each table by itself.
        self._connection.execute("SET session_replication_role = replica")
        self._next = 1_000_000
        self._tables = {table: shape for table in tables(database, "public") if (shape := self._shape(table))["key"]}

    def _shape(self, table: str) -> dict:
        names = columns(self._connection, "public", table)
        chosen = key(self._connection, "public", table)
        rows = []
        if chosen:
            listed = sql.SQL(", ").join(map(sql.Identifier, chosen))
            rows = self._connection.execute(
                sql.SQL("SELECT {} FROM ONLY {} ORDER BY {}").format(listed, sql.Identifier(table), listed)
            ).fetchall()
        return {"names": [name for name, _ in names], "types": dict(names), "key": chosen, "rows": rows}

    def change(self, count: int) -> None:
        filled = [table for table, shape in self._tables.items() if shape["rows"]]
        done = 0
        while done < count:
            table = self._random.choice(filled)
            kind = self._random.choices(["update", "delete", "insert", "move"], [6, 2, 2, 1])[0]
            try:
                done += getattr(self, "_" + kind)(table, self._tables[table])
            except psycopg.errors.UniqueViolation:
                continue  # of another index than the key's

    def close(self) -> None:
        self._connection.close()

    def _where(self, shape: dict) -> sql.Composed:
        return sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in shape["key"])

    def _new_key(self, shape: dict, row: tuple) -> tuple:
        """`row`'s key with a value that no row has in its first column."""
        self._next += 1
        type = shape["types"][shape["key"][0]]
        value = self._random.choice([-1, 1]) * (self._next % 30_000 if type == "smallint" else self._next)
        if type.startswith("character"):
            value = "".join(chr(ord("a") + self._next // 26**i % 26) for i in range(3))
        return (value, *row[1:])

    def _update(self, table: str, shape: dict) -> int:
        rest = [name for name in shape["names"] if name not in shape["key"]]
        if not rest:
            return 0
        name = sql.Identifier(self._random.choice(rest))
        row, other = self._random.choice(shape["rows"]), self._random.choice(shape["rows"])
        statement = sql.SQL("UPDATE ONLY {0} SET {1} = (SELECT {1} FROM ONLY {0} WHERE {2}) WHERE {2} AND {1} IS DISTINCT FROM "
                            "(SELECT {1} FROM ONLY {0} WHERE {2})")
        done = self._connection.execute(
            statement.format(sql.Identifier(table), name, self._where(shape)), [*other, *row, *other]
        )
        return done.rowcount

    def _delete(self, table: str, shape: dict) -> int:
        if len(shape["rows"]) == 1:
            return 0
        row = shape["rows"].pop(self._random.randrange(len(shape["rows"])))
        self._connection.execute(
            sql.SQL("DELETE FROM ONLY {} WHERE {}").format(sql.Identifier(table), self._where(shape)), row
        )
        return 1

    def _insert(self, table: str, shape: dict) -> int:
        row = self._random.choice(shape["rows"])
        new = self._new_key(shape, row)
        listed = [sql.SQL("%s") if name in shape["key"] else sql.Identifier(name) for name in shape["names"]]
        values = [new[shape["key"].index(name)] for name in shape["names"] if name in shape["key"]]
        self._connection.execute(
            sql.SQL("INSERT INTO {0} ({1}) SELECT {2} FROM ONLY {0} WHERE {3}").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, shape["names"])),
                sql.SQL(", ").join(listed),
                self._where(shape),
            ),
            [*values, *row],
        )
        shape["rows"].append(new)
        return 1

    def _move(self, table: str, shape: dict) -> int:
        index = self._random.randrange(len(shape["rows"]))
        row = shape["rows"][index]
        new = self._new_key(shape, row)
        listed = sql.SQL(", ").join(map(sql.Identifier, shape["key"]))
        self._connection.execute(
            sql.SQL("UPDATE ONLY {} SET ({}) = ROW({}) WHERE {}").format(
                sql.Identifier(table),
                listed,
                sql.SQL(", ").join([sql.SQL("%s")] * len(new)),
                self._where(shape),
            ),
            [*new, *row],
        )
        shape["rows"][index] = new
        return 1
