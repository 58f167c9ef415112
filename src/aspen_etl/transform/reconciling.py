"""Compare two sides, by bucket, then by subject and row, then by column; and say what explains it.

A difference is explained where a run leaves it on purpose: a rejected row or cell is not in the
tables, and a row that is rejected now keeps its last good state there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.rows import find_rows, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.transform.noting import DIFFERENCES, join_notes, make_notes
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.siding import Side, identify, write_records

__all__ = ["HELD", "KEPT", "compare_sides", "explain_held", "order_differences"]

#: Why a row is in tables whose source rejects it now, and why a subject whose conflict waits for a
#: decision is left on both sides as it is.
KEPT, HELD = "kept", "held"

#: What a difference is called that is told from the other side.
_OTHER = {"missing": "extra", "extra": "missing"}

#: What is wrong with the tables of a subject, so that it has no rows to compare.
_BROKEN = ("duplicate", "inexpressible")

_ROW = ["sheet", "subject", "key"]
_CELL = [*_ROW, "column"]


def compare_sides(source: Side, target: Side, how: Partitioning, /) -> pd.DataFrame:
    """Find what differs between two sides, and what explains it.

    Args:
        source: What the other one is made of, where one of them is.
        target: The other side.
        how: Whose the rows are.

    Returns:
        A frame with a row for each difference, ordered by sheet, subject, key and column: those,
        ``kind`` (``missing`` in the target, ``extra`` there, ``differs``, ``duplicate``,
        ``inexpressible``), the values of both (of a row that one lacks, a JSON object), and
        ``why``: the rule of a reject, ``kept``, or nothing, where nothing explains it.

    Examples:
        >>> from aspen_etl import BORROWER_MODEL, Extract
        >>> from aspen_etl.transform.parting import can_part
        >>> from aspen_etl.transform.siding import side_of_extract
        >>> columns = list(BORROWER_MODEL.sources["borrower"].columns)
        >>> def side(name):
        ...     rows = pd.DataFrame({"id": ["b1"], "full_name": [name]}).reindex(columns=columns)
        ...     roles = pd.DataFrame({"borrower_id": ["b1"], "role_profile": ["Borrower"]})
        ...     return side_of_extract(Extract(borrower=rows, role_profile=roles), how)
        >>> how = can_part(BORROWER_MODEL)
        >>> compare_sides(side("Ada Lee"), side(" Ada  Lee "), how).empty
        True
        >>> compare_sides(side("Ada Lee"), side("Ada Roe"), how)[["subject", "column", "kind"]]
          subject     column     kind
        0      b1  full_name  differs
    """
    wanted = source.buckets.differ(target.buckets)
    both = [side.notes["subject"] for side in (source, target)]
    ids = pd.concat(both, ignore_index=True).dropna().drop_duplicates()
    subjects = conform_text(ids.reset_index(drop=True))
    parts: list[pd.DataFrame] = []
    held: list[set[Any]] = [set(), set()]
    for name in how.model.sources:
        column = how.columns[name]
        here, there = (side.take(name, wanted, subjects, column) for side in (source, target))
        parts += _compare(name, here, there, how)
        for known, frame in zip(held, (here, there)):
            mine = COLUMNS.find(frame[column], subjects) >= 0
            rows = take_rows(frame, np.flatnonzero(mine))
            known.update((name, *each) for each in zip(*identify(rows, name, how)))
    found = join_notes(parts, DIFFERENCES)
    return order_differences(
        _Explained(source, target, held, how).join(found), tuple(how.model.sources)
    )


def order_differences(found: pd.DataFrame, names: Iterable[str], /) -> pd.DataFrame:
    """Order differences by sheet, subject, key, column and kind.

    Args:
        found: Differences.
        names: The sheets, or tables, in their order.
    """
    order = {name: place for place, name in enumerate(names)}
    ranked = found.assign(rank=found["sheet"].map(order).astype(np.int64))
    ranked = ranked.sort_values(["rank", "subject", "key", "column", "kind"], kind="stable")
    ranked = ranked[list(DIFFERENCES)].reset_index(drop=True).astype(object)
    return ranked.where(ranked.notna(), None)


def explain_held(found: pd.DataFrame, subjects: Collection[str], /) -> pd.DataFrame:
    """Explain what nothing else does, where a conflict of the subject waits for a decision.

    Args:
        found: Differences.
        subjects: The subjects that both sides keep as they are until then.
    """
    if not subjects or found.empty:
        return found
    mask = found["why"].isna() & found["subject"].isin(list(subjects))
    return found.assign(why=found["why"].astype(object).mask(mask, HELD))


# ----------------------------------------------------------------------------- rows


def _compare(
    name: str, here: pd.DataFrame, there: pd.DataFrame, how: Partitioning
) -> Iterator[pd.DataFrame]:
    """Compare some rows of a sheet: by key, then by column."""
    key = how.model.lineage.sources[name].key
    at = find_rows([here[column] for column in key], [there[column] for column in key])
    hit = np.zeros(len(there), dtype=bool)
    hit[at[at >= 0]] = True
    for frame, rows, kind, value in (
        (here, np.flatnonzero(at < 0), "missing", "source"),
        (there, np.flatnonzero(~hit), "extra", "target"),
    ):
        some = take_rows(frame, rows)
        record = write_records({column: some[column] for column in some.columns})
        yield make_notes(name, *identify(some, name, how), kind=kind, **{value: record})
    rows = np.flatnonzero(at >= 0)
    for column in here.columns:
        if column in key:
            continue
        apart = rows[COLUMNS.differ(here[column], there[column], rows, at[rows])]
        one, two = COLUMNS.take(here[column], apart), COLUMNS.take(there[column], at[apart])
        told = {"source": _objects(one), "target": _objects(two)}
        identity = identify(take_rows(here, apart), name, how)
        yield make_notes(name, *identity, column=str(column), kind="differs", **told)


def _objects(values: pd.Series) -> Any:
    return values.astype(object).where(values.notna(), None).to_numpy(dtype=object)


# ----------------------------------------------------------------------------- explaining


class _Explained:
    """Join what was found with what the sides note.

    Args:
        source: A side.
        target: The other.
        held: The rows that each has, of those who are in notes, as sheet, subject and key.
        how: Whose the rows are.
    """

    def __init__(self, source: Side, target: Side, held: list[set[Any]], how: Partitioning) -> None:
        self.sides, self.held, self.root = (source, target), held, how.root
        self.notes = [side.notes for side in self.sides]
        if source.is_source and target.is_source:
            self.notes = _without_common(*self.notes)

    def join(self, found: pd.DataFrame) -> pd.DataFrame:
        """Give the differences, each with why it is there."""
        broken = {subject for notes in self._broken() for subject in notes["subject"].dropna()}
        found = found[~found["subject"].isin(broken)].reset_index(drop=True)
        apart = set(_keys(found[found["kind"] == "differs"], _CELL))
        why, more = found["why"].to_numpy(dtype=object, copy=True), list(self._broken())
        for turn, (value, lack) in enumerate((("source", "missing"), ("target", "extra"))):
            if not self.sides[turn].is_source:
                continue
            notes, other = self.notes[turn], self.held[1 - turn]
            out = _are_in(notes, other)
            is_cell = (notes["kind"] == "differs").to_numpy(dtype=bool)
            is_twice = (notes["kind"] == "duplicate").to_numpy(dtype=bool)
            mine = _are_in(notes, self.held[turn])
            stay = np.where(is_cell, out & ~_are_in(notes, apart, _CELL), ~out | (mine & is_twice))
            told = _as_differences(notes[stay].rename(columns={"value": value}))
            if lack == "extra":
                kinds = [_OTHER.get(kind, kind) for kind in told["kind"]]
                told = told.assign(kind=pd.Series(kinds, index=told.index, dtype=object))
            more.append(told)
            if not self.sides[1 - turn].is_source:
                refused = notes[~is_cell & ~mine]
                kept = _are_in(found, set(_keys(refused, _ROW)))
                gone = set(refused.loc[refused["sheet"] == self.root, "subject"].dropna())
                kept |= found["subject"].isin(gone).to_numpy(dtype=bool)
                why[kept & (found["kind"] == _OTHER[lack]).to_numpy(dtype=bool)] = KEPT
        return join_notes([found.assign(why=why), *more], DIFFERENCES)

    def _broken(self) -> Iterator[pd.DataFrame]:
        """Give what is wrong with tables."""
        for side, notes in zip(self.sides, self.notes):
            if not side.is_source:
                yield _as_differences(notes[notes["kind"].isin(_BROKEN)])


def _as_differences(notes: pd.DataFrame) -> pd.DataFrame:
    """Give notes the columns of differences; what they do not tell is none."""
    found = notes.reindex(columns=list(DIFFERENCES)).astype(object)
    return found.where(found.notna(), None)


def _keys(frame: pd.DataFrame, names: list[str]) -> Iterator[tuple[Any, ...]]:
    held = frame[names].astype(object)
    return zip(*(held[name].where(held[name].notna(), None).tolist() for name in names))


def _are_in(frame: pd.DataFrame, known: Iterable[Any], names: list[str] = _ROW) -> Any:
    listed = known if isinstance(known, (set, frozenset)) else set(known)
    return np.array([each in listed for each in _keys(frame, names)], dtype=bool)


def _without_common(one: pd.DataFrame, two: pd.DataFrame) -> list[pd.DataFrame]:
    """Leave out what both sides reject alike, each as often as both have it."""
    names = [name for name in one.columns if name != "why"]
    told = []
    for mine, other in ((one, two), (two, one)):
        left: dict[Any, int] = {}
        for each in _keys(other, names):
            left[each] = left.get(each, 0) + 1
        keep = []
        for each in _keys(mine, names):
            left[each] = left.get(each, 0) - 1
            keep.append(left[each] < 0)
        told.append(mine[np.array(keep, dtype=bool)].reset_index(drop=True))
    return told
