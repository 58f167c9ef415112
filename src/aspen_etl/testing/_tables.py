"""Strategies for valid tables of any model, made from the declarations and not by ``normalize``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.errors import ArgumentError
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.conforming import conform
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.testing import _cells
from aspen_etl.testing._types import PLAIN, column_of

__all__ = ["tables"]

_EPOCH = dt.datetime(2022, 1, 1, tzinfo=dt.timezone.utc)
_ACTORS = ("nightly", "me", "Zoë O'Brien", "x" * 128)


def tables(
    model: Model = BORROWER_MODEL, *, min_rows: int = 0, max_rows: int = 5
) -> st.SearchStrategy[Tables]:
    """Generate valid tables of a model.

    Keys are unique and have gaps, every reference resolves, text has its length and its form,
    some rows were updated. They fit the schemas and the database; that they could be turned
    back into sheets is not promised (use ``extracts`` and ``normalize`` for that).

    Args:
        model: The tables and what they refer to.
        min_rows: The fewest rows of each table, where what it must refer to and its keys allow.
        max_rows: The most rows of each table.

    Raises:
        ArgumentError: The numbers of rows contradict each other.

    Examples:
        >>> import hypothesis
        >>> @hypothesis.given(tables(min_rows=1))
        ... def test_every_user_has_a_profile(tables):
        ...     assert len(tables["user"]) <= len(tables["user_profile"])
    """
    if not 0 <= min_rows <= max_rows:
        raise ArgumentError(
            f"min_rows={min_rows} and max_rows={max_rows} leave no number of rows; "
            "give 0 <= min_rows <= max_rows",
            problem="count",
        )
    rows = [
        st.lists(
            st.tuples(*(_cell(table, column) for column in table.columns.values())),
            min_size=min_rows,
            max_size=max_rows,
        )
        for table in model.tables.values()
    ]
    return st.tuples(*rows).map(lambda drawn: _tables(model, drawn))


def _cell(table: TableSpec, column: ColumnSpec) -> st.SearchStrategy[Any]:
    """Give one cell as canonical text; a reference and a given key as a number still."""
    if column.references is not None or (column.primary_key and table.has_surrogate_key):
        found: st.SearchStrategy[Any] = st.integers(0, 99)
    elif column.from_name:
        found = st.sampled_from([text for _, text in column.from_name])
    elif PLAIN[column.type].is_read:
        make = _moment if column.audit else PLAIN[column.type].canonical
        found = _cells.clean_cells(lambda number: make(number, column))
    elif column.audit:
        found = st.sampled_from(_ACTORS)
    else:
        found = _text(column)
    return st.none() | found if column.nullable else found


def _moment(number: int, column: ColumnSpec) -> str:
    """Give the text of a moment after the first run."""
    return PLAIN[column.type].text(_EPOCH + dt.timedelta(milliseconds=number * 2**16), column)


def _text(column: ColumnSpec) -> st.SearchStrategy[str]:
    formats = [] if column.text_format is None else [column.text_format]
    decode = _cells.decoder(column.length, formats)
    if decode is None:
        return _cells.from_pattern(formats[0]).filter(
            lambda text: _cells.is_clean(text, column.length, formats)
        )
    found = _cells.clean_cells(decode)
    identifies = column.nullable or column.primary_key or column.natural_key or formats
    return found if identifies else st.just("") | found


# ----------------------------------------------------------------------------- whole tables


def _tables(model: Model, drawn: Sequence[Sequence[tuple[Any, ...]]]) -> Tables:
    made: dict[str, pd.DataFrame] = {}
    keys: dict[str, list[Any]] = {}
    for table, rows in zip(model.tables.values(), drawn):
        held = _Rows(table, keys).select(rows)
        keys[table.name] = [row[table.primary_key] for row in held]
        columns = {
            spec.name: column_of([row[spec.name] for row in held], spec)
            for spec in table.columns.values()
        }
        made[table.name] = conform(pd.DataFrame(columns), table)
    return Tables(made)


class _Rows:
    """Select the rows of a table whose references resolve and whose keys are new."""

    def __init__(self, table: TableSpec, keys: Mapping[str, Sequence[Any]]) -> None:
        self.table, self.keys = table, keys

    def select(self, drawn: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        kept: list[dict[str, Any]] = []
        seen: set[tuple[Any, ...]] = set()
        number = 0
        for cells in drawn:
            row = dict(zip(self.table.columns, cells))
            if self.table.has_surrogate_key:
                number += 1 + row[self.table.primary_key] % 3
                row[self.table.primary_key] = str(number)
            if not self._refer(row):
                continue
            key = tuple(row[name] for name in self.table.natural_key)
            if key not in seen:
                seen.add(key)
                kept.append(_stamped(row))
        return kept if self.table.has_surrogate_key else sorted(kept, key=self._value)

    def _value(self, row: dict[str, Any]) -> Any:
        """Give the value of a row's key, by which rows are in order."""
        key = self.table.primary_key
        return PLAIN[self.table.columns[key].type].value(row[key])

    def _refer(self, row: dict[str, Any]) -> bool:
        for name, target in self.table.references.items():
            known = self.keys[target]
            if row[name] is not None and known:
                row[name] = known[row[name] % len(known)]
            elif row[name] is not None and self.table.columns[name].nullable:
                row[name] = None
            elif row[name] is not None:
                return False
        return True


def _stamped(row: dict[str, Any]) -> dict[str, Any]:
    """Make the audit columns agree: never updated, or by somebody after it was created."""
    if row["updated"] is None or row["updated_by"] is None:
        row["updated"] = row["updated_by"] = None
    elif row["updated"] < row["created"]:
        row["created"], row["updated"] = row["updated"], row["created"]
    return row
