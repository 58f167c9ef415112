"""One run as a service starts it: sync, catalogue, log, metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional, TypeVar

from aspen_etl import Model, Run, SnapshotStore, sync
from aspen_etl.aws.catalog import publish
from aspen_etl.aws.clients import Client, new_client, run_statements
from aspen_etl.aws.log import Log
from aspen_etl.aws.settings import Settings
from aspen_etl.errors import AspenETLError, UnexpectedError

__all__ = ["Work", "guarded"]

T = TypeVar("T")


@dataclass(frozen=True)
class Work:
    """Hold what all runs of a function or job have in common.

    Attributes:
        settings: What it is told.
        model: The model.
        log: Where it says what it does.
        dimension: The name of the metrics' dimension: ``FunctionName`` or ``JobName``.
        name: The name of the function or job.
        client: What makes the clients of Glue and Athena.
    """

    settings: Settings
    model: Model
    log: Log
    dimension: str
    name: str
    client: Client = new_client

    def sync(self, source: str, timeout: Optional[dt.timedelta] = None) -> dict[str, Any]:
        """Bring the store to the state of a source, and the catalogue to that of the store."""
        settings = self.settings
        store = settings.open_store(self.model)
        report = sync(
            source,
            store,
            run=self.run(),
            thresholds=settings.thresholds,
            missing=settings.missing,
            timeout=timeout,
            read_options=settings.read_options(source),
            model_version=settings.model_version,
            on_step=self.log.step,
        )
        out = report.to_dict()
        if settings.catalog_database is not None:
            self.log.step("publishing")
            out["catalog"] = self._publish(store, settings.catalog_database)
        self.log.step("")
        counts = report.tables.values()
        self.measure(
            Runs=1,
            Failures=0,
            Committed=int(report.outcome == "committed"),
            RowsInserted=sum(table.inserted for table in counts),
            RowsUpdated=sum(table.updated for table in counts),
            RowsDeleted=sum(table.deleted for table in counts),
            RowsRejected=sum(each.rejected for each in report.sources.values()),
            CellsRejected=sum(sum(s.rejected_cells.values()) for s in report.sources.values()),
            BytesWritten=report.bytes_written,
            Version=report.version,
            Seconds=round(sum(report.seconds.values()), 3),
        )
        return out

    def _publish(self, store: SnapshotStore, database: str) -> dict[str, Any]:
        settings, views = self.settings, None
        if store.find().format_of_tables == "csv":
            views = run_statements(
                self.client("athena"),
                workgroup=settings.athena_workgroup,
                output=settings.athena_output,
            )
        report = publish(store, client=self.client("glue"), database=database, views=views)
        return report.to_dict()

    def vacuum(self) -> dict[str, Any]:
        """Let old versions go."""
        self.log.step("deleting")
        keep_for = dt.timedelta(days=self.settings.keep_days)
        report = self.settings.open_store(self.model).vacuum(run=self.run(), keep_for=keep_for)
        self.log.step("")
        self.measure(Vacuums=1, Failures=0, FilesDeleted=report.files, BytesDeleted=report.bytes)
        return report.to_dict()

    def run(self) -> Run:
        """Read the clock: this is the one place here that does."""
        actor = self.settings.actor or self.name
        return Run(time=dt.datetime.now(dt.timezone.utc), actor=actor)

    def measure(self, **metrics: float) -> None:
        """Write metrics."""
        self.log.measure(self.dimension, self.name, metrics)


def guarded(log: Log, dimension: str, name: str, work: Callable[[], T]) -> T:
    """Do the work; log what fails, count it, and let nothing out whose text could hold a cell."""
    failure: AspenETLError
    try:
        return work()
    except AspenETLError as error:
        failure = error
    except Exception as error:  # noqa: BLE001 - whatever it is, its text stays here
        failure = UnexpectedError.of(error)
    log.fail(failure)
    log.measure(dimension, name, {"Runs": 1, "Failures": 1})
    raise failure
