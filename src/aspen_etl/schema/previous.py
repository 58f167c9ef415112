"""What was there before a run: a state that is read openly, table by table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Optional, Protocol, Union, runtime_checkable

import pandas as pd

from aspen_etl.columns.frames import held_frames
from aspen_etl.schema.snapshot import KeyState, Snapshot, Tables

__all__ = ["Before", "Held", "Previous", "previous_of"]


class Before(NamedTuple):
    """What a table was before, and the keys that it gave, where it was there."""

    frame: Optional[pd.DataFrame] = None
    state: Optional[KeyState] = None


@runtime_checkable
class Previous(Protocol):
    """Give what was there before a run.

    A snapshot in memory does (``Held``), and a commit of a store, whose files are read when a
    table is asked for. Whoever asks gets what reading raises.
    """

    @property
    def time(self) -> Optional[dt.datetime]:
        """When it was made, in UTC; no later snapshot is earlier."""

    @property
    def names(self) -> tuple[str, ...]:
        """The tables that there are."""

    def table(self, name: str, /) -> pd.DataFrame:
        """Give a table of ``names``; it may be read now, and is kept until it is walked past."""

    def keys(self, name: str, /) -> Optional[KeyState]:
        """Give the keys that a table gave, or none where it gives none or was not there."""

    def walk(self, names: Iterable[str], /) -> Iterator[tuple[str, Before]]:
        """Go through tables in an order; one ahead is read, and those behind are let go of."""


class Held:
    """Give a snapshot that is in memory.

    Args:
        snapshot: The snapshot; by default one in which nothing is.

    Examples:
        >>> import pandas as pd
        >>> before = Held(Snapshot(Tables({"user": pd.DataFrame({"user_id": [1]})}), {}))
        >>> [(name, then.frame is not None) for name, then in before.walk(["user", "loan"])]
        [('user', True), ('loan', False)]
    """

    def __init__(self, snapshot: Optional[Snapshot] = None) -> None:
        self.snapshot = Snapshot(Tables({}), {}) if snapshot is None else snapshot

    @property
    def time(self) -> Optional[dt.datetime]:
        """When the snapshot was made."""
        return self.snapshot.time

    @property
    def names(self) -> tuple[str, ...]:
        """The tables of the snapshot."""
        return tuple(self.snapshot.tables)

    def table(self, name: str, /) -> pd.DataFrame:
        """Give a table of the snapshot."""
        return held_frames(self.snapshot.tables)[name]

    def keys(self, name: str, /) -> Optional[KeyState]:
        """Give the keys that a table of the snapshot gave."""
        return self.snapshot.keys.get(name)

    def walk(self, names: Iterable[str], /) -> Iterator[tuple[str, Before]]:
        """Go through tables in an order."""
        for name in names:
            yield name, Before(held_frames(self.snapshot.tables).get(name), self.keys(name))


def previous_of(given: Union[Snapshot, Previous, None], /) -> Previous:
    """Take what was before in any form that a caller has; none is a state without tables."""
    return Held(given) if given is None or isinstance(given, Snapshot) else given
