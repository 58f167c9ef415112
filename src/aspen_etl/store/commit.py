"""What a commit file says, and how it is written: plain JSON without a cell value, sealed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional, Union

from aspen_etl.derive.formats import FormatName
from aspen_etl.io.content import Count, SourceFile
from aspen_etl.io.only import Only
from aspen_etl.store.sealing import seal
from aspen_etl.store.stored import (
    CutoverRecord,
    Digest,
    Facts,
    KeyEntry,
    LandingRecord,
    SideRecord,
    Stored,
    StoredFile,
    Suppressed,
    Token,
)

if TYPE_CHECKING:
    from pydantic import ConfigDict

__all__ = [
    "ATTEMPT",
    "LANDED",
    "PARTED",
    "SEALED",
    "SIDED",
    "STORE_FORMAT",
    "STRICT",
    "TYPED",
    "Commit",
    "CommitKind",
    "SourceRecord",
    "library_version",
]

#: The format of the store that this library writes; older ones are read and raised by the next
#: commit, newer ones refused.
STORE_FORMAT = 6

#: The first format whose commits hold their own checksum, that of their parent, and the store's id.
SEALED = 2

#: The first format whose rejects are of a subject, and whose columns have more types than text,
#: whole numbers and points in time.
TYPED = 3

#: The first format whose commits say in how many parts the rows of subjects are stored.
PARTED = 4

#: The first format whose commits say what is known of a landing folder.
LANDED = 5

#: The first format whose commits say what is accounted for of the sides of a two-way sync, and
#: which check of a cut-over was green.
SIDED = 6

#: What only commits from a format on hold, beside the checksum.
_SINCE = {
    "store": SEALED,
    "parent_sha256": SEALED,
    "parts": PARTED,
    "landing": LANDED,
    "suppressed": LANDED,
    "sides": SIDED,
    "cutover": SIDED,
}

#: The name of an attempt's folder, as a pattern: the version that it would become, and its token.
ATTEMPT = "([0-9]{20})-([0-9a-f]{16})"

#: The types of what a commit file holds; ``commit_file`` makes sure of them.
Moment = Annotated[dt.datetime, Only(tz_constraint="aware")]
TableFacts = Mapping[str, Union[list[str], Mapping[str, Facts]]]

CommitKind = Literal[
    "sync",
    "restore",
    "resume",
    "vacuum",
    "purge",
    "unsuppress",
    "two_way",
    "one_way",
    "pull",
    "push",
    "resolve",
    "cutover",
]


@dataclass(frozen=True)
class SourceRecord:
    """Tell what a commit was made of.

    Attributes:
        files: The files.
        rows: The rows read, by sheet.
        fingerprint: Files, options, model and library as one; none where it cannot be known.
    """

    files: tuple[SourceFile, ...] = ()
    rows: Mapping[str, Count] = field(default_factory=dict)
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
        rewrites: Files of older versions that were written anew to erase a subject, by path.
        parts: In how many parts the rows of subjects are stored, and the keys that they had:
            ranges of subjects, that of a file by its name. Lookup tables are whole.
        landing: What is known of the landing folder that it was made of, if it was one.
        suppressed: Who is left out of each run, if somebody is.
        sides: What is accounted for of each side, by name; none where the store is not two-way.
        cutover: The newest check of a cut-over that was green, if there was one.
        format: The format of its file.
        store: The id of its store; from format 2 on.
        parent_sha256: The digest of the version before, if there is one; from format 2 on.
    """

    version: Count
    parent: Count
    kind: CommitKind
    token: Token
    time: Moment
    actor: str
    library: str
    model: Mapping[str, TableFacts] = field(repr=False)
    oldest_readable: Count = 1
    hold: Optional[Count] = None
    tables: Mapping[str, Stored] = field(default_factory=dict, repr=False)
    changes: Mapping[str, Mapping[str, Count]] = field(default_factory=dict, repr=False)
    keys: Mapping[str, KeyEntry] = field(default_factory=dict, repr=False)
    rejects: Optional[Stored] = field(default=None, repr=False)
    reject_counts: tuple[Facts, ...] = field(default=(), repr=False)
    source: SourceRecord = field(default_factory=SourceRecord, repr=False)
    rewrites: Mapping[str, StoredFile] = field(default_factory=dict, repr=False)
    parts: Count = 1
    landing: Optional[LandingRecord] = None
    suppressed: Optional[Suppressed] = None
    sides: Optional[Mapping[str, SideRecord]] = field(default=None, repr=False)
    cutover: Optional[CutoverRecord] = None
    format: Count = STORE_FORMAT
    store: Optional[Token] = None
    parent_sha256: Optional[Digest] = field(default=None, repr=False)

    @property
    def stored(self) -> tuple[Stored, ...]:
        """Everything that it names: tables, retired keys, what holds cells beside them."""
        rejects = () if self.rejects is None else (self.rejects,)
        landed = () if self.landing is None else self.landing.stored
        sided = (stored for side in (self.sides or {}).values() for stored in side.stored)
        checked = () if self.cutover is None else self.cutover.stored
        keys = (entry.retired for entry in self.keys.values())
        return (*self.tables.values(), *keys, *rejects, *landed, *sided, *checked)

    def of_part(self, number: int, whole: Collection[str], /) -> Commit:
        """Give what it says of one part, for what reads tables and keys: it is no commit.

        Args:
            number: The part, from 0.
            whole: The lookup tables, which are in no part.
        """
        if self.parts == 1:
            return self
        tables = {
            name: held if name in whole else held.of_part(number)
            for name, held in self.tables.items()
        }
        keys = {
            name: entry if name in whole else replace(entry, retired=entry.retired.of_part(number))
            for name, entry in self.keys.items()
        }
        return replace(self, tables=tables, keys=keys)

    @property
    def format_of_tables(self) -> FormatName:
        """The format of its tables: those of one commit are written in one."""
        return next(iter(self.tables.values())).table_format

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        values = asdict(self)
        for name, since in _SINCE.items():
            if self.format < since:
                del values[name]
        return {"format": values.pop("format"), **values, "time": self.time.isoformat()}

    def _unsealed(self) -> bytes:
        return json.dumps(self.to_dict(), indent=1, ensure_ascii=True).encode("ascii") + b"\n"

    @property
    def digest(self) -> str:
        """The SHA-256 of its file's bytes without the field ``sha256``."""
        return hashlib.sha256(self._unsealed()).hexdigest()

    def to_bytes(self) -> bytes:
        """Give the text of the commit file."""
        text = self._unsealed()
        return seal(text) if self.format >= SEALED else text


#: How files of the store are read: nothing is converted or passed over, and no text shows a value.
STRICT: ConfigDict = {
    "frozen": True,
    "strict": True,
    "extra": "forbid",
    "hide_input_in_errors": True,
}


def library_version() -> str:
    """Give the version of this package."""
    try:
        return metadata.version("aspen-etl")
    except metadata.PackageNotFoundError:
        return "unknown"
