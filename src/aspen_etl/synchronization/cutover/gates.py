"""The gates of a cut-over: each looks at one condition, and says what to do where it fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Optional, Protocol

import pandas as pd

from aspen_etl.errors import VersionNotFoundError
from aspen_etl.errors.base import listing
from aspen_etl.schema.snapshot import Tables
from aspen_etl.store.commit import Commit
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.store.stored import SideRecord
from aspen_etl.synchronization.cutover.accepting import AcceptedList, count_by_rule, keys_of
from aspen_etl.synchronization.cutover.reports import Gate
from aspen_etl.synchronization.landing_status import LandingStatus
from aspen_etl.synchronization.reconciliation import Reconciliation

__all__ = [
    "NewSide",
    "Standing",
    "look_at_conflicts",
    "look_at_head",
    "look_at_landing",
    "look_at_rejects",
    "look_at_source",
    "look_at_step",
    "look_at_tables",
    "look_at_two_sides",
]


class Standing(Protocol):
    """What a database says of its keys and constraints: see ``sql.standing.TableStanding``."""

    @property
    def low_keys(self) -> Sequence[str]:
        """The tables whose next key is too low."""

    @property
    def unnumbered(self) -> Sequence[str]:
        """The tables to whose rows the database gives no key."""

    @property
    def missing(self) -> Sequence[str]:
        """The constraints that are not there."""

    @property
    def untrusted(self) -> Sequence[str]:
        """Those that rows may break."""

    @property
    def switched_off(self) -> Sequence[str]:
        """The switches by which the database minds none."""

    @property
    def constraints(self) -> int:
        """How many there should be."""


class NewSide(Protocol):
    """The new side: a ``TableDatabase``."""

    def read(self) -> Tables:
        """Read its tables."""

    def state(self) -> Any:
        """Say which commit the tables hold, as ``version`` and ``token``; or nothing."""

    def standing(self) -> Standing:
        """Say how its tables stand."""


#: What a task is called at AWS that does not run any more.
_STOPPED = "stopped"


def _gate(name: str, found: Sequence[str], good: str, todo: str) -> Gate:
    """Make a gate that is green where nothing was found."""
    return Gate(name, not found, "; ".join(found) or good, todo if found else "")


# ----------------------------------------------------------------------------- the old side


def look_at_source(
    task_status: Optional[str], quiet: Optional[float], first: str, second: str
) -> Gate:
    """Tell whether the old side is still: its task is stopped, or two looks saw the same.

    Args:
        task_status: What the task is at AWS, if it was asked.
        quiet: How many seconds were between two looks, if there were two.
        first: The digest of the first look.
        second: That of the second one.
    """
    found: list[str] = []
    good: list[str] = []
    if task_status is not None:
        told = f"the task is {task_status}"
        (good if task_status == _STOPPED else found).append(told)
    if quiet is not None:
        same = first == second
        told = f"{'equal' if same else 'other'} rows after {quiet:g} seconds"
        (good if same else found).append(told)
    if task_status is None and quiet is None:
        found.append("nobody looked")
    todo = "stop writers and the task, and give --task-arn ARN, --quiet SECONDS, or both"
    return _gate("source", found, ", ".join(good), todo)


def look_at_landing(newest: Commit, status: Optional[LandingStatus]) -> Gate:
    """Tell whether a file of the landing waits."""
    if status is None:
        fed = newest.landing is not None
        found = ["the store is fed by a landing, which was not given"] if fed else []
        return _gate("landing", found, "no landing feeds the store", "give --landing FILE")
    waits = [
        f"{count:,} files {why}"
        for count, why in ((status.ready, "wait for a run"), (status.young, "wait for the lag"))
        if count
    ]
    todo = "run sync, or pull, of the landing until no file waits"
    return _gate("landing", waits, f"{status.taken:,} files taken, none waits", todo)


# ----------------------------------------------------------------------------- the head


def look_at_head(store: SnapshotStore, newest: Commit, new: Any) -> Gate:
    """Tell whether the database is at the newest commit of a store that is fed by runs."""
    found = [*_held(newest), *_behind(store, newest, new)]
    good = f"the database has the rows of version {newest.version}"
    return _gate("head", found, good, "run aspen-etl load (resume, if on hold), and look again")


def _held(newest: Commit) -> list[str]:
    return [] if newest.hold is None else [f"version {newest.hold} put the store on hold"]


def _behind(store: SnapshotStore, newest: Commit, new: Any) -> Iterator[str]:
    state = new.state()
    if state is None or state.version is None:
        yield "nothing was loaded into the database"
        return
    try:
        commit = store.find(state.version)
    except VersionNotFoundError:
        commit = None
    if commit is None or commit.token != state.token:
        yield f"the database says version {state.version}, which is none of this store's"
    elif commit.tables != newest.tables:
        yield f"the database is at version {state.version}, the store at {newest.version}"


def look_at_two_sides(newest: Commit, old: Any, new: Any) -> Gate:
    """Tell whether each side holds what the newest commit does, by what is accounted for."""
    sides, found = newest.sides or {}, _held(newest)
    for name, side in (("old", old), ("new", new)):
        found += [f"the {name} side {told}" for told in _apart(sides.get(name), side)]
    todo = "pull from both sides and push to both (--deletes allow) until nothing is left to do"
    return _gate("head", found, f"both sides are at version {newest.version}", todo)


def _apart(record: Optional[SideRecord], side: Any) -> Iterator[str]:
    if record is None:
        yield "was never pulled from nor pushed to"
        return
    rows = sum(stored.rows for stored in record.shadow.values())
    if rows:
        yield f"differs from the newest commit in {rows:,} rows"
    if record.plan is not None:
        yield "was being pushed to when a push died"
    state = side.state() if callable(getattr(side, "state", None)) else None
    said = (0, None) if state is None or state.version is None else (state.version, state.token)
    is_older = record.token is None and said[0] <= record.version
    known = (record.version, record.token)
    if not is_older and said != known and (state is not None or hasattr(side, "state")):
        yield f"says version {said[0]}, and version {record.version} is accounted for"


def look_at_conflicts(newest: Commit) -> Gate:
    """Tell whether a conflict waits for a decision."""
    sides = (newest.sides or {}).items()
    found = [f"{side.waiting:,} wait ({name} side)" for name, side in sides if side.waiting]
    return _gate("conflicts", found, "none waits", "decide them: aspen-etl conflicts resolve")


# ----------------------------------------------------------------------------- rejects


def look_at_rejects(
    rejects: pd.DataFrame, notes: pd.DataFrame, accepted: Optional[AcceptedList]
) -> Gate:
    """Tell whether somebody signed for each reject of the newest commit.

    Args:
        rejects: The rejects of the newest commit.
        notes: What stays out of the old side as it is now: ``sheet`` and ``why``, a rule.
        accepted: The list.
    """
    keys = keys_of(rejects)
    allowed = frozenset() if accepted is None else accepted.keys
    left = {key: count for key, count in keys.items() if key not in allowed}
    found = []
    if left:
        rules = ", ".join(f"{rule} {many:,}" for rule, many in count_by_rule(left).items())
        found.append(f"{sum(left.values()):,} rejects are not accepted: {rules}")
    told = Counter((key[0], key[-1]) for key in keys.elements())
    seen = Counter(zip(notes["sheet"].tolist(), notes["why"].tolist()))
    more = sum((seen - told).values())
    if more:
        found.append(f"{more:,} more are in the old side now than the newest commit tells")
    todo = "pull, or sync; mend the rows, or sign for them: export, review, --accepted FILE"
    good = f"{sum(keys.values()):,} rejects, all accepted" if keys else "there is none"
    return _gate("rejects", found, good, todo)


# ----------------------------------------------------------------------------- the new side


def look_at_step(found: Reconciliation) -> Gate:
    """Tell whether both sides are in step."""
    counts = f"{found.unexplained:,} unexplained, {found.in_flight:,} in flight"
    figure = f"{found.outcome}: {counts}, {found.explained:,} explained"
    todo = "find them: aspen-etl reconcile OLD NEW --details FILE"
    green = found.outcome == "in_step"
    return Gate("reconcile", green, figure, "" if green else todo)


def look_at_tables(found: Standing) -> tuple[Gate, Gate]:
    """Tell whether the database gives keys of its own, and whether its constraints hold."""
    keys = [f"the next key is too low: {listing([*found.low_keys])}"] if found.low_keys else []
    if found.unnumbered:
        keys.append(f"the database gives no key: {listing([*found.unnumbered])}")
    good = "the next keys are above every key and from 2^40 on"
    first = _gate("keys", keys, good, "run aspen-etl load, or push, which moves them")
    named = (("not there", found.missing), ("not trusted", found.untrusted))
    broken = [f"{why}: {listing([*names])}" for why, names in named if names]
    if found.switched_off:
        broken.append(f"switched off: {', '.join(found.switched_off)}")
    good = f"{found.constraints:,} foreign keys and checks are there and hold"
    todo = "make them as aspen-etl schema DIALECT says, and let the database validate them"
    return first, _gate("constraints", broken, good, todo)
