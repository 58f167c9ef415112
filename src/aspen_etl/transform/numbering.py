"""Keys and audit columns: given to the rows of every table in one place.

An integer key belongs to a natural key for good. New natural keys get the next numbers in
ascending order: text by code point, null first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.schema.evolution import complete_table
from aspen_etl.schema.frames import KeyState, Run, Snapshot, Tables, make_column, make_frame
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import ColumnSpec, TableSpec
from aspen_etl.schema.text import conform_text
from aspen_etl.threads import map_threads
from aspen_etl.transform import kernels
from aspen_etl.transform.auditing import Since, audit_columns, stamp
from aspen_etl.transform.kernels import Positions
from aspen_etl.transform.keys import (
    PartedKeys,
    TableKeys,
    join_keys,
    key_columns,
    part_keys,
    some_keys,
)
from aspen_etl.transform.ordering import argsort, argsort_numbers, find, sort_rows
from aspen_etl.transform.positions import find_rows, gather, rows_without, select

__all__ = ["number"]

#: What stands for null where keys are compared: keys start at 1, so null comes first.
NULL_KEY = 0


def number(
    rows: Mapping[str, pd.DataFrame],
    model: Model,
    run: Run,
    /,
    *,
    previous: Optional[Snapshot] = None,
) -> tuple[Snapshot, dict[str, Since]]:
    """Give every row its key, resolve its references, stamp it.

    Args:
        rows: The rows of every table in natural terms, as ``assemble`` makes them.
        model: The model.
        run: When this is, and who does it.
        previous: The snapshot before: its keys stay with their natural keys, its rows keep
            what they were stamped with unless a value changed, its lookup rows stay.

    Returns:
        The snapshot, tables ordered by key and all keys ever given; and, by table, what became
        of its rows since the snapshot before.
    """
    run = _not_before(run, previous)
    # Held until the end, so that the small tables of a store are read once.
    listed = _lookups(model, previous)
    rows = _with_lookups(rows, model, listed)
    audit = audit_columns(max(map(len, rows.values()), default=0), run)
    given: dict[str, Any] = {}
    done: dict[str, _Numbered] = {}
    for tables in _generations(model):
        found = map_threads(
            lambda table: _number(table, rows, given, model, run, previous, audit),
            tables,
            rows=max(len(rows[table.name]) for table in tables),
        )
        done.update((table.name, numbered) for table, numbered in zip(tables, found))
        given.update((table.name, numbered.keys) for table, numbered in zip(tables, found))
    snapshot = Snapshot(
        Tables({name: done[name].frame for name in model.tables}),
        {name: state for name in model.tables if (state := done[name].state) is not None},
        run.time,
    )
    return snapshot, {name: done[name].since for name in model.tables}


def _generations(model: Model) -> list[list[TableSpec]]:
    """Group the tables so that each refers to tables of earlier groups alone."""
    groups: list[list[TableSpec]] = []
    place: dict[str, int] = {}
    for name in model.lineage.table_order:
        table = model.tables[name]
        place[name] = max((place[parent] + 1 for parent in table.references.values()), default=0)
        groups += [[]] if place[name] == len(groups) else []
        groups[place[name]].append(table)
    return groups


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
    previous: Optional[Snapshot],
    audit: Mapping[str, pd.Series],
) -> _Numbered:
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
    before = previous.tables.get(table.name) if previous else None
    found: Optional[_Assigned] = None
    then: Optional[PartedKeys] = None
    if table.has_surrogate_key:
        state = previous.keys.get(table.name) if previous else None
        then = None if state is None else part_keys(state, before, table)
        found = _assign(table, columns, natural, 1 if state is None else state.next, then)
        columns[table.primary_key] = found.keys
        order = argsort_numbers(found.keys.to_numpy())
    else:
        order, _ = sort_rows(natural)
    there = found.there if found is not None and then is not None else None
    if there is not None and not kernels.is_range(order):
        there = there[order]
    own = {spec.name: select(columns[spec.name], order) for spec in table.own_columns}
    fresh = {name: column.iloc[: len(order)] for name, column in audit.items()}
    stamped, since = stamp(make_frame(own), table, run, before, fresh, there=there)
    if found is None:
        return _Numbered(stamped, None, columns[table.primary_key], since)
    in_use = make_frame({name: stamped[name] for name in key_columns(table)})
    state = TableKeys(table, found.next, PartedKeys(in_use, _retire(then, found, table)))
    return _Numbered(stamped, state, found.keys.to_numpy(), since)


def _not_before(run: Run, previous: Optional[Snapshot]) -> Run:
    if previous is None or previous.time is None or previous.time <= run.time:
        return run
    return replace(run, time=previous.time)


def _lookups(model: Model, previous: Optional[Snapshot]) -> dict[str, pd.DataFrame]:
    """Give what the lookup tables listed before."""
    if previous is None:
        return {}
    names = [name for name in model.tables if model.lineage.tables[name].kind == "lookup"]
    return {name: previous.tables[name] for name in names if name in previous.tables}


def _with_lookups(
    rows: Mapping[str, pd.DataFrame], model: Model, listed: Mapping[str, pd.DataFrame]
) -> Mapping[str, pd.DataFrame]:
    """Add what the lookup tables listed before: it stays when nothing refers to it any more."""
    out = dict(rows)
    for table_name, then in listed.items():
        if not len(then):
            continue
        (name,) = model.tables[table_name].natural_key
        values = kernels.concat([rows[table_name][name], conform_text(then[name])])
        distinct = conform_text(values.drop_duplicates().reset_index(drop=True))
        out[table_name] = pd.DataFrame({name: distinct})
    return out


class _Assigned(NamedTuple):
    """The keys of a table's rows, the next number, and whose keys they were before.

    Attributes:
        there: The row of the table before that had the key of each row, or -1.
        back: The retired key that each row has again, or -1.
    """

    keys: pd.Series
    next: int
    there: Positions
    back: Positions


def _assign(
    table: TableSpec,
    columns: Mapping[str, pd.Series],
    natural: list[pd.Series],
    next_key: int,
    before: Optional[PartedKeys],
) -> _Assigned:
    """Give known rows their keys, and new ones the next numbers in order of the natural key."""
    if before is None:
        new, _ = sort_rows(natural)
        nowhere = np.broadcast_to(np.int64(-1), len(new))
        there, back, numbers = nowhere, nowhere, np.arange(next_key, next_key + len(new))
        if not kernels.is_range(new):
            numbers[new] = numbers.copy()
    else:
        names = list(table.natural_key)
        wanted = [columns[name] for name in names]
        there = find_rows(wanted, [before.in_use[name] for name in names])
        numbers = gather(_numbers(before.in_use, table), there)
        rest, back = np.flatnonzero(there < 0), np.full(len(there), -1, dtype=np.int64)
        if len(rest) and len(before.retired):
            back[rest] = find_rows(
                [select(values, rest) for values in wanted],
                [before.retired[name] for name in names],
            )
            numbers[rest] = gather(_numbers(before.retired, table), back[rest])
        new = np.flatnonzero((there < 0) & (back < 0))
        order, _ = sort_rows([select(values, new) for values in natural])
        numbers[new[order]] = np.arange(next_key, next_key + len(new))
    # One column, so that pandas knows who shares it.
    return _Assigned(make_column(numbers), next_key + len(new), there, back)


def _numbers(keys: pd.DataFrame, table: TableSpec) -> Positions:
    return keys[table.primary_key].to_numpy(dtype=np.int64)


def _retire(before: Optional[PartedKeys], found: _Assigned, table: TableSpec) -> pd.DataFrame:
    """Give the keys that no row has now."""
    if before is None:
        return complete_table(None, table)[list(key_columns(table))]
    gone = some_keys(before.in_use, rows_without(found.there, len(before.in_use)), table)
    stay = some_keys(before.retired, rows_without(found.back, len(before.retired)), table)
    return join_keys([stay, gone], table)


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
    if model.lineage.tables[parent.name].kind == "lookup":
        at = find(
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
        rank[argsort(given[spec.references])] = np.arange(len(rank))
        return make_column(rank[at])
    return column
