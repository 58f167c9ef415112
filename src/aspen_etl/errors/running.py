"""What stops a run: its settings, a limit, somebody else, a service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Optional

from aspen_etl.errors.base import SHOWN, AspenETLError, cell_counts

__all__ = [
    "CatalogError",
    "CommitOutcomeUnknownError",
    "ConflictError",
    "DeadlineError",
    "EventError",
    "ModelMismatchError",
    "OutdatedSourceError",
    "SettingsError",
    "StoreOnHoldError",
    "ThresholdError",
]


class SettingsError(AspenETLError, ValueError):
    """A setting is missing, or its value cannot be used.

    Attributes:
        details: ``problem``: ``setting``, or ``storage_options`` (the file of them).
    """

    @classmethod
    def of(cls, name: str, reason: str) -> SettingsError:
        """Name the setting as its runtime does; its value is not shown."""
        return cls(f"{name} {reason}", problem="setting", setting=name)

    @classmethod
    def storage_options(cls, path: str, reason: str) -> SettingsError:
        """Say what is wrong with a file of them, which holds secrets, and what it looks like."""
        return cls(
            f"the storage options in {path} cannot be used: {reason}; write JSON by protocol, "
            'such as {"s3": {"profile": "etl"}}',
            problem="storage_options",
            path=path,
            reason=reason,
        )


class EventError(AspenETLError, ValueError):
    """An event is of a kind that starts no run."""

    @classmethod
    def of(cls, found: str) -> EventError:
        """Say what it is, and what is expected."""
        return cls(
            f"the event is {found}; expected are a schedule of EventBridge, an object-created "
            "event of S3 that came through EventBridge, or {} for the configured source",
            found=found,
        )


class ModelMismatchError(AspenETLError, ValueError):
    """A store, or a database, holds tables that the model cannot continue.

    Attributes:
        details: ``problem``: ``store`` or ``database``; ``url``; ``differences``.
    """

    @classmethod
    def of_store(cls, url: str, differences: Sequence[str]) -> ModelMismatchError:
        """Name the differences."""
        return cls(
            f"the store {url} was written by a model that this one cannot continue: "
            f"{'; '.join(differences)}. If the store has a model of its own, give it: model= "
            "(--model). Of a model that goes on from it, a new nullable column or a new table "
            "would do, or a column of no key that holds more than before; for anything else, "
            "choose another store",
            problem="store",
            url=url,
            differences=tuple(differences),
        )

    @classmethod
    def of_database(cls, url: str, differences: Sequence[str]) -> ModelMismatchError:
        """Name the differences."""
        return cls(
            f"{url} holds tables that this model cannot continue: {'; '.join(differences)}. A new "
            "nullable column or a new table would do, and a wider column once it is altered there "
            "(ALTER TABLE; aspen-etl schema prints what it shall be); for anything else, choose "
            "another database or schema",
            problem="database",
            url=url,
            differences=tuple(differences),
        )


class StoreOnHoldError(AspenETLError, RuntimeError):
    """An old version was restored, and nobody told the store to go on."""

    @classmethod
    def at(cls, url: str, version: int) -> StoreOnHoldError:
        """Say since which version, and how to go on."""
        return cls(
            f"the store {url} is on hold since version {version} restored an older one; when the "
            "source is right again, run resume (aspen-etl resume)",
            url=url,
            version=version,
        )


class ConflictError(AspenETLError, RuntimeError):
    """Somebody else came first, or holds what is needed; nothing of this run is there: try again.

    Attributes:
        details: ``problem``: ``commit`` (another writer of the store came first), ``load``
            (another loader of the database did, or holds a lock) or ``side`` (a side of a two-way
            sync is not as it was read; ``found`` counts by source and column).
    """

    @classmethod
    def commit(cls, url: str, version: int) -> ConflictError:
        """Name the version that was taken."""
        return cls(
            f"another writer committed version {version} of {url} first; nothing of this run is in "
            "the store: read the newest version and go on from it",
            problem="commit",
            url=url,
            version=version,
        )

    @classmethod
    def load(
        cls,
        url: str,
        step: str,
        reason: str,
        *,
        seconds: Optional[float] = None,
        holders: Sequence[str] = (),
    ) -> ConflictError:
        """Say where, for how long and for whom it waited, and that it may be tried again."""
        span = "" if seconds is None else f", at most {seconds:g} s"
        whose = "; ".join(holders[:SHOWN]) or "somebody else"
        return cls(
            f"{url}: {step} waited in vain for a transaction of {whose} ({reason}{span}); nothing "
            "of this load is in the database: load again when the other one is done, or let it "
            "wait longer with lock_timeout= (--lock-timeout)",
            problem="load",
            url=url,
            step=step,
            reason=reason,
            seconds=seconds,
            holders=tuple(holders),
        )

    @classmethod
    def side(
        cls,
        url: str,
        reason: str,
        found: Mapping[tuple[str, Optional[str]], int] = MappingProxyType({}),
    ) -> ConflictError:
        """Say that a side of a two-way sync is not what it was read as.

        Args:
            url: The side.
            reason: What is otherwise.
            found: How many cells by source and column; with no column, rows.
        """
        told = cell_counts(found)
        return cls(
            f"{url}: {reason}{f' ({told})' if told else ''}; nothing was written: pull first, then "
            "push again",
            problem="side",
            url=url,
            reason=reason,
            found=dict(found),
        )


class CommitOutcomeUnknownError(AspenETLError, OSError):
    """The storage did not say whether the commit was written."""

    @classmethod
    def at(cls, url: str, version: int, cause: str) -> CommitOutcomeUnknownError:
        """Say what to do: a later run sees what happened."""
        return cls(
            f"the storage did not tell whether version {version} of {url} was written ({cause}); "
            "it is whole or not there; run again: the next run sees which, and goes on from it",
            url=url,
            version=version,
            cause=cause,
        )


class ThresholdError(AspenETLError, ValueError):
    """A run would change or reject more than its thresholds allow; nothing was committed."""

    @classmethod
    def of(
        cls,
        refusals: Sequence[str],
        *,
        rejects: Sequence[Mapping[str, Any]] = (),
        place: Optional[str] = None,
        failure: str = "",
    ) -> ThresholdError:
        """Name every limit that is broken, the figure and the parameter, and where to look.

        Args:
            refusals: The limits that are broken.
            rejects: How many rejects there are, by sheet, column, rule and scope.
            place: The file that holds them.
            failure: The name of the error for which there is none.
        """
        told = f"nothing was committed: {'; '.join(refusals)}. {_rejected(rejects)}"
        if place is not None:
            told += f"Until a run is not refused, the rejects are in {place}. "
        elif failure:
            told += f"The rejects could not be kept ({failure}). "
        return cls(
            f"{told}Look at the source first; if it is right, give the parameter that is named "
            "another value for one run",
            refusals=tuple(refusals),
            rejects=tuple(rejects),
            place=place,
        )


def _rejected(rejects: Sequence[Mapping[str, Any]]) -> str:
    if not rejects:
        return ""
    most = sorted(rejects, key=lambda each: -each["count"])[:SHOWN]
    told = ", ".join(f"{e['count']:,} {e['source']}.{e['column']} {e['rule']}" for e in most)
    rest = len(rejects) - len(most)
    return f"Rejected by rule: {told}{f' and {rest} more' if rest else ''}. "


class OutdatedSourceError(ThresholdError):
    """The source is older than the one that the newest commit was made of."""


class DeadlineError(AspenETLError, TimeoutError):
    """A run gave up before its commit rather than be cut off."""

    @classmethod
    def after(cls, seconds: float, limit: float, step: str) -> DeadlineError:
        """Say when it gave up and before what."""
        told, cure = f"{seconds:.1f} s of {limit:.1f} s, before {step}", "give the run more time"
        return cls(_gave_up(told, cure), seconds=seconds, limit=limit, step=step)

    @classmethod
    def waiting(cls, url: str, seconds: float, limit: float) -> DeadlineError:
        """Say when it gave up, and on which storage it waited."""
        told = f"{seconds:.1f} s of {limit:.1f} s, waiting for {url}"
        cure = "see whether it answers, or give the run more time"
        return cls(_gave_up(told, cure), seconds=seconds, limit=limit, url=url)


def _gave_up(told: str, cure: str) -> str:
    return f"gave up after {told}; nothing was committed: {cure}"


# ----------------------------------------------------------------------------- services


class CatalogError(AspenETLError, RuntimeError):
    """A table of the catalogue could not be made or moved; the next run goes on from there."""

    @classmethod
    def at(cls, name: str, step: str, reason: str) -> CatalogError:
        """Say what was being done, to what, and the service's code for what went wrong."""
        return cls(
            f"catalogue {name}: {step} failed ({reason}); the store is not touched, and the next "
            "run repairs the tables that are left",
            name=name,
            step=step,
            reason=reason,
        )

    @classmethod
    def foreign(cls, name: str, what: str) -> CatalogError:
        """Name a table that is not ours to change."""
        return cls(
            f"catalogue {name}: {what}; drop it (the files stay), or choose another database",
            name=name,
            reason=what,
        )
