"""What a run is told: each setting once, with its default, its kind, its flag and its help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Optional, Union, get_args

from aspen_etl.derive.formats import FORMATS, FormatName
from aspen_etl.io.filesystem import locate
from aspen_etl.io.landing_declared import is_declared, read_declared
from aspen_etl.io.options import (
    MAX_DAYS,
    ByProtocol,
    Count,
    CountOr,
    Either,
    Option,
    Span,
    Text,
    Word,
    option,
    options_of,
)
from aspen_etl.io.reading import Reading
from aspen_etl.io.waiting import Seconds
from aspen_etl.schema.landing import Landing, OnGap
from aspen_etl.schema.model import Model
from aspen_etl.synchronization.parts import LEAST_MEMORY, Parts
from aspen_etl.synchronization.thresholds import Thresholds
from aspen_etl.workers import InTurn, Workers, workers_of

if TYPE_CHECKING:
    from aspen_etl.store.snapshot_store import SnapshotStore

__all__ = ["OPTIONS", "Settings"]

#: A source as it is named: by a url, or by what reads it.
UrlOrCall = Union[str, Landing, Callable[..., Any]]


@dataclass(frozen=True)
class Settings:
    """Hold what a run is told. What a setting means stands in its option.

    Attributes:
        thresholds: How much may be rejected and deleted.
        reading: How the source is read.
        max_attempts: How often to begin anew when others commit in between.
        division: How large the parts are in which to run; none for a run in one piece.
        crew: Who does the parts.
        secret: Under what the subjects that are left out are known.
    """

    store: str = field(
        default="", metadata=option(Text(), "the store's url or folder", "store", "STORE")
    )
    source: Optional[str] = field(
        default=None,
        metadata=option(
            Text(),
            "a workbook (- for standard input), a folder with a file for each sheet, or the "
            "landing.json of a landing folder",
            "source",
            "SOURCE",
        ),
    )
    event_prefix: Optional[str] = field(
        default=None,
        metadata=option(Text(), "the url below which a new workbook is itself the source of a run"),
    )
    rejects_url: Optional[str] = field(
        default=None,
        metadata=option(
            Text(), "where the rejects are, if not in the store", "--rejects-url", "URL"
        ),
    )
    format: Optional[FormatName] = field(
        default=None,
        metadata=option(
            Word(tuple(FORMATS)),
            "the format of the tables (the store's own, csv in a new one); another one than "
            "its own writes all of them anew",
            "--format",
        ),
    )
    missing: Literal["delete", "keep"] = field(
        default="delete",
        metadata=option(
            Word(("delete", "keep")),
            "what becomes of rows that are not in the source any more",
            "--missing",
        ),
    )
    on_gap: OnGap = field(
        default="refuse",
        metadata=option(
            Word(get_args(OnGap)),
            "of a landing: what a change does that does not follow from the one before it: it "
            "refuses the run, or is counted",
            "--on-gap",
        ),
    )
    suppress_secret: Optional[str] = field(
        default=None,
        metadata=option(
            Text(),
            "the url of a file with the secret under which erased subjects are left out",
            "--suppress-secret",
            "URL",
        ),
    )
    actor: Optional[str] = field(
        default=None,
        metadata=option(Text(), "who stands in created_by and in the commit", "--actor", "NAME"),
    )
    thresholds: Thresholds = field(default_factory=Thresholds)
    reading: Reading = field(default_factory=Reading)
    storage_options: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict,
        repr=False,
        metadata=option(
            ByProtocol(),
            "a file of JSON by protocol with credentials, endpoint, encryption",
            "--storage-options",
            "FILE",
        ),
    )
    timeout: Optional[Seconds] = field(
        default=None,
        metadata=option(
            Span("seconds", 60 * 60 * 24 * MAX_DAYS),
            "give up, before the commit, after that time",
            "--timeout",
            "SECONDS",
        ),
    )
    max_attempts: int = 8
    division: Optional[Parts] = None
    crew: Workers = field(default_factory=InTurn)
    secret: Optional[bytes] = field(default=None, repr=False)
    parts: Optional[int] = field(
        default=None,
        metadata=option(
            Count(1),
            "run in parts of about so many subjects (rows of the sheet that refers to no other), "
            "so that memory follows the part",
            "--parts",
            "N",
        ),
    )
    max_memory: Optional[int] = field(
        default=None,
        metadata=option(
            Count(LEAST_MEMORY >> 20),
            "run in parts so small that a process takes about so many MiB",
            "--max-memory",
            "MIB",
        ),
    )
    workers: Optional[Union[int, str]] = field(
        default=None,
        metadata=option(
            CountOr(("spark",), least=1),
            "who does the parts: so many processes of this machine, or spark, the tasks of its "
            "cluster (this process, one part after the other)",
            "--workers",
            "N|spark",
        ),
    )
    model_version: Optional[str] = field(
        default=None,
        metadata=option(
            Text(),
            "the state of your own model's functions, so that an unchanged source is passed over",
            "--model-version",
            "NAME",
        ),
    )
    keep_source: Optional[bool] = field(
        default=None,
        metadata=option(
            Either(),
            "keep the source beside the rejects, so that the next run looks at what changed alone "
            "(where there is a rejects url it does)",
            "--keep-source",
        ),
    )
    whole_every: int = field(
        default=96,
        metadata=option(
            Count(),
            "after how many runs over what changed one looks at everything, and compares",
            "--whole-every",
            "N",
        ),
    )
    catalog_database: Optional[str] = field(
        default=None, metadata=option(Text(), "the Glue database to keep in step with the store")
    )
    athena_workgroup: Optional[str] = field(
        default=None, metadata=option(Text(), "the workgroup that makes the views over CSV")
    )
    athena_output: Optional[str] = field(
        default=None,
        metadata=option(Text(), "the url where Athena leaves what those statements print"),
    )
    keep_days: int = field(
        default=30,
        metadata=option(Count(0, MAX_DAYS), "for how many days vacuum leaves a version readable"),
    )

    @classmethod
    def of(cls, told: Mapping[str, Any], /) -> Settings:
        """Make settings from the values of options by their names.

        Raises:
            ArgumentError: A limit cannot be one.
        """
        parts = {part: {n: told[n] for n in names if n in told} for part, names in _PARTS.items()}
        own = {each.name: told[each.name] for each in options_of(cls) if each.name in told}
        thresholds = Thresholds(**parts["thresholds"])
        return cls(thresholds=thresholds, reading=Reading(**parts["reading"]), **own)

    def open_store(self, model: Model) -> SnapshotStore:
        """Open the store."""
        from aspen_etl.store.snapshot_store import SnapshotStore

        return SnapshotStore(
            self.store,
            model=model,
            format=self.format,
            storage_options=self.options_for(self.store),
            rejects_url=self.rejects_url,
            rejects_storage_options=self.options_for(self.rejects_url),
        )

    def open_source(self, source: UrlOrCall, /) -> UrlOrCall:
        """Give a source: the landing whose file a url names, else what it is.

        Raises:
            ArgumentError: The file is no landing.
            AspenETLError: It cannot be read.
        """
        if not isinstance(source, str) or not is_declared(source):
            return source
        return read_declared(source, self.options_for(source))

    def sync_keywords(self, source: UrlOrCall, /) -> dict[str, Any]:
        """Give what ``sync`` takes beside source, store and run."""
        names = ("model_version", "keep_source", "whole_every")
        told = {name: getattr(self, name) for name in names}
        if self.parts is not None or self.max_memory is not None or self.workers is not None:
            most = None if self.max_memory is None else self.max_memory << 20
            told["parts"] = Parts(self.parts or Parts.subjects, most)
            told["workers"] = workers_of(self.workers)
        return {**self.plan_keywords(source), **told}

    def plan_keywords(self, source: UrlOrCall, /) -> dict[str, Any]:
        """Give what ``plan`` takes beside source, store and run."""
        return {
            "thresholds": self.thresholds,
            "missing": self.missing,
            "on_gap": self.on_gap,
            "suppress_secret": self.read_secret(),
            "timeout": self.timeout,
            "read_options": self.reading_of(source).keywords(),
        }

    def read_secret(self) -> Optional[bytes]:
        """Read the secret under which erased subjects are left out, if there is one."""
        return self.read_bytes(self.suppress_secret) or self.secret

    def read_bytes(self, url: Optional[str], /) -> Optional[bytes]:
        """Read a secret that a file holds, if one is named."""
        return None if url is None else locate(url, self.options_for(url)).read(4096).strip()

    def reading_of(self, source: UrlOrCall, /) -> Reading:
        """Give how a source is read, with the storage options of its url."""
        url = source.url if isinstance(source, Landing) else source
        known = url if isinstance(url, str) else None
        return replace(self.reading, storage_options=self.options_for(known))

    def options_for(self, url: Optional[str], /) -> Mapping[str, Any]:
        """Give the storage options of a url."""
        protocol = url.partition("://")[0] if url is not None and "://" in url else "file"
        return self.storage_options.get(protocol, {})


#: The options that are those of a part, by the name of the part.
_PARTS: Mapping[str, tuple[str, ...]] = {
    "thresholds": tuple(each.name for each in options_of(Thresholds)),
    "reading": tuple(each.name for each in options_of(Reading)),
}

#: Every option of a run, by its name.
OPTIONS: Mapping[str, Option] = MappingProxyType(
    {each.name: each for holder in (Settings, Thresholds, Reading) for each in options_of(holder)}
)
