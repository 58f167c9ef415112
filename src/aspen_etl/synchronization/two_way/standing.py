"""Where a side stands: what of it is accounted for, by the store and by the side's own word.

A push first commits what will be accounted for, its plan; then it writes to the side in one
transaction, with the version of that commit. So the side itself says whether the plan came true. A
push that died leaves a side that is ahead of what is accounted for: then the plan counts, or a
user's way back to the old value would be taken for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Optional, Protocol, runtime_checkable

import pandas as pd

from aspen_etl.errors import (
    AspenETLError,
    ConflictError,
    SideStateError,
    TwoWayError,
    VersionNotFoundError,
)
from aspen_etl.schema.side_frames import PUSHED
from aspen_etl.schema.snapshot import Snapshot
from aspen_etl.store.commit import Commit
from aspen_etl.store.shadows import SideState, load_sides
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.transform.expressing import express
from aspen_etl.transform.parting import Partitioning
from aspen_etl.transform.shadowing import patched

__all__ = ["SideName", "Standing", "Word", "Writable", "held_of", "lost_race", "stand"]

SideName = Literal["old", "new"]

Sheets = Mapping[str, pd.DataFrame]


@runtime_checkable
class Word(Protocol):
    """What a side says of itself: which version was written to it last."""

    @property
    def version(self) -> Optional[int]:
        """The version."""

    @property
    def token(self) -> Optional[str]:
        """The token of its commit."""


class Writable(Protocol):
    """A side that can be written to: a ``FlatDatabase``, or a ``TableDatabase``."""

    def read(self) -> Any:
        """Read it, as of one moment."""

    def state(self) -> Optional[Word]:
        """Tell what was written to it last."""


@dataclass(frozen=True, eq=False)
class Standing:
    """Hold where a side stands.

    Attributes:
        name: Which side it is.
        newest: The newest commit.
        snapshot: What it holds.
        head: The same as sheets.
        sides: What is known of each side, as it is committed.
        shadow: What of this side is accounted for.
        version: The version that was written to it last; 0 for none.
        token: The token of that commit.
        recovered: Whether the side was ahead of what is committed.
    """

    name: SideName
    newest: Commit
    snapshot: Snapshot = field(repr=False)
    head: Sheets = field(repr=False)
    sides: Mapping[str, SideState] = field(repr=False)
    shadow: Sheets = field(repr=False)
    version: int
    token: Optional[str]
    recovered: bool

    @property
    def found_push(self) -> bool:
        """Whether a push before had died; a load before the first pull is none."""
        return self.recovered and self.name in self.sides

    @property
    def held(self) -> pd.Series:
        """The ids of the subjects that wait for a decision, on either side, each once."""
        return held_of(self.sides)


def held_of(sides: Mapping[str, SideState], /) -> pd.Series:
    """Give the ids of the subjects that wait for a decision, each once."""
    told = (side.conflicts for side in sides.values())
    found = [each["subject"][each["decision"] != PUSHED].astype(object) for each in told]
    if not found:
        return pd.Series([], dtype=object)
    return pd.concat(found, ignore_index=True).dropna().drop_duplicates().reset_index(drop=True)


def lost_race(error: AspenETLError, /) -> bool:
    """Tell whether another writer of the store came first, so that it pays to begin anew."""
    return isinstance(error, ConflictError) and error.details.get("problem") == "commit"


def stand(
    store: SnapshotStore,
    name: SideName,
    how: Partitioning,
    word: Optional[Word],
    /,
    *,
    has_word: bool = True,
) -> Standing:
    """Find where a side stands.

    Args:
        store: The store.
        name: Which side.
        how: Whose the rows are.
        word: What the side says of itself, asked before its rows are read.
        has_word: Whether it can say something: files cannot.

    Raises:
        VersionNotFoundError: Nothing was committed yet.
        TwoWayError: The store is not two-way.
        SideStateError: What the side says cannot be: another store wrote to it, or it was set back.
    """
    newest = store.find()
    if newest.sides is None:
        raise TwoWayError.not_begun(store.url)
    store.place.check_model(newest)
    sides = load_sides(store.place, newest)
    snapshot = store.read(newest.version)
    head, _ = express(snapshot.tables, how)
    mine = sides.get(name)
    known = (0, None) if mine is None else (mine.version, mine.token)
    said = known if word is None or word.version is None else (word.version, word.token)
    if mine is not None and mine.token is None and said[0] <= mine.version:
        said = known  # what was written to it before the store was two-way does not count
    if word is None and mine is not None and mine.token is not None and has_word:
        raise SideStateError.of("lost", store.url, name, 0, known[0])
    if word is not None and said != known:
        shadow = _ahead(store, name, how, word, newest)
    else:
        shadow = _nothing(head) if mine is None else patched(head, mine.shadow, how)
    version, token = said
    return Standing(
        name, newest, snapshot, head, sides, shadow, version, token, recovered=said != known
    )


def _nothing(head: Sheets) -> Sheets:
    return {sheet: frame.iloc[:0] for sheet, frame in head.items()}


def _ahead(
    store: SnapshotStore, name: SideName, how: Partitioning, word: Word, newest: Commit
) -> Sheets:
    """Give what is accounted for of a side after what was written to it, and was not noted."""
    version, token = int(word.version or 0), word.token
    record = (newest.sides or {}).get(name)
    known = 0 if record is None else record.version
    if version <= known:
        raise SideStateError.of("behind", store.url, name, version, known)
    try:
        commit = store.find(version)
    except VersionNotFoundError:
        raise SideStateError.of("unreadable", store.url, name, version, known) from None
    if commit.token != token:
        raise SideStateError.of("foreign", store.url, name, version, known)
    head, _ = express(store.read(version).tables, how)
    mine = load_sides(store.place, commit, newest).get(name)
    if mine is None or mine.plan is None:  # a load: it has all that the commit has
        return head
    return patched(head, mine.plan, how)
