"""What it costs to change a few rows of a stored table: as a whole, and in part.

Run alone: ``python -m pytest -m benchmark tests/benchmarks/test_held_tables.py -s``. The number of
rows comes from ``ASPEN_ETL_BENCHMARK_ROWS``; by default it is 100,000. Of some rounds, each step's
median is told; the checksums, which both ways need, are told apart.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import pytest

import aspen_etl as ae
from aspen_etl.changes import Changes, TableChanges, apply_changes
from aspen_etl.columns.rows import take_rows
from aspen_etl.io.codecs import decode_verified, encode
from aspen_etl.schema.conforming import conform
from aspen_etl.schema.spec import TableSpec
from aspen_etl.store.line_tables import find_lines
from tests.benchmarks.test_sync import ROWS

ROUNDS = int(os.environ.get("ASPEN_ETL_BENCHMARK_ROUNDS", "5"))
DECODE = partial(decode_verified, file_format="csv", url="x")

Steps = dict[str, list[float]]


def many(table: TableSpec, rows: int) -> pd.DataFrame:
    """Make rows of a table of borrowers."""
    numbers = pd.Series(np.arange(rows)).astype(str).str.zfill(9)
    moments = np.full(rows, np.datetime64("2026-01-31", "ms"))
    columns: dict[str, Any] = {}
    for name, spec in table.columns.items():
        if spec.nullable:
            columns[name] = pd.Series([None] * rows, dtype=object).astype(spec.dtype)
        elif spec.type == "integer":
            columns[name] = np.arange(1, rows + 1)
        elif spec.type == "timestamp":
            columns[name] = pd.DatetimeIndex(moments, tz="UTC")
        else:
            columns[name] = "nightly" if spec.audit else f"{name[:9]} " + numbers
    return conform(pd.DataFrame(columns), table)


def timed(steps: Steps, name: str, make: Callable[[], Any]) -> Any:
    began = time.process_time()
    out = make()
    steps.setdefault(name, []).append(time.process_time() - began)
    return out


def as_a_whole(data: bytes, changes: TableChanges, steps: Steps) -> bytes:
    table = changes.table
    frame = timed(steps, "decode", lambda: DECODE(data, table.columns))
    every, before = Changes({table.name: changes}), {table.name: frame}
    after = timed(steps, "apply_changes", lambda: apply_changes(every, before)[table.name])
    found: bytes = timed(steps, "encode", lambda: encode(after, table.columns, "csv"))
    return found


def in_part(data: bytes, changes: TableChanges, at: Any, steps: Steps) -> bytes:
    table = changes.table
    held = timed(steps, "open", lambda: find_lines(data, table, "csv", DECODE))
    timed(steps, "keys", lambda: held.column(table.primary_key))
    timed(steps, "take", lambda: held.take(at))
    timed(steps, "after", lambda: sum(map(len, held.after(changes).parts)))
    return b"".join(held.after(changes).parts)


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["user_profile", "address"])
def test_a_few_rows_of_many(name: str) -> None:
    pytest.importorskip("pyarrow", reason="without it, tables are read whole")
    table = ae.BORROWER_MODEL.tables[name]
    frame = many(table, ROWS)
    data = encode(frame, table.columns, "csv")
    print(f"\n{name}: {ROWS:,} rows, {len(data):,} bytes; CPU seconds, the median of {ROUNDS}")
    for step in (10_000, 100):
        at = np.arange(0, ROWS, step)
        updated = conform(take_rows(frame, at).assign(created_by="me"), table)
        changes = TableChanges(frame.iloc[:0], updated, frame.iloc[:0], table)
        whole: Steps = {}
        part: Steps = {}
        for _ in range(ROUNDS):
            expected = as_a_whole(data, changes, whole)
            found = in_part(data, changes, at, part)
            assert found == expected
            timed(part, "SHA-256, twice", lambda: [hashlib.sha256(data) for _ in range(2)])
        (checksums,) = [median(part.pop("SHA-256, twice"))]
        for title, steps in (("whole", whole), ("in part", part)):
            told = ", ".join(f"{key} {median(values):.3f}" for key, values in steps.items())
            print(f"{len(at):9,} changed, {title:8}{total(steps):7.3f}  ({told})")
        print(f"{'':19}ratio   {total(part) / total(whole):7.3f}  (SHA-256, twice {checksums:.3f})")


def total(steps: Steps) -> float:
    return sum(map(median, steps.values()))
