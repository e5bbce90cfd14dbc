"""The row hash's definition, docs/formats/row-hash.md, written a second time and held against its published vectors.

The C++ tests hold leat's own code against the same file.
"""

import decimal
import json
import math
import pathlib
import struct
import uuid

import pytest
import xxhash

VECTORS = pathlib.Path(__file__).parents[2] / "docs" / "formats" / "row-hash-vectors.json"


def sized(raw: bytes) -> bytes:
    return struct.pack("<I", len(raw)) + raw


def number(text: str) -> bytes:
    value = decimal.Decimal(text)
    sign, digits, exponent = value.as_tuple()
    unscaled, scale = int("".join(map(str, digits))), -exponent
    while scale > 0 and unscaled % 10 == 0:
        unscaled, scale = unscaled // 10, scale - 1
    unscaled = -unscaled if sign else unscaled
    narrow = -(2**63) <= unscaled < 2**63
    return bytes([2 if narrow else 3, scale]) + unscaled.to_bytes(8 if narrow else 16, "little", signed=True)


def floating(text: str) -> bytes:
    value = float(text)
    if math.isnan(value):
        return b"\x04" + bytes.fromhex("000000000000f87f")
    return b"\x04" + struct.pack("<d", value or 0.0)


def items(values: list) -> bytes:
    return b"\x0c" + struct.pack("<I", len(values)) + b"".join(map(encode, values))


def fields(pairs: list) -> bytes:
    filled = [(name, value) for name, value in pairs if value is not None]
    return b"\x0d" + struct.pack("<I", len(filled)) + b"".join(sized(name.encode()) + encode(value) for name, value in filled)


def entries(pairs: list) -> bytes:
    ordered = sorted((encode(key), encode(value)) for key, value in pairs)
    return b"\x0e" + struct.pack("<I", len(ordered)) + b"".join(key + value for key, value in ordered)


ENCODERS = {
    "boolean": lambda value: bytes([1, value]),
    "number": number,
    "float": floating,
    "date": lambda days: b"\x05" + struct.pack("<i", days),
    "time": lambda micros: b"\x06" + struct.pack("<q", micros),
    "timestamp": lambda micros: b"\x07" + struct.pack("<q", micros),
    "timestamp_utc": lambda micros: b"\x08" + struct.pack("<q", micros),
    "text": lambda text: b"\x09" + sized(text.encode()),
    "blob": lambda digits: b"\x0a" + sized(bytes.fromhex(digits)),
    "uuid": lambda text: b"\x0b" + uuid.UUID(text).bytes,
    "list": items,
    "struct": fields,
    "map": entries,
}


def encode(value: dict | None) -> bytes:
    if value is None:
        return b"\x00"
    [(kind, content)] = value.items()
    return ENCODERS[kind](content)


def row_bytes(columns: list) -> bytes:
    filled = (column for column in columns if column["value"] is not None)
    return b"\x01" + b"".join(struct.pack("<i", column["id"]) + encode(column["value"]) for column in filled)


def row_hash(raw: bytes) -> str:
    return str(uuid.UUID(bytes=xxhash.xxh3_128_digest(raw)))


@pytest.mark.parametrize("vector", json.loads(VECTORS.read_text()), ids=lambda vector: vector["name"])
def test_vector(vector):
    raw = row_bytes(vector["columns"])
    assert raw.hex() == vector["bytes"]
    assert row_hash(raw) == vector["hash"]


def test_different_rows_have_different_hashes():
    hashes = [vector["hash"] for vector in json.loads(VECTORS.read_text())]
    assert len(set(hashes)) == len(hashes)
