"""Finds every leaf of a JSON record again in the tables that it was taken apart into, knowing nothing of how.

A leaf is a value that is no object and no list, with numbers as decimals. A cell of a table is a leaf too: a time is the
seconds or milliseconds since 1970 that it stands for, a list is its entries, and text that holds JSON may also be what is
in it.
"""

import collections
import datetime
import json
from decimal import Decimal

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def loads(text: str | bytes):
    """JSON with all the digits it has."""
    return json.loads(text, parse_float=Decimal)


def leaves(value) -> list:
    """Every leaf in the order of the text; null is none."""
    if isinstance(value, dict):
        return [leaf for entry in value.values() for leaf in leaves(entry)]
    if isinstance(value, list):
        return [leaf for entry in value for leaf in leaves(entry)]
    return [] if value is None else [_normal(value)]


def _normal(value):
    if isinstance(value, bool):
        return f"bool {value}"  # True is no 1 here
    if isinstance(value, (int, float, Decimal)):
        return Decimal(str(value)).normalize()
    return value


def _readings(cell) -> list[list]:
    """What a cell may stand for: one list of leaves for each way of reading it."""
    if cell is None:
        return [[]]
    if isinstance(cell, datetime.datetime):
        microseconds = (cell - _EPOCH) // datetime.timedelta(microseconds=1)
        return [[_normal(Decimal(microseconds) / 10**6)], [_normal(Decimal(microseconds) / 10**3)], [cell.isoformat()]]
    if isinstance(cell, datetime.date):
        return [[cell.isoformat()]]
    if isinstance(cell, list):
        return [leaves(cell)]
    readings = [[_normal(cell)]]
    if isinstance(cell, str) and cell[:1] in "[{":
        try:
            readings.append(leaves(loads(cell)))
        except ValueError:
            pass
    return readings


def missing(record: dict, rows: list[dict]) -> list:
    """Leaves of the record that no cell of `rows` accounts for; each cell accounts for as many leaves as it holds."""
    wanted = collections.Counter(leaves(record))
    for row in rows:
        for name, cell in row.items():
            if not name.startswith("_leat_"):
                _take(wanted, _readings(cell))
    return sorted(map(str, (+wanted).elements()))


def _take(wanted: collections.Counter, readings: list[list]) -> None:
    for reading in readings:
        counted = collections.Counter(reading)
        if reading and all(wanted[leaf] >= count for leaf, count in counted.items()):
            wanted.subtract(counted)
            return
