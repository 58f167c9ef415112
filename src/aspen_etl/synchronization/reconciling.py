"""Tell whether two sides are in step, across the change of shape: both are read and compared."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd

from aspen_etl.borrower.model import BORROWER_MODEL
from aspen_etl.columns import Mask
from aspen_etl.errors import ArgumentError
from aspen_etl.io.reading import Reading
from aspen_etl.io.waiting import Seconds, seconds_of
from aspen_etl.schema.model import Model
from aspen_etl.schema.values import Run
from aspen_etl.store.snapshot_store import SnapshotStore
from aspen_etl.store.suppressing import suppression_of
from aspen_etl.synchronization.difference_details import Details, Naming
from aspen_etl.synchronization.reconciliation import (
    DifferenceCount,
    Reconciliation,
    SideReport,
)
from aspen_etl.synchronization.sides import (
    AnySide,
    Look,
    Looking,
    can_change,
    commit_of,
    kind_of,
    model_of,
    store_of,
)
from aspen_etl.transform.noting import DIFFERENCES
from aspen_etl.transform.parting import can_part
from aspen_etl.transform.reconciling import compare_sides
from aspen_etl.transform.suppressing import Suppression

__all__ = ["reconcile"]

#: Where a difference is, and which one it is there.
_PLACE = ("sheet", "subject", "key", "column", "kind")


def reconcile(  # noqa: PLR0913 - what a comparison is told, each by name
    source: AnySide,
    target: AnySide,
    /,
    *,
    run: Run,
    model: Optional[Model] = None,
    confirm_after: Seconds = dt.timedelta(0),
    tries: int = 2,
    details: Optional[str] = None,
    details_storage_options: Optional[Mapping[str, Any]] = None,
    secret: Optional[bytes] = None,
    suppress_secret: Optional[bytes] = None,
    store: Optional[SnapshotStore] = None,
    read_options: Optional[Mapping[str, Any]] = None,
) -> Reconciliation:
    """Tell whether two sides hold the same, whatever shape each has.

    A side is an extract; what ``read_extract`` takes; a landing folder, which is replayed from its
    first file; tables, or a snapshot of them; a store, or a version of one as ``(store, 3)``; or
    what reads a database: an object with ``read()``, such as a ``FlatDatabase`` or a
    ``TableDatabase``, or a function. An extract is cleaned and judged as a run does it, tables are
    read back into its sheets; audit columns and keys that the library gives are not compared.

    Rows are digested (BLAKE2b, 128 bits) and summed by 4,096 buckets of the hash of the id; where
    buckets differ, their subjects are compared by row and by column. If something differs that
    nothing explains, and a side can change, both are looked at again: what is as it was is
    confirmed, what is not is in flight.

    Args:
        source: The first side: what the other one is made of, where that is so.
        target: The other one.
        run: When this is, and who does it.
        model: The model; by default that of a store or a database among the sides, else the
            one that the package ships.
        confirm_after: How long to wait before another look: seconds, or a ``timedelta``.
        tries: How many looks there are at most, at least one.
        details: A file to write the differences to one by one, with ids and values, as rejects
            have them: ``.csv`` or ``.parquet``. It must not be there yet.
        details_storage_options: What its filesystem takes.
        secret: At least 16 bytes, under which the details name subjects (an HMAC, SHA-256, as a
            store names those it leaves out) and without which nobody can guess at digests.
        suppress_secret: The secret under which a store's purged subjects are left out.
        store: The store whose these are, where it is neither side.
        read_options: What ``read_extract`` takes beside the model.

    Returns:
        Counts and digests, and neither an id nor a value.

    Raises:
        NotSupportedError: The model does not say whose the rows are; the text says why.
        ArgumentError: An argument cannot be one; a store leaves subjects out, and the secret is
            missing.
        TargetExistsError: The file for details is there.
        AspenETLError: What reading a side raises, and writing the details.

    Examples:
        >>> from importlib.resources import files
        >>> from aspen_etl import normalize, read_extract
        >>> run = Run(time=dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc), actor="me")
        >>> extract = read_extract(str(files("aspen_etl") / "samples/borrowers.xlsx"))
        >>> tables = normalize(extract, run=run).tables
        >>> found = reconcile(extract, tables, run=run)
        >>> found.outcome, found.unexplained, found.explained
        ('in_step', 0, 14)
    """
    if tries < 1:
        raise ArgumentError("tries= is at least 1", problem="limit", argument="tries")
    pause = seconds_of(confirm_after, "confirm_after") or 0.0
    how = can_part(model or model_of(source, target) or BORROWER_MODEL)
    naming = Naming(secret, _store_id(source, target))
    written = None
    if details is not None:
        written = Details.at(details, details_storage_options, naming)
    suppression = _suppression(suppress_secret, target, source, *filter(None, [store]))
    looking = Looking(how, run, Reading.of(read_options), suppression, naming.key)
    seen = _look_until(_Sides(source, target, looking), tries, pause)
    report = _tell(seen, _Sides(source, target, looking))
    if written is not None:
        report = replace(report, details=written.write(seen.found, seen.in_flight))
    return report


# ----------------------------------------------------------------------------- looking


class _Sides(NamedTuple):
    """Two sides, and how they are looked at."""

    source: AnySide
    target: AnySide
    looking: Looking


class _Seen(NamedTuple):
    """What was found at the last look."""

    source: Look
    target: Look
    found: pd.DataFrame
    in_flight: Mask
    looks: int
    settled: int


def _look_until(sides: _Sides, tries: int, pause: float) -> _Seen:
    """Look at both sides until all that nothing explains is as it was at the look before."""
    seen = _look(sides, None)
    while seen.looks < tries and _unexplained(seen.found).any() and _can_change(sides):
        time.sleep(pause)
        seen = _look(sides, seen)
        if not seen.in_flight.any():
            break
    return seen


def _look(sides: _Sides, before: Optional[_Seen]) -> _Seen:
    one = _again(sides.source, None if before is None else before.source, sides.looking)
    two = _again(sides.target, None if before is None else before.target, sides.looking)
    found = compare_sides(one.side, two.side, sides.looking.how)
    if before is None:
        return _Seen(one, two, found, np.zeros(len(found), dtype=bool), 1, 0)
    known, now = set(_rows(before.found, DIFFERENCES)), set(_rows(found, _PLACE))
    settled = before.settled + sum(each not in now for each in _rows(before.found, _PLACE))
    fresh = np.array([each not in known for each in _rows(found, DIFFERENCES)], dtype=bool)
    return _Seen(one, two, found, fresh & _unexplained(found), before.looks + 1, settled)


def _again(given: AnySide, before: Optional[Look], looking: Looking) -> Look:
    return looking.look(given) if before is None or can_change(given) else before


def _rows(found: pd.DataFrame, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(zip(*(found[name].tolist() for name in names)))


def _unexplained(found: pd.DataFrame) -> Mask:
    mask: Mask = found["why"].isna().to_numpy(dtype=bool)
    return mask


def _can_change(sides: _Sides) -> bool:
    return can_change(sides.source) or can_change(sides.target)


def _suppression(secret: Optional[bytes], *among: AnySide) -> Optional[Suppression]:
    """Give who is left out, by what the first store among some says."""
    for given in among:
        commit, store = commit_of(given), store_of(given)
        if commit is not None and store is not None:
            return suppression_of(store.place, store.newest(), secret)
    return None


def _store_id(*sides: AnySide) -> str:
    found = [commit.store for commit in map(commit_of, reversed(sides)) if commit is not None]
    return str(found[0]) if found else ""


# ----------------------------------------------------------------------------- telling


def _tell(seen: _Seen, sides: _Sides) -> Reconciliation:
    told = seen.found.assign(in_flight=seen.in_flight)
    names = ["kind", "sheet", "column", "why", "in_flight"]
    counted: dict[tuple[Any, ...], int] = {}
    for each in zip(*(told[name].tolist() for name in names)):
        counted[each] = counted.get(each, 0) + 1
    open_ones = seen.found[_unexplained(seen.found)]
    run = sides.looking.run
    return Reconciliation(
        time=run.time.isoformat(),
        actor=run.actor,
        source=_tell_side(sides.source, seen.source),
        target=_tell_side(sides.target, seen.target),
        differences=tuple(
            DifferenceCount(**dict(zip(names, each)), count=count)
            for each, count in counted.items()
        ),
        subjects=int(open_ones["subject"].nunique(dropna=False)),
        looks=seen.looks,
        settled=seen.settled,
    )


def _tell_side(given: AnySide, look: Look) -> SideReport:
    side = look.side
    whole = side.notes[side.notes["kind"] != "differs"] if side.is_source else side.notes.iloc[:0]
    return SideReport(
        kind=kind_of(given, look),
        rows={name: len(frame) for name, frame in side.rows.items()},
        rejected={name: int((whole["sheet"] == name).sum()) for name in side.rows},
        digest=side.buckets.digest,
        version=look.version,
        watermark=look.watermark,
    )
