"""Keys and audit columns: given to the rows of every table in one place.

An integer key belongs to a natural key for good. New natural keys get the next numbers in
ascending order: text by code point, null first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.positions import argsort_numbers, gather, is_range
from aspen_etl.columns.rows import sort_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.columns.threads import map_ahead
from aspen_etl.schema.model import Model
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables
from aspen_etl.schema.spec import ColumnSpec, TableSpec
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

__all__ = ["Before", "number", "read_ahead"]

#: What stands for null where keys are compared: keys start at 1, so null comes first.
NULL_KEY = 0


class Before(NamedTuple):
    """What a table was before, and the keys that it gave, where it was there."""

    frame: Optional[pd.DataFrame] = None
    state: Optional[KeyState] = None


def read_ahead(
    model: Model, previous: Optional[Snapshot], /, *, rows: int
) -> Iterator[tuple[str, Before]]:
    """Give what each table was before, by name, as they are numbered; lookups aside.

    A store reads one while the one before it is numbered, and the first one from now on.

    Args:
        model: The model.
        previous: The snapshot before.
        rows: How many rows a table has, about.
    """
    names = [name for name in model.lineage.table_order if not _is_lookup(model, name)]
    before = map_ahead(partial(_before, previous), names, rows=rows, ahead=2, workers=1)
    return zip(names, before)


def _before(previous: Optional[Snapshot], name: str) -> Before:
    if previous is None:
        return Before()
    return Before(previous.tables.get(name), previous.keys.get(name))


def number(
    rows: Mapping[str, pd.DataFrame],
    model: Model,
    run: Run,
    /,
    *,
    previous: Optional[Snapshot] = None,
    ahead: Optional[Iterator[tuple[str, Before]]] = None,
) -> tuple[Snapshot, dict[str, Since]]:
    """Give every row its key, resolve its references, stamp it.

    Args:
        rows: The rows of every table in natural terms, as ``assemble`` makes them.
        model: The model.
        run: When this is, and who does it.
        previous: The snapshot before: its keys stay with their natural keys, its rows keep
            what they were stamped with unless a value changed, its lookup rows stay.
        ahead: Its tables, where ``read_ahead`` reads them already.

    Returns:
        The snapshot, tables ordered by key and all keys ever given; and, by table, what became
        of its rows since the snapshot before.
    """
    run = _not_before(run, previous)
    # Held until the end, so that the small tables of a store are read once.
    listed = {n: _before(previous, n) for n in model.lineage.table_order if _is_lookup(model, n)}
    left = _with_lookups(rows, model, listed)
    del rows  # handed over: what is numbered is let go of
    most = max(map(len, left.values()), default=0)
    audit = audit_columns(most, run)
    given: dict[str, Any] = {}
    done: dict[str, _Numbered] = {}
    # Lookups first: they refer to nothing, and others to them. One by one, since what a table
    # takes while it is numbered is free for the next one.
    ahead = ahead or read_ahead(model, previous, rows=most)
    for name, then in chain(listed.items(), ahead):
        table = model.tables[name]
        done[name] = _number(table, left, given, model, run, then, audit)
        given[name] = done[name].keys
        if name not in listed:
            del left[name]
    snapshot = Snapshot(
        Tables({name: done[name].frame for name in model.tables}),
        {name: state for name in model.tables if (state := done[name].state) is not None},
        run.time,
    )
    return snapshot, {name: done[name].since for name in model.tables}


def _is_lookup(model: Model, name: str) -> bool:
    return model.lineage.tables[name].kind == "lookup"


class _Numbered(NamedTuple):
    """One table, its key state, its keys in the order of its rows, and what became of them."""

    frame: pd.DataFrame
    state: Optional[KeyState]
    keys: Any
    since: Since


def _number(
    table: TableSpec,
    rows: Mapping[str, pd.DataFrame],
    given: Mapping[str, Any],
    model: Model,
    run: Run,
    before: Before,
    audit: Mapping[str, pd.Series],
) -> _Numbered:
    frame = rows[table.name]
    columns = {
        spec.name: _column(spec, frame[spec.name], rows, given, model)
        for spec in table.own_columns
        if spec.name in frame.columns
    }
    found: Optional[Assigned] = None
    then: Optional[PartedKeys] = None
    if table.has_surrogate_key:
        if before.state is not None:
            then = part_keys(before.state, before.frame, table)
        natural = _natural(table, columns, frame, rows, given, model)
        following = 1 if before.state is None else before.state.next
        found = assign(table, columns, natural, following, then)
        columns[table.primary_key] = found.keys
        order = argsort_numbers(found.keys.to_numpy())
    else:
        order, _ = sort_rows(_natural(table, columns, frame, rows, given, model))
    there = found.there if found is not None and then is not None else None
    if there is not None and not is_range(order):
        there = there[order]
    own = {spec.name: COLUMNS.take(columns[spec.name], order) for spec in table.own_columns}
    fresh = {name: column.iloc[: len(order)] for name, column in audit.items()}
    stamped, since = stamp(make_frame(own), table, run, before.frame, fresh, there=there)
    if found is None:
        return _Numbered(stamped, None, columns[table.primary_key], since)
    in_use = make_frame({name: stamped[name] for name in key_columns(table)})
    state = TableKeys(table, found.next, PartedKeys(in_use, retire(then, found, table)))
    return _Numbered(stamped, state, found.keys.to_numpy(), since)


def _natural(
    table: TableSpec,
    columns: Mapping[str, pd.Series],
    frame: pd.DataFrame,
    rows: Mapping[str, pd.DataFrame],
    given: Mapping[str, Any],
    model: Model,
) -> list[pd.Series]:
    return [
        _sortable(table.columns[name], columns[name], frame[name], rows, given, model)
        for name in table.natural_key
    ]


def _not_before(run: Run, previous: Optional[Snapshot]) -> Run:
    if previous is None or previous.time is None or previous.time <= run.time:
        return run
    return replace(run, time=previous.time)


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
        return COLUMNS.take(parent_keys, positions)
    if not spec.nullable:
        return make_column(gather(parent_keys, positions))
    absent = positions < 0
    numbers = gather(parent_keys, positions)
    numbers[absent] = 0
    return make_column(pd.arrays.IntegerArray(numbers, absent))


def _positions(
    spec: ColumnSpec, values: pd.Series, rows: Mapping[str, pd.DataFrame], model: Model
) -> Positions:
    parent = model.tables[str(spec.references)]
    if _is_lookup(model, parent.name):
        at = COLUMNS.find(
            conform_text(pd.Series(values.cat.categories)),
            rows[parent.name][parent.natural_key[0]],
        )
        return np.append(at, -1)[values.cat.codes.to_numpy()]
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
        rank[COLUMNS.order(given[spec.references])[0]] = np.arange(len(rank))
        return make_column(rank[at])
    return column
