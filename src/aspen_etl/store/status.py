"""When a store was committed to and looked at last, and with what end: what a monitor asks."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional

from aspen_etl.errors import SourceAccessError, VersionNotFoundError, WriteError
from aspen_etl.io.filesystem import Location
from aspen_etl.io.small_files import read_small, write_words
from aspen_etl.schema.values import Run
from aspen_etl.store.commit import Commit
from aspen_etl.store.kept import read_kept
from aspen_etl.store.place import Place
from aspen_etl.store.refused import read_refused

__all__ = ["StoreStatus", "read_good_note", "read_note", "read_status", "write_note"]

#: What becomes of a run that did what it was to do.
_GOOD = frozenset({"committed", "unchanged"})

#: Where word of the last run of each kind is: two files, so that neither overwrites the other.
_LAST_GOOD, _LAST_BAD = "_aspen/last_run.json", "_aspen/last_failure.json"


@dataclass(frozen=True)
class StoreStatus:
    """Tell how a store is; it holds no cell value.

    Attributes:
        url: The store, without anything secret.
        version: The newest version, 0 where nothing was committed yet.
        committed: When it was committed, in ISO form.
        commit_age: How many seconds ago that was.
        oldest_readable: The oldest version that can be read.
        hold: The version that put the store on hold, if it is.
        looked: When the last run began, in ISO form.
        look_age: How many seconds ago that was.
        outcome: What became of that run: ``committed``, ``unchanged``, or the name of an error.
        good: When the last run began that committed or found nothing to do.
        good_age: How many seconds ago that was.
        failed: When the last run began that was refused or failed.
        failure_age: How many seconds ago that was.
        failure: The name of its error.
        reasons: What it said: the limits that were broken, or the text of its error.
        refused: What the newest refused run left, until a run is not refused: its figures, its
            rejects by rule, and the place of the rejects.
        proved: When a run looked at every row of the source last, in ISO form; none where no source
            is kept, so that every run does.
        proof_age: How many seconds ago that was.
        short_runs: How many runs looked at what changed alone since.
        sides: Where the store is two-way, by side the ``version`` that was last written to it (0
            for none), and how many ``conflicts`` wait.
        cutover: The newest check of a cut-over that was green: which ``version`` it was of, when
            (``time``), who ran it (``actor``), and how many rejects were ``accepted``, by rule.
    """

    url: str
    version: int
    committed: Optional[str] = None
    commit_age: Optional[float] = None
    oldest_readable: Optional[int] = None
    hold: Optional[int] = None
    looked: Optional[str] = None
    look_age: Optional[float] = None
    outcome: Optional[str] = None
    good: Optional[str] = None
    good_age: Optional[float] = None
    failed: Optional[str] = None
    failure_age: Optional[float] = None
    failure: Optional[str] = None
    reasons: tuple[str, ...] = ()
    refused: Optional[Mapping[str, Any]] = None
    proved: Optional[str] = None
    proof_age: Optional[float] = None
    short_runs: Optional[int] = None
    sides: Optional[Mapping[str, Mapping[str, int]]] = None
    cutover: Optional[Mapping[str, Any]] = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, ready for JSON."""
        return asdict(self)

    def find_alarm(
        self, max_age: dt.timedelta, /, max_proof_age: Optional[dt.timedelta] = None
    ) -> Optional[str]:
        """Tell why somebody should look at the schedule; none where all is well.

        All is well where a run committed or found nothing to do within a time, no run was refused
        or failed since, and a run looked at every row of the source within another time.

        Args:
            max_age: That time.
            max_proof_age: The other time, if it matters.
        """
        minutes = f"{max_age.total_seconds() / 60:g} minutes"
        failed, good = self.failure_age, self.good_age
        if failed is not None and (good is None or failed <= good):
            return f"the last run was not good: {self.failure}: {'; '.join(self.reasons)}"
        if good is None or good > max_age.total_seconds():
            return f"no run committed or found nothing to do within {minutes}"
        most, proof = max_proof_age, self.proof_age
        if most is not None and proof is not None and proof > most.total_seconds():
            minutes = f"{most.total_seconds() / 60:g} minutes"
            return f"no run looked at every row of the source within {minutes}"
        return None


def read_status(place: Place, now: dt.datetime, /) -> StoreStatus:
    """Read the newest commit and what the last runs left word of.

    Raises:
        VersionNotFoundError: There is no store.
    """
    newest = place.log.newest()
    good, bad = read_good_note(place.root), _read_bad_note(place.root)
    if newest is None and not good and not bad:
        _refuse_nothing(place.root)
    last = _later(good, bad)
    good_time = max(filter(None, (_time_of(good), _sync_time(newest))), default=None)
    refused, kept = read_refused(place.root), read_kept(place)
    if kept is None or newest is None or not kept.is_at(newest):
        kept = None  # a run that keeps nothing looked at everything, and so does the next one
    proved = None if kept is None else kept.proved
    return StoreStatus(
        place.url,
        newest.version if newest else 0,
        **_commit_facts(newest, now),
        looked=last.get("time"),
        look_age=_age(_time_of(last), now),
        outcome=last.get("outcome"),
        good=good_time.isoformat() if good_time else None,
        good_age=_age(good_time, now),
        failed=bad.get("time"),
        failure_age=_age(_time_of(bad), now),
        failure=bad.get("outcome"),
        reasons=tuple(str(reason) for reason in bad.get("reasons", ())),
        refused=refused.to_dict() if refused else None,
        proved=proved.isoformat() if proved else None,
        proof_age=_age(proved, now),
        short_runs=kept.short if kept else None,
    )


def _refuse_nothing(root: Location) -> None:
    """Raise where nothing was ever written to a store; what a dead run left is something."""
    if root.child("_aspen").kind() == "absent":
        raise VersionNotFoundError.nowhere(root.url, root.kind())


def _commit_facts(newest: Optional[Commit], now: dt.datetime) -> dict[str, Any]:
    if newest is None:
        return {}
    return {
        "committed": newest.time.isoformat(),
        "commit_age": _age(newest.time, now),
        "oldest_readable": newest.oldest_readable,
        "hold": newest.hold,
        "sides": _side_facts(newest),
        "cutover": _cutover_facts(newest),
    }


def _side_facts(newest: Commit) -> Optional[dict[str, dict[str, int]]]:
    if newest.sides is None:
        return None
    return {
        name: {"version": side.version, "conflicts": side.waiting}
        for name, side in newest.sides.items()
    }


def _cutover_facts(newest: Commit) -> Optional[dict[str, Any]]:
    record = newest.cutover
    if record is None:
        return None
    facts = {name: getattr(record, name) for name in ("version", "time", "actor")}
    return {**facts, "accepted": dict(record.accepted_counts)}


def _sync_time(newest: Optional[Commit]) -> Optional[dt.datetime]:
    """Give the time of a commit that a run made: those of restore, vacuum and so on are none."""
    return newest.time if newest is not None and newest.kind in {"sync", "pull"} else None


def _age(time: Optional[dt.datetime], now: dt.datetime) -> Optional[float]:
    return None if time is None else (now - time).total_seconds()


# ----------------------------------------------------------------------------- notes


def read_note(root: Location, /) -> Mapping[str, Any]:
    """Read what the last run left word of; nothing where there is none, or none to read."""
    return _later(read_good_note(root), _read_bad_note(root))


def read_good_note(root: Location, /) -> Mapping[str, Any]:
    """Read what the last run left word of that committed or found nothing to do."""
    words = _read(root, _LAST_GOOD)
    return words if words.get("outcome") in _GOOD else {}


def _read_bad_note(root: Location) -> Mapping[str, Any]:
    # NOTE: a library of release 0.1 leaves word of every run in the one file.
    older = _read(root, _LAST_GOOD)
    return _later({} if older.get("outcome") in _GOOD else older, _read(root, _LAST_BAD))


def _later(one: Mapping[str, Any], other: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the later of two notes; of one time, the second."""
    first, second = _time_of(one), _time_of(other)
    return one if first and (second is None or second < first) else other


def _read(root: Location, name: str) -> Mapping[str, Any]:
    """Read a note; it is no truth, so one that cannot be taken is none."""
    from aspen_etl.store.documents import RunNote, read_if_whole, to_words

    data = read_small(root.child(name))
    note = None if data is None else read_if_whole(RunNote, data)
    return {} if note is None else {**to_words(note), "time": note.time.isoformat()}


def _time_of(note: Mapping[str, Any]) -> Optional[dt.datetime]:
    if "time" not in note:
        return None
    return dt.datetime.fromisoformat(note["time"]).astimezone(dt.timezone.utc)


def write_note(
    root: Location,
    run: Run,
    outcome: str,
    version: int,
    fingerprint: Optional[str],
    reasons: Sequence[str] = (),
) -> None:
    """Leave word of a run; it is not part of any commit, so that it may fail."""
    words: dict[str, Any] = {
        "time": run.time.isoformat(),
        "actor": run.actor,
        "outcome": outcome,
        "version": version,
    }
    good = outcome in _GOOD
    words |= {"fingerprint": fingerprint} if good else {"reasons": list(reasons)}
    with contextlib.suppress(SourceAccessError, WriteError):
        write_words(root.child(_LAST_GOOD if good else _LAST_BAD), words)
