"""Rows of landed files as changes, and what each of them writes: one register for each key.

A change of a key writes its register with a stamp: what holds in the end is the write with the
greatest one, in whatever order and however often changes come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Optional

import numpy as np
import numpy.typing as npt
import pandas as pd

from aspen_etl.columns import COLUMNS, Mask, Positions
from aspen_etl.columns.frames import make_column, make_frame
from aspen_etl.columns.rows import are_present, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.transform.alike import fold_keys

__all__ = [
    "ANY",
    "DEAD",
    "DELETE",
    "INSERT",
    "KINDS",
    "LIVING",
    "LOAD",
    "LOAD_STAMP",
    "MOMENT_WIDTH",
    "ROW_WIDTH",
    "UPDATE",
    "SourceChanges",
    "Writes",
    "list_writes",
    "row_stamps",
]

#: What a row of a file says; a row of the full load says that it was there when it was read.
KINDS = LOAD, INSERT, UPDATE, DELETE = range(4)

#: The stamp of the full load, which is below that of any change.
LOAD_STAMP = "0"

#: What a write asks of the one before: nothing, that the key was gone, or that it was there.
ANY, DEAD, LIVING = -1, 0, 1

#: A time with six digits of its second; a stamp by time begins with it.
MOMENT_WIDTH = len("2020-01-31 14:05:00.000000")

#: What is added to the number of a row in a stamp, so that all have as many digits.
_FIRST_ROW = 10**10
#: What stands behind the file in such a stamp.
ROW_WIDTH = len(f"/{_FIRST_ROW}")


@dataclass(frozen=True)
class SourceChanges:
    """Hold changes of one source, in any order.

    Attributes:
        cells: The rows as they are after the change, text under the names of the state's columns;
            of a deletion only the key is looked at.
        kinds: LOAD, INSERT, UPDATE or DELETE.
        stamps: The place of each in the order of all changes: text that sorts by code point.
            That of the full load is ``LOAD_STAMP``.
        files: The place of each row's file in ``names``.
        rows: The number of each row in its file.
        names: The files.
        before: The key before the change, where the file tells; missing where it does not.
        moments: The time of each row's commit, as text that sorts; missing where not told.
        lob_max_kb: The KB at which the task cuts cells, if that is known.
    """

    cells: pd.DataFrame = field(repr=False)
    kinds: npt.NDArray[np.int8] = field(repr=False)
    stamps: pd.Series = field(repr=False)
    files: Positions = field(repr=False)
    rows: Positions = field(repr=False)
    names: tuple[str, ...]
    before: Optional[pd.DataFrame] = field(default=None, repr=False)
    moments: Optional[pd.Series] = field(default=None, repr=False)
    lob_max_kb: Optional[int] = None

    def __len__(self) -> int:
        return len(self.kinds)

    def take(self, rows: Positions, /) -> SourceChanges:
        """Take some of the changes, by their places."""
        before, moments = self.before, self.moments
        return SourceChanges(
            take_rows(self.cells, rows),
            self.kinds[rows],
            COLUMNS.take(self.stamps, rows),
            self.files[rows],
            self.rows[rows],
            self.names,
            None if before is None else take_rows(before, rows),
            None if moments is None else COLUMNS.take(moments, rows),
            self.lob_max_kb,
        )

    @classmethod
    def join(cls, parts: Sequence[SourceChanges], /) -> SourceChanges:
        """Put changes together, each part of which names the same columns."""
        if len(parts) == 1:
            return parts[0]
        names = tuple(name for part in parts for name in part.names)
        starts = np.cumsum([0, *(len(part.names) for part in parts[:-1])])
        return cls(
            _joined([part.cells for part in parts]),
            np.concatenate([part.kinds for part in parts]),
            COLUMNS.concat([part.stamps for part in parts]),
            np.concatenate([part.files + start for part, start in zip(parts, starts)]),
            np.concatenate([part.rows for part in parts]),
            names,
            _joined_befores(parts),
            _joined_moments(parts),
            parts[0].lob_max_kb,
        )


def _joined(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    columns = {name: COLUMNS.concat([frame[name] for frame in frames]) for name in frames[0]}
    return make_frame(columns, pd.RangeIndex(sum(map(len, frames))))


def _joined_befores(parts: Sequence[SourceChanges]) -> Optional[pd.DataFrame]:
    told = next((part.before for part in parts if part.before is not None), None)
    if told is None:
        return None
    frames = []
    for part in parts:
        absent = {name: COLUMNS.repeat(None, len(part)) for name in told}
        frames.append(make_frame(absent) if part.before is None else part.before)
    return _joined(frames)


def _joined_moments(parts: Sequence[SourceChanges]) -> Optional[pd.Series]:
    if all(part.moments is None for part in parts):
        return None
    absent = [COLUMNS.repeat(None, len(part)) for part in parts]
    return COLUMNS.concat(
        [none if part.moments is None else part.moments for part, none in zip(parts, absent)]
    )


def row_stamps(file: str, rows: Positions, /, moments: Optional[pd.Series] = None) -> pd.Series:
    """Give stamps by file and row; with times they are by time first.

    Args:
        file: The file's place among files, as text that sorts.
        rows: The number of each row in the file.
        moments: The time of each row's commit, all of ``MOMENT_WIDTH`` characters.

    Examples:
        >>> row_stamps("20240131140500123", np.array([2])).tolist()
        ['20240131140500123/10000000002']
    """
    numbers = conform_text(make_column(rows + _FIRST_ROW).astype(str))
    stamps = f"{file}/" + numbers
    return conform_text(stamps if moments is None else moments + "/" + stamps)


# ----------------------------------------------------------------------------- writes


@dataclass(frozen=True)
class Writes:
    """Hold what changes write; a change of a key is two writes.

    Attributes:
        at: The change that each comes from.
        keys: The key's columns, as they are compared.
        stamps: Its place in the order.
        alive: Whether the key is there afterwards; of one stamp, what is gone comes first.
        asks: What it asks of the write of its key before: ANY, DEAD or LIVING.
        is_before: Whether its key is the one before a change of the key.
    """

    at: Positions
    keys: list[pd.Series]
    stamps: pd.Series
    alive: Mask
    asks: npt.NDArray[np.int8]
    is_before: Mask


def list_writes(changes: SourceChanges, key: Sequence[str], fold: Optional[str], /) -> Writes:
    """List what changes write.

    Args:
        changes: The changes, whose key is nowhere missing.
        key: The names of its columns.
        fold: What makes two keys one.
    """
    own = fold_keys([changes.cells[name] for name in key], fold)
    kinds, count = changes.kinds, len(changes)
    told = _told_before(changes, key)
    moved: Positions = np.zeros(0, dtype=np.int64)
    olds = [values.iloc[:0] for values in own]
    if told is not None and changes.before is not None:
        held = [changes.before[name] for name in key]
        folded = fold_keys(held, fold)
        differs = np.logical_or.reduce([COLUMNS.differ(a, b) for a, b in zip(own, folded)])
        moved = np.flatnonzero(told & differs & (kinds == UPDATE))
        olds = [COLUMNS.take(values, moved) for values in folded]
    is_moved = np.zeros(count, dtype=bool)
    is_moved[moved] = True
    asks = np.select([kinds == LOAD, (kinds == INSERT) | is_moved], [ANY, DEAD], LIVING).astype(
        np.int8
    )
    at = np.concatenate([moved, np.arange(count, dtype=np.int64)])
    first = np.arange(len(at)) < len(moved)
    return Writes(
        at,
        [COLUMNS.concat([old, new]) for old, new in zip(olds, own)],
        COLUMNS.take(changes.stamps, at),
        ~first & (kinds[at] != DELETE),
        np.where(first, LIVING, asks[at]).astype(np.int8),
        first,
    )


def _told_before(changes: SourceChanges, key: Sequence[str]) -> Optional[Mask]:
    if changes.before is None or not len(changes):
        return None
    told: Mask = np.logical_and.reduce([are_present(changes.before[name]) for name in key])
    return told
