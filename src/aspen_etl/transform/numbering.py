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

from aspen_etl.schema.frames import KeyState, Run, Snapshot, Tables, make_column, make_frame
from aspen_etl.schema.model import Model
from aspen_etl.schema.spec import ColumnSpec, TableSpec
from aspen_etl.schema.text import conform_text
from aspen_etl.threads import map_threads
from aspen_etl.transform import kernels
from aspen_etl.transform.auditing import Since, audit_columns, stamp
from aspen_etl.transform.kernels import Positions
from aspen_etl.transform.ordering import argsort, argsort_numbers, find, sort_rows
from aspen_etl.transform.positions import find_rows, gather, select

__all__ = ["conform_keys", "number"]

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
    rows = _with_lookups(rows, model, previous)
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
    state: Optional[KeyState] = None
    keys: Any
    before = previous.tables.get(table.name) if previous else None
    there: Optional[Positions] = None
    if table.has_surrogate_key:
        then = previous.keys.get(table.name) if previous else None
        columns[table.primary_key], state, at = _assign(table, columns, natural, then)
        keys = columns[table.primary_key].to_numpy()
        order = argsort_numbers(keys)
        if then is not None and before is not None and _are_all(before, then, table):
            there = at if kernels.is_range(order) else at[order]
    else:
        order, _ = sort_rows(natural)
        keys = columns[table.primary_key]
    own = {spec.name: select(columns[spec.name], order) for spec in table.own_columns}
    fresh = {name: column.iloc[: len(order)] for name, column in audit.items()}
    stamped, since = stamp(make_frame(own), table, run, before, fresh, there=there)
    return _Numbered(stamped, state, keys, since)


def _not_before(run: Run, previous: Optional[Snapshot]) -> Run:
    if previous is None or previous.time is None or previous.time <= run.time:
        return run
    return replace(run, time=previous.time)


def _with_lookups(
    rows: Mapping[str, pd.DataFrame], model: Model, previous: Optional[Snapshot]
) -> Mapping[str, pd.DataFrame]:
    """Add what the lookup tables listed before: it stays when nothing refers to it any more."""
    out = dict(rows)
    for table in model.tables.values():
        if model.lineage.tables[table.name].kind != "lookup" or previous is None:
            continue
        then = previous.tables.get(table.name)
        if then is None or not len(then):
            continue
        (name,) = table.natural_key
        values = kernels.concat([rows[table.name][name], conform_text(then[name])])
        distinct = conform_text(values.drop_duplicates().reset_index(drop=True))
        out[table.name] = pd.DataFrame({name: distinct})
    return out


def _assign(
    table: TableSpec,
    columns: Mapping[str, pd.Series],
    natural: list[pd.Series],
    before: Optional[KeyState],
) -> tuple[pd.Series, KeyState, Positions]:
    """Give known rows their keys, and new ones the next numbers in order of the natural key.

    Returns:
        The keys, all keys given so far, and which of those given before each row has, or -1.
    """
    names = list(table.natural_key)
    if before is None:
        new, _ = sort_rows(natural)
        after, at = 1, np.broadcast_to(np.int64(-1), len(new))
        numbers = np.arange(after, after + len(new))
        if not kernels.is_range(new):
            numbers[new] = numbers.copy()
    else:
        at = find_rows([columns[name] for name in names], [before.given[name] for name in names])
        known = before.given[table.primary_key].to_numpy(dtype=np.int64)
        numbers = gather(known, at)
        new = np.flatnonzero(at < 0)
        order, _ = sort_rows([select(values, new) for values in natural])
        new = new[order]
        after = before.next
        numbers[new] = np.arange(after, after + len(new))
    keys = make_column(numbers)  # one column, so that pandas knows who shares it
    added = make_frame(
        {
            table.primary_key: select(keys, new),
            **{name: select(columns[name], new) for name in names},
        }
    )
    if before is None:
        return keys, KeyState(after + len(new), added), at
    given = before.given
    if len(added):
        both = conform_keys(given, table), conform_keys(added, table)
        given = make_frame({n: kernels.concat([some[n] for some in both]) for n in added.columns})
    return keys, KeyState(after + len(new), given), at


def _are_all(frame: pd.DataFrame, state: KeyState, table: TableSpec) -> bool:
    """Tell whether the rows of a table have all the keys ever given, in the same order."""
    name = table.primary_key
    return len(frame) == len(state.given) and frame[name].equals(state.given[name])


def conform_keys(given: pd.DataFrame, table: TableSpec, /) -> pd.DataFrame:
    """Bring a frame of keys given to their columns and dtypes."""
    columns = {}
    for name in (table.primary_key, *table.natural_key):
        spec = table.columns[name]
        values = given[name]
        columns[name] = conform_text(values) if spec.type == "text" else values.astype(spec.dtype)
    return make_frame(columns)


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
