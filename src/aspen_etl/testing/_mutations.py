"""Law 13: whatever is changed in a result is found, and the error names table and column."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Optional

import pandas as pd

from aspen_etl.errors import ProofError
from aspen_etl.normalization import NormalizeResult, verify
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Extract, Run
from aspen_etl.testing._types import PLAIN, column_of

__all__ = ["Mutation", "assert_changes_are_seen", "assert_seen", "mutations"]


@dataclass(frozen=True)
class Mutation:
    """One change of a result: a cell of a row, or the row dropped or doubled.

    Attributes:
        table: The table; ``rejects`` for the rejects.
        row: The row, from 0.
        column: The column whose cell is changed; none where the row is dropped or doubled.
        kind: ``change``, ``swap`` (with the next other cell of the column), ``drop`` or ``double``.
        spec: What is known of the column, where it is one of a table.
    """

    table: str
    row: int
    column: Optional[str]
    kind: str
    spec: Optional[ColumnSpec] = field(default=None, repr=False, compare=False)

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
        other = found[0] if self.kind == "swap" and found else self._other(cell, values)
        cells = values.array.copy()
        cells[self.row] = other
        return frame.assign(**{str(self.column): pd.Series(cells, index=frame.index)})

    def _other(self, cell: Any, values: pd.Series) -> Any:
        """Give another cell of the same type."""
        if self.spec is None or self.spec.references or not PLAIN[self.spec.type].is_read:
            return _other(cell, values)
        plain, spec = PLAIN[self.spec.type], self.spec
        held = None if pd.isna(cell) else plain.text(cell, spec)
        text = next(t for t in (plain.canonical(n, spec) for n in range(9)) if t != held)
        return column_of([text], spec).astype(values.dtype).iloc[0]


def _other(cell: Any, values: pd.Series) -> Any:
    """Give another cell of the same type."""
    if pd.api.types.is_integer_dtype(values.dtype):
        return 1 if pd.isna(cell) else cell - 1 if cell == 2**63 - 1 else cell + 1
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return pd.Timestamp(2020, 1, 1) if pd.isna(cell) else cell - dt.timedelta(days=1)
    return "x" if pd.isna(cell) or cell == "" else cell[:-1] if len(cell) > 1 else cell + "x"


def mutations(result: NormalizeResult, model: Model) -> Iterator[Mutation]:
    """Give every change of a result that is tried."""
    for name, frame in {**result.tables, "rejects": result.rejects}.items():
        specs = model.tables[name].columns if name in model.tables else {}
        for row in range(len(frame)):
            yield Mutation(name, row, None, "drop")
            yield Mutation(name, row, None, "double")
            for column in frame.columns:
                spec = specs.get(str(column))
                yield Mutation(name, row, str(column), "change", spec)
                if len(frame[column].drop_duplicates()) > 1:
                    yield Mutation(name, row, str(column), "swap", spec)


def assert_changes_are_seen(
    result: NormalizeResult, extract: Extract, model: Model, run: Run
) -> None:
    """Assert that a result is right, and that a change of it is found (law 13).

    One change, since each takes a whole proof; which one depends on the cells of the extract.
    """
    verify(result, extract, model=model, run=run)
    every = list(mutations(result, model))
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
