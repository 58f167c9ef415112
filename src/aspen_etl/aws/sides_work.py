"""One run over two sides as a service starts it: lease, work, log, metrics."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from aspen_etl import Model, Run, SnapshotStore, reconcile
from aspen_etl.aws.clients import Client, new_client
from aspen_etl.aws.running import Log
from aspen_etl.aws.sides import GivenSides
from aspen_etl.errors import (
    AspenETLError,
    ConflictError,
    DatabaseChangedError,
    MergeConflictError,
    SettingsError,
    SideStateError,
    StaleReadingError,
    StoreOnHoldError,
    ThresholdError,
    TwoWayError,
)
from aspen_etl.schema.landing import Landing
from aspen_etl.synchronization.landing_status import LandingStatus, landing_status
from aspen_etl.synchronization.settings import Settings
from aspen_etl.synchronization.side_settings import SideSettings
from aspen_etl.synchronization.two_way import pull, push

__all__ = ["SidesWork"]

#: What refuses a run until somebody decides: an alarm of its own.
_REFUSED = (
    DatabaseChangedError,
    MergeConflictError,
    SideStateError,
    StaleReadingError,
    StoreOnHoldError,
    ThresholdError,
    TwoWayError,
)

#: How long to wait before a lease is looked at again.
_PAUSE_SECONDS = 5.0

#: What the next run does: it pulls what came in between, waits for who held a lock, and pushes to a
#: side that nothing was ever written to.
_LATER = ("side", "load", "unloaded")


@dataclass(frozen=True)
class SidesWork:
    """Hold what all runs of a function or job over two sides have in common.

    Attributes:
        settings: What it is told.
        sides: What it is told of the sides.
        model: The model.
        log: Where it says what it does.
        dimension: The name of the metrics' dimension: ``FunctionName`` or ``JobName``.
        name: The name of the function or job.
        left: Gives how long the run may go on; none for as long as it takes.
        client: What makes the client of Secrets Manager.
    """

    settings: Settings
    sides: SideSettings
    model: Model
    log: Log
    dimension: str
    name: str
    left: Callable[[], Optional[dt.timedelta]] = lambda: None
    client: Client = new_client

    @property
    def given(self) -> GivenSides:
        """The sides."""
        return GivenSides(self.settings, self.sides, self.model, self.client)

    def do(self, works: Sequence[str], side: Optional[str] = None) -> dict[str, Any]:
        """Do works in their order, each on the sides that it is of.

        Returns:
            ``outcome``, which is ``busy`` where others had the lease of every side and else
            ``done``, and ``work``: what became of each.
        """
        steps = [(work, name) for work in works for name in self._sides(work, side)]
        if not steps:
            raise SettingsError.of("old, new", f"name no side for {' '.join(works)}; give its url")
        done = [self._step(work, name) for work, name in steps]
        found = [each["outcome"] for each in done]
        metrics = {"Runs": 1, "Failures": 0}
        if set(works) - {"landing_status"}:  # which takes no lease, and is never late
            metrics["Busy"] = int("busy" in found)
            metrics["Overtaken"] = int("overtaken" in found)
        self.measure(**metrics)
        return {"outcome": "busy" if set(found) == {"busy"} else "done", "work": done}

    def _sides(self, work: str, only: Optional[str]) -> Sequence[str]:
        """Name the sides of a work, each a step of its own."""
        given = self.given
        if work in ("pull", "push"):
            names = [name for name in given.names if only in (None, name)]
            return [name for name in names if work == "pull" or given.is_database(name)]
        return [{"load": "new", "landing_status": "old"}.get(work, "both")]

    def _step(self, work: str, name: str) -> dict[str, Any]:
        """Do a work on a side under its lease."""
        leased = {"reconcile": self.given.names, "landing_status": ()}.get(work, (name,))
        store = self.settings.open_store(self.model)
        told = {"work": work, "side": name}
        with contextlib.ExitStack() as stack:
            busy = self._find_busy(stack, store, leased)
            if busy is not None:
                self.log.write("INFO", f"busy: another run has the {busy} side", work=work)
                return {**told, "outcome": "busy"}
            try:
                return {**told, **_WORK[work](self, store, name)}
            except (*_REFUSED, ConflictError) as error:
                if not self._can_wait(error):
                    if isinstance(error, _REFUSED):
                        self.log.measure(self.dimension, self.name, {"Refused": 1})
                    raise
                self.log.write("WARNING", str(error), work=work, side=name)
        return {**told, "outcome": "overtaken"}

    def _can_wait(self, error: AspenETLError) -> bool:
        """Tell whether the next run does what this one could not, with nobody's help."""
        # What lands is older than the database: a push takes its time to come back.
        is_late = isinstance(error, StaleReadingError) and self.sides.landing is not None
        return is_late or error.details.get("problem") in _LATER

    def _find_busy(
        self, stack: contextlib.ExitStack, store: SnapshotStore, names: Sequence[str]
    ) -> Optional[str]:
        """Take the leases of sides, all of them or none; name one that another run has."""
        end = time.monotonic() + self.sides.wait
        while True:
            with contextlib.ExitStack() as tried:
                for name in names:
                    if not tried.enter_context(store.lease(name, seconds=self.sides.lease)):
                        break
                else:
                    stack.push(tried.pop_all())
                    return None
            if time.monotonic() >= end:
                return name
            time.sleep(min(_PAUSE_SECONDS, max(0.0, end - time.monotonic())))

    def run(self) -> Run:
        """Read the clock: this is the one place here that does."""
        return Run(time=dt.datetime.now(dt.timezone.utc), actor=self.settings.actor or self.name)

    def measure(self, **metrics: float) -> None:
        """End the step that is logged, and write metrics."""
        self.log.step("")
        self.log.measure(self.dimension, self.name, metrics)

    def steps(self, work: str, name: str) -> Callable[[str], None]:
        """Give what logs the steps of a work."""
        return lambda step: self.log.step(f"{work} {name}: {step}")


# ----------------------------------------------------------------------------- the works


def _pull(work: SidesWork, store: SnapshotStore, name: str) -> dict[str, Any]:
    settings = work.settings
    with work.given.opened(name, pulled=True) as side:
        report = pull(
            side,
            store,
            run=work.run(),
            policy=work.sides.declared(),
            thresholds=settings.thresholds,
            read_options=settings.reading_of(side).keywords(),
            suppress_secret=settings.read_secret(),
            on_gap=settings.on_gap,
            timeout=work.left(),
            on_step=work.steps("pull", name),
        )
    work.measure(
        Pulls=1,
        Held=report.held,
        Conflicts=sum(each.count for each in report.conflicts),
        RowsTaken=_count(report.taken),
    )
    return report.to_dict()


def _push(work: SidesWork, store: SnapshotStore, name: str) -> dict[str, Any]:
    with work.given.opened(name) as side:
        report = push(
            store,
            side,
            run=work.run(),
            deletes=work.sides.deletes,
            defaults=work.sides.defaults if name == "old" else None,
            timeout=work.left(),
            on_step=work.steps("push", name),
        )
    work.measure(Pushes=1, Held=report.held, RowsWritten=_count(report.written))
    return report.to_dict()


def _load(work: SidesWork, store: SnapshotStore, name: str) -> dict[str, Any]:
    from aspen_etl import sql

    work.log.step("load")
    with work.given.engine(name) as engine:
        report = sql.load(store, engine, schema=work.sides.new_schema, policy=work.sides.declared())
    held = sum(report.held.values())
    work.measure(Loads=1, Held=held, RowsWritten=_count(report.tables))
    return report.to_dict()


def _reconcile(work: SidesWork, store: SnapshotStore, _: str) -> dict[str, Any]:
    settings, given, run = work.settings, work.given, work.run()
    if not given.names:
        raise SettingsError.of("old, new", "are missing; give the url of a side")
    work.log.step("reconcile")
    with contextlib.ExitStack() as stack:
        sides = [stack.enter_context(given.opened(name)) for name in given.names]
        source, target = sides if len(sides) > 1 else (sides[0], store)
        report = reconcile(
            source,
            target,
            run=run,
            model=work.model,
            confirm_after=work.sides.confirm_after,
            tries=work.sides.tries,
            details=_details(work, run),
            details_storage_options=settings.options_for(work.sides.details),
            suppress_secret=settings.read_secret(),
            read_options=settings.reading_of(source).keywords(),
            explained_by=store if len(sides) > 1 else None,
            max_memory=settings.max_memory and settings.max_memory << 20,
        )
    work.measure(
        Reconciliations=1,
        Proofs=int(report.outcome == "in_step"),
        Unexplained=report.unexplained,
        InFlight=report.in_flight,
    )
    return report.to_dict()


def _details(work: SidesWork, run: Run) -> Optional[str]:
    """Name a new file for the differences."""
    folder = work.sides.details
    return None if folder is None else f"{folder.rstrip('/')}/{run.time:%Y%m%dT%H%M%S%fZ}.csv"


def _status(work: SidesWork, store: SnapshotStore, _: str) -> dict[str, Any]:
    settings, url = work.settings, work.given.url("old", pulled=True)
    landing = None if url is None else settings.open_source(url)
    if not isinstance(landing, Landing):
        raise SettingsError.of("landing", "is none; landing_status needs the landing.json")
    work.log.step("landing_status")
    options = settings.options_for(landing.url)
    status = landing_status(landing, store, now=work.run().time, storage_options=options)
    work.measure(Statuses=1, **_ages(status))
    return {"outcome": "told", **status.to_dict()}


def _ages(status: LandingStatus) -> dict[str, float]:
    """Give how long nothing was heard, and how long files wait; an age not known is none."""
    heard = status.watermark_age if status.heartbeat is None else status.heard_age
    ages = {"LandingAgeSeconds": heard, "LandingWaitSeconds": status.ready_age or 0.0}
    known = {name: round(age) for name, age in ages.items() if age is not None}
    return {**known, "LandingPending": status.ready + status.young}


def _count(rows: Mapping[str, Mapping[str, int]]) -> int:
    return sum(sum(counts.values()) for counts in rows.values())


_WORK: Mapping[str, Callable[[SidesWork, SnapshotStore, str], dict[str, Any]]] = {
    "load": _load,
    "pull": _pull,
    "push": _push,
    "reconcile": _reconcile,
    "landing_status": _status,
}
