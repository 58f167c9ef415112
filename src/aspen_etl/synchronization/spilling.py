"""Sides of a comparison that are too large for memory: read once, and left on disk by bucket.

Each group of buckets holds whole subjects, so it is compared as a whole side would be. What lies
on disk holds cells: the folder is of this user alone, and goes when the comparison ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Optional, Union

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.frames import held_frames, make_frame
from aspen_etl.columns.rows import find_keys, take_rows
from aspen_etl.columns.text import conform_text
from aspen_etl.io.exchange import Exchange, Piece
from aspen_etl.io.filesystem import Location
from aspen_etl.io.places import Source
from aspen_etl.io.reading import Reading
from aspen_etl.schema.evolution import complete_table
from aspen_etl.schema.snapshot import Tables
from aspen_etl.schema.types import TYPES
from aspen_etl.schema.values import Extract
from aspen_etl.store.commit import Commit
from aspen_etl.store.place import Place
from aspen_etl.store.reading import read_table, whole, with_commit
from aspen_etl.synchronization.scattering import gather, put_rows, scatter_by
from aspen_etl.synchronization.units import Reader, Sheet, open_source
from aspen_etl.transform.cutting import clean_keys
from aspen_etl.transform.digesting import BUCKETS, find_buckets
from aspen_etl.transform.parting import Partitioning, split_positions
from aspen_etl.workers import InTurn

__all__ = ["GROUPS", "Spill", "Spilled", "together"]

#: Into how many groups of buckets a side is spilled; small ones are compared together.
GROUPS = 128

#: How many rows of a table are cut at a time.
_ROWS = 1 << 18


@dataclass(frozen=True, eq=False)
class Spilled:
    """Say where the rows of each group of buckets are.

    Attributes:
        pieces: By group, the rows of each sheet or table, in their order.
        reader: What knows where they lie.
        is_source: Whether they are sheets.
    """

    pieces: Sequence[Sequence[tuple[str, Piece]]] = field(repr=False)
    reader: Reader = field(repr=False)
    is_source: bool

    @property
    def sizes(self) -> list[int]:
        """By group, the bytes of its rows."""
        return [sum(sum(piece.sizes) for _, piece in group) for group in self.pieces]

    def load(self, first: int, last: int, /, *, lookups: bool) -> Union[Extract, Tables]:
        """Take up some groups.

        Args:
            first: The first group.
            last: The one behind the last.
            lookups: Whether lookup tables are wanted, which every group has whole.
        """
        left = () if lookups else self.reader.how.lookups
        groups = self.pieces[first:last]
        pieces = [pair for group in groups for pair in group if pair[0] not in left]
        order = list(self.reader.how.model.sources if self.is_source else self._tables())
        pieces.sort(key=lambda pair: order.index(pair[0]))  # those of a sheet stay in their order
        if self.is_source:
            return gather(pieces, self.reader)
        frames: dict[str, list[pd.DataFrame]] = {}
        for name, piece in dict.fromkeys(pieces):
            frames.setdefault(name, []).append(self.reader.exchange.get(piece))
        return Tables({name: _join(parts) for name, parts in frames.items()})

    def _tables(self) -> Mapping[str, object]:
        return self.reader.how.model.tables


def _join(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    if len(parts) == 1:
        return parts[0]
    return make_frame({c: _concat([part[c] for part in parts]) for c in parts[0].columns})


def _concat(columns: Sequence[pd.Series]) -> pd.Series:
    if len({values.dtype for values in columns}) == 1:
        return COLUMNS.concat(columns)
    return pd.concat([values.astype(object) for values in columns], ignore_index=True)


def together(sizes: Sequence[int], most: int, /) -> Iterator[tuple[int, int]]:
    """Give which groups are compared together: as many as ``most`` bytes hold, at least one.

    Examples:
        >>> list(together([1, 2, 3, 9, 1], 4))
        [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    first = size = 0
    for at, each in enumerate(sizes):
        if at > first and size + each > most:
            yield first, at
            first, size = at, 0
        size += each
    yield first, len(sizes)


class Spill:
    """Read sides, and leave their rows in a folder.

    Args:
        how: Whose the rows are.
        reading: How files are read.
        folder: The folder, which is there.
    """

    def __init__(self, how: Partitioning, reading: Reading, folder: Location, /) -> None:
        self._how = how
        self._reader = Reader(Exchange(folder), how, reading)

    # ------------------------------------------------------------------------- sheets

    def source(self, given: Union[Source, Extract], /) -> Spilled:
        """Read a source, a file block by block where it can be.

        Raises:
            AspenETLError: What ``read_extract`` raises.
        """
        units = open_source(given, self._reader, InTurn())
        number = partial(_number_sheet, self._how)
        found = scatter_by(units, number, GROUPS, self._reader, InTurn())
        return Spilled(found.pieces, self._reader, is_source=True)

    def sheets(self, read: Callable[[Callable[..., None]], None], /) -> Spilled:
        """Take sheets some rows at a time.

        Args:
            read: Calls what it is given with a sheet, some of its rows, and the faults in them.
        """
        pieces: list[list[tuple[str, Piece]]] = [[] for _ in range(GROUPS)]

        def use(name: str, frame: pd.DataFrame, faults: pd.DataFrame) -> None:
            number, sheet = partial(_number_sheet, self._how), Sheet(frame, faults, {})
            _, left = put_rows(name, sheet, number, GROUPS, self._reader)
            for group, piece in zip(pieces, left):
                if piece is not None:
                    group.append((name, piece))

        read(use)
        return Spilled(pieces, self._reader, is_source=True)

    # ------------------------------------------------------------------------- tables

    def tables(self, read: Callable[[Callable[[str, pd.DataFrame], None]], None], /) -> Spilled:
        """Take tables some rows at a time, each table after those that it refers to.

        Args:
            read: Calls what it is given with a table, and some of its rows.
        """
        cut = _Cut(self._how, self._reader.exchange)
        read(cut.add)
        return Spilled(cut.pieces, self._reader, is_source=False)

    def frames(self, tables: Mapping[str, pd.DataFrame], /) -> Spilled:
        """Take tables that are in memory."""
        held = held_frames(tables)

        def read(use: Callable[[str, pd.DataFrame], None]) -> None:
            for name in self._how.model.lineage.table_order:
                use(name, complete_table(held.get(name), self._how.model.tables[name]))

        return self.tables(read)

    def store(self, place: Place, version: Optional[int], /) -> Spilled:
        """Take a version of a store: part by part, a table at a time.

        Raises:
            VersionNotFoundError: There is no such version, or it is no longer kept.
            ModelMismatchError: It holds tables of another model.
            CorruptStoreError: A file is missing or damaged.
        """

        def spill(commit: Commit, newest: Commit) -> Spilled:
            place.check_model(commit)
            return self.tables(partial(_walk, place, commit, newest, self._how))

        return with_commit(place, version, spill)


def _walk(
    place: Place,
    commit: Commit,
    newest: Commit,
    how: Partitioning,
    use: Callable[[str, pd.DataFrame], None],
) -> None:
    for number in range(commit.parts):
        part = commit.of_part(number, how.lookups)
        for name in how.model.lineage.table_order:
            if name in how.lookups and number:
                continue
            read = partial(read_table, place, part, newest, name)
            frame = whole(place, newest, read) if name in part.tables else None
            use(name, complete_table(frame, how.model.tables[name]))


def _number_sheet(how: Partitioning, extract: Extract, sheet: str) -> Positions:
    return _number(clean_keys(extract, sheet, how), how)


def _number(keys: pd.Series, how: Partitioning) -> Positions:
    """Give the group of each key of a subject; what has none is in the first."""
    spec = replace(how.key, nullable=True)
    is_text = not TYPES[spec.type].rules(spec)
    texts = conform_text(keys) if is_text else TYPES[spec.type].text(keys, spec)
    groups = find_buckets(texts) * GROUPS // BUCKETS
    return np.where(texts.isna().to_numpy(dtype=bool), 0, groups)


class _Homes:
    """The groups of the rows of a table by its keys: ten bytes a row."""

    def __init__(self) -> None:
        self.keys: list[pd.Series] = []
        self.groups: list[Positions] = []

    def find(self, values: pd.Series) -> Positions:
        """Give the group of each row that refers to a key; the first, where it leads nowhere."""
        if len(self.keys) > 1:
            self.keys = [COLUMNS.concat(self.keys)]
            self.groups = [np.concatenate(self.groups)]
        if not self.keys:
            return np.zeros(len(values), dtype=np.int64)
        at = find_keys(values, self.keys[0])
        return np.append(self.groups[0], 0)[at].astype(np.int64)


class _Cut:
    """Leave rows of tables by the groups of their subjects."""

    def __init__(self, how: Partitioning, exchange: Exchange) -> None:
        self.how, self.exchange = how, exchange
        self.pieces: list[list[tuple[str, Piece]]] = [[] for _ in range(GROUPS)]
        parents = {owner.table for owner in how.owners.values()}
        self.homes = {name: _Homes() for name in how.owners if name in parents}

    def add(self, name: str, frame: pd.DataFrame) -> None:
        """Take some rows of a table; a lookup is in every group."""
        frame = complete_table(frame, self.how.model.tables[name]).reset_index(drop=True)
        if name in self.how.lookups:
            (piece,) = self.exchange.put([frame])
            for group in self.pieces:
                group.append((name, piece))
            return
        for start in range(0, max(len(frame), 1), _ROWS):
            some = frame.iloc[start : start + _ROWS].reset_index(drop=True)
            groups = self._number(name, some)
            rows = split_positions(groups, GROUPS)
            held = [at for at, mine in enumerate(rows) if len(mine) or not at]
            left = self.exchange.put(take_rows(some, rows[at]) for at in held)
            for at, piece in zip(held, left):
                self.pieces[at].append((name, piece))

    def _number(self, name: str, frame: pd.DataFrame) -> Positions:
        owner = self.how.owners[name]
        values = frame[owner.column]
        if owner.table is None:
            groups = _number(values, self.how)
        else:
            groups = self.homes[owner.table].find(values)
        if name in self.homes:
            homes = self.homes[name]
            homes.keys.append(frame[self.how.model.tables[name].primary_key])
            homes.groups.append(groups.astype(np.uint16))
        return groups
