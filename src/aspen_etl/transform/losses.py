"""What in landed changes speaks of a change that is missing, or of an order that is not sure.

Each key's writes, in their order, are held against what each asks of the one before. Of a key's
first change nothing is asked: it may be older than the key's row of the full load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.rows import codes
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import LandingOrderError
from aspen_etl.transform.changing import (
    ANY,
    LOAD,
    LOAD_STAMP,
    MOMENT_WIDTH,
    ROW_WIDTH,
    SourceChanges,
)

__all__ = ["Finding", "Registers", "find_losses", "raise_findings"]

_NONE: Positions = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Finding:
    """Say what was found, how often, and in which files.

    Attributes:
        problem: The ``problem`` of the error that it is, or what is none: ``time_falls``, or
            ``cut_cells`` (as long as the task lets a cell be, see ``Landing.lob_max_kb``).
        count: In how many rows.
        files: The files that hold them, as far as they are in this batch.
        column: The column, if it is about one.
    """

    problem: str
    count: int
    files: tuple[str, ...] = ()
    column: Optional[str] = None


@dataclass(frozen=True)
class Registers:
    """Hold writes in the order of key, stamp and what is gone before what is there.

    Attributes:
        groups: The number of each write's key, from 0 on; all are there.
        stamps: The stamps.
        alive: Whether the key is there afterwards.
        asks: What each asks of the one before: ANY, DEAD or LIVING.
        origins: The change that it comes from; -1 is the state before.
        is_before: Whether its key is the one before a change of the key.
        same: Whether key, stamp and being there are those of the write before.
        cells: The rows of what is there, and before them those of the state.
        places: The place of each write's row among them.
    """

    groups: Positions
    stamps: pd.Series = field(repr=False)
    alive: Mask
    asks: npt.NDArray[np.int8]
    origins: Positions
    is_before: Mask
    same: Mask
    cells: pd.DataFrame = field(repr=False)
    places: Positions

    @property
    def last(self) -> Positions:
        """The place of each key's greatest write; of several that are the same, of the first."""
        ends = np.flatnonzero(np.append(self.groups[1:] != self.groups[:-1], True))
        firsts = np.where(self.same, 0, np.arange(len(self.groups)))
        found: Positions = np.maximum.accumulate(firsts)[ends]
        return found

    def differ(self, one: Positions, two: Positions) -> Mask:
        """Tell which writes of two lists leave behind another row."""
        out: Mask = self.alive[one] != self.alive[two]
        rows = np.flatnonzero(self.alive[one] & self.alive[two])
        left, right = self.places[one[rows]], self.places[two[rows]]
        for values in (self.cells[name] for name in self.cells):
            out[rows] |= COLUMNS.differ(values, values, left, right)
        return out


def find_losses(
    registers: Registers, changes: SourceChanges, /, *, by_time: bool
) -> tuple[Finding, ...]:
    """Look through sorted writes once for what speaks of a loss."""
    found = [
        ("tie", _ties(registers)),
        ("gap", _gaps(registers)),
        ("ambiguous", _ambiguous(registers) if by_time else _NONE),
    ]
    findings = [_finding(problem, registers.origins[rows], changes) for problem, rows in found]
    if not by_time:
        order = COLUMNS.order(changes.stamps)[0]
        findings += [
            _finding("falling", _falls_in_files(changes, order), changes),
            _finding("time_falls", _times_that_fall(changes, order), changes),
        ]
    return tuple(each for each in findings if each.count)


def _finding(problem: str, at: Positions, changes: SourceChanges) -> Finding:
    files = np.unique(changes.files[at[at >= 0]]).tolist()
    return Finding(problem, len(at), tuple(changes.names[file] for file in files))


def _ties(registers: Registers) -> Positions:
    """Find writes of one key and stamp that leave behind different rows.

    Of the full load that matters only as long as no change came: a key may be read twice.
    """
    if len(registers.groups) < 2:  # noqa: PLR2004 - a tie is two
        return _NONE
    two = np.arange(1, len(registers.groups))
    equal = registers.groups[1:] == registers.groups[:-1]
    equal &= ~COLUMNS.differ(registers.stamps.iloc[1:], registers.stamps.iloc[:-1])
    is_last = np.zeros(len(registers.groups), dtype=bool)
    is_last[np.flatnonzero(np.append(registers.groups[1:] != registers.groups[:-1], True))] = True
    loads = (registers.stamps == LOAD_STAMP).to_numpy(dtype=bool)
    two = two[equal & (~loads | is_last)[1:]]
    found: Positions = two[registers.differ(two, two - 1)]
    return found


def _gaps(registers: Registers) -> Positions:
    """Find writes that ask for another state of their key than the write before left."""
    groups = registers.groups
    is_state = registers.origins < 0
    since = np.full(int(groups.max(initial=-1)) + 1, -1, dtype=np.int64)
    since[groups[is_state]] = np.flatnonzero(is_state)
    # What is older than the state came late, or again: what was before it nobody knows any more.
    rows = np.flatnonzero((np.arange(len(groups)) >= since[groups]) & ~registers.same)
    before, after = rows[:-1], rows[1:]
    is_change = (registers.stamps != LOAD_STAMP).to_numpy(dtype=bool)[before]
    asks = registers.asks[after]
    wrong = (groups[before] == groups[after]) & is_change & (asks != ANY)
    found: Positions = after[wrong & (asks != registers.alive[before])]
    return found


def _ambiguous(registers: Registers) -> Positions:
    """Find writes of one key and time in two files, the last of which differ.

    Within a file the row decides. Each file's last write must be the same, or any may be the last.
    """
    groups, last = registers.groups, registers.last
    stamps = conform_text(registers.stamps)
    files, moments = (
        codes(conform_text(each))[0]
        for each in (stamps.str.slice(0, -ROW_WIDTH), stamps.str.slice(0, MOMENT_WIDTH))
    )
    winner = last[groups]  # keys are numbered, and sorted, from 0 on
    ends = np.ones(len(groups), dtype=bool)
    ends[:-1] = (groups[1:] != groups[:-1]) | (files[1:] != files[:-1])
    rows = np.flatnonzero(ends & (moments == moments[winner]) & (files != files[winner]))
    found: Positions = rows[registers.differ(rows, winner[rows])]
    return found


def _falls_in_files(changes: SourceChanges, order: Positions) -> Positions:
    """Find rows of a file that are before the row above them in the order of all changes."""
    ranks = np.empty(len(order), dtype=np.int64)
    ranks[order] = np.arange(len(order))
    rows = np.flatnonzero(changes.kinds != LOAD)
    rows = rows[np.lexsort((changes.rows[rows], changes.files[rows]))]
    one, two = rows[:-1], rows[1:]
    falls = (changes.files[one] == changes.files[two]) & (ranks[two] < ranks[one])
    two, one = two[falls], one[falls]
    # Equal stamps are no fall, however they are ranked.
    found: Positions = two[COLUMNS.differ(changes.stamps, changes.stamps, one, two)]
    return found


def _times_that_fall(changes: SourceChanges, order: Positions) -> Positions:
    """Find changes that were committed, by their time, before one that is below them."""
    if changes.moments is None:
        return _NONE
    rows = order[changes.kinds[order] != LOAD]
    found, distinct = codes(changes.moments)
    rank = np.empty(len(distinct) + 1, dtype=np.int64)
    rank[COLUMNS.order(distinct)[0]] = np.arange(len(distinct))
    rank[-1] = len(distinct)
    times = rank[found[rows]]
    rows, times = rows[times < len(distinct)], times[times < len(distinct)]
    fallen: Positions = rows[1:][times[1:] < times[:-1]]
    return fallen


# ----------------------------------------------------------------------------- what to say

_LATE = "run again when late files came; if none do, a change is lost: load the table anew"
_TOLD = {
    "gap": ("a change does not follow from the one before it", _LATE),
    "tie": (
        "one place in the order of changes has two contents",
        "two tasks wrote here, or files were changed: give each task a folder, and load anew",
    ),
    "ambiguous": (
        "a key has changes of one time in two files",
        "add a column with $AR_H_CHANGE_SEQ to the task and order by sequence",
    ),
    "falling": (
        "the sequence of a file goes down",
        "its rows were written by no task of DMS, or changed since: land it anew",
    ),
    "alike_keys": (
        "living keys are equal but for letter case or outer white space",
        "if they are one, declare fold= of the table; else the database has both: mend it there",
    ),
}


def raise_findings(
    source: str, findings: Sequence[Finding], /, *, pass_over: Sequence[str] = ()
) -> None:
    """Raise the first finding that is an error.

    Args:
        source: The source.
        findings: What was found.
        pass_over: The problems that are counted alone.

    Raises:
        LandingOrderError: There is one.
    """
    for each in findings:
        if each.problem in _TOLD and each.problem not in pass_over:
            told = _TOLD[each.problem]
            raise LandingOrderError.of(each.problem, source, each.files, each.count, told)
