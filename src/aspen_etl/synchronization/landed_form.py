"""A landing folder as a source whose rows are compared: what changed is known from the replay.

Its rows are in the state that the store has; kept beside is what the state does not tell: whose a
row is, where its key was cleaned; which rows were rejected; and who stays although absent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from aspen_etl.columns import COLUMNS, Positions
from aspen_etl.columns.rows import are_present
from aspen_etl.columns.text import conform_text
from aspen_etl.errors import CorruptFileError
from aspen_etl.errors.base import instead
from aspen_etl.io.codecs import decode_verified, encode
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.values import Extract
from aspen_etl.store.kept import FormName, KeptSheet
from aspen_etl.synchronization.landing import LandingRead
from aspen_etl.synchronization.touching import (
    Compared,
    TouchedRows,
    find_touched,
    find_whose,
    leave_out,
    refused,
)
from aspen_etl.transform.cleaning import clean_column
from aspen_etl.transform.landing_state import LandingState
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.source_state import SourceState

__all__ = ["LandedForm"]

#: Whose the rows are whose key is cleaned to another text than it is.
_CLEANED: Mapping[str, ColumnSpec] = {
    "row": ColumnSpec("row", "integer"),
    "subject": ColumnSpec("subject", "text", nullable=True),
}
#: Which rows were rejected, and behind them of whom each row is that stays.
_MORE: Mapping[str, ColumnSpec] = {
    "rejected": ColumnSpec("rejected", "integer", nullable=True),
    "stayed": ColumnSpec("stayed", "text", nullable=True),
}


class LandedSheet(NamedTuple):
    """How many rows a source has, and whose they are where their key does not say it."""

    rows: int
    cleaned: pd.DataFrame

    def keep(self, rejected: Positions, stayed: pd.Series, /) -> KeptSheet:
        """Give it as it is kept."""
        data = encode(self.cleaned, _CLEANED, "csv")
        count = len(rejected)
        numbers = np.append(rejected, np.zeros(len(stayed), dtype=np.int64))
        more = pd.DataFrame(
            {
                "rejected": pd.arrays.IntegerArray(numbers, np.arange(len(numbers)) >= count),
                "stayed": COLUMNS.concat([COLUMNS.repeat(None, count), stayed]),
            }
        )
        sha256 = hashlib.sha256(data).hexdigest()
        return KeptSheet(data, encode(more, _MORE, "csv"), self.rows, sha256)


class _Before(NamedTuple):
    """What was kept of a source."""

    cleaned: pd.DataFrame
    rejected: Positions
    stayed: pd.Series


class _Living(NamedTuple):
    """The living rows of a state, by their places in it, and whose they are."""

    places: Positions
    subjects: pd.Series


@dataclass(frozen=True, eq=False)
class LandedForm:
    """A landing folder as it was read.

    Attributes:
        found: What was read of it.
        how: How the model is partitioned.
    """

    found: LandingRead = field(repr=False)
    how: Partitioning

    @property
    def name(self) -> FormName:
        """What the form is called."""
        return "landing"

    def read(self) -> Extract:
        """Give all of the source."""
        return self.found.extract

    def sheets(self, extract: Extract, /) -> dict[str, LandedSheet]:
        """Give all of the source as it can be kept."""
        return {
            name: LandedSheet(len(extract[name]), self._cleaned(extract, name))
            for name in self.how.model.sources
        }

    def find_touched(self, kept: Mapping[str, KeptSheet], /) -> TouchedRows:
        """Find the subjects of which the replay changed a row, or one was rejected; take theirs."""
        sheets, compared, then, now, stayed = {}, {}, {}, {}, {}
        for name in self.how.model.sources:
            before, after = (each.sources[name] for each in (self.found.before, self.found.state))
            held = _read_kept(kept[name])
            then[name] = self._living(name, before, held.cleaned)
            cleaned = self._move(name, held.cleaned)
            now[name] = self._living(name, after, cleaned)
            sheets[name] = LandedSheet(len(now[name].places), cleaned)
            compared[name] = self._compare(name, then[name], now[name], held.rejected)
            stayed[name] = held.stayed
        touched = find_touched(compared, self.how.root)
        return TouchedRows(
            frozenset(touched),
            self._take(self.found.state, now, touched),
            self._take(self.found.before, then, touched),
            sheets,
            {name: leave_out(held, touched) for name, held in stayed.items()},
        )

    def _cleaned(self, extract: Extract, name: str) -> pd.DataFrame:
        """Say whose rows are whose key is cleaned to another text than it is."""
        column = self.how.columns[name]
        raw = conform_text(extract[name][column].reset_index(drop=True))
        subjects = clean_column(extract, name, column, self.how.model)
        at = np.flatnonzero(COLUMNS.differ(raw, subjects))
        rows = extract[name].index.to_numpy(dtype=np.int64)[at]
        return pd.DataFrame({"row": rows, "subject": COLUMNS.take(subjects, at)})

    def _changed(self, name: str) -> Positions:
        return self.found.at.get(name, np.zeros(0, dtype=np.int64))

    def _move(self, name: str, cleaned: pd.DataFrame) -> pd.DataFrame:
        """Say the same after the replay as before it."""
        state, at = self.found.state.sources[name], self._changed(name)
        gone = np.isin(cleaned["row"].to_numpy(dtype=np.int64), state.rows[at])
        columns = list(self.how.model.sources[name].columns)
        fresh = {name: state.to_frame(columns, at=at[state.alive[at]])}
        new = self._cleaned(Extract.from_frames(fresh), name)
        # Of a frame without rows pandas 2 does not know what its columns hold.
        parts = [part for part in (cleaned[~gone], new) if len(part)] or [new]
        return pd.concat(parts, ignore_index=True)

    def _living(self, name: str, state: SourceState, cleaned: pd.DataFrame) -> _Living:
        """Tell whose the living rows of a state are."""
        raw = conform_text(state.cells[self.how.columns[name]])
        at = np.arange(len(state), dtype=np.int64)
        places = np.searchsorted(state.rows, cleaned["row"].to_numpy(dtype=np.int64))
        at[places] = len(raw) + np.arange(len(places))
        living = np.flatnonzero(state.alive)
        pool = COLUMNS.concat([raw, cleaned["subject"]]) if len(places) else raw
        return _Living(living, COLUMNS.take(pool, at[living]))

    def _compare(self, name: str, then: _Living, now: _Living, rejected: Positions) -> Compared:
        before, after = (each.sources[name] for each in (self.found.before, self.found.state))
        place = np.full(len(after), -1, dtype=np.int64)
        place[then.places] = np.arange(len(then.places))
        place[self._changed(name)] = -1
        mask = np.isin(before.rows[then.places], rejected)
        none = np.zeros(0, dtype=np.int64)
        return Compared(then.subjects, mask, now.subjects, place[now.places], none)

    def _take(
        self, state: LandingState, living: Mapping[str, _Living], touched: set[str]
    ) -> Extract:
        """Take the rows of the touched, and those that name no subject."""
        frames = {}
        for name, spec in self.how.model.sources.items():
            at = living[name].places[find_whose(living[name].subjects, touched)]
            frames[name] = state.sources[name].to_frame(list(spec.columns), at=at)
        return Extract.from_frames(frames)


def _read_kept(kept: KeptSheet) -> _Before:
    def read() -> _Before:
        cleaned = decode_verified(bytes(kept.data), _CLEANED, "csv", url="kept")
        more = decode_verified(bytes(kept.more), _MORE, "csv", url="kept")
        is_row = are_present(more["rejected"])
        rejected = more["rejected"][is_row].to_numpy(dtype=np.int64)
        return _Before(cleaned, rejected, COLUMNS.take(more["stayed"], np.flatnonzero(~is_row)))

    why = "what was kept of the source is gone or damaged"
    return instead(read, CorruptFileError, lambda _: refused(why))
