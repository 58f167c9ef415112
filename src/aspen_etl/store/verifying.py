"""Look at a version as if nothing were known of it: checksums, keys, references, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Optional

import pandas as pd

from aspen_etl.errors import (
    AspenETLError,
    CorruptStoreError,
    SourceAccessError,
    VersionNotFoundError,
)
from aspen_etl.schema.column_spec import ColumnSpec
from aspen_etl.schema.evolution import complete
from aspen_etl.schema.rejects import columns_as_named
from aspen_etl.schema.side_frames import ACCEPTED
from aspen_etl.schema.snapshot import ADOPTED_FROM
from aspen_etl.schema.spec import TableSpec
from aspen_etl.schema.validation import find_failures
from aspen_etl.store.commit import Commit
from aspen_etl.store.landed import landed_frames
from aspen_etl.store.place import Place
from aspen_etl.store.reading import find_older, read_stored
from aspen_etl.store.shadows import side_frames
from aspen_etl.store.stored import Stored
from aspen_etl.store.verifying_log import LogCheck, Problem, verify_log
from aspen_etl.store.verifying_parts import check_parts
from aspen_etl.transform.keys import key_columns

__all__ = ["Problem", "Verification", "verify"]


@dataclass(frozen=True)
class Verification:
    """Tell what a version holds, and what is wrong with it.

    Attributes:
        version: The version.
        files: How many files it names.
        bytes: Their size.
        rows: The rows of its tables.
        problems: What is wrong with it, and with the row of commits; empty where all is whole.
        unsealed: How many commits of the whole store are of format 1, so that nothing proves
            what they say but its form.
    """

    version: int
    files: int
    bytes: int
    rows: int
    problems: tuple[Problem, ...]
    unsealed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)


def verify(place: Place, version: Optional[int], /) -> Verification:
    """Read the row of commits, and everything that a version names, and look at all of it."""
    log = verify_log(place.log, place.model.tables)
    if not log.newest and not log.problems:
        raise VersionNotFoundError.empty(place.url)
    found = _find(place, version, log)
    if found is None:
        return Verification(version or log.newest, 0, 0, 0, log.problems, log.unsealed)
    commit, newest = found
    place.check_model(commit)
    stored = commit.stored
    return Verification(
        commit.version,
        sum(len(each.files) for each in stored),
        sum(each.bytes for each in stored),
        sum(held.rows for held in commit.tables.values()),
        (*log.problems, *_Check(place, commit, newest).run()),
        log.unsealed,
    )


def _find(place: Place, version: Optional[int], log: LogCheck) -> Optional[tuple[Commit, Commit]]:
    """Read a commit and the newest one; nothing where one cannot be read, as the log tells."""
    try:
        newest = place.log.read(log.newest)
        if version in (None, newest.version):
            return newest, newest
        return find_older(place, version, newest), newest
    except CorruptStoreError:
        return None


class _Check:
    def __init__(self, place: Place, commit: Commit, newest: Commit) -> None:
        self.place, self.commit, self.newest = place, commit, newest
        self.model = place.model
        self.found: list[Problem] = []

    def run(self) -> Iterator[Problem]:
        """Read the tables, then the keys, the rejects, what is known of a landing and of sides."""
        tables = {}
        for name, table in self.model.tables.items():
            stored = self.commit.tables.get(name)
            if stored is not None:
                frame = self._frame(name, stored, table.columns)
                if frame is not None:
                    tables[name] = frame
        if len(tables) == len(self.commit.tables):
            yield from self._tables(tables)
        for name, table in self.model.tables.items():
            if table.has_surrogate_key and name in self.commit.tables:
                yield from self._keys(table, tables.get(name))
        if not self.found:
            yield from check_parts(self.place, self.commit, self.newest)
        if self.commit.rejects is not None:
            rejects = self.commit.rejects
            self._frame("rejects", rejects, columns_as_named(rejects.columns))
        landed, sided = landed_frames(self.commit.landing), side_frames(self.commit.sides)
        checked = () if self.commit.cutover is None else self.commit.cutover.stored
        listed = (("accepted rejects", stored, ACCEPTED) for stored in checked)
        for where, stored, columns in (*landed, *sided, *listed):
            self._frame(where, stored, columns)
        yield from self.found

    def _frame(
        self, where: str, stored: Stored, columns: Mapping[str, ColumnSpec]
    ) -> Optional[pd.DataFrame]:
        moved = stored.moved(self.newest.rewrites)
        try:
            frame = read_stored(self.place, moved, columns)
        except SourceAccessError:
            raise
        except AspenETLError as error:
            self.found.append(Problem(where, str(error.details.get("reason", error))))
            return None
        if len(frame) != moved.rows:
            what = f"holds {len(frame)} rows, its commit says {moved.rows}"
            self.found.append(Problem(where, what, abs(len(frame) - moved.rows)))
        return frame

    def _tables(self, tables: Mapping[str, pd.DataFrame]) -> Iterator[Problem]:
        completed, _ = complete(tables, self.model)
        failures = find_failures(completed, model=self.model)
        counts = Counter(zip(failures["table"], failures["column"], failures["rule"]))
        for (table, column, rule), count in counts.items():
            yield Problem(f"{table}.{column}" if column else str(table), f"breaks {rule}", count)
        for name, frame in tables.items():
            key = frame[self.model.tables[name].primary_key]
            if not key.is_monotonic_increasing:
                yield Problem(name, "is not in the order of its key")

    def _keys(self, table: TableSpec, frame: Optional[pd.DataFrame]) -> Iterator[Problem]:
        entry = self.commit.keys.get(table.name)
        where = f"keys of {table.name}"
        if entry is None:
            yield Problem(where, "are not in the commit")
            return
        retired = self._frame(where, entry.retired, key_columns(table))
        if retired is None or frame is None:
            return
        columns = list(key_columns(table))
        given = pd.concat([frame[columns], retired[columns]], ignore_index=True)
        for names, what in ((columns[:1], "are given twice"), (columns[1:], "have two keys")):
            count = int(given.duplicated(names).sum())
            if count:
                yield Problem(where, what, count)
        key = given[table.primary_key]  # from 2^40 on stand those that an application gave
        beyond = int(((key >= entry.next) & (key < ADOPTED_FROM)).sum())
        if beyond:
            yield Problem(where, "are not below the next number", beyond)
