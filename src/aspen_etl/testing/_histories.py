"""Strategies for histories: extracts of one source that changes from run to run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

import numpy as np
import pandas as pd
from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.schema.lineage import SourceLineage
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Extract
from aspen_etl.testing._extracts import extracts

__all__ = ["histories"]


#: After how many rows their runs of arrival come again.
_ARRIVALS = 13


@dataclass(frozen=True)
class _Step:
    """What becomes of the rows of a source in one run; each is a set of bits, a bit a row.

    Attributes:
        absent: Which rows are left out.
        changed: Which rows have the cells of another row beside their keys.
        broken: Which rows lack a cell that they must have.
        turn: How far the rows are turned round.
    """

    absent: int
    changed: int
    broken: int
    turn: int


def histories(
    model: Model = BORROWER_MODEL,
    *,
    faults: Union[str, Collection[str]] = (),
    max_rows: int = 4,
    max_runs: int = 4,
    growing: bool = False,
) -> st.SearchStrategy[list[Extract]]:
    """Generate histories: one source, run after run.

    From run to run rows are changed, left out, brought back, broken, mended and turned round;
    a sheet may be empty for a run, and some rows may come later than others.

    Args:
        model: What the sheets are, and what they become.
        faults: The kinds of faults that the source may have from the start, of ``FAULT_KINDS``,
            or ``"all"``.
        max_rows: The most rows of a sheet, faults aside.
        max_runs: The most runs, at least 2.
        growing: Whether rows and optional cells come one after the other: who was there from the
            start has something new in a later run, such as a phone, or a row that refers to it.

    Examples:
        >>> import hypothesis
        >>> @hypothesis.given(histories(faults=["duplicate"], max_runs=3))
        ... def test_keys_are_for_good(history): ...
    """
    some = st.one_of(st.just(0), st.integers(0, 2**8 - 1))
    steps = st.builds(_Step, some, some, some, st.integers(0, 3))
    most, numbers = max(max_runs - 1, 1), st.integers(0, max_runs - 1)
    arrivals = st.lists(numbers, min_size=_ARRIVALS, max_size=_ARRIVALS)
    return st.builds(
        lambda first, other, after, late, come: [
            _withhold(extract, run, come, model)
            for run, extract in enumerate(_evolve(model, first, other, after))
        ][late:],
        extracts(model, faults=faults, min_rows=max_rows // 2 if growing else 0, max_rows=max_rows),
        extracts(model, max_rows=max_rows),
        st.lists(steps, min_size=most if growing else 1, max_size=most),
        st.sampled_from([0, 1]),  # with 1, rows that are absent in the first run are new later
        arrivals if growing else st.just([0]),
    )


def _evolve(model: Model, first: Extract, other: Extract, steps: Sequence[_Step]) -> list[Extract]:
    out = [first]
    for step in steps:
        frames = {
            name: _turned(
                frame, other[name], step, model.lineage.sources[name], _faulty(first, name)
            )
            for name, frame in first.items()
        }
        out.append(Extract.from_frames(frames, faults=_left(first.faults, frames)))
        if currently_in_test_context():
            note(f"{step}")
    return out


def _withhold(extract: Extract, run: int, arrivals: Sequence[int], model: Model) -> Extract:
    """Leave out the rows and the optional cells that come in a later run."""
    frames = {}
    for name, frame in extract.items():
        lineage, faulty = model.lineage.sources[name], _faulty(extract, name)
        there = [arrivals[row % len(arrivals)] <= run for row in frame.index]
        held = frame[np.array(there, dtype=bool)].astype(object)
        fixed = {*lineage.key, *lineage.references, *lineage.required}
        for place, column in enumerate(held.columns):
            late = [
                column not in fixed
                and row not in faulty
                and arrivals[(row + place + 1) % len(arrivals)] > run
                for row in held.index
            ]
            held[column] = held[column].mask(np.array(late, dtype=bool), None)
        frames[name] = held
    return Extract.from_frames(frames, faults=_left(extract.faults, frames))


def _faulty(extract: Extract, source: str) -> set[int]:
    faults = extract.faults
    return {int(row) for row in faults[faults["source"] == source]["row"]}


def _left(faults: pd.DataFrame, frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    held = [row in frames[source].index for source, row in zip(faults["source"], faults["row"])]
    return faults[np.array(held, dtype=bool)]


def _turned(
    frame: pd.DataFrame, other: pd.DataFrame, step: _Step, lineage: SourceLineage, faulty: set[int]
) -> pd.DataFrame:
    """Give the rows of a sheet as one run finds them."""
    cells = frame.astype(object).to_numpy(copy=True)
    names = list(frame.columns)
    fixed = {*lineage.key, *lineage.references}
    free = [place for place, name in enumerate(names) if name not in fixed]
    must = [place for place in free if names[place] in lineage.required]
    kept = []
    for place, row in enumerate(frame.index):
        if step.absent >> place & 1:
            continue
        kept.append(place)
        if int(row) in faulty:
            continue
        if step.changed >> place & 1 and len(other):
            cells[place, free] = other.astype(object).to_numpy()[place % len(other), free]
        if step.broken >> place & 1:
            cells[place, must] = None
    turn = step.turn % len(kept) if kept else 0
    order = kept[turn:] + kept[:turn]
    return pd.DataFrame(cells[order], columns=names, index=frame.index[order], dtype=object)
