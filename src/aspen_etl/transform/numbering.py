"""Keys and audit columns: given to the rows of every table in one place.

An integer key belongs to a natural key for good. New natural keys get the next numbers in
ascending order: text by code point, null first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.positions import argsort_numbers, gather, is_range
from aspen_etl.columns.rows import sort_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.model import Model
from aspen_etl.schema.previous import Before, Previous
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.values import Run
from aspen_etl.transform.auditing import Since, audit_columns, stamp
from aspen_etl.transform.keys import (
    Assigned,
    PartedKeys,
    TableKeys,
    assign,
    key_columns,
    part_keys,
    retire,
)

__all__ = ["Numbered", "number"]

#: What stands for null where keys are compared: keys start at 1, so null comes first.
NULL_KEY = 0


class Numbered(NamedTuple):
    """The tables of a run.

    Attributes:
        snapshot: The tables, ordered by key, and all keys ever given.
        since: By table, what became of its rows since the snapshot before.
    """

    snapshot: Snapshot
    since: Mapping[str, Since]


def number(
    rows: Mapping[str, pd.DataFrame], model: Model, before: Previous, run: Run, /
) -> Numbered:
    """Give every row its key, resolve its references, stamp it.

    Args:
        rows: The rows of every table in natural terms, as ``assemble`` makes them.
        model: The model.
        before: What was there before: its keys stay with their natural keys, its rows keep what
            they were stamped with unless a value changed, its lookup rows stay.
        run: When this is, and who does it.

    Raises:
        AspenETLError: What ``before`` raises where its tables cannot be read.
    """
    run = _not_before(run, before)
    # Lookups first: they refer to nothing, and others to them. One by one, since what a table
    # takes while it is numbered is free for the next one.
    listed = dict(before.walk(n for n in model.lineage.table_order if _is_lookup(model, n)))
    others = before.walk(n for n in model.lineage.table_order if n not in listed)
    rows = _with_lookups(rows, model, listed)
    audit = audit_columns(max(map(len, rows.values()), default=0), run)
    done: dict[str, _Table] = {}
    for name, then in chain(listed.items(), others):
        around = _Around(model, rows, {name: table.keys for name, table in done.items()})
        done[name] = _number(model.tables[name], around, run, then, audit)
    snapshot = Snapshot(
        Tables({name: done[name].frame for name in model.tables}),
        {name: state for name in model.tables if (state := done[name].state) is not None},
        run.time,
    )
    return Numbered(snapshot, {name: done[name].since for name in model.tables})


def _is_lookup(model: Model, name: str) -> bool:
    return model.lineage.tables[name].is_lookup


class _Table(NamedTuple):
    """One table, its key state, its keys in the order of its rows, and what became of them."""

    frame: pd.DataFrame
    state: Optional[KeyState]
    keys: Any
    since: Since


class _Around(NamedTuple):
    """What the references of a table lead to.

    Attributes:
        model: The model.
        rows: The rows of every table in natural terms.
        given: The keys of the tables that are numbered already, in the order of their rows.
    """

    model: Model
    rows: Mapping[str, pd.DataFrame]
    given: Mapping[str, Any]


def _number(
    table: TableSpec, around: _Around, run: Run, before: Before, audit: Mapping[str, pd.Series]
) -> _Table:
    frame = around.rows[table.name]
    columns = {
        spec.name: _column(spec, frame[spec.name], around)
        for spec in table.own_columns
        if spec.name in frame.columns
    }
    found: Optional[Assigned] = None
    then: Optional[PartedKeys] = None
    if table.has_surrogate_key:
        if before.state is not None:
            then = part_keys(before.state, before.frame, table)
        natural = _natural(table, columns, around)
        following = 1 if before.state is None else before.state.next
        found = assign(table, columns, natural, following, then)
        columns[table.primary_key] = found.keys
        order = argsort_numbers(found.keys.to_numpy())
    else:
        order, _ = sort_rows(_natural(table, columns, around))
    there = found.there if found is not None and then is not None else None
    if there is not None and not is_range(order):
        there = there[order]
    own = {spec.name: COLUMNS.take(columns[spec.name], order) for spec in table.own_columns}
    fresh = {name: column.iloc[: len(order)] for name, column in audit.items()}
    stamped, since = stamp(make_frame(own), table, run, before.frame, fresh, there=there)
    if found is None:
        return _Table(stamped, None, columns[table.primary_key], since)
    in_use = make_frame({name: stamped[name] for name in key_columns(table)})
    state = TableKeys(table, found.next, PartedKeys(in_use, retire(then, found, table)))
    return _Table(stamped, state, found.keys.to_numpy(), since)


def _natural(
    table: TableSpec, columns: Mapping[str, pd.Series], around: _Around
) -> list[pd.Series]:
    frame = around.rows[table.name]
    return [
        _sortable(table.columns[name], columns[name], frame[name], around)
        for name in table.natural_key
    ]


def _not_before(run: Run, before: Previous) -> Run:
    if before.time is None or before.time <= run.time:
        return run
    return replace(run, time=before.time)


def _with_lookups(
    rows: Mapping[str, pd.DataFrame], model: Model, listed: Mapping[str, Before]
) -> dict[str, pd.DataFrame]:
    """Add what the lookup tables listed before: it stays when nothing refers to it any more."""
    out = dict(rows)
    for table_name, then in listed.items():
        if then.frame is None or not len(then.frame):
            continue
        (name,) = model.tables[table_name].natural_key
        values = COLUMNS.concat([rows[table_name][name], conform_text(then.frame[name])])
        distinct = conform_text(values.drop_duplicates().reset_index(drop=True))
        out[table_name] = pd.DataFrame({name: distinct})
    return out


def _column(spec: ColumnSpec, values: pd.Series, around: _Around) -> pd.Series:
    """Give a column its values, a reference the key that it refers to; the index is new."""
    values = values.reset_index(drop=True)
    if spec.references is None:
        return values
    parent_keys, positions = around.given[spec.references], _positions(spec, values, around)
    if not pd.api.types.is_integer_dtype(parent_keys.dtype):
        return COLUMNS.take(parent_keys, positions)
    numbers = gather(np.asarray(parent_keys), positions)
    if not spec.nullable:
        return make_column(numbers)
    absent = positions < 0
    numbers[absent] = 0
    return make_column(pd.arrays.IntegerArray(numbers, absent))


def _positions(spec: ColumnSpec, values: pd.Series, around: _Around) -> Positions:
    parent = around.model.tables[str(spec.references)]
    if _is_lookup(around.model, parent.name):
        at = COLUMNS.find(
            conform_text(pd.Series(values.cat.categories)),
            around.rows[parent.name][parent.natural_key[0]],
        )
        return np.append(at, -1)[values.cat.codes.to_numpy()]
    return values.to_numpy(dtype=np.int64)


def _sortable(spec: ColumnSpec, column: pd.Series, values: pd.Series, around: _Around) -> pd.Series:
    if spec.references is None:
        return column
    if around.model.tables[spec.references].has_surrogate_key:
        return column.fillna(NULL_KEY).astype("int64")
    at = _positions(spec, values.reset_index(drop=True), around)
    keys = around.given[spec.references]
    rank = np.full(len(keys) + 1, -1, dtype=np.int64)  # the last one is that of no key
    rank[sort_rows([keys])[0]] = np.arange(len(keys))
    return make_column(rank[at])
