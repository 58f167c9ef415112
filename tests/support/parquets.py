"""Parquet files for tests: of every kind that matters, and changed at random."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from aspen_etl.errors import AspenETLError
from aspen_etl.io.columnar import read_parquet
from aspen_etl.io.parquet.thrift import read_struct
from aspen_etl.io.reading import RawSheet, ReadLimits, Request

#: Small ones, so that a mutant that grows is refused before it takes much.
LIMITS = ReadLimits(max_uncompressed_bytes=64 << 20, max_rows=100_000)


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    """Write columns as the bytes of a file."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, **options)
    return out.getvalue()


def samples() -> list[bytes]:
    """Give files of all types, page versions, encodings and codecs, with checksums."""
    import pyarrow as pa

    count = 40
    words = [f"word {i % 7}" * (i % 3) for i in range(count)]
    text = {"id": [f"a{i}" for i in range(count)], "name": words, "gap": [None, *words[1:]]}
    typed = {
        "whole": pa.array(range(count), pa.int64()),
        "number": pa.array([i / 4 for i in range(count)], pa.float32()),
        "day": [dt.date(2020, 1, 1 + i % 28) for i in range(count)],
        "moment": pa.array(range(count), pa.timestamp("us", "UTC")),
        "time": pa.array(range(count), pa.time64("us")),
        "amount": [decimal.Decimal(i).scaleb(-2) for i in range(count)],
        "code": pa.array([b"%05d" % i for i in range(count)], pa.binary(5)),
        "flag": [bool(i % 2) for i in range(count)],
        "tags": [["x"] * (i % 3) for i in range(count)],
    }
    checked = {"write_page_checksum": True}
    delta = {"id": "DELTA_BYTE_ARRAY", "name": "DELTA_LENGTH_BYTE_ARRAY", "gap": "PLAIN"}
    return [
        parquet(text, **checked),
        parquet(text, compression="none", data_page_version="2.0", row_group_size=15, **checked),
        parquet(text, use_dictionary=False, column_encoding=delta, compression="zstd", **checked),
        parquet(typed, compression="gzip", **checked),
        parquet(typed, compression="none", use_dictionary=False, store_schema=False, **checked),
    ]


@dataclass(frozen=True)
class Mutant:
    """A file with a change.

    Attributes:
        data: The file.
        change: What was done to it.
    """

    data: bytes
    change: str


def mutants(data: bytes, count: int, seed: int) -> Iterator[Mutant]:
    """Change a file in many ways, half of them in its footer."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    footer, _ = _footer(data)
    for _ in range(count):
        changed = bytearray(data)
        for _ in range(chance.choice((1, 1, 1, 2, 8))):
            place = chance.choice(
                (chance.randrange(len(data)), chance.randrange(footer, len(data)))
            )
            kind = chance.choice(("flip", "set", "number", "cut", "double", "drop"))
            _change(changed, kind, place, chance)
        yield Mutant(bytes(changed), f"seed {seed}, {kind} at {place} (footer at {footer})")


def _change(data: bytearray, kind: str, place: int, chance: random.Random) -> None:
    if kind == "flip" and place < len(data):
        data[place] ^= 1 << chance.randrange(8)
    elif kind == "set" and place < len(data):
        data[place] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    elif kind == "number":
        data[place : place + 5] = chance.choice((b"\xff\xff\xff\xff\x0f", b"\xfe\xff\xff\xff\x0f"))
    elif kind == "cut":
        del data[place : place + chance.choice((1, 4, 100))]
    elif kind == "double":
        data[place:place] = data[place : place + chance.choice((1, 8, 64))]
    elif kind == "drop":
        data[place : place + chance.choice((1, 8, 64))] = b""


def pages(data: bytes) -> Iterator[range]:
    """Say where the bytes of each page lie, without its header."""
    footer, _ = read_struct(memoryview(data), *_footer(data))
    for about in (column[3] for group in footer[4] for column in group[1]):
        position = min(about[9], about.get(11, about[9]))
        end = position + about[7]
        while position < end:
            header, position = read_struct(memoryview(data), position, end)
            yield range(position, position + header[3])
            position += header[3]


def _footer(data: bytes) -> tuple[int, int]:
    return len(data) - 8 - int.from_bytes(data[-8:-4], "little"), len(data) - 8


def encrypted(columns: dict[str, Any], *, plain_footer: bool) -> bytes:
    """Write columns as an encrypted file, of which the footer may be plain and one column not."""
    import pyarrow as pa
    import pyarrow.parquet.encryption as pe
    from pyarrow import parquet as pq

    class Keys(pe.KmsClient):  # type: ignore[misc]
        def __init__(self, _: Any) -> None:
            super().__init__()

        def wrap_key(self, key: bytes, _: str) -> bytes:
            return base64.b64encode(key)

        def unwrap_key(self, key: bytes, _: str) -> bytes:
            return base64.b64decode(key)

    table, out = pa.table(columns), io.BytesIO()
    last = table.column_names[-1]
    how = pe.EncryptionConfiguration("f", column_keys={"c": [last]}, plaintext_footer=plain_footer)
    made = pe.CryptoFactory(Keys).file_encryption_properties(pe.KmsConnectionConfig(), how)
    with pq.ParquetWriter(out, table.schema, encryption_properties=made) as writer:
        writer.write_table(table)
    return out.getvalue()


def with_uuid(data: bytes, name: str) -> bytes:
    """Mark a column of 16 bytes as one of UUIDs, which pyarrow 17 cannot write."""
    text = bytes([0x18, len(name)]) + name.encode()
    start, end = _footer(data)
    marked = data[start:end].replace(text + b"\0", text + b"\x6c\xec\0\0\0", 1)
    return data[:start] + marked + len(marked).to_bytes(4, "little") + data[-4:]


def read_mutant(data: bytes) -> Any:
    """Read each column of a file, or give the name of the error."""
    request = Request("x.parquet", "borrower", (), limits=LIMITS)
    sheet = _try(lambda: read_parquet(data, request))
    if isinstance(sheet, str):
        return sheet
    positions = range(len(sheet.headers))
    return [_try(partial(_column, sheet, position)) for position in positions]


def _column(sheet: RawSheet, position: int) -> list[Any]:
    values = sheet.column(position)
    return [None if absent else cell for cell, absent in zip(values, values.isna())]


def _try(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except AspenETLError as error:
        return f"{type(error).__name__}: {error}"
