"""The source database of the main job, filled from the dump in the folder of test data."""

import os
import pathlib

import pytest
from psycopg import sql

from support.postgres import Cluster, Database

TABLES = [
    "department",
    "address",
    "currency",
    "payment_type",
    "design",
    "staff",
    "counterparty",
    "sales_order",
    "purchase_order",
    "transaction",
    "payment",
]  # in an order that foreign keys allow
READER = "leat_reader"
TEMPLATE = "totesys_template"

_CHECKOUT = pathlib.Path(__file__).resolve().parents[3]


def dump_folder() -> pathlib.Path:
    """The folder of the dump's CSV files."""
    return data_folder("totesys-2023-11") / "csv"


def data_folder(name: str) -> pathlib.Path:
    """A folder of test data. Its absence fails the test; LEAT_TEST_DATA_OPTIONAL=1 makes that a skip."""
    data = pathlib.Path(os.environ.get("LEAT_TEST_DATA") or _CHECKOUT.parent / "shared" / "data")
    folder = data / name
    if not folder.is_dir():
        message = f"LEAT_TEST_DATA: {folder} is absent"
        if os.environ.get("LEAT_TEST_DATA_OPTIONAL") == "1":
            pytest.skip(message)
        pytest.fail(message, pytrace=False)
    return folder


def create_template(cluster: Cluster) -> str:
    """Fill a database once; copies of it are made in a fraction of a second (`create_database(template=…)`)."""
    folder = dump_folder()
    database = cluster.create_database(TEMPLATE)
    database.execute((pathlib.Path(__file__).parent / "totesys.sql").read_text(encoding="utf-8"))
    load(database, folder)
    database.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{READER}"')
    return TEMPLATE


def load(database: Database, folder: pathlib.Path) -> None:
    with database.connect() as connection:
        for table in TABLES:
            name = sql.Identifier(table)
            with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN (FORMAT csv, HEADER match)").format(name)) as copy:
                copy.write((folder / f"{table}.csv").read_bytes())
            key = f"{table}_id"
            connection.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), (SELECT max({}) FROM {}))").format(
                    sql.Literal(table), sql.Literal(key), sql.Identifier(key), name
                )
            )
        connection.execute("ANALYZE")


def rows(database: Database, table: str) -> dict[int, dict]:
    """Every row of a table by its key, as the source holds it now."""
    with database.connect() as connection:
        cursor = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        names = [column.name for column in cursor.description]
        return {row[names.index(f"{table}_id")]: dict(zip(names, row)) for row in cursor}
