"""Committing to a store: what every kind of commit has in common, the commit of a run, of sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Optional

from aspen_etl.errors import ConflictError, CorruptStoreError, TwoWayError
from aspen_etl.io.calling import jitter, retry
from aspen_etl.io.waiting import until
from aspen_etl.schema.evolution import describe_tables
from aspen_etl.schema.rejects import has_former_names
from aspen_etl.schema.snapshot import REJECTS
from aspen_etl.schema.values import Run
from aspen_etl.store.attempt import Attempt
from aspen_etl.store.commit import STORE_FORMAT, Commit, CommitKind, SourceRecord, library_version
from aspen_etl.store.contents import Contents, Sides
from aspen_etl.store.frames import empty
from aspen_etl.store.identity import identity_place
from aspen_etl.store.place import Place
from aspen_etl.store.reading import find
from aspen_etl.store.rejects_place import Standing, check_root, claim_place, judge_place
from aspen_etl.store.stored import Stored

__all__ = [
    "append",
    "begin",
    "check_places",
    "claim_rejects",
    "commit",
    "commit_sides",
    "described_as",
    "next_commit",
    "retrying",
]

#: How often a step is begun anew when another writer commits in between.
_TRIES = 20


# ----------------------------------------------------------------------------- the commit of a run


def commit(
    place: Place,
    contents: Contents,
    /,
    *,
    run: Run,
    parent: int,
    give_up: Optional[Callable[[str], None]] = None,
) -> Commit:
    """Commit a snapshot: every table, its keys and its rejects, or nothing.

    Args:
        place: The store.
        contents: What is committed.
        run: When this is, and who does it.
        parent: The version that it goes on from; 0 for none.
        give_up: Called with the name of each step before it begins; it raises to stop.

    Returns:
        The commit; that of ``parent`` where nothing changed.
    """
    base = _begin_run(place, parent, contents)
    rejects = empty(REJECTS) if contents.rejects is None else contents.rejects
    landing, sides = contents.landing, contents.sides
    claim_rejects(place, first=len(rejects) > 0 or (landing, sides) != (None, None))
    attempt = Attempt(place, parent + 1, give_up, base=base)
    held = _held(contents, base)
    put = contents.tables.put(attempt, _to_write(place, attempt, contents, base), base)
    tables = {name: {**held, **put.tables}[name] for name in place.model.tables}
    keys = dict(put.keys)
    refused = attempt.rejects(rejects, base.rejects if base else None)
    accounted = None if sides is None else sides.put(attempt, base.sides if base else None)
    named = (tables, keys, refused, accounted)
    if base is not None and _named(base) == named and (landing is None or not landing.due):
        return base
    if has_former_names(refused.columns):  # no commit for a name alone, but each has the new one
        refused = attempt.rejects(rejects, None)
    record = base.landing if base else None
    following = replace(
        next_commit(place, base, contents.kind, run, attempt),
        landing=record if landing is None else landing.put(attempt, record),
        model=describe_tables(place.model),
        sides=accounted,
        tables=tables,
        keys=keys,
        parts=put.parts,
        rejects=refused,
        changes={name: found.counts for name, found in contents.changes.items()},
        reject_counts=tuple(dict(count) for count in contents.reject_counts),
        source=contents.source or SourceRecord(),
    )
    return append(place, following, attempt)


def _begin_run(place: Place, parent: int, contents: Contents) -> Optional[Commit]:
    """Begin as ``begin`` does; what leaves the sides of a two-way store behind is refused."""
    base = begin(place, parent)
    if base is not None and base.sides is not None and contents.sides is None:
        raise TwoWayError.refused(place.url, contents.kind)
    return base


def _named(commit: Commit) -> tuple[Any, ...]:
    return commit.tables, commit.keys, commit.rejects, commit.sides


def commit_sides(
    place: Place, newest: Commit, sides: Sides, /, *, run: Run, kind: CommitKind
) -> Commit:
    """Commit what is accounted for of all sides, beside the tables as they are.

    Args:
        place: The store.
        newest: The commit that it goes on from.
        sides: What is accounted for.
        run: When this is, and who does it.
        kind: What was done.

    Returns:
        The commit; ``newest`` where nothing changed.

    Raises:
        ConflictError: Another writer committed since.
    """
    begin(place, newest.version)
    claim_rejects(place, first=True)
    attempt = Attempt(place, newest.version + 1, base=newest)
    accounted = sides.put(attempt, newest.sides)
    if accounted == newest.sides:
        return newest
    commit = replace(next_commit(place, newest, kind, run, attempt), sides=accounted)
    return append(place, commit, attempt)


def _to_write(
    place: Place, attempt: Attempt, contents: Contents, base: Optional[Commit]
) -> list[str]:
    """Name the tables that changed, or are of another format or model."""
    tables, changes, held = place.model.tables, contents.changes, _held(contents, base)
    then, now = base.model if base else {}, describe_tables(place.model)
    return [
        name
        for name, table in tables.items()
        if name not in held
        or not changes[name].is_empty
        or held[name].columns != tuple(table.columns)
        or held[name].format != attempt.format
        or then[name] != now[name]
    ]


def _held(contents: Contents, base: Optional[Commit]) -> dict[str, Stored]:
    """Give where the tables are that the run knows of."""
    before = base.tables if base else {}
    return {name: stored for name, stored in before.items() if name in contents.changes}


# ----------------------------------------------------------------------------- of every kind


def begin(place: Place, parent: int, /) -> Optional[Commit]:
    """Read the commit to go on from, and make sure that it is the newest."""
    newest = place.log.newest()
    if (newest.version if newest else 0) != parent:
        raise ConflictError.commit(place.url, parent + 1)
    check_places(place, newest)
    if newest is None:
        place.log.probe()
        return None
    place.check_model(newest)
    return newest


def check_places(place: Place, newest: Optional[Commit], /) -> None:
    """Make sure, before anything is written, that no place is another store's.

    Raises:
        RejectsPlaceError: The store would begin where another one has its rejects, or its
            rejects would go where another store, or another one's rejects, are.
    """
    if newest is None:
        check_root(place.log)
    if place.rejects_root is not None:
        judge_place(place.log, place.rejects_root)


def claim_rejects(place: Place, /, *, first: bool) -> Standing:
    """Claim the place of the rejects as ``claim_place`` does; the store itself is its own."""
    if place.rejects_root is None:
        return "own"
    return claim_place(place.log, place.rejects_root, first=first)


def next_commit(
    place: Place, base: Optional[Commit], kind: CommitKind, run: Run, attempt: Attempt, /
) -> Commit:
    """Make the commit that follows another and holds the same.

    A table is described as its files are: the next run writes what the model has wider now.
    """
    place.log.check_newest(base.version if base else 0)
    facts: dict[str, Any] = {
        "format": STORE_FORMAT,
        "store": _identity(place, base),
        "parent_sha256": base.digest if base else None,
        "kind": kind,
        "token": attempt.token,
        "time": run.time if base is None else max(run.time, base.time),
        "actor": run.actor,
        "library": library_version(),
    }
    described = describe_tables(place.model)
    if base is None:
        return Commit(version=1, parent=0, model=described, **facts)
    nothing = {"inserted": 0, "updated": 0, "deleted": 0}
    return replace(
        base,
        version=base.version + 1,
        parent=base.version,
        changes={name: dict(nothing) for name in place.model.tables},
        source=replace(base.source, fingerprint=None),
        model=described_as(described, base),
        **facts,
    )


def described_as(now: Mapping[str, Any], held: Commit, /) -> dict[str, Any]:
    """Describe tables as another commit does where it holds them, else as they are now."""
    return {name: held.model[name] if name in held.tables else table for name, table in now.items()}


def _identity(place: Place, base: Optional[Commit]) -> str:
    store = place.log.identity()
    if base is not None and base.store not in (None, store):
        reason = f"it holds another id than commit {base.version}"
        raise CorruptStoreError.at(identity_place(place.root).url, reason)
    return store


def append(place: Place, commit: Commit, attempt: Attempt, /) -> Commit:
    """Make a commit, if the attempt is not too old by now."""
    attempt.check("the commit")
    with until(None):  # given up, it would be undecided
        place.log.append(commit)
    return commit


def retrying(place: Place, step: Callable[[Commit], Commit], /) -> Commit:
    """Do a step on the newest commit, anew where another writer comes first.

    Raises:
        VersionNotFoundError: Nothing was committed yet.
        ConflictError: Others came first every time.
    """

    def on_newest() -> Commit:
        newest = find(place)
        place.check_model(newest)
        return step(newest)

    return retry(
        on_newest,
        tries=_TRIES,
        again=lambda error: isinstance(error, ConflictError),
        pause=lambda _: jitter(0.1),
    )
