"""Moves a totesys source from its dump of November 2023 to June 2025, from the files of a later dump.

That dump has no orders as the source keeps them; they come from the columns of a warehouse's fact, which has one row for
each. The live database changes orders and designs without touching `last_updated`, and so does this.
"""

import datetime
import decimal
import json

import pyarrow.parquet
from psycopg import sql

from support import totesys
from support.postgres import Database

_ORDER = (
    "sales_order_id created_at last_updated design_id staff_id counterparty_id units_sold unit_price currency_id "
    "agreed_delivery_date agreed_payment_date agreed_delivery_location_id"
).split()
_DESIGN = "design_id created_at design_name file_location file_name last_updated".split()


def designs() -> list[dict]:
    (file,) = totesys.data_folder("totesys-2025-06").glob("design-*.json")
    return json.loads(file.read_text(encoding="utf-8"))


def sales_orders() -> list[dict]:
    """Every order, with the columns of the source."""
    (file,) = totesys.data_folder("totesys-2025-06").glob("fact_sales_order-*.parquet")
    return [_order(row) for row in pyarrow.parquet.read_table(file).to_pylist()]


def _order(row: dict) -> dict:
    # Times are text and prices floating point in that file.
    return {name: row[name] for name in _ORDER if name in row} | {
        "staff_id": row["sales_staff_id"],
        "created_at": datetime.datetime.combine(row["created_date"], datetime.time.fromisoformat(row["created_time"])),
        "last_updated": datetime.datetime.combine(
            row["last_updated_date"], datetime.time.fromisoformat(row["last_updated_time"])
        ),
        "unit_price": decimal.Decimal(f"{row['unit_price']:.2f}"),
        "agreed_delivery_date": row["agreed_delivery_date"].isoformat(),
        "agreed_payment_date": row["agreed_payment_date"].isoformat(),
    }


def move(source: Database) -> None:
    """Insert what is new and update what differs; of a row that is there, `last_updated` stays."""
    _upsert(source, "design", _DESIGN, designs())
    _upsert(source, "sales_order", _ORDER, sales_orders())


def _upsert(source: Database, table: str, columns: list[str], rows: list[dict]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    changing = [name for name in columns if name not in (f"{table}_id", "created_at", "last_updated")]
    old, new = (
        sql.SQL(", ").join(sql.Identifier(alias, name) for name in changing) for alias in ("old", "excluded")
    )
    assignments = sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in changing)
    with source.connect(autocommit=False) as connection:
        empty_copy = "CREATE TEMP TABLE later ON COMMIT DROP AS TABLE {} WITH NO DATA"
        connection.execute(sql.SQL(empty_copy).format(sql.Identifier(table)))
        with connection.cursor().copy(sql.SQL("COPY later ({}) FROM STDIN").format(names)) as copy:
            for row in rows:
                copy.write_row([row[name] for name in columns])
        connection.execute(
            sql.SQL(
                "INSERT INTO {table} AS old ({names}) SELECT {names} FROM later ORDER BY 1 "
                "ON CONFLICT ({key}) DO UPDATE SET {assignments} WHERE ({old}) IS DISTINCT FROM ({new})"
            ).format(
                table=sql.Identifier(table),
                names=names,
                key=sql.Identifier(f"{table}_id"),
                assignments=assignments,
                old=old,
                new=new,
            )
        )
