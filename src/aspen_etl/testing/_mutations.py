"""Law 13: whatever is changed in a result is found, and the error names table and column."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Optional

import pandas as pd

from aspen_etl.errors import ProofError
from aspen_etl.normalization import NormalizeResult, verify
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Extract, Run

__all__ = ["Mutation", "assert_changes_are_seen", "assert_seen", "mutations"]


@dataclass(frozen=True)
class Mutation:
    """One change of a result: a cell of a row, or the row dropped or doubled.

    Attributes:
        table: The table; ``rejects`` for the rejects.
        row: The row, from 0.
        column: The column whose cell is changed; none where the row is dropped or doubled.
        kind: ``change``, ``swap`` (with the next other cell of the column), ``drop`` or ``double``.
    """

    table: str
    row: int
    column: Optional[str]
    kind: str

    def apply(self, result: NormalizeResult) -> NormalizeResult:
        """Give the result with the change made."""
        if self.table == "rejects":
            return replace(result, rejects=self._changed(result.rejects))
        frames = {**result.tables, self.table: self._changed(result.tables[self.table])}
        return replace(result, snapshot=Snapshot(Tables(frames), result.snapshot.keys))

    def _changed(self, frame: pd.DataFrame) -> pd.DataFrame:
        rows = list(range(len(frame)))
        if self.kind == "drop":
            return frame.drop(index=self.row).reset_index(drop=True)
        if self.kind == "double":
            return frame.iloc[sorted([*rows, self.row])].reset_index(drop=True)
        values = frame[self.column]
        cell = values.iloc[self.row]
        found = [
            other for other in values if not pd.isna(other) and (pd.isna(cell) or other != cell)
        ]
        cells = values.tolist()
        cells[self.row] = found[0] if self.kind == "swap" and found else _other(cell, values)
        return frame.assign(
            **{str(self.column): pd.Series(cells, index=frame.index, dtype=values.dtype)}
        )


def _other(cell: Any, values: pd.Series) -> Any:
    """Give another cell of the same type."""
    if pd.api.types.is_integer_dtype(values.dtype):
        return 1 if pd.isna(cell) else cell - 1 if cell == 2**63 - 1 else cell + 1
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return (
            pd.Timestamp(2020, 1, 1, tz="UTC")
            if pd.isna(cell)
            else cell + dt.timedelta(milliseconds=1)
        )
    return "x" if pd.isna(cell) or cell == "" else cell[:-1] if len(cell) > 1 else cell + "x"


def mutations(result: NormalizeResult) -> Iterator[Mutation]:
    """Give every change of a result that is tried."""
    for name, frame in {**result.tables, "rejects": result.rejects}.items():
        for row in range(len(frame)):
            yield Mutation(name, row, None, "drop")
            yield Mutation(name, row, None, "double")
            for column in frame.columns:
                yield Mutation(name, row, str(column), "change")
                if len(frame[column].drop_duplicates()) > 1:
                    yield Mutation(name, row, str(column), "swap")


def assert_changes_are_seen(
    result: NormalizeResult, extract: Extract, model: Model, run: Run
) -> None:
    """Assert that a result is right, and that a change of it is found (law 13).

    One change, since each takes a whole proof; which one depends on the cells of the extract.
    """
    verify(result, extract, model=model, run=run)
    every = list(mutations(result))
    if every:
        seed = zlib.crc32(ascii([frame.to_numpy().tolist() for frame in extract.values()]).encode())
        assert_seen(every[seed % len(every)], result, extract, model, run)


def assert_seen(
    mutation: Mutation,
    result: NormalizeResult,
    extract: Extract,
    model: Model,
    run: Run,
    previous: Optional[Snapshot] = None,
) -> None:
    """Assert that one change of a result is found, and named by table and column."""
    try:
        verify(mutation.apply(result), extract, model=model, run=run, previous=previous)
    except ProofError as error:
        table, column = error.details.get("table"), error.details.get("column")
    else:
        raise AssertionError(f"law 13: {mutation} goes unnoticed")
    if not _is_named(mutation, str(table), str(column), result, model):
        raise AssertionError(f"law 13: {mutation} is found, and the error names {table}.{column}")


def _is_named(
    mutation: Mutation, table: str, column: str, result: NormalizeResult, model: Model
) -> bool:
    """Tell whether an error names the place; what a key or a row breaks may show elsewhere."""
    spec = model.tables.get(mutation.table)
    if mutation.column is not None and (spec is None or mutation.column not in _linked(spec)):
        return (table, column) == (mutation.table, mutation.column)
    frames = {**result.tables, "rejects": result.rejects}
    return table in frames and column in frames[table]


def _linked(table: TableSpec) -> set[str]:
    return {table.primary_key, *table.natural_key, *table.references}
