"""What goes wrong between a snapshot store and those who read, write and schedule it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

from aspen_etl.errors.base import SHOWN, AspenETLError

__all__ = [
    "CommitConflictError",
    "CommitOutcomeUnknownError",
    "CorruptStoreError",
    "DeadlineError",
    "ModelMismatchError",
    "OutdatedSourceError",
    "RejectsPlaceError",
    "StoreFormatError",
    "StoreOnHoldError",
    "ThresholdError",
    "VersionNotFoundError",
]


class VersionNotFoundError(AspenETLError, LookupError):
    """The store has no such version, or it can no longer be read."""

    @classmethod
    def empty(cls, url: str) -> VersionNotFoundError:
        """Say that nothing was committed yet."""
        return cls(f"the store {url} holds no commit yet; run sync first", url=url)

    @classmethod
    def nowhere(cls, url: str, found: str) -> VersionNotFoundError:
        """Say that there is no store, and what is there instead."""
        what = {"absent": "nothing", "folder": "a folder without a store"}.get(found, "a file")
        return cls(f"there is no store at {url}: {what} is there; check the url", url=url)

    @classmethod
    def of(cls, url: str, version: int, oldest: int, newest: int) -> VersionNotFoundError:
        """Say which versions there are."""
        there = f"versions {oldest} to {newest} can be read" if newest else "it holds no commit yet"
        return cls(
            f"the store {url} has no version {version} that can be read; {there}",
            url=url,
            version=version,
            oldest_readable=oldest,
            newest=newest,
        )


class StoreFormatError(AspenETLError, ValueError):
    """The store was written in a newer format than this library knows."""

    @classmethod
    def at(cls, url: str, found: object, known: int) -> StoreFormatError:
        """Name both formats."""
        return cls(
            f"{url} is of store format {found}, and this library knows formats up to {known}; "
            "install a newer aspen_etl",
            url=url,
            found=found,
            known=known,
        )


class ModelMismatchError(AspenETLError, ValueError):
    """The store holds tables that the model cannot continue."""

    @classmethod
    def of(cls, url: str, differences: Sequence[str]) -> ModelMismatchError:
        """Name the differences."""
        return cls(
            f"the store {url} was written by a model that this one cannot continue: "
            f"{'; '.join(differences)}. If the store has a model of its own, give it: model= "
            "(--model). Of a model that goes on from it, a new nullable column or a new table "
            "would do; for anything else, choose another store",
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


class CommitConflictError(AspenETLError, RuntimeError):
    """Another writer committed in between; what was to be written is still unwritten."""

    @classmethod
    def at(cls, url: str, version: int) -> CommitConflictError:
        """Name the version that was taken."""
        return cls(
            f"another writer committed version {version} of {url} first; nothing of this run is in "
            "the store: read the newest version and go on from it",
            url=url,
            version=version,
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


class CorruptStoreError(AspenETLError, OSError):
    """A file of the store is missing, damaged, or not what its commit says."""

    @classmethod
    def at(cls, url: str, reason: str) -> CorruptStoreError:
        """Name the file, and what to do."""
        return cls(
            f"{url}: {reason}; run aspen-etl verify to see what is damaged, then restore a version "
            "that is whole, or the file from a backup",
            url=url,
            reason=reason,
        )

    @classmethod
    def of_commit(cls, url: str, version: int, reason: str) -> CorruptStoreError:
        """Name the commit whose file is damaged, what was found, and what to do."""
        return cls(
            f"commit {version} is damaged ({url}): {reason}; aspen-etl verify lists all that is "
            "damaged: put the file back from a backup",
            url=url,
            version=version,
            reason=reason,
        )

    @classmethod
    def missing(cls, url: str, version: int, proof: str) -> CorruptStoreError:
        """Name the commit whose file is not there, how that is known, and what to do."""
        return cls(
            f"commit {version} is missing from the store {url}: {proof}; nothing was written. "
            "aspen-etl verify lists all that are missing: put their files back from a backup",
            url=url,
            version=version,
            reason=f"commit {version} is missing",
        )


class RejectsPlaceError(AspenETLError, ValueError):
    """A place of a store, or of its rejects, is another store's; nothing was written or deleted."""

    @classmethod
    def of_another(cls, url: str, place: str) -> RejectsPlaceError:
        """Say that rejects of another store lie there."""
        return cls(
            f"{place} holds the rejects of another store than {url}, so nothing was done there; "
            "give each store a rejects_url= (--rejects-url) of its own",
            url=url,
            place=place,
        )

    @classmethod
    def inside(cls, url: str, place: str, store: str) -> RejectsPlaceError:
        """Say that the place belongs to another store."""
        where = "is the folder of another store" if place == store else f"lies in the store {store}"
        return cls(
            f"the rejects of {url} cannot go to {place}, which {where}; give a rejects_url= "
            "(--rejects-url) outside of other stores",
            url=url,
            place=place,
            store=store,
        )

    @classmethod
    def shared(cls, url: str, place: str) -> RejectsPlaceError:
        """Say that rejects lie there which no commit of the store named."""
        return cls(
            f"{place} holds rejects of {url} and others; give each store a rejects_url= "
            "(--rejects-url) of its own, as vacuum tells",
            url=url,
            place=place,
        )

    @classmethod
    def root(cls, url: str) -> RejectsPlaceError:
        """Say that a store would begin among the rejects of another."""
        return cls(
            f"{url} is where another store has its rejects; choose another folder for this store",
            url=url,
            place=url,
        )

    @classmethod
    def nested(cls, url: str, store: str) -> RejectsPlaceError:
        """Say that a store would begin in the folder of another."""
        return cls(
            f"{url} cannot be a store: {store} is one, and each would take files of the other for "
            "its own; choose a folder that lies in no other store",
            url=url,
            place=store,
        )

    @classmethod
    def within(cls, url: str) -> RejectsPlaceError:
        """Say that a store would begin in a folder that stores have for themselves."""
        return cls(
            f"{url} cannot be a store: folders called _aspen are for what a store knows of itself; "
            "choose another folder",
            url=url,
            place=url,
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
        return cls(
            f"gave up after {seconds:.1f} s of {limit:.1f} s, before {step}; nothing was "
            "committed: give the run more time",
            seconds=seconds,
            limit=limit,
            step=step,
        )

    @classmethod
    def waiting(cls, url: str, seconds: float, limit: float) -> DeadlineError:
        """Say when it gave up, and on which storage it waited."""
        return cls(
            f"gave up after {seconds:.1f} s of {limit:.1f} s, waiting for {url}; nothing was "
            "committed: see whether it answers, or give the run more time",
            seconds=seconds,
            limit=limit,
            url=url,
        )
