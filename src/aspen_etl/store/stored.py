"""What a commit names: files, frames of them; keys, a landing folder, two sides, a cut-over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, Optional, Union, cast

from aspen_etl.derive.formats import FileFormat, FormatName
from aspen_etl.io.content import Count
from aspen_etl.io.only import Only

__all__ = [
    "CutoverRecord",
    "Digest",
    "Facts",
    "KeyEntry",
    "LandedSource",
    "LandingRecord",
    "SideRecord",
    "Stored",
    "StoredFile",
    "Suppressed",
    "Token",
]

#: Where the name of a file says which part it holds.
_PART = re.compile(r"part-([0-9]{5})\.[a-z]+\Z")

#: A checksum, as a commit file holds it.
Digest = Annotated[str, Only(pattern="^[0-9a-f]{64}$")]

#: What no other attempt has, as a commit file holds it.
Token = Annotated[str, Only(pattern="^[0-9a-f]{16}$")]

#: The digest of all rows of a side, as a commit file holds it.
SumDigest = Annotated[str, Only(pattern="^[0-9a-f]{32}$")]

#: What is told of a thing, by name.
Facts = Mapping[str, Union[bool, int, str]]


@dataclass(frozen=True)
class StoredFile:
    """Name one data file.

    Attributes:
        path: Its path below the store's url.
        bytes: Its size.
        rows: Its rows.
        sha256: The checksum of its bytes, as hexadecimal digits.
    """

    path: str
    bytes: Count
    rows: Count
    sha256: Digest

    @property
    def part(self) -> int:
        """The part that it holds, from 0, as its name says."""
        found = _PART.search(self.path.rpartition("/")[2])
        return int(found[1]) if found else 0


@dataclass(frozen=True)
class Stored:
    """Say where a frame is.

    Attributes:
        format: ``csv``, ``parquet``, or, of what this library alone reads, ``arrow``.
        columns: Its columns, in the order of the files.
        files: Its files; none for a frame without rows that needs no file.
        elsewhere: Whether they are below ``rejects_url``.
    """

    format: FileFormat
    columns: tuple[str, ...]
    files: tuple[StoredFile, ...] = ()
    elsewhere: bool = False

    @property
    def table_format(self) -> FormatName:
        """The format of a table: no commit names another one for it."""
        return cast("FormatName", self.format)

    @property
    def location(self) -> str:
        """The folder of its files, below the store's url."""
        return self.files[0].path.rpartition("/")[0] if self.files else ""

    def folder(self, name: str, /) -> Optional[str]:
        """Give the one folder of a table's files: one that is never written to where it has none.

        There is no such folder from an erasure in one of several files on until the table changes.
        """
        found = {file.path.rpartition("/")[0] for file in self.files} or {f"{name}/none"}
        return found.pop() if len(found) == 1 else None

    @property
    def rows(self) -> int:
        """Its rows."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(file.bytes for file in self.files)

    def of_part(self, number: int, /) -> Stored:
        """Give where the rows of one part are; one without rows has no file."""
        return replace(self, files=tuple(file for file in self.files if file.part == number))

    def moved(self, rewrites: Mapping[str, StoredFile]) -> Stored:
        """Give where it is after files were rewritten."""
        return replace(self, files=tuple(rewrites.get(file.path, file) for file in self.files))


@dataclass(frozen=True)
class KeyEntry:
    """Say what keys a table gave.

    Attributes:
        next: The number that the next new row gets.
        retired: The keys given whose row is gone; all others stand in the table.
    """

    next: Count
    retired: Stored


@dataclass(frozen=True)
class LandedSource:
    """Say where the state of a source of a landing folder is.

    Attributes:
        key: The columns of the primary key in the database.
        fold: What makes two keys one.
        frames: All of it, and behind it what was put over it since: of a row the last one counts.
    """

    key: tuple[str, ...]
    fold: Optional[Literal["case", "space", "both"]]
    frames: tuple[Stored, ...]


@dataclass(frozen=True)
class LandingRecord:
    """Say what is known of a landing folder.

    Attributes:
        epoch: Which full load it is of.
        watermark: The time of the youngest commit that was taken, as text in UTC.
        sources: The state of each source.
        ledger: The files that were taken, in frames as those of a state.
    """

    epoch: Count
    watermark: Optional[str]
    sources: Mapping[str, LandedSource] = field(repr=False)
    ledger: tuple[Stored, ...] = field(repr=False)

    @property
    def stored(self) -> tuple[Stored, ...]:
        """Everything that it names."""
        return (*(each for _, each in self.named()), *self.ledger)

    def named(self) -> Iterator[tuple[str, Stored]]:
        """Give each frame of each source, with the source's name."""
        for name, source in self.sources.items():
            for frame in source.frames:
                yield name, frame

    def moved(self, rewrites: Mapping[str, StoredFile]) -> LandingRecord:
        """Give where it is after files were rewritten."""
        sources = {
            name: replace(source, frames=tuple(each.moved(rewrites) for each in source.frames))
            for name, source in self.sources.items()
        }
        return replace(self, sources=sources)


@dataclass(frozen=True)
class SideRecord:
    """Say what is accounted for of a side of a two-way sync, and what waits to be decided.

    Attributes:
        version: The version of the store that was last written to the side, 0 for none.
        token: That of its commit.
        shadow: By sheet, the rows in which the side differs from the tables of this commit; a
            sheet without one is not named.
        conflicts: The conflicts that wait, if there are any.
        conflict_counts: How many they are, by kind, sheet and column.
        plan: The shadow as it will be once the side says that it has this commit: what a push is
            about to write. None where nothing is.
    """

    version: Count = 0
    token: Optional[Token] = None
    shadow: Mapping[str, Stored] = field(default_factory=dict, repr=False)
    conflicts: Optional[Stored] = field(default=None, repr=False)
    conflict_counts: tuple[Facts, ...] = field(default=(), repr=False)
    plan: Optional[Mapping[str, Stored]] = field(default=None, repr=False)

    @property
    def waiting(self) -> int:
        """How many conflicts wait."""
        return sum(int(each["count"]) for each in self.conflict_counts)

    def shadows(self) -> Iterator[tuple[str, Stored]]:
        """Give each frame of a shadow, with its sheet: of what is accounted for, and of a plan."""
        yield from self.shadow.items()
        yield from (self.plan or {}).items()

    def moved(
        self, rewrites: Mapping[str, StoredFile], counts: Mapping[str, tuple[Facts, ...]]
    ) -> SideRecord:
        """Give where it is after files were rewritten; a frame without rows is not named.

        Args:
            rewrites: The new file of each old path.
            counts: How many conflicts are left in the file of each old path.
        """
        left, found = self.conflicts, self.conflict_counts
        for file in left.files if left is not None else ():
            found = counts.get(file.path, found)
        left = None if left is None else left.moved(rewrites)
        plan = None if self.plan is None else _moved(self.plan, rewrites)
        return replace(
            self,
            shadow=_moved(self.shadow, rewrites),
            conflicts=left if left is not None and left.rows else None,
            conflict_counts=found,
            plan=plan,
        )

    @property
    def stored(self) -> tuple[Stored, ...]:
        """Everything that it names."""
        conflicts = () if self.conflicts is None else (self.conflicts,)
        return (*(stored for _, stored in self.shadows()), *conflicts)


def _moved(frames: Mapping[str, Stored], rewrites: Mapping[str, StoredFile]) -> dict[str, Stored]:
    moved = {name: stored.moved(rewrites) for name, stored in frames.items()}
    return {name: stored for name, stored in moved.items() if stored.rows}


@dataclass(frozen=True)
class Suppressed:
    """Say which subjects are left out of each run, by what tells nobody who they are.

    Attributes:
        check: What tells the secret from another one.
        subjects: An HMAC of the id of each, under the secret.
    """

    check: Digest
    subjects: tuple[Digest, ...] = field(repr=False)


@dataclass(frozen=True)
class CutoverRecord:
    """Say that a cut-over was checked and found green, and of what; no id and no cell value.

    Attributes:
        version: The version that was checked.
        time: When it was, in ISO form.
        actor: Who ran it.
        source: The digest of the old side's rows.
        target: That of the new side's.
        report: The SHA-256 of the comparison's report, as one line of JSON.
        accepted_sha256: The SHA-256 of the signed list of accepted rejects, if one was given.
        accepted: Its copy, beside the rejects; none where it had no row, or there was none.
        accepted_counts: How many of its rows accept a reject, by rule.
        unused: How many of its rows accept none.
    """

    version: Count
    time: str
    actor: str
    source: SumDigest
    target: SumDigest
    report: Digest
    accepted_sha256: Optional[Digest] = None
    accepted: Optional[Stored] = None
    accepted_counts: Mapping[str, Count] = field(default_factory=dict)
    unused: Count = 0

    @property
    def stored(self) -> tuple[Stored, ...]:
        """Everything that it names."""
        return () if self.accepted is None else (self.accepted,)

    def moved(self, rewrites: Mapping[str, StoredFile]) -> CutoverRecord:
        """Give where it is after files were rewritten; a list without rows is not named."""
        left = None if self.accepted is None else self.accepted.moved(rewrites)
        return replace(self, accepted=left if left is not None and left.rows else None)
