"""Keys and audit columns: given to the rows of every table in one place.

An integer key belongs to a natural key for good. New natural keys get the next numbers in
ascending order: text by code point, null first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.schema.frames import KeyState, Run, Snapshot, Tables
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import TIMESTAMP, ColumnSpec, TableSpec
from aspen_etl.schema.text import conform_text
from aspen_etl.transform import kernels
from aspen_etl.transform.kernels import Positions
from aspen_etl.transform.rejection import sort_rows

__all__ = ["audit_columns", "number"]

#: What stands for null where keys are compared: keys start at 1, so null comes first.
NULL_KEY = 0


def number(rows: Mapping[str, pd.DataFrame], model: Model, run: Run, /) -> Snapshot:
    """Give every row its key, resolve its references, stamp it.

    Args:
        rows: The rows of every table in natural terms, as ``assemble`` makes them.
        model: The model.
        run: When this is, and who does it.

    Returns:
        The first snapshot: tables ordered by key, and the keys given.
    """
    tables: dict[str, pd.DataFrame] = {}
    keys: dict[str, KeyState] = {}
    given: dict[str, Any] = {}
    for table in model.tables.values():
        frame = rows[table.name]
        columns = {
            spec.name: _column(spec, frame[spec.name], rows, given, model)
            for spec in table.own_columns
            if spec.name in frame.columns
        }
        natural = [
            _sortable(table.columns[name], columns[name], frame[name], rows, given, model)
            for name in table.natural_key
        ]
        order, _ = sort_rows(natural)
        tables[table.name] = _table(table, columns, order, run)
        given[table.name] = _given(table, columns, order)
        if table.has_surrogate_key:
            keys[table.name] = KeyState(
                len(order) + 1, tables[table.name][[table.primary_key, *table.natural_key]]
            )
    return Snapshot(Tables(tables), keys)


def _column(
    spec: ColumnSpec,
    values: pd.Series,
    rows: Mapping[str, pd.DataFrame],
    given: Mapping[str, Any],
    model: Model,
) -> pd.Series:
    """Give a column its values, a reference the key that it refers to; the index is new."""
    values = values.reset_index(drop=True)
    if spec.references is None:
        return values
    parent_keys = given[spec.references]
    positions = _positions(spec, values, rows, model)
    if spec.type == "text":
        return kernels.take(parent_keys, positions)
    absent = positions < 0
    numbers = (
        parent_keys[np.where(absent, 0, positions)]
        if len(parent_keys)
        else np.zeros(len(positions), dtype=np.int64)
    )
    if not spec.nullable:
        return pd.Series(numbers)
    return pd.Series(pd.arrays.IntegerArray(numbers, absent))


def _positions(
    spec: ColumnSpec, values: pd.Series, rows: Mapping[str, pd.DataFrame], model: Model
) -> Positions:
    parent = model.tables[str(spec.references)]
    if model.lineage.tables[parent.name].kind == "lookup":
        codes, distinct = pd.factorize(values)
        at = kernels.find(
            conform_text(pd.Series(distinct, dtype=object)),
            rows[parent.name][parent.natural_key[0]],
        )
        return np.append(at, -1)[codes]
    return values.to_numpy(dtype=np.int64)


def _sortable(
    spec: ColumnSpec,
    column: pd.Series,
    values: pd.Series,
    rows: Mapping[str, pd.DataFrame],
    given: Mapping[str, Any],
    model: Model,
) -> pd.Series:
    if spec.type == "integer":
        return column.fillna(NULL_KEY).astype("int64")
    if spec.references is not None:
        at = _positions(spec, values.reset_index(drop=True), rows, model)
        rank = np.empty(len(given[spec.references]), dtype=np.int64)
        rank[kernels.argsort(given[spec.references])] = np.arange(len(rank))
        return pd.Series(rank[at])
    return column


def _given(table: TableSpec, columns: Mapping[str, pd.Series], order: Positions) -> Any:
    """Give the keys in the order of the rows, as their children refer to them."""
    if not table.has_surrogate_key:
        return columns[table.primary_key]
    numbers = np.empty(len(order), dtype=np.int64)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers


def _table(
    table: TableSpec, columns: Mapping[str, pd.Series], order: Positions, run: Run
) -> pd.DataFrame:
    in_order = bool(np.array_equal(order, np.arange(len(order))))
    out: dict[str, Any] = {}
    for spec in table.own_columns:
        if spec.name in columns:
            values = columns[spec.name]
            if not in_order:
                values = (
                    kernels.take(values, order)
                    if spec.type == "text"
                    else values.iloc[order].reset_index(drop=True)
                )
            out[spec.name] = values
        else:
            out[spec.name] = pd.Series(np.arange(1, len(order) + 1, dtype=np.int64))
    return pd.DataFrame({**out, **audit_columns(len(order), run)})


def audit_columns(length: int, run: Run, /) -> dict[str, pd.Series]:
    """Make the audit columns of new rows: created now, by the actor, never updated."""
    time = np.datetime64(run.time.replace(tzinfo=None), "ms")
    return {
        "created": _times(np.full(length, time)),
        "created_by": kernels.repeat(run.actor, length),
        "updated": _times(np.full(length, np.datetime64("NaT", "ms"))),
        "updated_by": kernels.repeat(None, length),
    }


def _times(moments: Any) -> pd.Series:
    return pd.Series(pd.DatetimeIndex(moments, tz="UTC")).astype(TIMESTAMP)
