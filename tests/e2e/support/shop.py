"""The main job: the shop template between a copy of the totesys source and an empty warehouse."""

import pathlib

from psycopg import sql

from support.leat import Leat, Result
from support.postgres import Cluster
from support.star import SHAPES
from support.totesys import READER

WRITER = "leat_writer"


class Shop:
    """A project in `folder`/shop with databases of its own: `source`, `warehouse`. `drop` removes those."""

    def __init__(self, pg: Cluster, template: str, folder: pathlib.Path) -> None:
        self.pg = pg
        self.source = pg.create_database(template=template)
        self.warehouse = pg.create_database(owner=WRITER)
        self.leat = Leat(folder / "home", folder)
        self.leat.write_pgpass(pg.pgpass())
        self.project = folder / "shop"

    def drop(self) -> None:
        self.pg.drop_database(self.source.name)
        self.pg.drop_database(self.warehouse.name)

    def init(self) -> Result:
        return self.leat.run(
            "init", "shop", "--template", "shop", "--source", self.source.url(READER), "--warehouse", self.warehouse.url(WRITER)
        )

    def run(self, *args, **options) -> Result:
        return self.leat.run("run", *args, cwd=self.project, **options)

    def query(self, statement: str) -> list[str]:
        """Lines of leat's own answer, without the header."""
        return self.leat.run("query", statement, "--format", "csv", cwd=self.project).expect(0).stdout.splitlines()[1:]

    # --- the warehouse, seen by psycopg ---

    def rows(self, table: str) -> list[tuple]:
        """All rows by key, columns in specified order."""
        columns = sql.SQL(", ").join(map(sql.Identifier, SHAPES[table].names))
        with self.warehouse.connect() as connection:
            return connection.execute(
                sql.SQL("SELECT {} FROM {} ORDER BY 1").format(columns, sql.Identifier(table))
            ).fetchall()

    def row(self, table: str, key) -> dict:
        found = [row for row in self.rows(table) if row[0] == key]
        assert len(found) == 1, f"{table} has {len(found)} rows with key {key}"
        return dict(zip(SHAPES[table].names, found[0]))

    def versions(self, table: str, business_id: int) -> list[dict]:
        """The versions of one order or payment, oldest first."""
        names = SHAPES[table].names
        return [dict(zip(names, row)) for row in self.rows(table) if row[1] == business_id]

    def marks(self) -> dict[str, dict]:
        """Per table, the place and writing transaction of every row by key: equal marks mean an untouched row."""
        found = {}
        with self.warehouse.connect() as connection:
            for table, shape in SHAPES.items():
                statement = sql.SQL("SELECT {}, xmin::text, ctid::text FROM {}")
                rows = connection.execute(statement.format(sql.Identifier(shape.key), sql.Identifier(table)))
                found[table] = {key: mark for key, *mark in rows}
        return found

    def loads(self) -> int:
        """How many loads the ledger holds."""
        return self.warehouse.value("SELECT count(*) FROM _leat_loads")

    # --- its shape ---

    def tables(self) -> set[str]:
        return {name for (name,) in self.warehouse.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}

    def columns(self, table: str) -> list[tuple[str, str, bool]]:
        return self.warehouse.rows(
            """SELECT attname, format_type(atttypid, atttypmod), attnotnull
               FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum""",
            [table],
        )

    def primary_key(self, table: str) -> list[str]:
        return [
            name
            for (name,) in self.warehouse.rows(
                """SELECT attname FROM pg_constraint c
                   CROSS JOIN unnest(conkey) WITH ORDINALITY AS k(attnum, place)
                   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
                   WHERE contype = 'p' AND conrelid = %s::regclass ORDER BY place""",
                [table],
            )
        ]

    def foreign_keys(self, table: str) -> list[tuple[str, str, str]]:
        """(column, referenced table, referenced column); every key here has one column, and is validated."""
        return self.warehouse.rows(
            """SELECT a.attname, confrelid::regclass::text, f.attname FROM pg_constraint c
               JOIN pg_attribute a ON a.attrelid = conrelid AND a.attnum = conkey[1]
               JOIN pg_attribute f ON f.attrelid = confrelid AND f.attnum = confkey[1]
               WHERE contype = 'f' AND conrelid = %s::regclass AND cardinality(conkey) = 1 AND convalidated""",
            [table],
        )
