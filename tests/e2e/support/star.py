"""The three star schemas as specified: their shape, and their rows computed from the source in plain Python."""

import dataclasses
import datetime

from support import totesys
from support.postgres import Database

CURRENCY_NAMES = {"GBP": "Pound Sterling", "USD": "US Dollar", "EUR": "Euro"}

# A column is "name type", followed by "null" where it may be. The order is the order in the warehouse.
_VARCHAR = "character varying"
_TIME = "time without time zone"


@dataclasses.dataclass(frozen=True)
class Shape:
    columns: tuple[tuple[str, str, bool], ...]  # name, type as format_type() writes it, NOT NULL
    key: str
    references: frozenset[tuple[str, str, str]]  # column, table, its column

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _, _ in self.columns)


def _shape(columns: str, **references: str) -> Shape:
    """`columns`: one per line, as `name type [null]`; the first is the key. References: column="table.column"."""
    short = {"int": "integer", "varchar": _VARCHAR, "time": _TIME}
    parsed = []
    for line in columns.strip().splitlines():
        name, kind, *null = line.split()
        parsed.append((name, short.get(kind, kind), not null))
    return Shape(tuple(parsed), parsed[0][0], frozenset((column, *target.split(".")) for column, target in references.items()))


SHAPES = {
    "dim_date": _shape(
        """
        date_id date
        year int
        month int
        day int
        day_of_week int
        day_name varchar
        month_name varchar
        quarter int
        """
    ),
    "dim_currency": _shape(
        """
        currency_id int
        currency_code varchar
        currency_name varchar
        """
    ),
    "dim_location": _shape(
        """
        location_id int
        address_line_1 varchar
        address_line_2 varchar null
        district varchar null
        city varchar
        postal_code varchar
        country varchar
        phone varchar
        """
    ),
    "dim_counterparty": _shape(
        """
        counterparty_id int
        counterparty_legal_name varchar
        counterparty_legal_address_line_1 varchar
        counterparty_legal_address_line_2 varchar null
        counterparty_legal_district varchar null
        counterparty_legal_city varchar
        counterparty_legal_postal_code varchar
        counterparty_legal_country varchar
        counterparty_legal_phone_number varchar
        """
    ),
    "dim_staff": _shape(
        """
        staff_id int
        first_name varchar
        last_name varchar
        department_name varchar
        location varchar
        email_address varchar
        """
    ),
    "dim_design": _shape(
        """
        design_id int
        design_name varchar
        file_location varchar
        file_name varchar
        """
    ),
    "dim_payment_type": _shape(
        """
        payment_type_id int
        payment_type_name varchar
        """
    ),
    "dim_transaction": _shape(
        """
        transaction_id int
        transaction_type varchar
        sales_order_id int null
        purchase_order_id int null
        """
    ),
    "fact_sales_order": _shape(
        """
        sales_record_id int
        sales_order_id int
        created_date date
        created_time time
        last_updated_date date
        last_updated_time time
        sales_staff_id int
        counterparty_id int
        units_sold int
        unit_price numeric(10,2)
        currency_id int
        design_id int
        agreed_payment_date date
        agreed_delivery_date date
        agreed_delivery_location_id int
        """,
        created_date="dim_date.date_id",
        last_updated_date="dim_date.date_id",
        sales_staff_id="dim_staff.staff_id",
        counterparty_id="dim_counterparty.counterparty_id",
        currency_id="dim_currency.currency_id",
        design_id="dim_design.design_id",
        agreed_payment_date="dim_date.date_id",
        agreed_delivery_date="dim_date.date_id",
        agreed_delivery_location_id="dim_location.location_id",
    ),
    "fact_purchase_orders": _shape(
        """
        purchase_record_id int
        purchase_order_id int
        created_date date
        created_time time
        last_updated_date date
        last_updated_time time
        staff_id int
        counterparty_id int
        item_code varchar
        item_quantity int
        item_unit_price numeric
        currency_id int
        agreed_delivery_date date
        agreed_payment_date date
        agreed_delivery_location_id int
        """,
        created_date="dim_date.date_id",
        last_updated_date="dim_date.date_id",
        staff_id="dim_staff.staff_id",
        counterparty_id="dim_counterparty.counterparty_id",
        currency_id="dim_currency.currency_id",
        agreed_delivery_date="dim_date.date_id",
        agreed_payment_date="dim_date.date_id",
        agreed_delivery_location_id="dim_location.location_id",
    ),
    "fact_payment": _shape(
        """
        payment_record_id int
        payment_id int
        created_date date
        created_time time
        last_updated_date date
        last_updated_time time
        transaction_id int
        counterparty_id int
        payment_amount numeric
        currency_id int
        payment_type_id int
        paid boolean
        payment_date date
        """,
        created_date="dim_date.date_id",
        last_updated_date="dim_date.date_id",
        transaction_id="dim_transaction.transaction_id",
        counterparty_id="dim_counterparty.counterparty_id",
        currency_id="dim_currency.currency_id",
        payment_type_id="dim_payment_type.payment_type_id",
        payment_date="dim_date.date_id",
    ),
}
FACTS = {"fact_sales_order": "sales_order", "fact_purchase_orders": "purchase_order", "fact_payment": "payment"}
DIMENSIONS = [table for table in SHAPES if table not in FACTS]


# --- rows -----------------------------------------------------------------------------------------------------------


def expected(source: Database) -> dict[str, set[tuple]]:
    """Rows of every table for a first load of `source`, as sets of tuples in column order; facts without record id."""
    tables = {table: totesys.rows(source, table) for table in totesys.TABLES}
    found = {table: {fact_row(table, row) for row in tables[stream].values()} for table, stream in FACTS.items()}
    found |= {
        "dim_currency": {_currency(row) for row in tables["currency"].values()},
        "dim_location": {_location(row) for row in tables["address"].values()},
        "dim_counterparty": {_counterparty(row, tables["address"]) for row in tables["counterparty"].values()},
        "dim_staff": {_staff(row, tables["department"]) for row in tables["staff"].values()},
        "dim_design": {_pick(row, *SHAPES["dim_design"].names) for row in tables["design"].values()},
        "dim_payment_type": {_pick(row, *SHAPES["dim_payment_type"].names) for row in tables["payment_type"].values()},
        "dim_transaction": {_pick(row, *SHAPES["dim_transaction"].names) for row in tables["transaction"].values()},
        "dim_date": _dates(found),
    }
    return found


def fact_row(table: str, row: dict) -> tuple:
    """The columns of a fact after its record id, from one row of its stream."""
    renamed = {"sales_staff_id": "staff_id"}
    values = {
        "created_date": row["created_at"].date(),
        "created_time": row["created_at"].time(),
        "last_updated_date": row["last_updated"].date(),
        "last_updated_time": row["last_updated"].time(),
    }
    for name in ("agreed_delivery_date", "agreed_payment_date", "payment_date"):
        if name in row:
            values[name] = datetime.date.fromisoformat(row[name])
    return tuple(values[name] if name in values else row[renamed.get(name, name)] for name in SHAPES[table].names[1:])


def used_dates(facts: dict[str, set[tuple]]) -> set[datetime.date]:
    """Every date that a fact row names; facts as `expected` gives them."""
    dates = set()
    for table in FACTS:
        places = [i for i, (_, kind, _) in enumerate(SHAPES[table].columns[1:]) if kind == "date"]
        dates |= {row[place] for row in facts[table] for place in places}
    return dates


def date_row(day: datetime.date) -> tuple:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    months = (
        "January February March April May June July August September October November December"
    ).split()
    return (
        day,
        day.year,
        day.month,
        day.day,
        day.isoweekday(),
        days[day.weekday()],
        months[day.month - 1],
        (day.month + 2) // 3,
    )


def _dates(facts: dict[str, set[tuple]]) -> set[tuple]:
    used = used_dates(facts)
    first, last = min(used), max(used)
    return {date_row(first + datetime.timedelta(days=n)) for n in range((last - first).days + 1)}


def _pick(row: dict, *names: str) -> tuple:
    return tuple(row[name] for name in names)


def _currency(row: dict) -> tuple:
    return row["currency_id"], row["currency_code"], CURRENCY_NAMES[row["currency_code"]]


_ADDRESS = ("address_line_1", "address_line_2", "district", "city", "postal_code", "country", "phone")


def _location(row: dict) -> tuple:
    return _pick(row, "address_id", *_ADDRESS)


def _counterparty(row: dict, addresses: dict[int, dict]) -> tuple:
    return _pick(row, "counterparty_id", "counterparty_legal_name") + _pick(addresses[row["legal_address_id"]], *_ADDRESS)


def _staff(row: dict, departments: dict[int, dict]) -> tuple:
    department = departments[row["department_id"]]
    return (
        *_pick(row, "staff_id", "first_name", "last_name"),
        department["department_name"],
        department["location"],
        row["email_address"],
    )
