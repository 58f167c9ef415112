"""Whether each stored part holds whole subjects, of a range of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

import pandas as pd

from aspen_etl.columns import COLUMNS
from aspen_etl.columns.rows import find_keys
from aspen_etl.errors import NotSupportedError
from aspen_etl.store.commit import Commit
from aspen_etl.store.place import Place
from aspen_etl.store.reading import read_retired, read_table
from aspen_etl.store.verifying_log import Problem
from aspen_etl.transform.parting import Partitioning, can_part, order_keys

__all__ = ["check_parts"]


def check_parts(place: Place, commit: Commit, newest: Commit, /) -> Iterator[Problem]:
    """Look at the parts of a commit whose files are whole, one after the other.

    Args:
        place: The store.
        commit: The commit.
        newest: The newest commit.
    """
    if commit.parts == 1:
        return
    try:
        how = can_part(place.model)
    except NotSupportedError as error:
        yield Problem("parts", str(error))
        return
    last: Optional[pd.Series] = None
    for number in range(commit.parts):
        part = _Part(place, commit.of_part(number, how.lookups), newest, how)
        for name, count in part.strangers():
            yield Problem(f"part {number} of {name}", "has rows of other parts' subjects", count)
        ends = part.ends()
        if ends is not None:
            both = ends if last is None else COLUMNS.concat([last, ends]).reset_index(drop=True)
            if not order_keys(both).equals(both):
                yield Problem(f"part {number}", "begins before the one ahead of it ends")
            last = ends.iloc[1:]


class _Part:
    """One part: its rows, and the keys that it gave to rows that are gone."""

    def __init__(self, place: Place, part: Commit, newest: Commit, how: Partitioning) -> None:
        self._how, self._frames = how, dict[str, pd.DataFrame]()
        for name in how.owners:
            if name not in part.tables:
                continue
            frames = [read_table(place, part, newest, name)]
            if name in part.keys:
                frames.append(read_retired(place, part, newest, name))
            columns = [column for column in frames[-1] if column in frames[0]]
            self._frames[name] = pd.DataFrame(
                {c: COLUMNS.concat([frame[c] for frame in frames]) for c in columns}
            )

    def strangers(self) -> Iterator[tuple[str, int]]:
        """Count by table the rows and keys that lead to nobody of the part."""
        for name, frame in self._frames.items():
            owner = self._how.owners[name]
            if owner.table is not None:
                key = self._how.model.tables[owner.table].primary_key
                homes = self._frames[owner.table][key]
                lost = int((find_keys(frame[owner.column], homes) < 0).sum())
                if lost:
                    yield name, lost

    def ends(self) -> Optional[pd.Series]:
        """Give the first and the last subject; none where it is of nobody."""
        owners = self._how.owners
        keys = [
            frame[owners[name].column]
            for name, frame in self._frames.items()
            if owners[name].table is None
        ]
        found = order_keys(COLUMNS.concat(keys))
        return found.iloc[[0, -1]].reset_index(drop=True) if len(found) else None
