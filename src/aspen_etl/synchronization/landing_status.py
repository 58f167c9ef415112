"""How a landing folder is: what was taken of it and when, what waits, what the task says of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import Any, Optional

from aspen_etl.io.landed_rows import read_changes
from aspen_etl.io.landing import LandedFile, LandedFolder, list_landing
from aspen_etl.io.reading import ReadLimits
from aspen_etl.schema.landing import Landing
from aspen_etl.store.landed import load_ledger
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.synchronization.landed_batch import BatchReader
from aspen_etl.synchronization.landing import check_declared
from aspen_etl.synchronization.landing_report import age_of
from aspen_etl.transform.ledger import LandedCounts, Ledger, add_counts, count_files

__all__ = ["CountDifference", "LandingStatus", "landing_status"]

_FEWER = (
    "rows have not landed, or are on their way: look again while the task is quiet; if they do not "
    "come, load anew into the next epoch"
)
_MORE = "the task counted anew since (a restart, a reload), or rows landed twice under other names"
_UNKNOWN = "the task has no such table: it is another task's, or its mappings leave the table out"


@dataclass(frozen=True)
class CountDifference:
    """Tell where the rows that landed are not those that the task counted.

    Attributes:
        source: The source that the table feeds.
        table: The table of the database.
        kind: ``loaded``, ``inserted``, ``updated`` or ``deleted``.
        landed: How many such rows landed.
        told: How many the task says.
        why: What that may mean.
    """

    source: str
    table: str
    kind: str
    landed: int
    told: int
    why: str


@dataclass(frozen=True)
class LandingStatus:
    """Tell how a landing folder is; it holds no cell value.

    Attributes:
        url: The folder, without anything secret.
        epoch: Which full load it is of.
        watermark: The time of the youngest commit of the database that was taken, in UTC.
        watermark_age: How many seconds ago that was.
        heartbeat: The table of the heartbeat, if one is declared.
        heard: When its newest file was written, in ISO form.
        heard_age: How many seconds ago that was.
        taken: How many files the ledger has.
        expired: How many of them are not there any more.
        ready: How many files the next run looks at.
        ready_age: How many seconds ago the oldest of them was written.
        young: How many files are younger than the lag.
        run_age: How many seconds ago the last good run of the store began, as far as is known.
        unknown: How many files have a name that says nothing.
        landed: The rows of the files that were taken, by source; doubled files count once.
        differences: Where the task counted others, if it was asked.
    """

    url: str
    epoch: int
    watermark: Optional[str]
    watermark_age: Optional[float]
    heartbeat: Optional[str]
    heard: Optional[str]
    heard_age: Optional[float]
    taken: int
    expired: int
    ready: int
    ready_age: Optional[float]
    young: int
    run_age: Optional[float]
    unknown: int
    landed: Mapping[str, LandedCounts] = field(default_factory=dict)
    differences: tuple[CountDifference, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    def find_alarm(self, max_age: dt.timedelta, /) -> Optional[str]:
        """Tell why somebody should look at the task or the schedule; none where all is well.

        All is well where a file of the heartbeat came within a time, or, where none is declared, a
        change of that age was taken; and no file waits for longer than that without a good run.

        Args:
            max_age: That time.
        """
        most, minutes = max_age.total_seconds(), f"{max_age.total_seconds() / 60:g} minutes"
        # What changed no table is taken by each run, and kept by one of many alone.
        waits = self.ready_age is not None and self.ready_age > most
        if waits and _is_over(self.run_age, most):
            return f"files wait for a run for longer than {minutes}: {self.ready:,}"
        if self.heartbeat is not None and _is_over(self.heard_age, most):
            return f"no file of the heartbeat came within {minutes}: the task may be dead"
        if self.heartbeat is None and _is_over(self.watermark_age, most):
            return (
                f"no change was taken within {minutes}: the task may be dead, or the database is "
                "quiet; a heartbeat of the landing would tell"
            )
        return None


def _is_over(age: Optional[float], most: float) -> bool:
    return age is None or age > most


def landing_status(
    landing: Landing,
    store: SnapshotStore,
    /,
    *,
    now: dt.datetime,
    statistics: Optional[Mapping[str, LandedCounts]] = None,
    storage_options: Optional[Mapping[str, Any]] = None,
) -> LandingStatus:
    """Look at a landing folder, and at what a store took of it. Nothing is written.

    Args:
        landing: The folder and its tables.
        store: The store.
        now: What the time is, with a zone.
        statistics: What the task counted, by table as in ``dbo.loan``: what
            ``aspen_etl.aws.dms.describe_statistics`` gives. It must have been asked before this
            looks. Files that wait are read and counted, too.
        storage_options: What the filesystem takes: credentials, endpoint.

    Raises:
        ArgumentError: The landing does not feed the model, or ``now`` has no zone.
        LandingChangedError: The landing declares an older epoch than the store has.
        LandedFileError: Files of more than one form or layout lie there; or, where rows of files
            that wait are counted, one holds what is no change.
        SourceNotFoundError: There is no such folder.
    """
    reader = BatchReader(landing, store.model, ReadLimits(), now)
    newest = store.newest()
    record = None if newest is None else newest.landing
    check_declared(reader, record)
    if record is None or record.epoch != landing.epoch:
        newest = record = None
    ledger = load_ledger(store.place, newest)
    folder = list_landing(landing, storage_options)
    ready, young = reader.part(folder, ledger)
    landed = ledger.counts()
    watermark = None if record is None else record.watermark
    heard = None if folder.heard is None else folder.heard.isoformat()
    return LandingStatus(
        folder.url,
        landing.epoch,
        watermark,
        age_of(watermark, now),
        landing.heartbeat,
        heard,
        age_of(heard, now),
        len(ledger),
        _expired(folder, ledger),
        len(ready),
        _oldest(ready, now),
        len(young),
        age_of(store.last_good_run().get("time"), now),
        folder.unknown,
        {source: landed.get(source, LandedCounts()) for source in landing.tables},
        () if statistics is None else _differences(reader, [*ready, *young], ledger, statistics),
    )


def _expired(folder: LandedFolder, ledger: Ledger) -> int:
    there = {file.name.path for file in folder.files}
    return sum(path not in there for path in ledger.entries)


def _oldest(ready: Sequence[LandedFile], now: dt.datetime) -> Optional[float]:
    ages = [(now - file.written).total_seconds() for file in ready if file.written is not None]
    return max(ages, default=None)


def _count(
    reader: BatchReader, files: Sequence[LandedFile], ledger: Ledger
) -> dict[str, LandedCounts]:
    """Count the rows of files that wait; those of one that was taken or read before count once."""
    seen = {entry.identity for entry in ledger.entries.values()}
    counts: list[Mapping[str, LandedCounts]] = []
    for file, (data, content) in zip(files, reader.load(files)):
        identity = (file.name.source or "", file.name.kind, content)
        if identity not in seen:
            seen.add(identity)
            told = (reader.landing, reader.model)
            found = read_changes(data, file.name, told, reader.limits).changes
            counts += count_files(found.items()).values()
    return add_counts(counts)


def _differences(
    reader: BatchReader,
    waiting: Sequence[LandedFile],
    ledger: Ledger,
    statistics: Mapping[str, LandedCounts],
) -> tuple[CountDifference, ...]:
    """Hold what landed, whether it was taken or waits, against what the task counted."""
    landed = add_counts([ledger.counts(), _count(reader, waiting, ledger)])
    out = []
    for source, table in reader.landing.tables.items():
        found, told = landed.get(source, LandedCounts()), statistics.get(table.name)
        for each, here, there in zip(
            fields(LandedCounts), astuple(found), astuple(told or LandedCounts())
        ):
            if here != there:
                why = _UNKNOWN if told is None else _FEWER if here < there else _MORE
                out.append(CountDifference(source, table.name, each.name, here, there, why))
    return tuple(out)
