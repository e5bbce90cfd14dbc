"""The throw-away PostgreSQL of a bench and what is in it."""

import os
import pathlib
import shutil
import sys

_TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_TESTS / "e2e"))

from support.postgres import SUPERUSER, Cluster, Database  # noqa: E402, F401

_DEMO = _TESTS.parent / "templates" / "shop" / "demo"

# Nothing that works in the background may fall into one half of a pair: no vacuum, no checkpoint but those asked for.
# `wal_level` stays as it is: with `minimal`, a COPY into a table of its own transaction would write no log, and that is
# how leat loads but not how its yardstick does.
_SETTINGS = {
    "shared_buffers": "1GB",
    "maintenance_work_mem": "512MB",
    "autovacuum": "off",
    "checkpoint_timeout": "1d",
    "min_wal_size": "2GB",
    "max_wal_size": "8GB",
}

_SALES_ORDER_COLUMNS = """
    sales_order_id              integer NOT NULL,
    created_at                  timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_updated                timestamp(3) NOT NULL,
    design_id                   integer NOT NULL,
    staff_id                    integer NOT NULL,
    counterparty_id             integer NOT NULL,
    units_sold                  integer NOT NULL,
    unit_price                  numeric(10,2) NOT NULL,
    currency_id                 integer NOT NULL,
    agreed_delivery_date        text NOT NULL,
    agreed_payment_date         text NOT NULL,
    agreed_delivery_location_id integer NOT NULL"""

# Twelve orders a minute from 2015 on; all values are regular, so that a file of them is the same on every machine.
_SALES_ORDER_VALUES = """
    n,
    at,
    at,
    n % 600 + 1,
    n % 20 + 1,
    n % 20 + 1,
    1000 + n % 99000,
    2.00 + (n % 201) / 100.0,
    n % 3 + 1,
    to_char(at + n % 8 * interval '1 day', 'YYYY-MM-DD'),
    to_char(at + n % 7 * interval '1 day', 'YYYY-MM-DD'),
    n % 30 + 1"""
_ORDER_NUMBERS = """
    generate_series(1, {rows}) AS n,
    LATERAL (SELECT timestamp '2015-01-01' + n * interval '5 seconds' AS at) AS clock"""

# Texts that hardly compress and of which no two are equal: windows of 2,048 characters that slide over random digits. Rows
# that share digits stand 20,000 rows apart, farther than a compressor looks back.
_TEXTS = 20_000
_MAKE_TEXTS = f"""
CREATE TEMPORARY TABLE digits AS
SELECT t, string_agg(md5(t || ':' || part), '') AS text
FROM generate_series(0, {_TEXTS - 1}) AS t, generate_series(1, 68) AS part GROUP BY t"""


class BenchCluster(Cluster):
    """A running server with the settings of a bench."""

    def __init__(self) -> None:
        super().__init__(_SETTINGS)

    def checkpoint(self) -> None:
        """Write out what is dirty, so that the next measurement does not pay for the last one."""
        with self.connect("postgres") as connection:
            connection.execute("CHECKPOINT")

    def version(self) -> str:
        with self.connect("postgres") as connection:
            return connection.execute("SHOW server_version").fetchone()[0].split()[0]


def psql() -> str:
    """The program itself: Debian's /usr/bin/psql is a script that looks for it first."""
    found = shutil.which("psql", path=f"/usr/lib/postgresql/15/bin{os.pathsep}{os.environ.get('PATH', '')}")
    assert found, "psql is absent; run tools/bootstrap"
    return found


def fill_sales_orders(database: Database, rows: int) -> None:
    """`sales_order` in the shape of the shop's, with its key."""
    database.execute(f"CREATE TABLE sales_order ({_SALES_ORDER_COLUMNS})")
    database.execute(f"INSERT INTO sales_order SELECT {_SALES_ORDER_VALUES} FROM {_ORDER_NUMBERS.format(rows=rows)}")
    _finish(database)


def fill_wide_orders(database: Database, rows: int) -> None:
    """The same with a text of 2 KB in each row, kept within the row so that the server has nothing to look up."""
    with database.connect() as connection:
        connection.execute("SET work_mem = '256MB'")
        connection.execute(_MAKE_TEXTS)
        connection.execute(f"CREATE TABLE sales_order ({_SALES_ORDER_COLUMNS}, note text NOT NULL)")
        connection.execute("ALTER TABLE sales_order ALTER COLUMN note SET STORAGE MAIN")
        connection.execute(
            f"""INSERT INTO sales_order SELECT {_SALES_ORDER_VALUES}, substr(text, n / {_TEXTS} % 128 + 1, 2048)
                FROM {_ORDER_NUMBERS.format(rows=rows)}, digits WHERE t = n % {_TEXTS}"""
        )
    _finish(database)


def _finish(database: Database) -> None:
    database.execute("ALTER TABLE sales_order ADD PRIMARY KEY (sales_order_id)")
    # Hint bits too: the first reader would set them, and pay.
    database.execute("VACUUM (FREEZE, ANALYZE) sales_order")
    database.cluster.checkpoint()


def make_empty_sales_order(database: Database) -> None:
    """An empty `sales_order` with its key, in place of one that may be there."""
    database.execute("DROP TABLE IF EXISTS sales_order")
    database.execute(f"CREATE TABLE sales_order ({_SALES_ORDER_COLUMNS}, PRIMARY KEY (sales_order_id))")


def fill_shop(database: Database) -> None:
    """The demo's shop: eleven tables, about 20,000 rows."""
    with database.connect() as connection:
        for name in ("schema.sql", "data.sql"):
            connection.execute((_DEMO / name).read_text(encoding="utf-8"))
        connection.execute("ANALYZE")


def sell(database: Database, number: int) -> None:
    """Five minutes of a busy shop: three orders with their payments, five payments that arrive, one date that moves, and
    now and then a design. `number` makes each time differ from the others."""
    database.execute(
        f"""
        WITH sale AS (
          INSERT INTO sales_order
          SELECT (SELECT max(sales_order_id) FROM sales_order) + n, now(), now(), 1, 1, 1, 1000 + {number}, 2.50, 1,
                 '2025-01-01', '2025-01-02', 1
          FROM generate_series(1, 3) AS n RETURNING *),
        entry AS (
          INSERT INTO transaction
          SELECT (SELECT max(transaction_id) FROM transaction) + row_number() OVER (), 'SALE', sales_order_id, NULL, now(), now()
          FROM sale RETURNING *)
        INSERT INTO payment
        SELECT (SELECT max(payment_id) FROM payment) + row_number() OVER (), now(), now(), transaction_id, 1,
               2.50 * (1000 + {number}), 1, 1, false, '2025-01-02', 12345678, 87654321
        FROM entry;
        UPDATE payment SET paid = NOT paid, last_updated = now() WHERE payment_id % 100 = {number % 100} AND payment_id <= 500;
        UPDATE sales_order SET agreed_delivery_date = to_char(date '2025-01-01' + {number}, 'YYYY-MM-DD')
          WHERE sales_order_id = {number % 100 + 1}"""
    )
    if number % 10 == 0:
        database.execute(f"UPDATE design SET file_location = '/srv/{number}' WHERE design_id = {number // 10 % 20 + 1}")
