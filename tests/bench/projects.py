"""The program under test and the project folders it is given."""

import os
import pathlib
import shutil

import process
from server import Database

_CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

# As many connections as the limits were set for, on machines with more cores as well.
_SETTINGS = """\
name: bench
connections:
{connections}
limits: {{threads: 2}}
"""
_CONNECTION = "  {name}: {{type: postgres, host: {host}, port: {port}, database: {database}, user: postgres}}"


class BinaryMissing(Exception):
    """There is no program to measure; the text says where it was looked for."""


def binary() -> pathlib.Path:
    """LEAT_BIN, else build/leat of this checkout."""
    named = os.environ.get("LEAT_BIN")
    path = pathlib.Path(named or _CHECKOUT / "build" / "leat").absolute()
    if not (path.is_file() and os.access(path, os.X_OK)):
        origin = "named by LEAT_BIN" if named else "run `make build`, or name another one in LEAT_BIN"
        raise BinaryMissing(f"{path} is no program ({origin})")
    return path


class Leat:
    """The program in an environment that holds nothing of the caller's."""

    def __init__(self, home: pathlib.Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.binary = binary()
        self._environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC"}

    def run(self, *arguments: str, cwd: pathlib.Path) -> process.Usage:
        return process.run([str(self.binary), *arguments], cwd=cwd, env=self._environment)

    def stop(self, *arguments: str, cwd: pathlib.Path, after_s: float) -> float:
        """Start a command, press Ctrl-C after a while, and say how many seconds it took to end."""
        return process.stop([str(self.binary), *arguments], cwd=cwd, env=self._environment, after_s=after_s)

    def version(self, cwd: pathlib.Path) -> str:
        return " · ".join(self.run("--version", cwd=cwd).stdout.split("\n")).strip(" ·")

    def count(self, table: str, cwd: pathlib.Path) -> int:
        """Rows of a table by leat's own word."""
        printed = self.run("query", f"SELECT count(*) AS rows FROM {table}", "--format", "csv", cwd=cwd).stdout
        return int(printed.split()[-1])


def write_lake_project(folder: pathlib.Path, source: Database) -> pathlib.Path:
    """A project of one stream and nothing else, in place of one that may be there."""
    shutil.rmtree(folder, ignore_errors=True)
    _write(folder / "leat.yaml", _settings(totesys=source))
    _write(folder / "sources" / "totesys.yaml", "type: postgres\nconnection: totesys\nstreams:\n  sales_order: {}\n")
    return folder


def write_api_project(folder: pathlib.Path, url: str) -> pathlib.Path:
    """A project of one stream of an API, in place of one that may be there."""
    shutil.rmtree(folder, ignore_errors=True)
    _write(folder / "leat.yaml", "name: bench\nlimits: {threads: 2}\n")
    _write(
        folder / "sources" / "billing.yaml",
        f"type: http\nbase_url: {url}\nrate_limit: {{requests: 100000}}\n"
        "paginate: {type: token, read: $.next_offset, param: offset}\n"
        "key: id\nversion: resource_version\ndeleted: {deleted: true}\n"
        'timestamps: {columns: ["*_at", current_term_start, current_term_end, trial_end, apply_till], unit: s}\n'
        'streams:\n  subscriptions: {records: "$.list[*].subscription"}\n',
    )
    return folder


def write_warehouse_project(folder: pathlib.Path, source: Database, warehouse: Database) -> pathlib.Path:
    """The same with one model, all columns of the stream, that goes into a warehouse."""
    write_lake_project(folder, source)
    settings = _settings(totesys=source, warehouse=warehouse)
    _write(folder / "leat.yaml", settings + 'warehouse: {connection: warehouse, load: ["mart.*"]}\n')
    _write(folder / "models" / "mart" / "sales_order.sql", "/* ---\nkey: sales_order_id\n--- */\nSELECT * FROM totesys.sales_order\n")
    return folder


def write_history_project(folder: pathlib.Path, source: Database, warehouse: Database) -> pathlib.Path:
    """One stream, all versions of its rows in one model with record ids, and that in a warehouse."""
    write_warehouse_project(folder, source, warehouse)
    _write(
        folder / "models" / "mart" / "sales_order.sql",
        "/* ---\nkind: history\nkey: sales_order_id\nrecord_id: sales_record_id\n--- */\n"
        "SELECT sales_order_id, created_at, design_id, staff_id, counterparty_id, units_sold, unit_price, currency_id,\n"
        "  agreed_delivery_date, agreed_payment_date, agreed_delivery_location_id\nFROM totesys.sales_order__history\n",
    )
    return folder


def write_many_models_project(folder: pathlib.Path, source: Database, models: int) -> pathlib.Path:
    """The shop's streams and `models` models; every fourth reads the one before it."""
    _write(folder / "leat.yaml", _settings(totesys=source))
    _write(
        folder / "sources" / "totesys.yaml",
        'type: postgres\nconnection: totesys\nstreams:\n  "*": {}\n  _prisma_migrations: {skip: true}\n',
    )
    for number in range(1, models + 1):
        _write(folder / "models" / "mart" / f"{_model_name(number)}.sql", _model(number))
    return folder


def _settings(**databases: Database) -> str:
    lines = [
        _CONNECTION.format(name=name, host=database.cluster.host, port=database.cluster.port, database=database.name)
        for name, database in databases.items()
    ]
    return _SETTINGS.format(connections="\n".join(lines))


def _model_name(number: int) -> str:
    return f"orders_{number:03}"


def _model(number: int) -> str:
    head = "/* ---\nkey: sales_order_id\nchecks:\n  - not_null: [sales_order_id, amount]\n--- */\n"
    if number % 4 == 0:
        return head + (
            "SELECT o.sales_order_id, o.amount, o.staff_id, s.first_name, s.last_name\n"
            f"FROM mart.{_model_name(number - 1)} o\nJOIN totesys.staff s USING (staff_id)\n"
        )
    return head + (
        "SELECT o.sales_order_id, o.staff_id, o.created_at::DATE AS created_date, o.units_sold * o.unit_price AS amount,\n"
        "  c.currency_code, d.design_name\n"
        "FROM totesys.sales_order o\nJOIN totesys.currency c USING (currency_id)\nJOIN totesys.design d USING (design_id)\n"
        f"WHERE o.units_sold > {number}\n"
    )


def _write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
