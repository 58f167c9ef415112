"""One side of a comparison of tables as they are: each row as text, whose it is, and its digest.

Keys and audit columns are compared, too. Rows are held against rows by their primary key, and
where that finds none, by their natural key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import held_frames, make_frame
from aspen_etl.columns.rows import find_keys, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.types import TYPES
from aspen_etl.transform.digesting import Buckets, Digests, digest_rows, find_buckets
from aspen_etl.transform.noting import DIFFERENCES, join_notes, make_notes
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.reconciling import order_differences
from aspen_etl.transform.siding import Figures, write_records

__all__ = ["TableRows", "compare_left", "find_left"]

#: Beside the columns of a row that is left: whose it is, and which of its keys stands twice.
_SUBJECT, _TWICE = "\0subject", "\0twice"

#: By table, the rows that the other side does not have.
Left = Mapping[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class TableRows:
    """Hold the tables of some subjects, or of all.

    Attributes:
        rows: By table, its rows as text.
        subjects: By table, whose each row is; none of a lookup's, or of one that leads nowhere.
        digests: By table, the digest of each row.
        places: By table, the bucket of each row, by its primary key.
        buckets: The sums of the digests.
    """

    rows: Mapping[str, pd.DataFrame] = field(repr=False)
    subjects: Mapping[str, pd.Series] = field(repr=False)
    digests: Mapping[str, Digests] = field(repr=False)
    places: Mapping[str, Positions] = field(repr=False)
    buckets: Buckets = field(repr=False)

    @classmethod
    def of(
        cls, tables: Mapping[str, pd.DataFrame], how: Partitioning, /, key: bytes = b""
    ) -> TableRows:
        """Write tables as text, and digest their rows.

        Args:
            tables: The tables; nobody has to have validated them.
            how: Whose the rows are.
            key: A secret for the digests, of at most 64 bytes.
        """
        held, _ = complete(held_frames(tables), how.model)
        held = {name: frame.reset_index(drop=True) for name, frame in held.items()}
        subjects, rows, digests, places, sums = _find_subjects(held, how), {}, {}, {}, []
        for name, table in how.model.tables.items():
            frame = held.pop(name)
            rows[name] = make_frame(
                {column: _text(frame[column], spec) for column, spec in table.columns.items()}
            )
            digests[name] = digest_rows([rows[name][column] for column in rows[name]], name, key)
            places[name] = find_buckets(rows[name][table.primary_key])
            sums.append(Buckets.of(places[name], digests[name]))
        return cls(rows, subjects, digests, places, reduce(add, sums))

    @property
    def figures(self) -> Figures:
        """How many rows there are of each table."""
        rows = {name: len(frame) for name, frame in self.rows.items()}
        return Figures(rows, dict.fromkeys(rows, 0), self.buckets)


def _text(values: pd.Series, spec: ColumnSpec) -> pd.Series:
    values = values.reset_index(drop=True)
    if not TYPES[spec.type].rules(spec):
        return conform_text(values)
    if values.dtype in (spec.held_dtype, spec.dtype):
        return TYPES[spec.type].text(values, spec)
    # What is no value of its type, as a database without types may hold it, is told as it is.
    return conform_text(pd.Series([None if pd.isna(e) else str(e) for e in values], dtype=object))


def _find_subjects(tables: Mapping[str, pd.DataFrame], how: Partitioning) -> dict[str, pd.Series]:
    """Follow references from each row to its subject."""
    out = {}
    for name, frame in tables.items():
        if name in how.lookups:
            out[name] = COLUMNS.repeat(None, len(frame))
    for name, owner in how.owners.items():
        values = tables[name][owner.column]
        if owner.table is None:
            out[name] = _text(values, how.model.tables[name].columns[owner.column])
        else:
            key = tables[owner.table][how.model.tables[owner.table].primary_key]
            out[name] = COLUMNS.take(out[owner.table], find_keys(values, key))
    return out


# ----------------------------------------------------------------------------- what is left


def find_left(one: TableRows, two: TableRows, how: Partitioning, /) -> tuple[Left, Left]:
    """Find the rows that the other side does not have, each as often as it has it more."""
    wanted = one.buckets.differ(two.buckets)
    left: tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]] = ({}, {})
    for name, table in how.model.tables.items():
        rows = [np.flatnonzero(wanted[side.places[name]]) for side in (one, two)]
        held = [side.digests[name][at] for side, at in zip((one, two), rows)]
        for side, at, mask, out in zip((one, two), rows, _more(*held), left):
            out[name] = _take(side, table, at[mask])
    return left


def _more(one: Digests, two: Digests) -> tuple[Mask, Mask]:
    both = np.ascontiguousarray(np.concatenate([one, two]))
    joined = pd.DataFrame({"a": both[:, 0] << 32 | both[:, 1], "b": both[:, 2] << 32 | both[:, 3]})
    codes = joined.groupby(["a", "b"], sort=False).ngroup()
    mine, other = np.split(np.asarray(codes, dtype=np.int64), [len(one)])
    return _beyond(mine, other), _beyond(other, mine)


def _beyond(mine: Positions, other: Positions) -> Mask:
    """Tell which rows stand more often than the other side has them."""
    size = int(max(mine.max(initial=-1), other.max(initial=-1))) + 1
    order = np.argsort(mine, kind="stable")
    nth = np.arange(len(mine)) - np.searchsorted(mine[order], mine[order])
    out = np.zeros(len(mine), dtype=bool)
    out[order] = nth >= np.bincount(other, minlength=size)[mine[order]]
    return out


def _take(side: TableRows, table: TableSpec, rows: Positions) -> pd.DataFrame:
    frame, subjects = side.rows[table.name], side.subjects[table.name]
    twice = np.full(len(rows), None, dtype=object)
    if len(rows):
        for names in (table.natural_key, (table.primary_key,)):
            keys = pd.DataFrame({**{n: frame[n] for n in names}, _SUBJECT: subjects})
            twice[keys.duplicated(keep=False).to_numpy(dtype=bool)[rows]] = names[-1]
    taken = take_rows(frame, rows).astype(object)
    mine = COLUMNS.take(subjects, rows).astype(object).to_numpy()
    return taken.where(taken.notna(), None).assign(**{_SUBJECT: mine, _TWICE: twice})


# ----------------------------------------------------------------------------- telling


def compare_left(ones: Sequence[Left], twos: Sequence[Left], how: Partitioning, /) -> pd.DataFrame:
    """Tell what differs among the rows that are left on each side.

    Args:
        ones: What is left of the source, of all groups of subjects.
        twos: What is left of the target.
        how: Whose the rows are.

    Returns:
        Differences, ordered by table, subject, key and column: their ``sheet`` is a table, their
        ``key`` the primary key.
    """
    parts: list[pd.DataFrame] = []
    for name, table in how.model.tables.items():
        sides = [_in_order([left[name] for left in each]) for each in (ones, twos)]
        parts += _compare(table, *sides)
    return order_differences(join_notes(parts, DIFFERENCES), how.model.tables)


def _in_order(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    names = [str(name) for name in joined.columns]
    return joined.sort_values(names, na_position="first", ignore_index=True)


def _compare(table: TableSpec, here: pd.DataFrame, there: pd.DataFrame) -> Iterator[pd.DataFrame]:
    pairs: list[tuple[int, int]] = []
    free: list[list[int]] = [list(range(len(side))) for side in (here, there)]
    # Of two groups of subjects, each may have a row that the other side has in the other one.
    same = tuple(table.columns)
    ways = [same, (table.primary_key,), table.natural_key]
    while ways:
        found = _pair(here, there, free, list(ways[0]))
        pairs += found
        done = [{pair[turn] for pair in found} for turn in range(2)]
        free = [[at for at in mine if at not in gone] for mine, gone in zip(free, done)]
        if ways[0] != same or not found:  # of equal rows there may be several
            ways.pop(0)
    yield from _tell_cells(table, here, there, pairs)
    for kind, side, rows, value in (
        ("missing", here, free[0], "source"),
        ("extra", there, free[1], "target"),
    ):
        some = side.iloc[rows]
        kinds = np.where(some[_TWICE].notna(), "duplicate", kind).astype(object)
        record = write_records({name: some[name] for name in table.columns})
        yield make_notes(
            table.name,
            some[_SUBJECT].to_numpy(dtype=object),
            some[table.primary_key].to_numpy(dtype=object),
            column=some[_TWICE].to_numpy(dtype=object),
            kind=kinds,
            **{value: record},
        )


def _pair(
    here: pd.DataFrame, there: pd.DataFrame, free: Sequence[Sequence[int]], names: list[str]
) -> list[tuple[int, int]]:
    """Pair rows that have one key, each with one."""
    keys = [list(zip(*(side[name].tolist() for name in names))) for side in (here, there)]
    places: dict[Any, int] = {}
    for at in free[1]:
        places.setdefault(keys[1][at], at)
    found = []
    for at in free[0]:
        other = places.pop(keys[0][at], None)
        if other is not None:
            found.append((at, other))
    return found


def _tell_cells(
    table: TableSpec, here: pd.DataFrame, there: pd.DataFrame, pairs: list[tuple[int, int]]
) -> Iterator[pd.DataFrame]:
    at = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    one, two = here.iloc[at[:, 0]], there.iloc[at[:, 1]]
    subjects = [
        mine if mine is not None else other for mine, other in zip(one[_SUBJECT], two[_SUBJECT])
    ]
    for name in table.columns:
        mine, other = (side[name].to_numpy(dtype=object) for side in (one, two))
        apart = np.flatnonzero(np.array([a != b for a, b in zip(mine, other)], dtype=bool))
        yield make_notes(
            table.name,
            np.array(subjects, dtype=object)[apart],
            one[table.primary_key].to_numpy(dtype=object)[apart],
            column=name,
            kind="differs",
            source=mine[apart],
            target=other[apart],
        )
