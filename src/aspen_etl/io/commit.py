"""What a commit file says, and how it is written and read: plain JSON without a cell value."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from typing import Any, Literal, Optional

from aspen_etl.errors import CorruptStoreError, StoreFormatError
from aspen_etl.io.codec import Format

__all__ = [
    "STORE_FORMAT",
    "Commit",
    "CommitKind",
    "KeyEntry",
    "SourceFile",
    "SourceRecord",
    "Stored",
    "StoredFile",
    "library_version",
]

#: The format of the store that this library writes; older ones are read, newer ones refused.
STORE_FORMAT = 1

CommitKind = Literal["sync", "restore", "resume", "vacuum", "purge"]


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
    bytes: int
    rows: int
    sha256: str


@dataclass(frozen=True)
class Stored:
    """Say where a frame is.

    Attributes:
        format: ``csv`` or ``parquet``.
        columns: Its columns, in the order of the files.
        files: Its files; none for a frame without rows that needs no file.
        elsewhere: Whether they are below ``rejects_url``.
    """

    format: Format
    columns: tuple[str, ...]
    files: tuple[StoredFile, ...] = ()
    elsewhere: bool = False

    @property
    def location(self) -> str:
        """The folder of its files, below the store's url."""
        return self.files[0].path.rpartition("/")[0] if self.files else ""

    @property
    def rows(self) -> int:
        """Its rows."""
        return sum(file.rows for file in self.files)

    @property
    def bytes(self) -> int:
        """The size of its files."""
        return sum(file.bytes for file in self.files)

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

    next: int
    retired: Stored


@dataclass(frozen=True)
class SourceFile:
    """Tell which state of a source file a commit was made of.

    Attributes:
        url: The file, without anything secret.
        bytes: Its size.
        content_id: What its storage or its content knows it by.
        modified: When it was changed last, in ISO form, where its storage tells.
    """

    url: str
    bytes: int
    content_id: str
    modified: Optional[str] = None


@dataclass(frozen=True)
class SourceRecord:
    """Tell what a commit was made of.

    Attributes:
        files: The files.
        rows: The rows read, by sheet.
        fingerprint: Files, options, model and library as one; none where it cannot be known.
    """

    files: tuple[SourceFile, ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    fingerprint: Optional[str] = None


@dataclass(frozen=True)
class Commit:
    """Hold what a commit file says.

    Attributes:
        version: Its number, from 1; versions have no gap.
        parent: The version before, 0 for none.
        kind: What was done.
        token: What no other attempt has.
        time: When the run was, in UTC.
        actor: Who ran it.
        library: The version of aspen_etl that wrote it.
        model: The tables of the model, as ``describe_tables`` gives them.
        oldest_readable: The oldest version whose files are kept.
        hold: The version that restored an old one, while the store waits to be told to resume.
        tables: Where each table is.
        changes: The rows inserted, updated and deleted since the version before, by table.
        keys: The keys given, by table with a key that is given.
        rejects: Where the rejects are.
        reject_counts: How many they are, by sheet, column, rule and scope.
        source: What it was made of.
        rewrites: Files of older versions that were written anew to erase a borrower, by path.
    """

    version: int
    parent: int
    kind: CommitKind
    token: str
    time: dt.datetime
    actor: str
    library: str
    model: Mapping[str, Any] = field(repr=False)
    oldest_readable: int = 1
    hold: Optional[int] = None
    tables: Mapping[str, Stored] = field(default_factory=dict, repr=False)
    changes: Mapping[str, Mapping[str, int]] = field(default_factory=dict, repr=False)
    keys: Mapping[str, KeyEntry] = field(default_factory=dict, repr=False)
    rejects: Optional[Stored] = field(default=None, repr=False)
    reject_counts: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    source: SourceRecord = field(default_factory=SourceRecord, repr=False)
    rewrites: Mapping[str, StoredFile] = field(default_factory=dict, repr=False)

    @property
    def stored(self) -> tuple[Stored, ...]:
        """Everything that it names: tables, retired keys and rejects."""
        rejects = () if self.rejects is None else (self.rejects,)
        return (*self.tables.values(), *(entry.retired for entry in self.keys.values()), *rejects)

    def format_of_tables(self) -> set[str]:
        """Give the formats that its tables are in."""
        return {stored.format for stored in self.tables.values()}

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return {"format": STORE_FORMAT, **asdict(self), "time": self.time.isoformat()}

    def to_bytes(self) -> bytes:
        """Give the text of the commit file."""
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=True).encode("ascii") + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes, url: str) -> Commit:
        """Read a commit file.

        Raises:
            StoreFormatError: It is of a newer format.
            CorruptStoreError: It is no commit file.
        """
        try:
            values = json.loads(data)
            found = values.pop("format")
        except (ValueError, AttributeError, KeyError, TypeError):
            values, found = {}, None
        if isinstance(found, int) and found > STORE_FORMAT:
            raise StoreFormatError.at(url, found, STORE_FORMAT)
        try:
            return _commit(values)
        except (KeyError, TypeError, ValueError):
            pass
        raise CorruptStoreError.at(url, "it is no commit file")


def _commit(values: dict[str, Any]) -> Commit:
    rejects = values["rejects"]
    source = values["source"]
    return Commit(
        **{
            **values,
            "time": dt.datetime.fromisoformat(values["time"]),
            "tables": {name: _stored(held) for name, held in values["tables"].items()},
            "keys": {
                name: KeyEntry(held["next"], _stored(held["retired"]))
                for name, held in values["keys"].items()
            },
            "rejects": None if rejects is None else _stored(rejects),
            "reject_counts": tuple(values["reject_counts"]),
            "source": SourceRecord(
                tuple(SourceFile(**file) for file in source["files"]),
                source["rows"],
                source["fingerprint"],
            ),
            "rewrites": {path: StoredFile(**file) for path, file in values["rewrites"].items()},
        }
    )


def _stored(values: dict[str, Any]) -> Stored:
    files = tuple(StoredFile(**file) for file in values["files"])
    return Stored(values["format"], tuple(values["columns"]), files, values["elsewhere"])


def library_version() -> str:
    """Give the version of this package."""
    try:
        return metadata.version("aspen-etl")
    except metadata.PackageNotFoundError:
        return "unknown"
