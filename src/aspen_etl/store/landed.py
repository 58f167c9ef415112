"""The state of a landing folder in a store: what was replayed, and which files were taken.

Both are frames that grow (``transform.growing``). They hold cells as they were landed, and lie
where the rejects do. A row of a state is known by its number, a file by its path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Optional
from urllib.parse import quote

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.pieced import Pieced
from aspen_etl.columns.pieced import whole as whole_cells
from aspen_etl.schema.column_spec import ColumnSpec, ColumnType
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import Commit
from aspen_etl.store.place import Place
from aspen_etl.store.reading import read_stored, whole
from aspen_etl.store.stored import LandedSource, LandingRecord, Stored
from aspen_etl.transform.growing import count_kept
from aspen_etl.transform.landing_state import LandingState
from aspen_etl.transform.ledger import NUMBERS, Entry, Ledger
from aspen_etl.transform.source_state import SourceState

__all__ = [
    "Landed",
    "landed_frames",
    "load_ledger",
    "load_sources",
    "read_state",
    "state_columns_of",
]

_LEDGER: Mapping[str, ColumnSpec] = {
    each.name: ColumnSpec(
        each.name, "integer" if each.name in NUMBERS else "text", nullable=each.name not in NUMBERS
    )
    for each in fields(Entry)
}


@dataclass(frozen=True, eq=False)
class Landed:
    """What a run read of a landing folder, ready to be committed.

    Attributes:
        place: The store.
        state: What is known afterwards.
        at: By source, the places in its state of the keys that changed since the record.
        taken: The paths of the files that were taken since.
        due: Whether it is committed also where no table changed.
    """

    place: Place
    state: LandingState = field(repr=False)
    at: Mapping[str, Positions] = field(repr=False)
    taken: frozenset[str] = field(repr=False)
    due: bool

    def put(self, attempt: Attempt, base: Optional[LandingRecord]) -> LandingRecord:
        """Write what changed, and say where everything is."""
        state = self.state
        if base is not None and base.epoch != state.epoch:
            base = None
        sources = {
            name: self._source(attempt, name, None if base is None else base.sources.get(name))
            for name in state.sources
        }
        ledger = self._ledger(attempt, () if base is None else base.ledger)
        return LandingRecord(state.epoch, state.watermark, sources, ledger)

    def _source(self, attempt: Attempt, name: str, before: Optional[LandedSource]) -> LandedSource:
        state, at = self.state.sources[name], self.at.get(name, np.zeros(0, dtype=np.int64))
        frames = () if before is None or before.fold != state.fold else before.frames
        if frames and not len(at):
            return LandedSource(state.key, state.fold, frames)
        kept = count_kept([frame.rows for frame in frames], len(at))
        numbers = [state.rows[at]]
        numbers += [self._read(frame).iloc[:, -3].to_numpy() for frame in frames[kept:] if kept]
        places = np.flatnonzero(np.isin(state.rows, np.concatenate(numbers))) if kept else None
        frame = state.to_stored(places)
        path = f"_aspen/landing/{attempt.folder}/state-{quote(name, safe='')}"
        stored = attempt.landed(path, frame, state_columns_of(_names(frame)))
        return LandedSource(state.key, state.fold, (*frames[:kept], stored))

    def _ledger(self, attempt: Attempt, frames: tuple[Stored, ...]) -> tuple[Stored, ...]:
        entries, new = self.state.ledger.entries, set(self.taken)
        if frames and not new:
            return frames
        kept = count_kept([frame.rows for frame in frames], len(new))
        if kept:
            new |= {path for frame in frames[kept:] for path in self._paths(frame)}
        held = entries if not kept else {path: entries[path] for path in new}
        path = f"_aspen/landing/{attempt.folder}/ledger"
        return (*frames[:kept], attempt.landed(path, Ledger(held).to_frame(), _LEDGER))

    def _read(self, stored: Stored) -> pd.DataFrame:
        return read_stored(self.place, stored, state_columns_of(stored.columns))

    def _paths(self, stored: Stored) -> list[str]:
        paths: list[str] = read_stored(self.place, stored, _LEDGER)["path"].tolist()
        return paths


def _names(frame: pd.DataFrame) -> list[str]:
    return [str(name) for name in frame]


def state_columns_of(columns: Sequence[str], /) -> dict[str, ColumnSpec]:
    """Say what the columns of a stored state are: text, and last number, stamp and a mark."""
    texts: list[ColumnType] = ["text"] * (len(columns) - 3)
    kinds: list[ColumnType] = [*texts, "integer", "text", "boolean"]
    return {
        name: ColumnSpec(name, kind, nullable=at < len(columns) - 3)
        for at, (name, kind) in enumerate(zip(columns, kinds))
    }


def landed_frames(
    record: Optional[LandingRecord], /
) -> Iterator[tuple[str, Stored, Mapping[str, ColumnSpec]]]:
    """Give each frame of a record, with what it is and what its columns are."""
    if record is None:
        return
    for name, stored in record.named():
        yield f"landed state of {name}", stored, state_columns_of(stored.columns)
    for stored in record.ledger:
        yield "landed files", stored, _LEDGER


# ----------------------------------------------------------------------------- reading


def load_ledger(place: Place, commit: Optional[Commit], /) -> Ledger:
    """Read which files of a landing folder the newest commit took.

    Raises:
        ConflictError: Another commit let its files go.
        CorruptStoreError: A file is missing or damaged.
    """
    if commit is None or commit.landing is None:
        return Ledger()
    frames = commit.landing.ledger
    read = whole(place, commit, lambda: [read_stored(place, each, _LEDGER) for each in frames])
    entries = [entry for frame in read for entry in Ledger.from_frame(frame).entries.values()]
    return Ledger({entry.path: entry for entry in entries})


def load_sources(place: Place, commit: Commit, /) -> dict[str, SourceState]:
    """Read what the newest commit knows of each source of a landing folder.

    Raises:
        ConflictError: Another commit let its files go.
        CorruptStoreError: A file is missing or damaged.
    """
    if commit.landing is None:
        return {}
    sources = commit.landing.sources.items()
    return whole(place, commit, lambda: {n: read_state(place, source) for n, source in sources})


def read_state(place: Place, source: LandedSource, /) -> SourceState:
    """Read the state of a source: of each row what was put over it last."""
    frames = [read_stored(place, each, state_columns_of(each.columns)) for each in source.frames]
    names = list(dict.fromkeys(name for frame in frames for name in _names(frame)[:-3]))
    parts = [SourceState.from_stored(frame, source.key, source.fold) for frame in frames]
    joined = [part.as_declared(names, source.key, source.fold) for part in parts]
    if len(joined) == 1:
        return joined[0]
    rows = np.concatenate([part.rows for part in joined])
    last = len(rows) - 1 - np.unique(rows[::-1], return_index=True)[1]
    return SourceState(
        source.key,
        Pieced([whole_cells(part.cells) for part in joined], last),
        rows[last],
        COLUMNS.take(COLUMNS.concat([part.stamps for part in joined]), last),
        np.concatenate([part.alive for part in joined])[last],
        source.fold,
    )
