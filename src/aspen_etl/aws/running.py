"""One run as a service starts it: sync, catalogue, log, metrics."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Optional, TextIO, TypeVar

from aspen_etl import Model, Run, SnapshotStore, sync
from aspen_etl.aws.catalog import publish
from aspen_etl.aws.clients import Client, new_client, run_statements
from aspen_etl.derive.formats import FORMATS
from aspen_etl.errors import AspenETLError, UnexpectedError
from aspen_etl.errors.base import instead
from aspen_etl.synchronization.intake import LandingReport
from aspen_etl.synchronization.landing_report import landing_age
from aspen_etl.synchronization.settings import Settings

__all__ = ["NAMESPACE", "Log", "Work", "guarded", "landing_metrics"]

T = TypeVar("T")

#: The namespace of the metrics.
NAMESPACE = "aspen_etl"

#: The unit of each metric; what is not named here is a count.
_UNITS = {
    "Seconds": "Seconds",
    "LandingAgeSeconds": "Seconds",
    "LandingWaitSeconds": "Seconds",
    "BytesWritten": "Bytes",
    "Version": "None",
}


class Log:
    """Write lines of JSON, each with the same context.

    Args:
        context: What stands in every line, such as the id of the request.
        stream: Where to; by default what is standard output by then.
    """

    def __init__(self, context: Mapping[str, Any], stream: Optional[TextIO] = None) -> None:
        self.context, self.stream = dict(context), stream
        self._step, self._since = "", 0.0

    def write(self, level: str, message: str, **values: Any) -> None:
        """Write one line."""
        self._print({"level": level, "message": message, **self.context, **values})

    def step(self, name: str) -> None:
        """End a step, which writes its line, and begin another; '' begins none."""
        now = time.monotonic()
        if self._step:
            seconds = round(now - self._since, 3)
            self.write("INFO", "step", step=self._step, seconds=seconds)
        self._step, self._since = name, now

    def fail(self, error: Exception) -> None:
        """Write which step failed and why; of a refused run, also what it left and where."""
        details = getattr(error, "details", {})
        told = {name: details[name] for name in ("refusals", "rejects", "place") if name in details}
        self.write("ERROR", str(error), step=self._step, error=type(error).__name__, **told)
        self._step = ""

    def measure(self, dimension: str, name: str, metrics: Mapping[str, float]) -> None:
        """Write metrics in the embedded form: CloudWatch reads them out of the log by itself.

        Source: the CloudWatch user guide, "embedded metric format specification".
        """
        units = [{"Name": each, "Unit": _UNITS.get(each, "Count")} for each in metrics]
        told = {"Namespace": NAMESPACE, "Dimensions": [[dimension]], "Metrics": units}
        stamp = int(time.time() * 1000)
        meta = {"Timestamp": stamp, "CloudWatchMetrics": [told]}
        self._print({"_aws": meta, dimension: name, **self.context, **metrics})

    def _print(self, values: Mapping[str, Any]) -> None:
        print(json.dumps(values, ensure_ascii=True), file=self.stream or sys.stdout, flush=True)


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
        settings = replace(self.settings, timeout=timeout)
        store = settings.open_store(self.model)
        found = settings.open_source(source)
        report = sync(
            found,
            store,
            run=self.run(),
            on_step=self.log.step,
            **settings.sync_keywords(found),
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
            **({} if report.landing is None else landing_metrics(report.landing)),
        )
        return out

    def _publish(self, store: SnapshotStore, database: str) -> dict[str, Any]:
        settings, views = self.settings, None
        if FORMATS[store.find().format_of_tables].typed_view:
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


def landing_metrics(landing: LandingReport) -> dict[str, float]:
    """Count what was taken of a landing folder; an age that is not known is none."""
    found: dict[str, float] = {
        "LandingFiles": landing.files,
        "LandingRows": landing.rows,
        "LandingPending": landing.pending,
        "LandingGaps": sum(each.get("gap", 0) for each in landing.findings.values()),
    }
    age = landing_age(landing, dt.datetime.now(dt.timezone.utc))
    return found if age is None else {**found, "LandingAgeSeconds": round(age)}


def guarded(log: Log, dimension: str, name: str, work: Callable[[], T]) -> T:
    """Do the work; log what fails, count it, and let nothing out whose text could hold a cell."""

    def ours(error: Exception) -> AspenETLError:
        failure = error if isinstance(error, AspenETLError) else UnexpectedError.of(error)
        log.fail(failure)
        log.measure(dimension, name, {"Runs": 1, "Failures": 1})
        return failure

    return instead(work, Exception, ours)
